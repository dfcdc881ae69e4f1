/** What redaction puts in place of a value. */
import type { RedactAction } from "../../model/policy.js";

/** A value that does not leave. No JSON value, so it cannot be mistaken for one. */
export const GONE: unique symbol = Symbol("gone");

export const MASK = "***";

/** Strictest first: where two meet, the one that stands earlier wins. */
const ORDER: readonly string[] = ["remove", "null", "replace", "mask", "hash", "last4"];

function nameOf(action: RedactAction): string {
  return typeof action === "string" ? action : "replace";
}

/** Below 0: `a` is the stricter. Two replacements are ordered by their text, so that the order in a document decides nothing. */
export function compareActions(a: RedactAction, b: RedactAction): number {
  const byName = ORDER.indexOf(nameOf(a)) - ORDER.indexOf(nameOf(b));
  if (byName !== 0 || typeof a === "string" || typeof b === "string") return byName;
  const [one, other] = [JSON.stringify(a.replace), JSON.stringify(b.replace)];
  return one === other ? 0 : one < other ? -1 : 1;
}

/** HMAC of a scalar's JSON text, so that `1` and `"1"` stay two values. */
export type Hash = (json: string) => string;

/**
 * What leaves instead.
 * @param value as JSON would hold it
 */
export function redacted(action: RedactAction, value: unknown, hash: Hash): unknown {
  // What comes after may change what leaves: the policy's own constant must not be in it.
  if (typeof action === "object")
    return isStructured(action.replace) ? structuredClone(action.replace) : action.replace;
  switch (action) {
    case "remove":
      return GONE;
    case "null":
      return null;
    case "mask":
      return MASK;
    case "hash":
      return isStructured(value) ? MASK : hash(JSON.stringify(value));
    case "last4":
      return typeof value === "string" ? lastFour(value) : MASK;
  }
}

function isStructured(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** By code points: half a surrogate pair would be no text. Short texts would be shown in their better half. */
function lastFour(text: string): string {
  const points = Array.from(text.length > 64 ? text.slice(-64) : text);
  return points.length < 8 ? MASK : MASK + points.slice(-4).join("");
}
