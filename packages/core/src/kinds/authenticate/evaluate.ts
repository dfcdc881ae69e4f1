/** The stage `authenticate`. Presented and bad is always 401; nobody is downgraded to anonymous. */
import type { Stage } from "../../model/compiled.js";
import { PASS, type Fault, type Refusal, type Verdict } from "../../model/outcome.js";
import type { Identity } from "../../model/principal.js";
import type { RequestState } from "../../model/state.js";
import type { Accepted, Bad, Judgement } from "./judgement.js";
import { identityWith } from "./identity.js";
import type { CarrierPlan, RoutePlan } from "./plan.js";

/** What one carrier held. */
interface Reading {
  readonly carrier: CarrierPlan;
  readonly judgement: Judgement | Promise<Judgement>;
}

export function authenticateStage(plan: RoutePlan): Stage {
  const [only, ...others] = plan.carriers;
  const simple =
    others.length === 0 && plan.alternatives.every((names) => names.length === 1) ? only : undefined;
  return {
    at: "authenticate",
    rule: plan.pointer,
    run: simple === undefined ? (state) => runSeveral(plan, state) : (state) => runOne(plan, simple, state),
  };
}

/** The common route: one carrier, so one credential, and nothing to weigh against it. */
function runOne(plan: RoutePlan, carrier: CarrierPlan, state: RequestState): Verdict | Promise<Verdict> {
  const judgement = carrier.judge(state);
  if (judgement === undefined) return missing(plan, state);
  if (judgement instanceof Promise)
    return judgement.then((settled) => conclude(plan, carrier, settled, state));
  return conclude(plan, carrier, judgement, state);
}

function conclude(plan: RoutePlan, carrier: CarrierPlan, judgement: Judgement, state: RequestState): Verdict {
  switch (judgement.kind) {
    case "accepted":
      return admit(plan, judgement, judgement.identity, state);
    case "absent":
      return missing(plan, state);
    case "bad":
      return refused(plan, carrier, judgement, state);
    case "fault":
      return judgement;
  }
}

function missing(plan: RoutePlan, state: RequestState): Verdict {
  if (!plan.optional) return plan.unauthenticated;
  if (state.tracing) state.note({ rule: plan.pointer, reason: "no credential is presented: anonymous" });
  return PASS;
}

function refused(
  plan: RoutePlan,
  carrier: CarrierPlan,
  { reason, error }: Bad,
  state: RequestState,
): Refusal {
  return {
    kind: "refusal",
    code: "invalid-credential",
    headers: carrier.challenge(state, error),
    reason,
    rule: plan.pointer,
  };
}

function admit(plan: RoutePlan, accepted: Accepted, identity: Identity, state: RequestState): Verdict {
  state.identity = identity;
  for (const report of accepted.reports) state.report(report);
  if (state.tracing) {
    const reason = `authenticated by \`${identity.authenticator}\``;
    state.note({ rule: plan.pointer, reason, read: plan.carriers.map(({ fact }) => ({ fact })) });
  }
  return PASS;
}

/** All that is presented is judged: a good credential does not excuse a bad one beside it. */
function runSeveral(plan: RoutePlan, state: RequestState): Verdict | Promise<Verdict> {
  const readings: Reading[] = [];
  let waits = false;
  for (const carrier of plan.carriers) {
    const judgement = carrier.judge(state);
    if (judgement === undefined) continue;
    waits ||= judgement instanceof Promise;
    readings.push({ carrier, judgement });
  }
  if (!waits) return weigh(plan, readings, state);
  return Promise.all(readings.map(settled)).then((all) => weigh(plan, all, state));
}

async function settled({ carrier, judgement }: Reading): Promise<Reading> {
  return { carrier, judgement: await judgement };
}

function weigh(plan: RoutePlan, readings: readonly Reading[], state: RequestState): Verdict {
  const accepted = new Map<string, Accepted>();
  const good = new Set<string>();
  for (const { carrier, judgement } of readings) {
    if (judgement instanceof Promise || judgement.kind !== "accepted") continue;
    accepted.set(judgement.identity.authenticator, judgement);
    good.add(carrier.place);
  }
  let fault: Fault | undefined;
  for (const { carrier, judgement } of readings) {
    if (judgement instanceof Promise) continue;
    if (judgement.kind === "bad" && !good.has(carrier.place)) return refused(plan, carrier, judgement, state);
    if (judgement.kind === "fault") fault ??= judgement;
  }
  if (fault !== undefined) return fault;
  return accepted.size === 0 ? missing(plan, state) : choose(plan, accepted, good.size, state);
}

/** The first alternative that is there whole. What else was presented and good would be somebody else: then nobody can tell who calls. */
function choose(
  plan: RoutePlan,
  accepted: ReadonlyMap<string, Accepted>,
  presented: number,
  state: RequestState,
): Verdict {
  const chosen = plan.alternatives.find((names) => names.every((name) => accepted.has(name)));
  const [last, ...others] = (chosen ?? []).flatMap((name) => accepted.get(name) ?? []).toReversed();
  if (last === undefined) return plan.incomplete;
  if (presented > others.length + 1) return plan.conflicting;
  const identities = [...others, last].map(({ identity }) => identity);
  for (const other of others) for (const report of other.reports) state.report(report);
  return admit(
    plan,
    last,
    others.length === 0 ? last.identity : identityWith(identities, last.identity),
    state,
  );
}
