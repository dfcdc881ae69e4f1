/**
 * The stages 9, 12b and 13. Entries are alternatives whose parts are known at different times, so a clause passes a stage when at
 * least one of its entries still can hold; it is refused as soon as none can. `forbid` is asked of every entry, whichever holds.
 * What an earlier stage asked is asked again rather than remembered: the answers cannot differ, and nothing is stored per request.
 */
import { PASS } from "../../model/outcome.js";
import type { Refusal, Verdict } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import { better } from "./miss.js";
import type { Clause, Entry, Miss, Plan, Test } from "./plan.js";
import { runChecks } from "./run-checks.js";

/** Everything that is known without a body. */
export function authorizeStage(plan: Plan): (state: RequestState) => Verdict {
  const { forbidHead, clauses } = plan;
  const [clause] = clauses;
  const [entry] = clause?.entries ?? [];
  const [test] = entry?.head ?? [];
  // The most common rule, one test and nothing else, is one closure.
  if (
    test !== undefined &&
    forbidHead.length === 0 &&
    clauses.length === 1 &&
    clause?.entries.length === 1 &&
    entry?.head.length === 1
  ) {
    return (state) => {
      const missed = test.run(state);
      if (state.tracing) noteReached(test, missed, state);
      if (missed !== undefined) return refuse(plan, test, missed, state);
      if (state.tracing) {
        noteHeld(test, state);
        if (isWhole(entry, "head")) state.note({ reached: [{ rule: entry.rule, came: "held" }] });
      }
      return PASS;
    };
  }
  return (state) => {
    const forbidden = firstForbidden(plan, forbidHead, state);
    if (forbidden !== undefined) return forbidden;
    for (const each of clauses) {
      const refused = judge(plan, each, each.entries, "head", state);
      if (refused !== undefined) return refused;
    }
    return PASS;
  };
}

/** What reads the body. Entries that failed before it are out; where all did, stage 9 has refused (or, observing, said so). */
export function authorizeBodyStage(plan: Plan): (state: RequestState) => Verdict {
  const clauses = plan.clauses.filter(({ entries }) => entries.some(({ body }) => body.length > 0));
  return (state) => {
    const forbidden = firstForbidden(plan, plan.forbidBody, state);
    if (forbidden !== undefined) return forbidden;
    for (const clause of clauses) {
      const open = clause.entries.filter((entry) => holds(entry.head, state));
      const refused = open.length === 0 ? undefined : judge(plan, clause, open, "body", state);
      if (refused !== undefined) return refused;
    }
    return PASS;
  };
}

/** The application's own checks, only of entries all of whose other parts hold, and only where no entry holds without. */
export function checkStage(plan: Plan): (state: RequestState) => Verdict | Promise<Verdict> {
  const clauses = plan.clauses.filter(({ entries }) => entries.some(({ checks }) => checks.length > 0));
  return (state) => checkFrom(plan, clauses, 0, state);
}

function checkFrom(
  plan: Plan,
  clauses: readonly Clause[],
  start: number,
  state: RequestState,
): Verdict | Promise<Verdict> {
  for (let index = start; index < clauses.length; index += 1) {
    const open = (clauses[index]?.entries ?? []).filter(
      (entry) => holds(entry.head, state) && holds(entry.body, state),
    );
    if (open.length === 0 || open.some(({ checks }) => checks.length === 0)) continue;
    const verdict = runChecks(open, state, (entry) => refusalOf(plan, entry.refused, state));
    if (verdict instanceof Promise) {
      return verdict.then((settled) => settled ?? checkFrom(plan, clauses, index + 1, state));
    }
    if (verdict !== undefined) return verdict;
  }
  return PASS;
}

function firstForbidden(plan: Plan, tests: readonly Test[], state: RequestState): Refusal | undefined {
  for (const test of tests) {
    const missed = test.run(state);
    if (state.tracing) noteReached(test, missed, state);
    if (missed !== undefined) return refuse(plan, test, missed, state);
    if (state.tracing) noteHeld(test, state);
  }
  return undefined;
}

/** Undefined when one entry can still hold. */
function judge(
  plan: Plan,
  clause: Clause,
  entries: readonly Entry[],
  phase: "head" | "body",
  state: RequestState,
): Refusal | undefined {
  let worst: Miss | undefined;
  let decisive: Test | undefined;
  for (const entry of entries) {
    const failed = firstFailed(entry[phase], state);
    if (failed === undefined) {
      if (state.tracing) noteEntry(clause, entry, phase, state);
      return undefined;
    }
    const chosen = better(worst, failed.missed);
    if (chosen !== worst) decisive = failed.test;
    worst = chosen;
  }
  return worst === undefined || decisive === undefined ? undefined : refuse(plan, decisive, worst, state);
}

function holds(tests: readonly Test[], state: RequestState): boolean {
  for (const test of tests) if (test.run(state) !== undefined) return false;
  return true;
}

function firstFailed(
  tests: readonly Test[],
  state: RequestState,
): { readonly test: Test; readonly missed: Miss } | undefined {
  for (const test of tests) {
    const missed = test.run(state);
    if (state.tracing) noteReached(test, missed, state);
    if (missed !== undefined) return { test, missed };
  }
  return undefined;
}

/** A constant, unless somebody wants to know exactly why. */
function refuse(plan: Plan, test: Test, missed: Miss, state: RequestState): Refusal {
  const refusal = refusalOf(plan, missed, state);
  if (!state.tracing) return refusal;
  const { reason, read } = test.explain(state);
  state.note({ rule: test.rule, reason, read });
  return reason === missed.refusal.reason ? refusal : { ...refusal, reason: `${refusal.reason}: ${reason}` };
}

function refusalOf({ bearers, provers }: Plan, missed: Miss, { identity }: RequestState): Refusal {
  if (identity === undefined) return missed.anonymous ?? missed.refusal;
  const { challenging, proving, refusal } = missed;
  if (bearers.has(identity.authenticator)) return challenging ?? refusal;
  return (provers.has(identity.authenticator) ? proving : undefined) ?? refusal;
}

/** What was asked, whatever decided in the end. */
function noteReached(test: Test, missed: Miss | undefined, state: RequestState): void {
  const came = missed === undefined ? "held" : "missed";
  state.note({ reached: [{ rule: test.rule, came }, ...(test.parts?.(state) ?? [])] });
}

/** Nothing of the entry is left to ask once this phase is over. */
function isWhole(entry: Entry, phase: "head" | "body"): boolean {
  return entry.checks.length === 0 && (phase === "body" || entry.body.length === 0);
}

function noteHeld(test: Test, state: RequestState): void {
  const { reason, read } = test.explain(state);
  state.note({ rule: test.rule, reason, read });
}

function noteEntry(clause: Clause, entry: Entry, phase: "head" | "body", state: RequestState): void {
  const told = entry[phase].map((test) => test.explain(state));
  const later = phase === "head" && entry.body.length + entry.checks.length > 0 ? "holds so far" : "holds";
  const which = clause.entries.length === 1 ? later : `entry \`${entry.rule}\` ${later}`;
  const reason = [which, ...told.map((one) => one.reason)].join(": ");
  state.note({
    rule: entry.rule,
    reason,
    read: told.flatMap((one) => one.read),
    ...(isWhole(entry, phase) ? { reached: [{ rule: entry.rule, came: "held" }] } : {}),
  });
}
