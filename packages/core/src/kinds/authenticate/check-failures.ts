/** Cross-checks of `failures`. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { FailureSettings } from "../../model/policy.js";
import { checkDuration } from "./check-duration.js";

export function checkFailures(
  failures: FailureSettings | "unlimited" | undefined,
  base: string,
  report: Report,
): void {
  if (failures === undefined || failures === "unlimited") return;
  // In no time at all nobody would ever fail twice.
  checkDuration(failures.window, "1s", "1d", pointerTo(base, "failures", "window"), report);
}
