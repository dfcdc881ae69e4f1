/** The stage `authenticate`. Presented and bad is always 401; nobody is downgraded to anonymous. */
import { pointerTo } from "../../lib/pointer.js";
import type { Stage } from "../../model/compiled.js";
import { PASS, type Fault, type Refusal, type Verdict } from "../../model/outcome.js";
import type { Identity } from "../../model/principal.js";
import type { RequestState } from "../../model/state.js";
import type { Accepted, Bad, Judgement, Pending, Proof } from "./judgement.js";
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
    case "pending":
      return wait(plan, [{ carrier, pending: judgement }], state, () =>
        admit(plan, judgement.claimed, judgement.claimed.identity, state),
      );
    case "absent":
      return missing(plan, state);
    case "bad":
      return refused(plan, carrier, judgement, state);
    case "fault":
    case "refusal":
      return judgement;
  }
}

function missing(plan: RoutePlan, state: RequestState): Verdict {
  if (!plan.optional) return plan.unauthenticated;
  if (state.tracing) state.note({ rule: plan.pointer, reason: "no credential is presented: anonymous" });
  return PASS;
}

function refused(plan: RoutePlan, carrier: CarrierPlan, judgement: Bad, state: RequestState): Refusal {
  return {
    kind: "refusal",
    code: "invalid-credential",
    headers: carrier.challenge(state, judgement),
    reason: judgement.reason,
    rule: plan.pointer,
  };
}

function admit(plan: RoutePlan, accepted: Accepted, identity: Identity, state: RequestState): Verdict {
  state.identity = identity;
  for (const report of accepted.reports) state.report(report);
  if (state.tracing) {
    const reason = `authenticated by \`${identity.authenticator}\``;
    state.note({ rule: plan.pointer, reason, read: plan.carriers.map(({ fact }) => ({ fact })) });
    noteAccepted([identity.authenticator], state);
  }
  return PASS;
}

function noteAccepted(names: readonly string[], state: RequestState): void {
  state.note({
    reached: names.map((name) => ({ rule: pointerTo("/authenticators", name), came: "accepted" })),
  });
}

interface Claim {
  readonly carrier: CarrierPlan;
  readonly pending: Pending;
}

/** Nobody is known yet: `admitted` is what the stage `signature` comes to once every claim is proved. */
function wait(
  plan: RoutePlan,
  claims: readonly Claim[],
  state: RequestState,
  admitted: () => Verdict,
): Verdict {
  state.pending = {
    rule: plan.pointer,
    prove: (later) => proveFrom(plan, claims, 0, later, admitted),
  };
  if (state.tracing) {
    state.note({
      rule: plan.pointer,
      reason: "a signature over the body is presented: proved with the body",
    });
  }
  return PASS;
}

function proveFrom(
  plan: RoutePlan,
  claims: readonly Claim[],
  start: number,
  state: RequestState,
  admitted: () => Verdict,
): Verdict | Promise<Verdict> {
  for (let index = start; index < claims.length; index += 1) {
    const claim = claims[index];
    if (claim === undefined) break;
    const proof = claim.pending.prove(state);
    if (proof instanceof Promise) {
      return proof.then(
        (settled) =>
          unproved(plan, claim.carrier, settled, state) ??
          proveFrom(plan, claims, index + 1, state, admitted),
      );
    }
    const refusal = unproved(plan, claim.carrier, proof, state);
    if (refusal !== undefined) return refusal;
  }
  return admitted();
}

function unproved(plan: RoutePlan, carrier: CarrierPlan, proof: Proof, state: RequestState): Verdict {
  return proof?.kind === "bad" ? refused(plan, carrier, proof, state) : proof;
}

/** The stage `signature`: the body is there, as far as `maxBody` goes. A part of it proves nothing. */
export function signatureStage(rule: string, maxBody: number): Stage {
  const large: Refusal = {
    kind: "refusal",
    code: "body-too-large",
    reason: `the content has more than ${maxBody} bytes`,
    rule,
    // What was not read would be taken for the next request.
    close: true,
  };
  return {
    at: "signature",
    phase: "body",
    rule,
    when: ({ pending }) => pending !== undefined,
    run: (state) => (state.bodyComplete ? state.pending?.prove(state) : large),
  };
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
  const claims = new Map<Accepted, Claim>();
  const good = new Set<string>();
  for (const { carrier, judgement } of readings) {
    if (judgement instanceof Promise) continue;
    if (judgement.kind !== "accepted" && judgement.kind !== "pending") continue;
    const vouched = judgement.kind === "pending" ? judgement.claimed : judgement;
    if (judgement.kind === "pending") claims.set(vouched, { carrier, pending: judgement });
    accepted.set(vouched.identity.authenticator, vouched);
    good.add(carrier.place);
  }
  let fault: Fault | Refusal | undefined;
  for (const { carrier, judgement } of readings) {
    if (judgement instanceof Promise) continue;
    if (judgement.kind === "bad" && !good.has(carrier.place)) return refused(plan, carrier, judgement, state);
    if (judgement.kind === "fault" || judgement.kind === "refusal") fault ??= judgement;
  }
  if (fault !== undefined) return fault;
  return accepted.size === 0
    ? missing(plan, state)
    : choose(plan, { accepted, claims, presented: good.size }, state);
}

interface Weighed {
  /** By the name of the authenticator; claims that are still to be proved among them. */
  readonly accepted: ReadonlyMap<string, Accepted>;
  readonly claims: ReadonlyMap<Accepted, Claim>;
  /** On how many carriers there is a good credential. */
  readonly presented: number;
}

/** The first alternative that is there whole. What else was presented and good would be somebody else: then nobody can tell who calls. */
function choose(plan: RoutePlan, { accepted, claims, presented }: Weighed, state: RequestState): Verdict {
  const chosen = plan.alternatives.find((names) => names.every((name) => accepted.has(name)));
  const [last, ...others] = (chosen ?? []).flatMap((name) => accepted.get(name) ?? []).toReversed();
  if (last === undefined) return plan.incomplete;
  if (presented > others.length + 1) return plan.conflicting;
  const identities = [...others, last].map(({ identity }) => identity);
  const identity = others.length === 0 ? last.identity : identityWith(identities, last.identity);
  const admitted = (): Verdict => {
    for (const other of others) for (const report of other.reports) state.report(report);
    if (state.tracing)
      noteAccepted(
        others.map((other) => other.identity.authenticator),
        state,
      );
    return admit(plan, last, identity, state);
  };
  const unproven = [...others, last].flatMap((one) => claims.get(one) ?? []);
  return unproven.length === 0 ? admitted() : wait(plan, unproven, state, admitted);
}
