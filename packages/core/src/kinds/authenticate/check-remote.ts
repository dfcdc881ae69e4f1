/** Cross-checks of keys that are fetched. */
import type { Report } from "../../errors/diagnostics.js";
import { outwardUrlProblem } from "../../lib/outward-url.js";
import { pointerTo } from "../../lib/pointer.js";
import type { JwtSettings } from "../../model/policy.js";
import { checkDuration } from "./check-duration.js";
import { UNCHECKED } from "./claims.js";
import { isRemote } from "./remote-source.js";

const REMOTE_ONLY = ["refresh", "cooldown", "maxStale", "atStart"];

export function checkRemoteKeys({ keys, issuer }: JwtSettings, base: string, report: Report): void {
  const pointer = pointerTo(base, "keys");
  if (!isRemote(keys)) {
    for (const name of Object.keys(keys).filter((key) => REMOTE_ONLY.includes(key))) {
      const help = "it is for keys behind a URL";
      report.error(
        "setting-without-effect",
        pointerTo(pointer, name),
        `\`${name}\` means nothing here`,
        help,
      );
    }
    return;
  }
  // A set that is never fresh would be fetched without end, and so would one for each unknown `kid`.
  checkDuration(keys.refresh, "1s", "366d", pointerTo(pointer, "refresh"), report);
  checkDuration(keys.cooldown, "1s", "1d", pointerTo(pointer, "cooldown"), report);
  if ("jwks" in keys) checkUrl(keys.jwks, pointerTo(pointer, "jwks"), report);
  else checkDiscovery(issuer, base, report);
}

/** The metadata is held against the issuer, and found by it. */
function checkDiscovery(issuer: string, base: string, report: Report): void {
  if (issuer === UNCHECKED) {
    const help = "write the `issuer`, or the URL of its key set as `jwks`";
    report.error(
      "discovery-without-issuer",
      pointerTo(base, "keys", "discovery"),
      "nobody is named whose metadata could be read",
      help,
    );
    return;
  }
  checkUrl(issuer, pointerTo(base, "issuer"), report);
  if (issuer.includes("?")) {
    report.error(
      "invalid-url",
      pointerTo(base, "issuer"),
      "the issuer has a query, so no metadata can be found by it",
    );
  }
}

export function checkUrl(url: string, pointer: string, report: Report): void {
  const problem = outwardUrlProblem(url);
  if (problem === undefined) return;
  const help = "what is called is `https://…`, or `http://` on this machine alone";
  report.error("invalid-url", pointer, `the URL ${problem}`, help);
}
