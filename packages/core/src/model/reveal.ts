/** Which limits are told of in header fields: one truth for those who write the fields and those who let pages read them. */
import type { LimitSettings } from "./policy.js";

/**
 * `reveal` as written; else what concerns nobody's traffic but the caller's own.
 * @param reads names of all facts that the limit counts by, or that its condition or cost reads
 */
export function isRevealed(limit: LimitSettings, reads: readonly string[]): boolean {
  // What never refuses would only mislead a client that slows down for it.
  if (limit.mode === "observe") return false;
  if (limit.reveal !== undefined) return limit.reveal;
  if (limit.count !== undefined && limit.count !== "all") return false;
  return !reads.some((fact) => /^(?:body|headers)(?:\.|$)/u.test(fact));
}
