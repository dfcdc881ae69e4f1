import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StoreError, type LimitOp } from "../ports/state-store.js";
import { createMemoryStore } from "./memory.js";
import {
  arrivals,
  at,
  everyInterval,
  gcra,
  memory,
  SECOND,
  settle,
  strict,
  take,
  type Admitted,
} from "./store.test-support.js";

const full = new StoreError("oom", false, "the store is full and no entry has run out");

const quota = (key: string, limit: number, endsAtUs: number, cost = 1): LimitOp => ({
  kind: "period",
  key,
  limit,
  cost,
  endsAtUs,
});
const lease = (holder: string, limit = 2): LimitOp => ({
  kind: "lease",
  key: "c:1",
  limit,
  leaseUs: 30,
  holder,
});

describe("one take over several limits", () => {
  const ops = (costs: readonly [number, number, number]): LimitOp[] => [
    gcra("g:1", 100, 4, costs[0]),
    strict("s:1", 4, 1000, costs[1]),
    quota("q:1", 30, 10_000, costs[2]),
  ];

  it("takes no option that it does not know", () => {
    const given: object = { maxkeys: 10 };
    expect(() => createMemoryStore(given)).toThrow(
      new TypeError("unknown option `maxkeys` of `createMemoryStore`; did you mean `maxKeys`?"),
    );
  });

  it("limit_refusal_consumes_nothing_beside_it", () => {
    const cost = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
    );
    const step = fc.record({ gap: fc.integer({ min: 0, max: 400 }), cost });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const store = memory();
        const onlyAdmitted = memory();
        let now = 0;
        for (const { gap, cost } of steps) {
          now += gap;
          const result = take(store, now, ...ops(cost));
          expect(result.allowed).toBe(result.per.every((part) => part.allowed));
          if (result.allowed) expect(take(onlyAdmitted, now, ...ops(cost)).per).toEqual(result.per);
          // A store that never saw the refusals is in the same state.
          expect(store.peek("", ops([1, 1, 1]), at(now))).toEqual(
            onlyAdmitted.peek("", ops([1, 1, 1]), at(now)),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it("reports the limits that would have passed as they stand", () => {
    const store = memory();
    expect(take(store, 0, gcra("g:1", 100, 4), strict("s:1", 4, 1000, 5))).toEqual({
      allowed: false,
      source: "memory",
      per: [
        { allowed: true, remaining: 4, resetUs: 0, retryUs: 0 },
        { allowed: false, remaining: 4, resetUs: 0, retryUs: 1000 },
      ],
    });
  });

  it("nothing to take is taken", () => {
    expect(take(memory(), 0)).toMatchObject({ allowed: true, per: [] });
  });

  it("never shows more left after a charge than before", () => {
    fc.assert(
      fc.property(arrivals(1000, 3), (list) => {
        const store = memory();
        const least = [Infinity, Infinity, Infinity];
        for (const { cost } of list) {
          const { per } = take(store, 0, ...ops([cost, cost, cost]));
          for (const [index, { remaining }] of per.entries()) {
            expect(remaining).toBeLessThanOrEqual(least[index] ?? 0);
            least[index] = remaining;
          }
        }
      }),
    );
  });

  it("does not go back in time with a caller whose instant is old", () => {
    const store = memory();
    take(store, 1000, gcra("g:1", 100, 1));
    expect(take(store, 0, gcra("g:2", 100, 1)).token?.takenAtUs).toBe(1000);
    expect(take(store, 1050, gcra("g:2", 100, 1)).allowed).toBe(false);
  });
});

describe("calendar quotas", () => {
  it("starts anew with each period", () => {
    const store = memory();
    expect([0, 1, 2].map(() => take(store, 0, quota("q:1", 2, 1000)).allowed)).toEqual([true, true, false]);
    expect(take(store, 999, quota("q:1", 2, 1000)).per[0]?.retryUs).toBe(1);
    expect(take(store, 1000, quota("q:1", 2, 2000)).per).toEqual([
      { allowed: true, remaining: 1, resetUs: 1000, retryUs: 0 },
    ]);
  });

  it("stays in the later period when the wall clock is set back, and ends with it", () => {
    const hour = 3600 * SECOND;
    const store = createMemoryStore();
    const ask = (mono: number, wall: number, ends: number): boolean => {
      const result = store.take("", [quota("q:1", 1, ends)], at(mono, wall));
      return !(result instanceof Promise) && result.allowed;
    };
    expect(ask(0, 24 * hour, 48 * hour)).toBe(true);
    expect(ask(1, 23 * hour, 24 * hour)).toBe(false);
    expect(ask(2, 48 * hour - 1, 48 * hour)).toBe(false);
    expect(ask(3, 48 * hour, 72 * hour)).toBe(true);
  });

  it("gives back no more than was reserved", () => {
    const store = memory();
    const first = take(store, 0, quota("q:1", 2, 1000));
    take(store, 0, quota("q:1", 2, 1000));
    settle(store, first, 0, -2);
    expect(take(store, 0, quota("q:1", 2, 1000)).per[0]?.remaining).toBe(0);
  });

  it("gives back in the same period only", () => {
    const store = memory();
    const first = take(store, 0, quota("q:1", 1, 1000));
    take(store, 1000, quota("q:1", 1, 2000));
    settle(store, first, 1001, -1);
    expect(take(store, 1002, quota("q:1", 1, 2000)).allowed).toBe(false);
    const other = take(store, 1002, quota("q:2", 1, 2000));
    settle(store, other, 1003, -1);
    expect(take(store, 1004, quota("q:2", 1, 2000)).allowed).toBe(true);
  });
});

describe("clock steps", () => {
  it("sliding limits do not see the wall clock at all", async () => {
    const hour = 3600 * SECOND;
    await fc.assert(
      fc.asyncProperty(
        arrivals(1000, 1),
        fc.array(fc.constantFrom(-hour, 0, hour), { minLength: 80, maxLength: 80 }),
        async (list, steps) => {
          const calm = memory();
          const stepped = memory();
          for (const [index, { at: now }] of list.entries()) {
            const wall = 1e12 + now + (steps[index] ?? 0);
            const ops = [gcra("g:1", 100, 3), strict("s:1", 3, 1000)];
            // The token is the store's own affair: it remembers the wall clock for quotas.
            const { token: _its, ...seen } = await stepped.take("", ops, at(now, wall));
            const { token: _own, ...expected } = await calm.take("", ops, at(now, 1e12 + now));
            expect(seen).toEqual(expected);
          }
        },
      ),
    );
  });
});

describe("leases", () => {
  it("lends at most the limit, and takes back what was released or ran out", () => {
    const store = memory();
    const first = take(store, 0, lease("a"));
    take(store, 10, lease("b"));
    expect(take(store, 20, lease("c")).per).toEqual([
      { allowed: false, remaining: 0, resetUs: 0, retryUs: 10 },
    ]);
    settle(store, first, 20, -1);
    settle(store, first, 20, -1);
    expect(take(store, 20, lease("c")).allowed).toBe(true);
    expect(take(store, 39, lease("d")).allowed).toBe(false);
    expect(take(store, 40, lease("d")).allowed).toBe(true);
  });

  it("keeps a place that is renewed, and says when one was lost", () => {
    const store = memory();
    const kept = take(store, 0, lease("a", 1));
    if (kept.token === undefined) throw new Error("nothing was taken");
    expect(store.renew("", kept.token, at(29))).toBe(true);
    expect(take(store, 58, lease("b", 1)).allowed).toBe(false);
    expect(take(store, 59, lease("b", 1)).allowed).toBe(true);
    expect(store.renew("", kept.token, at(60))).toBe(false);
  });

  it("is lost when it ran out, also where nobody has looked since", () => {
    const store = memory();
    const { token } = take(store, 0, lease("a", 1));
    if (token === undefined) throw new Error("nothing was taken");
    expect(store.renew("", token, at(30))).toBe(false);
  });

  it("is never evicted: a full store refuses to lend until a lease runs out", () => {
    const store = memory({ maxKeys: 32 });
    for (let n = 0; n < 32; n++)
      take(store, n, { kind: "lease", key: `c:${n}`, limit: 1, leaseUs: 100, holder: "h" });
    expect(() => take(store, 50, lease("x"))).toThrow(full);
    expect(take(store, 100, lease("x")).allowed).toBe(true);
  });
});

describe("penalties", () => {
  const penalty = { after: 2, blockUs: 100, factor: 2, maxUs: 350 };
  const op: LimitOp = { ...gcra("g:1", 10, 1), penalty };

  it("blocks after repeated refusals, longer each time, up to the most", () => {
    const store = memory();
    let now = 0;
    const blocks: number[] = [];
    for (let round = 0; round < 4; round++) {
      expect(take(store, now, op).allowed).toBe(true);
      expect(take(store, now, op).per[0]?.retryUs).toBe(10);
      const wait = take(store, now, op).per[0]?.retryUs ?? 0;
      blocks.push(wait);
      // Attempts during a block change nothing.
      expect(take(store, now + wait - 1, op).per[0]).toEqual({
        allowed: false,
        remaining: 0,
        resetUs: 1,
        retryUs: 1,
      });
      now += wait;
    }
    expect(blocks).toEqual([100, 200, 350, 350]);
  });

  it("forgets strikes that lie further back than the longest block", () => {
    const store = memory();
    take(store, 0, op);
    take(store, 0, op);
    take(store, 350, op);
    expect(take(store, 350, op).per[0]?.retryUs).toBe(10);
  });

  it("counts outcomes where it is told to: refusals are none, kept charges are", () => {
    const store = memory();
    const counted: LimitOp = { ...gcra("g:1", 10, 2), penalty: { ...penalty, strikes: "outcomes" } };
    const both = [take(store, 0, counted), take(store, 0, counted)];
    for (let n = 0; n < 9; n++) expect(take(store, 0, counted).per[0]?.retryUs).toBe(10);
    for (const one of both) settle(store, one, 0, 0);
    expect(take(store, 50, counted).per[0]?.retryUs).toBe(50);
    expect(take(store, 100, counted).allowed).toBe(true);
  });

  it("holds a block of its own", () => {
    const store = memory();
    const block: LimitOp = { kind: "block", key: "b:1", penalty };
    settle(store, take(store, 0, block), 0, 1);
    settle(store, take(store, 0, block), 0, 1);
    expect(take(store, 0, block)).toEqual({
      allowed: false,
      source: "memory",
      per: [{ allowed: false, remaining: 0, resetUs: 100, retryUs: 100 }],
    });
    expect(take(store, 100, block).allowed).toBe(true);
  });
});

describe("a full store", () => {
  it("B6.105 admits no key above its limit, whatever is evicted", () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 99 }), gap: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 100, maxLength: 300 }),
        fc.integer({ min: 1, max: 3 }),
        (steps, burst) => {
          const store = memory({ maxKeys: 32, sketchCells: 16 });
          const admitted = new Map<string, Admitted[]>();
          let now = 0;
          for (const { key, gap } of steps) {
            now += gap;
            for (const op of [gcra(`g:${key}`, 500, burst), strict(`s:${key}`, burst, 1000)]) {
              if (!take(store, now, op).allowed) continue;
              const list = admitted.get(op.key) ?? [];
              list.push({ at: now, cost: 1 });
              admitted.set(op.key, list);
            }
          }
          for (const [key, list] of admitted) {
            everyInterval(list, (length, cost) => {
              if (key.startsWith("g")) expect(cost).toBeLessThanOrEqual(burst + Math.floor(length / 500));
              else if (length <= 1000) expect(cost).toBeLessThanOrEqual(burst);
            });
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ["token bucket", (key: string) => gcra(key, 180 * SECOND, 5)],
    ["sliding window", (key: string) => strict(key, 5, 900 * SECOND)],
    ["calendar quota", (key: string) => quota(key, 5, 86_400 * SECOND)],
  ])("survives a flood of junk keys: %s", (_name, op) => {
    const store = memory({ maxKeys: 64 });
    let guesses = 0;
    for (let n = 0; n < 20_000; n++) {
      take(store, n, op(`login:junk-${n}`));
      if (n % 100 === 0 && take(store, n, op("login:victim")).allowed) guesses += 1;
    }
    expect(guesses).toBeLessThanOrEqual(5);
    expect(store.health().counters["limits"]).toBe(64);
  });

  it("a flood of one limit's keys restricts no key of another", () => {
    const store = memory({ maxKeys: 32, sketchCells: 2 });
    for (let n = 0; n < 200; n++) take(store, n, gcra(`a:${n}`, 1000 * SECOND, 1));
    expect(take(store, 200, gcra("a:new", 1000 * SECOND, 1)).allowed).toBe(false);
    expect(take(store, 200, gcra("b:new", 1000 * SECOND, 1)).allowed).toBe(true);
  });

  it("remembers a block through a flood", () => {
    const store = memory({ maxKeys: 32 });
    const op = (key: string): LimitOp => ({
      ...gcra(key, 1, 1),
      penalty: { after: 1, blockUs: 1000 * SECOND, factor: 2, maxUs: 2000 * SECOND },
    });
    take(store, 0, op("g:victim"));
    take(store, 0, op("g:victim"));
    for (let n = 0; n < 100; n++) {
      take(store, 10 * n, op(`g:junk-${n}`));
      take(store, 10 * n, op(`g:junk-${n}`));
    }
    expect(take(store, 2000, op("g:victim")).per[0]?.retryUs).toBe(1000 * SECOND - 2000);
  });

  it("drops entries that have run out instead of remembering them", () => {
    const store = memory({ maxKeys: 32 });
    for (let n = 0; n < 1000; n++) take(store, 10 * n, gcra(`g:${n}`, 10, 1));
    expect(store.health().counters).toEqual({
      limits: 32,
      penalties: 0,
      leases: 0,
      values: 0,
      overflowed: 0,
    });
  });

  it("takes no new key where it was told so, until one has run out", () => {
    const store = memory({ maxKeys: 32, onOverflow: "deny-new" });
    for (const make of [
      (key: string) => gcra(key, 100, 1),
      (key: string) => strict(key, 1, 100),
      (key: string) => quota(key, 1, 110),
    ]) {
      for (let n = 0; n < 32; n++) take(store, 0, make(`${make("x").kind}:${n}`));
      expect(() => take(store, 0, make("new:1"))).toThrow(full);
    }
    expect(take(store, 110, gcra("new:1", 100, 1), strict("new:1", 1, 100)).allowed).toBe(true);
  });

  it("forgets only where it was told to", () => {
    const store = memory({ maxKeys: 32, onOverflow: "admit" });
    take(store, 0, gcra("g:victim", 100, 1));
    for (let n = 0; n < 32; n++) take(store, 0, gcra(`g:${n}`, 100, 1));
    expect(take(store, 0, gcra("g:victim", 100, 1)).allowed).toBe(true);
  });
});

