/** A store under a clock of its own, and the arrivals that tests throw at it. */
import fc from "fast-check";
import type { CallContext, LimitOp, StateStore, TakeResult } from "../ports/state-store.js";
import { createMemoryStore, type MemoryStoreOptions } from "./memory.js";

export const SECOND = 1_000_000;

export function at(nowUs: number, wallUs?: number): CallContext {
  return { nowUs, deadlineUs: 50_000, ...(wallUs === undefined ? {} : { wallUs }) };
}

/** Small, because room for every key is made at once and a property makes thousands of stores. */
export function memory(options: MemoryStoreOptions = {}): StateStore {
  return createMemoryStore({ seed: [1, 2], maxKeys: 256, ...options });
}

/** The memory store answers at once; a promise would be a mistake. */
export function take(store: StateStore, nowUs: number, ...ops: readonly LimitOp[]): TakeResult {
  const result = store.take("", ops, at(nowUs));
  if (result instanceof Promise) throw new Error("the memory store made a promise");
  return result;
}

export function settle(
  store: StateStore,
  result: TakeResult,
  nowUs: number,
  ...deltas: readonly number[]
): void {
  if (result.token === undefined) throw new Error("nothing was taken");
  void store.settle("", result.token, deltas, at(nowUs));
}

export const gcra = (key: string, emissionUs: number, burst: number, cost = 1): LimitOp => ({
  kind: "gcra",
  key,
  emissionUs,
  burst,
  cost,
});

export const strict = (key: string, limit: number, windowUs: number, cost = 1): LimitOp => ({
  kind: "strict",
  key,
  windowUs,
  buckets: 10,
  limit,
  cost,
});

/** Arrivals with gaps from nothing to beyond a window, and bursts at one instant: what an adversary would try. */
export function arrivals(
  windowUs: number,
  maxCost: number,
): fc.Arbitrary<{ readonly at: number; readonly cost: number }[]> {
  const gap = fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: Math.ceil(windowUs / 8) }) },
    { weight: 1, arbitrary: fc.constantFrom(windowUs - 1, windowUs, windowUs + 1) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * windowUs }) },
  );
  return fc
    .array(fc.record({ gap, cost: fc.integer({ min: 1, max: maxCost }) }), { minLength: 1, maxLength: 80 })
    .map((list) => {
      let now = 0;
      return list.map(({ gap, cost }) => ({ at: (now += gap), cost }));
    });
}

export interface Admitted {
  readonly at: number;
  readonly cost: number;
}

/** Every closed interval that begins and ends with an admission: no other can hold more. */
export function everyInterval(
  admitted: readonly Admitted[],
  check: (length: number, cost: number) => void,
): void {
  for (const [first, { at: from }] of admitted.entries()) {
    let cost = 0;
    for (const next of admitted.slice(first)) {
      cost += next.cost;
      check(next.at - from, cost);
    }
  }
}
