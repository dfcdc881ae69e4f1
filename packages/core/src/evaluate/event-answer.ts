/** Is an answer a stream of events under a rule, and what becomes of it? Its head alone says so. */
import type { BodyRule, CompiledResponse } from "../model/compiled.js";
import type { HeaderField } from "../model/request.js";
import type { RawResponse } from "../model/response.js";

export type EventAnswer =
  | { readonly kind: "events"; readonly rule: BodyRule }
  | { readonly kind: "withheld"; readonly reason: string };

/** Undefined: no stream of events, or nothing rules it. */
export function eventAnswer(
  { status, headers, body }: RawResponse,
  { body: bodyRule, events }: CompiledResponse,
): EventAnswer | undefined {
  if (events === undefined && bodyRule?.readsBody !== true) return undefined;
  if (status === 204 || status === 304) return undefined;
  if (!mentionsEvents(headers)) return undefined;
  const types = mediaTypes(headers);
  if (!types.includes("text/event-stream")) return undefined;
  if (events === undefined)
    return withheld("a body rule applies to a stream of events: `response.events` says what leaves");
  // Readers differ in which of two they believe.
  if (new Set(types).size > 1) return withheld("a stream of events has a second Content-Type");
  if (status === 206) return withheld("a part of a stream of events cannot be read");
  if (isCoded(headers))
    return withheld("a stream of events has a Content-Encoding: compress behind the policy");
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
    return withheld("a value is sent as a stream of events");
  }
  return { kind: "events", rule: events };
}

function withheld(reason: string): EventAnswer {
  return { kind: "withheld", reason };
}

/** Asked of every ruled answer: nothing is taken apart that cannot be one. */
function mentionsEvents(headers: readonly HeaderField[]): boolean {
  for (const [name, value] of headers) if (name.length === 12 && /event-stream/iu.test(value)) return true;
  return false;
}

/** Lower case, without parameters; also those of one field with a comma in it, which fetch splits. */
function mediaTypes(headers: readonly HeaderField[]): readonly string[] {
  return headers
    .filter(([name]) => name.length === 12 && name.toLowerCase() === "content-type")
    .flatMap(([, value]) => value.split(","))
    .map((type) => (type.split(";", 1)[0] ?? "").trim().toLowerCase());
}

function isCoded(headers: readonly HeaderField[]): boolean {
  return headers.some(
    ([name, value]) => name.toLowerCase() === "content-encoding" && value.toLowerCase() !== "identity",
  );
}
