/** Protection that is off, or that has nothing to protect. */
import type { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CsrfSettings } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { parseOrigin } from "../../normalize/origin.js";
import { ambientAuthenticators, canBeForged } from "./compile.js";

export function checkCsrf(policy: ResolvedPolicy, report: Report): void {
  // One setting of the document or a group holds on many routes, and is reported once.
  const seen = new Set<string>();
  for (const route of policy.routes) {
    const { csrf } = route;
    if (csrf === undefined) continue;
    if (csrf.value === "off") reportOff(route, report);
    else if (!seen.has(csrf.pointer)) {
      checkOrigins(csrf.value, csrf.pointer, report);
      checkTokens(csrf.value, pointerTo(csrf.pointer, "tokens"), report);
    }
    seen.add(csrf.pointer);
  }
  reportUnused(policy, seen, report);
}

/** Named for each route: one switch in the document may uncover many. */
function reportOff(route: ResolvedRoute, report: Report): void {
  const [ambient] = ambientAuthenticators(route);
  if (ambient === undefined || !canBeForged(route)) return;
  report.warn(
    "csrf-off",
    route.csrf?.pointer ?? route.pointer,
    `\`${route.key}\` takes the credential of \`${ambient.name}\`, which browsers send by themselves, and \`csrf\` is off`,
    "leave `csrf` out: requests of other sites are refused then",
  );
}

function checkOrigins({ origins }: CsrfSettings, pointer: string, report: Report): void {
  for (const [index, origin] of (origins ?? []).entries()) {
    if (parseOrigin(origin) !== undefined) continue;
    report.error(
      "invalid-origin",
      pointerTo(pointer, "origins", index),
      `\`${origin}\` is no origin`,
      "write a scheme and a host in lower case, as in `https://shop.example.com`; there are no wildcards here",
    );
  }
}

/** A browser counts the cookie's life in whole seconds, and a page is read for longer than some. */
function checkTokens({ tokens }: CsrfSettings, pointer: string, report: Report): void {
  if (tokens?.maxAge === undefined || (parseDuration(tokens.maxAge) ?? 0) >= 60_000) return;
  report.error(
    "out-of-range",
    pointerTo(pointer, "maxAge"),
    "`maxAge` is shorter than a minute",
    "no page would have a good token for long: write some hours",
  );
}

/** A setting that holds nowhere looks like protection. */
function reportUnused(policy: ResolvedPolicy, pointers: ReadonlySet<string>, report: Report): void {
  for (const pointer of pointers) {
    const routes = policy.routes.filter((route) => route.csrf?.pointer === pointer);
    if (routes.some((route) => ambientAuthenticators(route).length > 0 || asksAlways(route))) continue;
    report.warn(
      "unused-csrf",
      pointer,
      "no route under this `csrf` takes a credential that browsers send by themselves",
      "leave it out: only cookies, client certificates and passwords need it",
    );
  }
}

/** On a route where nobody is known `always` is what the setting is for. */
function asksAlways(route: ResolvedRoute): boolean {
  return typeof route.csrf?.value === "object" && route.csrf.value.always === true && canBeForged(route);
}
