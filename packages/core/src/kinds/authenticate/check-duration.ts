/** Durations that are sensible only between bounds. */
import type { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import type { Duration } from "../../model/policy.js";

export function checkDuration(
  written: Duration | undefined,
  least: Duration,
  most: Duration,
  pointer: string,
  report: Report,
): void {
  if (written === undefined) return;
  const value = parseDuration(written) ?? 0;
  if (value >= (parseDuration(least) ?? 0) && value <= (parseDuration(most) ?? 0)) return;
  report.error(
    "out-of-range",
    pointer,
    `\`${written}\` does not fit here`,
    `from \`${least}\` to \`${most}\``,
  );
}
