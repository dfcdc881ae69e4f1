/** An op that is asked again is found where it was found before; whatever its note says, it is decided as one that is new. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  StoreError,
  type LimitOp,
  type StateStore,
  type TakeResult,
  type TakeToken,
} from "../ports/state-store.js";
import { at, gcra, memory, strict } from "./store.test-support.js";

const W = 1000;

type Steady = Extract<LimitOp, { kind: "gcra" | "strict" }>;

const step = fc.record({
  gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: W / 4 }), fc.integer({ min: 0, max: 2 * W })),
  /** Two stores are asked with the very same ops, as when a policy is compiled for another one. */
  store: fc.nat({ max: 1 }),
  keys: fc.uniqueArray(fc.nat({ max: 40 }), { minLength: 1, maxLength: 3 }),
  /** What a policy says of the same keys, and what one that replaced it says. */
  limit: fc.constantFrom(1, 3, 4, 40_000),
  cost: fc.integer({ min: 1, max: 3 }),
  delta: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
  /** What stands in the note, where it is not what the store noted. */
  planted: fc.option(fc.oneof(fc.nat({ max: 64 }), fc.constantFrom(2 ** 31, -1, 0.5, NaN)), {
    nil: undefined,
  }),
  look: fc.boolean(),
});

const runs = Number(process.env["GATEHOUSE_RUNS"] ?? 120);

describe.each([
  ["token bucket", (key: string, limit: number, cost: number) => gcra(key, W / 10, limit, cost)],
  ["sliding window", (key: string, limit: number, cost: number) => strict(key, limit, W, cost)],
])("fast path: %s", (_name, make) => {
  it("an op that is asked again is decided as one that is new, while keys leave and come back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("sketch", "deny-new", "admit"),
        fc.constantFrom(3, 40),
        fc.array(step, { minLength: 1, maxLength: 120 }),
        (onOverflow, keys, steps) => {
          const options = { maxKeys: 32, sketchCells: 4, onOverflow };
          const again = [memory(options), memory(options)];
          const anew = [memory(options), memory(options)];
          const kept = new Map<string, Steady>();
          let now = 0;
          for (const one of steps) {
            now += one.gap;
            const names = [...new Set(one.keys.map((key) => `a:${key % keys}`))];
            const ops = names.map((key) => make(key, one.limit, one.cost));
            const same = ops.map((op) => keptOf(kept, op as Steady, one.planted));
            const before = same.map(({ slot: _slot, ...op }) => op);
            const [mine, theirs] = [again[one.store], anew[one.store]];
            if (mine === undefined || theirs === undefined) continue;
            const got = answerOf(mine, same, now, one.look);
            const expected = answerOf(theirs, ops, now, one.look);
            expect(withoutToken(got)).toEqual(withoutToken(expected));
            expect(mine.health()).toEqual(theirs.health());
            expect(same.map(({ slot: _slot, ...op }) => op)).toEqual(before);
            if (one.delta === undefined || got?.token === undefined || expected?.token === undefined)
              continue;
            settle(mine, got.token, now, one.delta);
            settle(theirs, expected.token, now, one.delta);
          }
        },
      ),
      { numRuns: runs },
    );
  });
});

it("a note that leads to an empty place is no key's", () => {
  const store = memory({ maxKeys: 32 });
  const wide = { ...strict("a:1", 40_000, W), slot: 0 };
  const narrow = { ...strict("a:1", 4, W), slot: 0 };
  expect(parts(answerOf(store, [wide], 0))).toEqual([39_999]);
  // The key changes sides: the place that the wide one remembers is empty now.
  expect(parts(answerOf(store, [narrow], 1))).toEqual([2]);
  const nobody = { ...strict("", 40_000, W), slot: 0 };
  expect(parts(answerOf(store, [nobody], 2))).toEqual([39_999]);
  expect(parts(answerOf(store, [narrow], 3))).toEqual([1]);
});

function keptOf(kept: Map<string, Steady>, op: Steady, planted: number | undefined): Steady {
  const name = JSON.stringify(op);
  const known = kept.get(name) ?? { ...op, slot: 0 };
  kept.set(name, known);
  if (planted !== undefined) known.slot = planted;
  return known;
}

/** Undefined: the store is full. */
function answerOf(
  store: StateStore,
  ops: readonly LimitOp[],
  now: number,
  look = false,
): TakeResult | undefined {
  try {
    const answer = look ? store.peek("", ops, at(now)) : store.take("", ops, at(now));
    if (answer instanceof Promise) throw new Error("the memory store made a promise");
    return answer;
  } catch (error) {
    if (error instanceof StoreError && error.code === "oom") return undefined;
    throw error;
  }
}

function settle(store: StateStore, token: TakeToken, now: number, delta: number): void {
  void store.settle(
    "",
    token,
    token.ops.map(() => delta),
    at(now),
  );
}

function withoutToken(answer: TakeResult | undefined): unknown {
  return answer === undefined ? undefined : { allowed: answer.allowed, per: answer.per };
}

function parts(answer: TakeResult | undefined): readonly number[] | undefined {
  return answer?.per.map(({ remaining }) => remaining);
}
