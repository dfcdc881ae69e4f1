/** Refusals of normalization: made once, because garbage must cost less than service. */
import type { ErrorCode } from "../errors/codes.js";
import type { Refusal } from "../model/outcome.js";

/**
 * What was read in two ways may have been framed in two ways too, so the connection is never used again.
 * @param reason for the operator; never a value of the caller's
 */
export function refusal(code: ErrorCode, reason: string): Refusal {
  return Object.freeze({ kind: "refusal", code, reason, close: true });
}

/** Tells the two answers of a normalizer apart. */
export function isRefusal<T extends object>(result: T | Refusal): result is Refusal {
  return "kind" in result;
}
