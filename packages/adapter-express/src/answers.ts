/** `res.json`: the value goes to the policy before it is text, so that it is cut and never parsed again. */
import type { HandlerContext } from "@gatehouse/node-http";
import type { ExpressResponse } from "./express.js";

/** What an application may have set to write JSON in its own way; then its text is what a rule reads. */
const WRITERS = ["json replacer", "json spaces", "json escape"] as const;
/** Statuses that have no content, or that express empties by itself. */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Only where the policy has something to do with the value: else express writes it, with its ETag and its 304. */
export function takeJson(res: ExpressResponse, context: HandlerContext): void {
  const { json: native } = res;
  res.json = function (this: ExpressResponse, ...given: unknown[]) {
    if (given.length !== 1 || EMPTY.has(res.statusCode) || hasWriter(res)) return native.call(this, ...given);
    if (res.get("Content-Type") === undefined) res.set("Content-Type", "application/json; charset=utf-8");
    context.send(given[0]);
    return this;
  };
}

function hasWriter({ app }: ExpressResponse): boolean {
  return WRITERS.some((name) => Boolean(app?.get(name)));
}
