/** What a store said. Nothing that comes from outside is believed: anything but a well-formed answer is a fault of the store. */
import type { TakePart, TakeResult } from "../../ports/state-store.js";

/** No limit is larger. */
const MOST_UNITS = 2 ** 31 - 1;

export function isTakeResult(answer: unknown, count: number): answer is TakeResult {
  try {
    return isWhole(answer, count);
  } catch {
    // An accessor of a client library's own that throws.
    return false;
  }
}

function isWhole(answer: unknown, count: number): boolean {
  if (typeof answer !== "object" || answer === null) return false;
  const { allowed, source, per, token } = answer as Partial<Record<keyof TakeResult, unknown>>;
  if (typeof allowed !== "boolean" || typeof source !== "string") return false;
  if (!Array.isArray(per) || per.length !== count) return false;
  if (token !== undefined && (typeof token !== "object" || token === null)) return false;
  let all = true;
  const parts: readonly unknown[] = per;
  for (let index = 0; index < count; index += 1) {
    const part = parts[index];
    if (!isPart(part)) return false;
    if (!part.allowed) all = false;
  }
  // An answer that contradicts its own parts says nothing.
  return allowed === all;
}

function isPart(part: unknown): part is TakePart {
  if (typeof part !== "object" || part === null) return false;
  const { allowed, remaining, resetUs, retryUs } = part as Partial<Record<keyof TakePart, unknown>>;
  return (
    typeof allowed === "boolean" &&
    isAmount(remaining) &&
    remaining <= MOST_UNITS &&
    isAmount(resetUs) &&
    isAmount(retryUs)
  );
}

/** What the port promises: whole units and whole microseconds. A fraction, or `1e+21`, would be no Integer in a header field. */
function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
