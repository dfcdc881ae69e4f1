/** Cross-checks of introspection. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import { checkFailures } from "./check-failures.js";
import { UNCHECKED } from "./claims.js";
import { checkUrl } from "./check-remote.js";

export function checkIntrospection(settings: IntrospectionSettings, pointer: string, report: Report): void {
  checkUrl(settings.url, pointerTo(pointer, "url"), report);
  checkFailures(settings.failures, pointer, report);
  const { audience } = settings;
  // In a list the word would be one more value that a token could carry.
  if (typeof audience !== "string" && !("claim" in audience) && audience.includes(UNCHECKED)) {
    const help = '`"audience": "unchecked"` alone switches the check off';
    report.error(
      "unchecked-in-list",
      pointerTo(pointer, "audience"),
      "`unchecked` stands beside values",
      help,
    );
  }
  if (settings.in === "query") {
    report.warn(
      "token-in-query",
      pointerTo(pointer, "in"),
      "a token in the query ends up in logs, histories and `Referer`",
      "let it travel in a header",
    );
  }
}
