/**
 * What was reserved is put right when the exchange ends: slots are freed, what was no failure is given back, an estimate becomes
 * the real cost. A caller who left before an answer keeps the charge, else leaving early would be a way around a limit.
 */
import { valueAt } from "../../lib/pointer.js";
import type { ExchangeEnd, RequestState, Settlement } from "../../model/state.js";
import type { CallContext, LimitOp, StateStore, TakeToken } from "../../ports/state-store.js";
import { isPromiseLike } from "../../lib/deadline.js";
import { isTakeResult } from "./answer.js";
import type { Rule } from "./rule.js";

export interface SettlementParts {
  readonly store: StateStore;
  readonly group: string;
  readonly token: TakeToken;
  readonly rules: readonly Rule[];
  readonly ops: readonly LimitOp[];
  readonly now: (state: RequestState, exact: boolean) => CallContext;
}

const MAX_COST = 2 ** 31 - 1;

export class TakenLimits implements Settlement {
  readonly #parts: SettlementParts;
  #renewing: ReturnType<typeof setInterval> | undefined;
  /** The last price that an event of a stream told, by rule; made when the first one does. */
  #told: (number | undefined)[] | undefined;
  /** Of slots that were lost and taken again, by key; made when the first one is. */
  #again: Map<string, TakeToken> | undefined;
  #over = false;

  constructor(parts: SettlementParts, state: RequestState) {
    this.#parts = parts;
    const shortest = shortestLease(parts.ops);
    if (shortest < Infinity) this.#renewing = this.#renewEvery(shortest / 3, state);
  }

  sees(event: unknown): void {
    for (const [index, { terms }] of this.#parts.rules.entries()) {
      const price = terms.settle === undefined ? undefined : priceAt(event, terms.settle);
      if (price !== undefined) (this.#told ??= [])[index] = price;
    }
  }

  settle(end: ExchangeEnd, state: RequestState): void {
    clearInterval(this.#renewing);
    this.#over = true;
    const { rules, ops, store, group, token, now } = this.#parts;
    let any = false;
    let exact = false;
    const deltas = ops.map((op, index) => {
      const delta = deltaOf(rules[index], op, end, this.#told?.[index]);
      if (delta !== undefined) any = true;
      // Refunds are reckoned from the take; a debt or a penalty begins now.
      if (delta !== undefined && delta >= 0) exact = true;
      return delta;
    });
    if (!any) return;
    const settled: unknown = store.settle(group, token, deltas, now(state, exact));
    if (isPromiseLike(settled)) settled.then(undefined, unheard);
    for (const again of this.#again?.values() ?? []) this.#free(again, state);
  }

  /** A request that outlives its lease would free its place while it still runs. */
  #renewEvery(us: number, state: RequestState): ReturnType<typeof setInterval> {
    const { store, group, token, now } = this.#parts;
    const heard = (kept: unknown): void => {
      if (kept === false && !this.#over) this.#takeAgain(state);
    };
    const timer = setInterval(() => {
      try {
        const renewed: unknown = store.renew(group, token, now(state, true));
        if (isPromiseLike(renewed)) renewed.then(heard, unheard);
        else heard(renewed);
      } catch {
        // The next turn tries again; the lease's end covers a store that stays away.
      }
    }, us / 1000);
    // A request that hangs must not keep a process from ending.
    if (typeof timer === "object" && "unref" in timer) timer.unref();
    return timer;
  }

  /**
   * A store that was away for longer than a lease, or came back without its data, knows nothing of what still runs: it would admit as many
   * again. Where others have the place by now it is asked for again with the next turn, for one of them may have left.
   */
  #takeAgain(state: RequestState): void {
    const { store, group, ops, now } = this.#parts;
    for (const op of ops) {
      if (op.kind !== "lease") continue;
      // Without its penalty: nobody asked for anything who could be struck.
      const { kind, key, limit, leaseUs, holder } = op;
      try {
        const answer: unknown = store.take(group, [{ kind, key, limit, leaseUs, holder }], now(state, true));
        const heard = (told: unknown): void => this.#lent(key, told, state);
        if (isPromiseLike(answer)) answer.then(heard, unheard);
        else heard(answer);
      } catch {
        // The next turn tries again.
      }
    }
  }

  #lent(key: string, answer: unknown, state: RequestState): void {
    if (!isTakeResult(answer, 1) || answer.token === undefined) return;
    if (this.#over) this.#free(answer.token, state);
    else (this.#again ??= new Map()).set(key, answer.token);
  }

  #free(token: TakeToken, state: RequestState): void {
    const { store, group, now } = this.#parts;
    try {
      const freed: unknown = store.settle(group, token, [-1], now(state, false));
      if (isPromiseLike(freed)) freed.then(undefined, unheard);
    } catch {
      // The lease's end covers it.
    }
  }
}

/** Undefined: leave the charge as it is. */
function deltaOf(
  rule: Rule | undefined,
  op: LimitOp,
  end: ExchangeEnd,
  told: number | undefined,
): number | undefined {
  if (rule === undefined) return undefined;
  if (op.kind === "lease") return -1;
  if (op.kind === "block") return undefined;
  const { counted, settle, penalty } = rule.terms;
  const price = settle === undefined ? undefined : (priceAt(end.answer, settle) ?? told);
  // Who left early pays what was told so far, and never less than was reserved.
  if (end.status === 0) return price !== undefined && price > op.cost ? price - op.cost : undefined;
  if (counted !== undefined && !counted.has(outcomeOf(end))) return -op.cost;
  if (price !== undefined) return price - op.cost;
  return counted !== undefined && penalty !== undefined ? 0 : undefined;
}

/**
 * A 404 of a stage behind routing is a 403 that the route conceals. Counted as what it seems, guessing at objects would be free
 * exactly where they are hidden.
 */
function outcomeOf({ status, refusedAt }: ExchangeEnd): number {
  return status === 404 && refusedAt !== undefined && refusedAt !== "route" ? 403 : status;
}

/** None readable: the estimate stands. */
function priceAt(answer: unknown, path: readonly string[]): number | undefined {
  const found = valueAt(answer, path);
  if (typeof found !== "number" || !(found >= 0)) return undefined;
  return Math.min(Math.ceil(found), MAX_COST);
}

function shortestLease(ops: readonly LimitOp[]): number {
  let shortest = Infinity;
  for (const op of ops) if (op.kind === "lease") shortest = Math.min(shortest, op.leaseUs);
  return shortest;
}

function unheard(): void {
  // Nothing waits for a settlement: what a store loses here ends with its window or lease.
}
