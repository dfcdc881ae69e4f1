/** JSON documents of identity providers: fetched, bounded, and held to what a client may expect of them. */
import { strictText } from "../../lib/bytes.js";
import type { OutwardAnswer, OutwardCall, OutwardFailure, OutwardRequest } from "../../ports/outward.js";
import { namedUrl } from "../../lib/outward-url.js";
import { parseStrictObject } from "./strict-json.js";

/** Metadata and key sets are some kilobytes; certificate chains in a set make it more. */
const MAX_BYTES = 262_144;

export interface RemoteDocument {
  readonly kind: "document";
  readonly value: Readonly<Record<string, unknown>>;
  readonly answer: OutwardAnswer;
}

export interface DocumentFailure extends OutwardFailure {
  /** There was an answer, though not as it should be. */
  readonly reached: boolean;
}

/** A 200 with one JSON object. Whatever else is answered is a failure of the provider. */
export async function fetchDocument(
  call: OutwardCall,
  request: Omit<OutwardRequest, "maxBytes">,
): Promise<RemoteDocument | DocumentFailure> {
  const answer = await call({ ...request, maxBytes: MAX_BYTES });
  if (answer.kind === "failure") return { ...answer, reached: false };
  const where = namedUrl(request.url);
  const failure = (problem: string): DocumentFailure => ({
    kind: "failure",
    reached: true,
    reason: `${where} answered ${problem}`,
  });
  if (answer.status !== 200) return failure(`with status ${answer.status}`);
  // A login page of a proxy, or a file that somebody was let to upload beside.
  if (!isJson(answer.header("content-type"))) return failure("with something else than JSON");
  const text = strictText(answer.body);
  const value = text === undefined ? undefined : parseStrictObject(text);
  return value === undefined ? failure("with no JSON object") : { kind: "document", value, answer };
}

function isJson(contentType: string | undefined): boolean {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "application/json" || /^application\/[a-z0-9.-]+\+json$/u.test(type);
}

/** What the answer says of how long it holds (RFC 9111 section 4.2), in milliseconds; undefined where it says nothing. */
export function freshnessOf(answer: OutwardAnswer): number | undefined {
  const directives = (answer.header("cache-control") ?? "")
    .toLowerCase()
    .split(",")
    .map((one) => one.trim());
  if (directives.includes("no-store") || directives.includes("no-cache")) return 0;
  const maxAge = directives.flatMap((one) => /^max-age="?(\d{1,10})"?$/u.exec(one)?.[1] ?? [])[0];
  if (maxAge === undefined) return undefined;
  const age = /^\d{1,10}$/u.exec(answer.header("age") ?? "0")?.[0] ?? "0";
  return Math.max(0, Number(maxAge) - Number(age)) * 1000;
}
