import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrivals, everyInterval, gcra, memory, settle, take, type Admitted } from "./store.test-support.js";

const T = 100;

describe("token bucket", () => {
  it("admits at most burst + t/T in any interval", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), arrivals(8 * T, 3), (burst, list) => {
        const store = memory();
        const admitted = list.filter(({ at, cost }) => take(store, at, gcra("a:1", T, burst, cost)).allowed);
        everyInterval(admitted, (length, cost) =>
          expect(cost).toBeLessThanOrEqual(burst + Math.floor(length / T)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("admits exactly its burst to an idle key", () => {
    // 7 a second: rounding T up must not cost one of the burst, as a tolerance of one window would.
    const emission = Math.ceil(1_000_000 / 7);
    const store = memory();
    const admitted = Array.from({ length: 9 }, () => take(store, 0, gcra("a:1", emission, 7)).allowed);
    expect(admitted.filter(Boolean)).toHaveLength(7);
  });

  it("tells the exact instant of the next admission", () => {
    fc.assert(
      fc.property(arrivals(8 * T, 3), fc.integer({ min: 1, max: 4 }), (list, cost) => {
        const store = memory();
        for (const { at, cost } of list) take(store, at, gcra("a:1", T, 4, cost));
        const now = list.at(-1)?.at ?? 0;
        const { retryUs } = take(store, now, gcra("a:1", T, 4, cost)).per[0] ?? { retryUs: -1 };
        if (retryUs === 0) return;
        expect(take(store, now + retryUs - 1, gcra("a:1", T, 4, cost)).allowed).toBe(false);
        expect(take(store, now + retryUs, gcra("a:1", T, 4, cost)).allowed).toBe(true);
      }),
    );
  });

  it("reports what is left and when it is full again", () => {
    const store = memory();
    expect(take(store, 0, gcra("a:1", T, 3)).per).toEqual([
      { allowed: true, remaining: 2, resetUs: T, retryUs: 0 },
    ]);
    expect(take(store, 0, gcra("a:1", T, 3, 2)).per).toEqual([
      { allowed: true, remaining: 0, resetUs: 3 * T, retryUs: 0 },
    ]);
    expect(take(store, 1, gcra("a:1", T, 3)).per).toEqual([
      { allowed: false, remaining: 0, resetUs: 3 * T - 1, retryUs: T - 1 },
    ]);
  });

  it("never admits a cost above its burst, and names a finite wait", () => {
    const store = memory();
    expect(take(store, 0, gcra("a:1", T, 3, 2 ** 31 - 1)).per).toEqual([
      { allowed: false, remaining: 3, resetUs: 0, retryUs: 3 * T },
    ]);
  });

  it("keeps its time when the limit changes in flight", () => {
    const store = memory();
    for (let n = 0; n < 5; n++) take(store, 0, gcra("a:1", T, 5));
    expect(take(store, 0, gcra("a:1", T, 5)).allowed).toBe(false);
    expect(take(store, 0, gcra("a:1", T, 6)).allowed).toBe(true);
    expect(take(store, 0, gcra("a:1", T, 2)).per[0]?.retryUs).toBe(5 * T);
  });
});

describe("giving back", () => {
  it("never mints credit", () => {
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 3 * T }),
      cost: fc.integer({ min: 1, max: 3 }),
      refundAfter: fc.option(fc.integer({ min: 0, max: 6 * T }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(step, { minLength: 1, maxLength: 40 }),
        (burst, steps) => {
          const store = memory();
          const kept: Admitted[] = [];
          const pending: { readonly at: number; readonly run: () => void }[] = [];
          let now = 0;
          for (const { gap, cost, refundAfter } of steps) {
            now += gap;
            const due = pending.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
            for (const one of due) {
              one.run();
              pending.splice(pending.indexOf(one), 1);
            }
            const result = take(store, now, gcra("a:1", T, burst, cost));
            if (!result.allowed) continue;
            if (refundAfter === undefined) kept.push({ at: now, cost });
            else pending.push({ at: now + refundAfter, run: () => settle(store, result, now, -cost) });
          }
          everyInterval(kept, (length, cost) =>
            expect(cost).toBeLessThanOrEqual(burst + Math.floor(length / T)),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });

  it("gives nothing back that the bucket has drained already", () => {
    const store = memory();
    const early = take(store, 0, gcra("a:1", T, 5));
    take(store, 99, gcra("a:1", T, 5));
    settle(store, early, 100, -1);
    const more = Array.from({ length: 6 }, () => take(store, 100, gcra("a:1", T, 5)).allowed);
    expect(more.filter(Boolean)).toHaveLength(4);
  });

  it("gives back no more than was reserved", () => {
    const store = memory();
    const first = take(store, 0, gcra("a:1", T, 3));
    take(store, 0, gcra("a:1", T, 3, 2));
    settle(store, first, 0, -3);
    expect(take(store, 0, gcra("a:1", T, 3)).per[0]?.remaining).toBe(0);
  });

  it("begins a debt at the instant it is known, not when the bucket was last full", () => {
    const store = memory();
    const first = take(store, 0, gcra("a:1", T, 3));
    settle(store, first, 10 * T, 3);
    expect(take(store, 10 * T, gcra("a:1", T, 3)).per[0]?.retryUs).toBe(T);
  });

  it("settles once", () => {
    const store = memory();
    const first = take(store, 0, gcra("a:1", T, 3));
    take(store, 0, gcra("a:1", T, 3));
    take(store, 0, gcra("a:1", T, 3));
    settle(store, first, 0, -1);
    settle(store, first, 0, -1);
    expect([0, 1].map(() => take(store, 0, gcra("a:1", T, 3)).allowed)).toEqual([true, false]);
  });

  it("charges more than was reserved, into debt", () => {
    const store = memory();
    const first = take(store, 0, gcra("a:1", T, 3));
    settle(store, first, 0, 9);
    expect(take(store, 0, gcra("a:1", T, 3)).per[0]?.retryUs).toBe(8 * T);
  });
});