describe("values", () => {
  it("says once that a key is new, until it has run out", () => {
    const store = memory();
    expect([0, 5, 9, 10].map((now) => store.once("jti", 10, at(now)))).toEqual([true, false, false, true]);
  });

  it("never forgets a key early: a full store refuses", () => {
    const store = memory({ maxKeys: 32 });
    for (let n = 0; n < 32; n++) void store.once(`${n}`, 10 + n, at(0));
    expect(() => store.once("new", 10, at(9))).toThrow(full);
    expect(store.once("5", 10, at(9))).toBe(false);
    expect(store.once("new", 10, at(10))).toBe(true);
  });

  it("keeps bytes until they run out or are deleted", () => {
    const store = memory();
    const bytes = Uint8Array.of(1, 2);
    void store.set("a", bytes, 10, at(0));
    void store.set("b", bytes, 10, at(0));
    void store.del("b", at(1));
    expect([store.get("a", at(9)), store.get("a", at(10)), store.get("b", at(1))]).toEqual([
      bytes,
      undefined,
      undefined,
    ]);
  });
});

describe("options", () => {
  it("refuses bounds that are none", () => {
    expect(() => createMemoryStore({ maxKeys: 31 })).toThrow(
      new RangeError("`maxKeys` must be an integer from 32 to 2^24"),
    );
    expect(() => createMemoryStore({ sketchCells: 1000 })).toThrow(
      new RangeError("`sketchCells` must be a power of two from 2 to 2^24"),
    );
  });

  it("refuses a token of another store", () => {
    const { token } = take(memory(), 0, gcra("g:1", 1, 1));
    if (token === undefined) throw new Error("nothing was taken");
    expect(() => memory().settle("", { ...token }, [0], at(0))).toThrow(
      new StoreError("protocol", false, "the token is another store's"),
    );
  });
});
