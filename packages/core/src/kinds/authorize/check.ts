/** Cross-checks of `authorize` and `require`: all that could only misfire while serving is refused here. */
import { scopeOf } from "../../conditions/index.js";
import { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { demandsOf, entryPointer, planOf } from "./entries.js";
import type { Demand } from "./entries.js";
import { claimPath } from "./parts.js";
import type { StepUp } from "./step-up.js";

export function checkAuthorize(policy: ResolvedPolicy, report: Report): void {
  const told = new Set<string>();
  for (const route of policy.routes) {
    const found = new Report();
    checkForm(policy, route, found);
    if (hasCondition(route)) checkConditions(policy, route, found);
    forward(found, route, report, told);
  }
}

function hasCondition(route: ResolvedRoute): boolean {
  return demandsOf(route).some(
    ({ entries }) =>
      entries !== "authenticated" &&
      entries.some(({ when, forbid }) => when !== undefined || forbid !== undefined),
  );
}

/** Nothing else of a plan can be wrong that `checkForm` has not seen. */
function checkConditions(policy: ResolvedPolicy, route: ResolvedRoute, report: Report): void {
  const unknown = (): undefined => undefined;
  planOf({
    document: policy.document,
    route,
    scope: scopeOf(policy, route),
    report,
    findCheck: unknown,
  });
}

/** An inherited rule is compiled for every route: what is wrong with it is told once, with the first route that shows it. */
function forward(found: Report, route: ResolvedRoute, report: Report, told: Set<string>): void {
  for (const { code, pointer, message, help } of found.diagnostics) {
    const key = `${code} ${pointer} ${message}`;
    if (told.has(key)) continue;
    told.add(key);
    const own = pointer.startsWith(route.pointer);
    report.error(code, pointer, own ? message : `${message} (on route \`${route.key}\`)`, help);
  }
}

function checkForm(policy: ResolvedPolicy, route: ResolvedRoute, report: Report): void {
  const { authorize, authenticate } = route;
  if (authorize.value === "anyone" && authorize.from !== "language" && authenticate.mode !== "optional") {
    const help =
      authenticate.mode === "none"
        ? "take `authorize` out: nothing is asked of anybody here"
        : 'write `"authenticate": ["optional", …]`, or say what a caller must have';
    report.error(
      "anyone-not-optional",
      authorize.pointer,
      '`"anyone"` stands only where anonymous callers are let in',
      help,
    );
  }
  for (const demand of demandsOf(route)) {
    if (demand.entries === "authenticated") checkKnown(route, demand, report);
    else
      for (const [index, entry] of demand.entries.entries())
        checkEntry(route, entry, () => entryPointer(policy.document, demand, index), report);
  }
}

const OPEN = 'nobody is known on a route with `"authenticate": "none"`';

function checkKnown(route: ResolvedRoute, demand: Demand, report: Report): void {
  if (route.authenticate.mode !== "none") return;
  report.error(
    "principal-on-open-route",
    demand.pointer,
    `\`"authenticated"\` can never hold: ${OPEN}`,
    "name an authenticator on the route",
  );
}

/** @param place asked for where there is something to tell: a start looks at thousands of entries, and most are fine */
function checkEntry(route: ResolvedRoute, entry: AuthorizeEntry, place: () => string, report: Report): void {
  if (route.authenticate.mode === "none") {
    for (const part of ["roles", "scopes", "claims", "stepUp"] as const) {
      if (entry[part] === undefined) continue;
      report.error(
        "principal-on-open-route",
        pointerTo(place(), part),
        `\`${part}\` can never hold: ${OPEN}`,
        "name an authenticator on the route",
      );
    }
  }
  if (entry.stepUp !== undefined) checkStepUp(entry.stepUp, pointerTo(place(), "stepUp"), report);
  for (const path of Object.keys(entry.claims ?? {})) {
    if (claimPath(path)?.every((segment) => segment !== "") === true) continue;
    report.error(
      "invalid-claim-path",
      pointerTo(place(), "claims", path),
      `\`${path}\` is no path into the claims`,
      "write names with dots between, or a JSON Pointer that begins with `/`",
    );
  }
}

/** A challenge counts in whole seconds, and no login is as fresh as none at all. */
function checkStepUp(stepUp: StepUp, pointer: string, report: Report): void {
  if (stepUp.maxAge === undefined || (parseDuration(stepUp.maxAge) ?? 0) >= 1000) return;
  report.error(
    "out-of-range",
    pointerTo(pointer, "maxAge"),
    "`maxAge` is shorter than a second",
    "no login would ever be fresh enough: write some minutes",
  );
}
