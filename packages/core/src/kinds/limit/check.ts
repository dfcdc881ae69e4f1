/** Cross-checks of limits: each limit by itself, then on every route that has it. */
import { scopeOf } from "../../conditions/index.js";
import { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { LimitSettings } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { rankOf, type StageName } from "../../stages.js";
import { checkTerms } from "./check-terms.js";
import { readingOf, readsOf, STAGE_OF, type Reading } from "./reading.js";
import { routeLimits } from "./route-limits.js";
import { durationUs, factsOf } from "./terms.js";

export function checkLimits(policy: ResolvedPolicy, report: Report): void {
  checkDeadline(policy, report);
  for (const limit of policy.limits.values()) checkTerms(limit, report);
  for (const { value, pointer } of policy.globalLimits) {
    const limit = policy.limits.get(value);
    if (limit !== undefined) checkGlobal(policy, limit, pointer, report);
  }
  const told = new Set<string>();
  for (const route of policy.routes) {
    for (const named of routeLimits(policy, route)) {
      const limit = policy.limits.get(named.value);
      if (limit === undefined) continue;
      const found = new Report();
      checkOnRoute(policy, route, limit, found);
      forward(found, route, report, told);
    }
  }
}

const LONGEST_DEADLINE_US = 60_000_000;

function checkDeadline({ document }: ResolvedPolicy, report: Report): void {
  const deadline = document.store?.deadline;
  if (deadline === undefined) return;
  const us = durationUs(deadline);
  if (us > 0 && us <= LONGEST_DEADLINE_US) return;
  report.error(
    "out-of-range",
    "/store/deadline",
    `\`${deadline}\` is no time that a request can wait for a store`,
    "write a duration above zero and at most `60s`",
  );
}

/** Asked before a route is known to matter, on preflights and unknown paths too. */
function checkGlobal(
  policy: ResolvedPolicy,
  limit: Placed<LimitSettings>,
  named: string,
  report: Report,
): void {
  const scope = scopeOf(policy, policy.unmatched);
  const found = new Report();
  const reading = readingOf(limit, scope, found);
  const stranger = reading === undefined ? undefined : readsOf(reading).find((fact) => !isClientFact(fact));
  const settles = typeof limit.value.cost === "object";
  if (reading === undefined || stranger !== undefined || settles) {
    const first = found.diagnostics[0];
    const what =
      stranger !== undefined
        ? `\`${stranger}\``
        : settles && reading !== undefined
          ? "the answer"
          : `what only a route knows (${first?.message ?? ""})`;
    report.error(
      "global-limit-fact",
      named,
      `a global limit reads ${what}`,
      "global limits are taken before anything but the client's address is known: count by `client.ip`, or by nothing",
    );
    return;
  }
  checkCounted(limit, "global-limit", report);
}

function isClientFact(fact: string): boolean {
  return fact.startsWith("client.");
}

function checkOnRoute(
  policy: ResolvedPolicy,
  route: ResolvedRoute,
  limit: Placed<LimitSettings>,
  report: Report,
): void {
  const reading = readingOf(limit, scopeOf(policy, route), report);
  if (reading === undefined) return;
  checkCounted(limit, STAGE_OF[reading.needs], report);
  checkMissing(route, limit, report);
  warnOfChosen(limit, reading, report);
}

function checkMissing(route: ResolvedRoute, { value, pointer }: Placed<LimitSettings>, report: Report): void {
  if (value.onMissing !== undefined || route.authenticate.mode !== "optional") return;
  const fact = factsOf(value).find(
    (one) => one.fact === "authenticator" || one.fact.startsWith("principal."),
  );
  if (fact === undefined) return;
  report.error(
    "missing-on-missing",
    pointer,
    `\`${fact.fact}\` is absent for anonymous callers, and the limit does not say what then`,
    'write `"onMissing"`: `"group"` (they share one count), `"refuse"` or `"skip"`',
  );
}

/** Statuses that are given at one place alone, before anybody's handler. */
const GIVEN_AT: ReadonlyMap<number, StageName> = new Map([
  [414, "normalize"],
  [417, "normalize"],
  [425, "normalize"],
  [431, "normalize"],
  [421, "transport"],
  [405, "route"],
]);

function checkCounted({ value, pointer }: Placed<LimitSettings>, at: StageName, report: Report): void {
  if (!Array.isArray(value.count)) return;
  for (const [index, status] of (value.count as readonly number[]).entries()) {
    const given = GIVEN_AT.get(status);
    if (given === undefined || rankOf(given) > rankOf(at)) continue;
    report.error(
      "uncountable-status",
      pointerTo(pointer, "count", index),
      `\`${status}\` is given at the stage \`${given}\`, before this limit is taken at \`${at}\``,
      "a limit counts only what comes after it was taken",
    );
  }
}

/** Whoever picks the key picks a fresh count. */
function warnOfChosen({ value, pointer }: Placed<LimitSettings>, { facts }: Reading, report: Report): void {
  if (facts.length === 0 || !facts.every(({ fact }) => fact.startsWith("headers."))) return;
  report.warn(
    "caller-chosen-count",
    value.by === undefined ? pointer : pointerTo(pointer, "by"),
    "a caller gets a fresh count by sending another header",
    "count by `client.ip` besides",
  );
}

/** A limit is checked for every route that has it: what is wrong with it is told once, with the first route that shows it. */
function forward(found: Report, route: ResolvedRoute, report: Report, told: Set<string>): void {
  for (const { code, severity, pointer, message, help } of found.diagnostics) {
    const key = `${code} ${pointer} ${message}`;
    if (told.has(key)) continue;
    told.add(key);
    const text = `${message} (on route \`${route.key}\`)`;
    if (severity === "error") report.error(code, pointer, text, help);
    else report.warn(code, pointer, text, help);
  }
}
