/** What a store said. Nothing that comes from outside is believed: anything but a well-formed answer is a fault of the store. */
import type { TakePart, TakeResult } from "../../ports/state-store.js";

export function isTakeResult(answer: unknown, count: number): answer is TakeResult {
  if (typeof answer !== "object" || answer === null) return false;
  const { allowed, source, per, token } = answer as Partial<Record<keyof TakeResult, unknown>>;
  if (typeof allowed !== "boolean" || typeof source !== "string") return false;
  if (!Array.isArray(per) || per.length !== count) return false;
  if (token !== undefined && (typeof token !== "object" || token === null)) return false;
  let all = true;
  for (const part of per as readonly unknown[]) {
    if (!isPart(part)) return false;
    if (!part.allowed) all = false;
  }
  // An answer that contradicts its own parts says nothing.
  return allowed === all;
}

function isPart(part: unknown): part is TakePart {
  if (typeof part !== "object" || part === null) return false;
  const { allowed, remaining, resetUs, retryUs } = part as Partial<Record<keyof TakePart, unknown>>;
  return typeof allowed === "boolean" && isAmount(remaining) && isAmount(resetUs) && isAmount(retryUs);
}

function isAmount(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

export function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return (
    typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function"
  );
}
