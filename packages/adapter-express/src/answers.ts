/** `res.json`: the value goes to the policy before it is text, so that it is cut and never parsed again. */
import { interceptionOf, type HandlerContext } from "@gatehouse/node-http";
import type { ExpressResponse } from "./express.js";

/** What an application may have set to write JSON in its own way; then its text is what a rule reads. */
const WRITERS = ["json replacer", "json spaces", "json escape"] as const;
/** Statuses that have no content, or that express empties by itself. */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Only where the policy has something to do with the value: else express writes it, with its ETag and its 304. */
export function takeJson(res: ExpressResponse, context: HandlerContext): void {
  const { json: native } = res;
  const end: unknown = Reflect.get(res, "end");
  res.json = function (this: ExpressResponse, ...given: unknown[]) {
    if (given.length !== 1 || EMPTY.has(res.statusCode) || hasWriter(res)) return native.call(this, ...given);
    if (res.get("Content-Type") === undefined) res.set("Content-Type", "application/json; charset=utf-8");
    if (res.end === end || res.headersSent) context.send(given[0]);
    else sendThrough(res, given[0]);
    return this;
  };
}

/** Something behind the guard waits for `end`: sessions are saved there, answers compressed. It gets what the policy leaves. */
function sendThrough(res: ExpressResponse, value: unknown): void {
  const answer = interceptionOf(res);
  if (answer === undefined) return;
  const shaped = answer.prepare(value, res.statusCode, res.getHeaders());
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.statusCode = shaped.status;
  for (const [name, field] of shaped.headers) res.appendHeader(name, field);
  res.end(shaped.body);
}

function hasWriter({ app }: ExpressResponse): boolean {
  return WRITERS.some((name) => Boolean(app?.get(name)));
}
