/** Cross-checks of `basic`. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { BasicSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { checkDuration } from "./check-duration.js";

export const DEFAULT_CACHE = "1m";

export function checkBasic(
  { pointer }: ResolvedAuthenticator,
  { cacheFor }: BasicSettings,
  report: Report,
): void {
  // For that long a password that was changed, or a user who was taken out of a running process's list, still opens.
  checkDuration(cacheFor, "0s", "1h", pointerTo(pointer, "cacheFor"), report);
}
