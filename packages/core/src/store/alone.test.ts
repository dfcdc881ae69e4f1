/** A limit that is taken alone is decided in one step; in company it is looked at first and written later. Both must be the same. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { StoreError, type LimitOp, type TakeResult } from "../ports/state-store.js";
import { gcra, memory, settle, strict, take } from "./store.test-support.js";

const W = 1000;

/** Counts nothing. */
const FREE: LimitOp = { kind: "block", key: "b:free" };

const step = fc.record({
  gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: W / 4 }), fc.integer({ min: 0, max: 2 * W })),
  key: fc.integer({ min: 0, max: 40 }),
  cost: fc.integer({ min: 1, max: 5 }),
  limit: fc.constantFrom(1, 3, 4, 40_000),
  delta: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
});

it.each([
  ["token bucket", (key: string, limit: number, cost: number) => gcra(key, W / 10, limit, cost)],
  ["sliding window", (key: string, limit: number, cost: number) => strict(key, limit, W, cost)],
])("fast path: alone it answers as in company: %s", (_name, make) => {
  fc.assert(
    fc.property(
      fc.constantFrom("sketch", "deny-new", "admit"),
      // Around the end of small integers, and far beyond.
      fc.constantFrom(0, 2 ** 31 - 3 * W, 2 ** 45),
      fc.constantFrom(2, 40),
      fc.array(step, { minLength: 1, maxLength: 120 }),
      (onOverflow, from, keys, steps) => {
        const options = { maxKeys: 32, sketchCells: 4, onOverflow };
        const alone = memory(options);
        const company = memory(options);
        let now = from;
        for (const { gap, key, cost, limit, delta } of steps) {
          now += gap;
          const op = make(`a:${key % keys}`, limit, cost);
          const one = answerOf(() => take(alone, now, op));
          const two = answerOf(() => take(company, now, op, FREE));
          expect(one?.allowed).toBe(two?.allowed);
          expect(one?.per[0]).toEqual(two?.per[0]);
          expect(alone.health().counters).toEqual(company.health().counters);
          if (delta === undefined || one?.token === undefined || two === undefined) continue;
          settle(alone, one, now, delta);
          settle(company, two, now, delta);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** Undefined: the store is full. */
function answerOf(run: () => TakeResult): TakeResult | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof StoreError && error.code === "oom") return undefined;
    throw error;
  }
}
