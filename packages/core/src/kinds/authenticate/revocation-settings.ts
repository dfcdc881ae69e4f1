/** `revocation` of the document: what it means where it says nothing, and what it may say. */
import type { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { RevocationSettings } from "../../model/policy.js";
import type { RevocationTerms } from "../../ports/revocations.js";
import { checkDuration } from "./check-duration.js";

const AT = "/revocation";
const DEFAULTS = { refresh: "1s", maxStale: "30s", keepFor: "1d", maxEntries: 100_000 } as const;

export function checkRevocation(settings: RevocationSettings, report: Report): void {
  const { refresh = DEFAULTS.refresh, maxStale, keepFor } = settings;
  checkDuration(settings.refresh, "100ms", "1h", pointerTo(AT, "refresh"), report);
  // Staler than that it is all the time.
  checkDuration(maxStale ?? DEFAULTS.maxStale, refresh, "366d", pointerTo(AT, "maxStale"), report);
  checkDuration(keepFor, "1m", "366d", pointerTo(AT, "keepFor"), report);
}

export function revocationTerms(settings: RevocationSettings): RevocationTerms {
  const of = (name: "refresh" | "maxStale" | "keepFor"): number =>
    parseDuration(settings[name] ?? DEFAULTS[name]) ?? 0;
  return {
    refreshMs: of("refresh"),
    maxStaleMs: of("maxStale"),
    keepForMs: of("keepFor"),
    maxEntries: settings.maxEntries ?? DEFAULTS.maxEntries,
  };
}
