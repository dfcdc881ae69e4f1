/** Takes the limits of one stage in one call of the store, and does what each author chose when the store cannot answer. */
import type { Fault, Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import {
  StoreError,
  type CallContext,
  type LimitOp,
  type StateStore,
  type TakeResult,
  type TakeSource,
} from "../../ports/state-store.js";
import { isPromiseLike } from "../../lib/deadline.js";
import { isTakeResult } from "./answer.js";
import { withDeadline } from "./deadline.js";
import { reportPart } from "./fields.js";
import { refusalOf } from "./refuse.js";
import { shareOf } from "./share.js";
import type { Rule } from "./rule.js";
import { TakenLimits } from "./settlement.js";

export interface LimitServices {
  readonly store: StateStore;
  readonly fallback: (() => StateStore) | undefined;
  readonly deadlineMs: number;
  readonly now: (state: RequestState, exact: boolean) => CallContext;
  /** Of takes of this stage. `final`: nothing will be settled of them. */
  readonly instants: (final: boolean) => InstantOf;
}

/** A store that `repeats` is handed one object again and again. */
export type InstantOf = (state: RequestState) => CallContext;

export interface TakeServices extends LimitServices {
  readonly instant: InstantOf;
}

export type Taken = Refusal | Fault | undefined;

/** One group for all: a key must always come with the same one, and limits of one stage may count by different facts. */
const GROUP = "limits";

/** @param ops one for each of the rules */
export function take(
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  services: TakeServices,
): Taken | Promise<Taken> {
  let answer: unknown;
  try {
    answer = services.store.take(GROUP, ops, services.instant(state));
  } catch (error) {
    return storeFailed(rules, ops, state, services, error);
  }
  return isPromiseLike(answer)
    ? wait(answer, rules, ops, state, services)
    : hear(answer, rules, ops, state, services);
}

/** Apart from `take`, which would pay for these functions where nobody waits. */
function wait(
  answer: PromiseLike<unknown>,
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  services: LimitServices,
): Promise<Taken> {
  return withDeadline(
    answer,
    services.deadlineMs,
    (heard) => hear(heard, rules, ops, state, services),
    (error) => storeFailed(rules, ops, state, services, error),
    (late) => releaseLate(late, ops, state, services),
  );
}

function hear(
  answer: unknown,
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  services: LimitServices,
): Taken {
  if (isTakeResult(answer, ops.length)) return conclude(answer, rules, ops, state, services.store, services);
  const error = new StoreError("protocol", true, "the store gave no answer that can be read");
  return storeFailed(rules, ops, state, services, error);
}

function conclude(
  result: TakeResult,
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  store: StateStore,
  { now }: LimitServices,
): Taken {
  if (result.source !== "memory") tellSource(result.source, state);
  for (let index = 0; index < rules.length; index += 1) {
    const fields = rules[index]?.fields;
    const part = result.per[index];
    if (fields !== undefined && part !== undefined) reportPart(fields, part, state);
  }
  if (state.tracing) noteTaken(rules, result, state);
  if (!result.allowed) {
    return result.source === "fail-closed"
      ? closed(rules, undefined, state)
      : refusalOf(rules, result, state);
  }
  if (result.source === "fail-open") openUp(rules, state);
  const { token } = result;
  if (token !== undefined && anySettles(rules)) {
    (state.settlements ??= []).push(new TakenLimits({ store, group: GROUP, token, rules, ops, now }, state));
  }
  return undefined;
}

function noteTaken(rules: readonly Rule[], { per }: TakeResult, state: RequestState): void {
  state.note({
    reached: rules.map(({ terms }, index) => ({
      rule: terms.pointer,
      came: per[index]?.allowed === false ? "refused" : "admitted",
    })),
  });
}

export function anySettles(rules: readonly Rule[]): boolean {
  for (let index = 0; index < rules.length; index += 1) if (rules[index]?.settles === true) return true;
  return false;
}

/** The take may have been applied, so it is never tried again: the fallback admits too little at worst. */
function storeFailed(
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  services: LimitServices,
  error: unknown,
): Taken {
  if (rules.some(({ terms }) => terms.onStoreFailure === "closed")) return closed(rules, error, state);
  const local: Rule[] = [];
  const localOps: LimitOp[] = [];
  const open: Rule[] = [];
  const share = shareOf(services.store);
  for (const [index, rule] of rules.entries()) {
    const op = ops[index];
    if (op === undefined || rule.terms.onStoreFailure === "open") open.push(rule);
    else {
      local.push(rule);
      localOps.push(rule.localOp(op, state, share));
    }
  }
  if (local.length > 0) {
    // This process's store that is full of keys: a second one beside it would forget that it is.
    if (services.store.scope === "process" && isFull(error)) return closed(local, error, state);
    const refused = takeLocally(local, localOps, state, services);
    if (refused !== undefined) return refused;
  }
  openUp(open, state);
  return undefined;
}

function takeLocally(
  rules: readonly Rule[],
  ops: readonly LimitOp[],
  state: RequestState,
  services: LimitServices,
): Taken {
  try {
    const store = services.fallback?.();
    if (store === undefined) return closed(rules, undefined, state);
    const answer: unknown = store.take(GROUP, ops, services.now(state, true));
    if (!isTakeResult(answer, ops.length)) return closed(rules, undefined, state);
    const local: TakeResult = { ...answer, source: "local-fallback" };
    return conclude(local, rules, ops, state, store, services);
  } catch (error) {
    return closed(rules, error, state);
  }
}

function openUp(rules: readonly Rule[], state: RequestState): void {
  if (rules.length > 0) tellSource("fail-open", state);
  for (const { terms } of rules) (state.failedOpen ??= []).push(terms.name);
}

function isFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === "oom";
}

/** Each once: an operator wants to see that a fleet runs on its fallback, not how often one request was counted. */
function tellSource(source: TakeSource, state: RequestState): void {
  const told = (state.countedBy ??= []);
  if (!told.includes(source)) told.push(source);
}

function closed(rules: readonly Rule[], error: unknown, state: RequestState): Fault {
  tellSource("fail-closed", state);
  const [first] = rules;
  const one = rules.find(({ terms }) => terms.onStoreFailure === "closed") ?? first;
  return {
    kind: "fault",
    where: "outside",
    code: "capacity-reduced",
    reason: "the store of the limits could not answer",
    retryAfter: 1,
    ...(one === undefined ? {} : { rule: one.terms.pointer }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Slots that were lent after nobody waited for them any more. Other charges stay: giving them back could admit twice. */
function releaseLate(
  answer: unknown,
  ops: readonly LimitOp[],
  state: RequestState,
  { store, now }: LimitServices,
): void {
  if (!ops.some(({ kind }) => kind === "lease") || !isTakeResult(answer, ops.length)) return;
  if (!answer.allowed || answer.token === undefined) return;
  const deltas = ops.map(({ kind }) => (kind === "lease" ? -1 : undefined));
  try {
    const settled: unknown = store.settle(GROUP, answer.token, deltas, now(state, false));
    if (isPromiseLike(settled)) settled.then(undefined, () => undefined);
  } catch {
    // The lease's end covers it.
  }
}
