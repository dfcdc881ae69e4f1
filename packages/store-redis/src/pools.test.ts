/** The bounds of leased units, in fleets that lose answers, stall and die. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { isLeased, LIFE_US, Pools, type LeasedOp } from "./pools.js";

const T = 10_000;

const opOf = (burst: number, cost: number): LeasedOp => ({
  kind: "gcra",
  key: "a:t:",
  emissionUs: T,
  burst,
  cost,
  precision: "leased",
});

/** The count that all hold against: a bucket that hands out as much of what is wanted as it has. */
class Shared {
  #arrival = 0;

  take({ burst, cost }: LeasedOp, want: number, now: number): number | undefined {
    const next = Math.max(this.#arrival, now) + cost * T;
    if (next - now > burst * T) return undefined;
    const more = Math.min(want, Math.floor((burst * T - (next - now)) / T));
    this.#arrival = next + more * T;
    return more;
  }
}

/** From 0 to less than 1, the same ones in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

const step = fc.record({
  gap: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 2000 }),
    fc.constantFrom(LIFE_US - 1, LIFE_US, 5 * LIFE_US),
  ),
  node: fc.nat(7),
  cost: fc.integer({ min: 1, max: 3 }),
  /** Of the answer only the debit is left. */
  lost: fc.boolean().map((lost) => lost),
  refusedBeside: fc.nat(9).map((n) => n === 0),
});

it("admits no more than was taken, spent within its life, and no more than all can hold", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 3, max: 60 }),
      fc.array(step, { minLength: 20, maxLength: 300 }),
      (members, burst, steps) => {
        const shared = new Shared();
        const nodes = Array.from({ length: members }, () => new Pools(() => members));
        const admitted: { readonly at: number; readonly cost: number }[] = [];
        let now = 1_000_000;
        for (const { gap, node, cost, lost, refusedBeside } of steps) {
          now += gap;
          const pools = nodes[node % members];
          if (pools === undefined) continue;
          const op = opOf(burst, Math.min(cost, burst));
          pools.demand(op, now);
          const spent = pools.spend(op, now);
          if (spent !== undefined) {
            if (refusedBeside) pools.putBack(spent);
            else admitted.push({ at: now, cost: op.cost });
            continue;
          }
          const more = shared.take(op, pools.want(op, now), now);
          if (more === undefined || lost) continue;
          pools.granted(op, { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 }, more, more, now, now);
          admitted.push({ at: now, cost: op.cost });
        }
        const held = members * Math.floor(burst / (4 * members));
        for (const [first, { at: from }] of admitted.entries()) {
          let sum = 0;
          for (const { at, cost } of admitted.slice(first)) {
            sum += cost;
            const t = at - from;
            expect(sum).toBeLessThanOrEqual(burst + Math.floor((t + LIFE_US) / T));
            expect(sum).toBeLessThanOrEqual(burst + Math.floor(t / T) + held);
          }
        }
      },
    ),
    { numRuns: Number(process.env["GATEHOUSE_RUNS"] ?? 300) },
  );
});

/** A take of a process that does as the store does. */
function ask(
  pools: Pools,
  shared: Shared,
  op: LeasedOp,
  now: number,
): "lease" | "shared" | "refused" | "dry" {
  pools.demand(op, now);
  if (pools.spend(op, now) !== undefined) return "lease";
  if (pools.refusal([op], now) !== undefined) return "dry";
  const want = pools.want(op, now);
  const more = shared.take(op, want, now);
  const part = { allowed: more !== undefined, remaining: 0, resetUs: op.burst * T, retryUs: T };
  if (more === undefined) pools.refused(op, part, now);
  else pools.granted(op, part, want, more, now, now);
  return more === undefined ? "refused" : "shared";
}

it.each([1, 4])(
  "with more asked for than comes in, %i processes ask as seldom as ever, and all that comes in is admitted",
  (members) => {
    const [burst, seconds, everyUs] = [200, 20, T / 3];
    const shared = new Shared();
    const random = seeded(1);
    const nodes = Array.from({ length: members }, () => new Pools(() => members, random));
    const seen = { lease: 0, shared: 0, refused: 0, dry: 0 };
    const op = opOf(burst, 1);
    let turn = 0;
    for (let now = 1_000_000; now < 1_000_000 + seconds * 1_000_000; now += everyUs) {
      const pools = nodes[turn++ % members];
      if (pools !== undefined) seen[ask(pools, shared, op, now)] += 1;
    }
    const comes = burst + (seconds * 1_000_000) / T;
    expect(seen.lease + seen.shared).toBeGreaterThan(comes * 0.98);
    expect(seen.lease + seen.shared).toBeLessThanOrEqual(comes + 1);
    expect(seen.shared + seen.refused).toBeLessThan(members * 28 * seconds);
    expect(seen.dry).toBeGreaterThan(comes);
  },
);

/** Pools of a process that asks as often as it can. */
function busy(...ops: readonly LeasedOp[]): Pools {
  const pools = new Pools(
    () => 1,
    () => 1,
  );
  for (const op of ops) for (let n = 0; n < 1000; n++) pools.demand(op, 0);
  return pools;
}

it("a count that was used up refuses no longer than a batch lasts, or a quarter of the time in which it fills", () => {
  for (const [op, longest] of [
    [opOf(1000, 1), 50_000],
    [opOf(4, 1), T],
  ] as const) {
    const part = { allowed: false, remaining: 0, resetUs: op.burst * T, retryUs: T };
    const pools = busy(op);
    pools.refused(op, part, 0);
    expect(pools.refusal([op], longest - 1)).toBeDefined();
    expect(pools.refusal([op], longest)).toBeUndefined();
    expect(pools.refusals).toBe(1);
    pools.granted(op, part, 10, 10, longest, longest);
    expect(pools.refusal([op], longest)).toBeUndefined();
    pools.granted(op, part, 10, 9, longest, longest);
    expect(pools.refusal([op], longest)).toBeDefined();
  }
});

it("of processes that ask equally often none takes what comes in from the others", () => {
  const [burst, seconds, everyUs, members] = [200, 20, 100, 2];
  const shared = new Shared();
  const random = seeded(1);
  const nodes = Array.from({ length: members }, () => ({ pools: new Pools(() => members, random), got: 0 }));
  let turn = 0;
  for (let now = 1_000_000; now < 1_000_000 + seconds * 1_000_000; now += everyUs) {
    const node = nodes[turn++ % members];
    if (node === undefined) continue;
    const came = ask(node.pools, shared, opOf(burst, 1), now);
    if (came === "lease" || came === "shared") node.got += 1;
  }
  const comes = burst + (seconds * 1_000_000) / T;
  for (const { got } of nodes) expect(got).toBeGreaterThan((comes / members) * 0.8);
});

it("what is too little for one is enough for who asks for less", () => {
  const [dear, cheap] = [opOf(100, 100), opOf(100, 1)];
  const pools = busy(dear);
  pools.refused(dear, { allowed: false, remaining: 99, resetUs: T, retryUs: T }, 0);
  expect(pools.refusal([dear], 1)).toBeDefined();
  expect(pools.refusal([cheap], 1)).toBeUndefined();
  pools.granted(cheap, { allowed: true, remaining: 0, resetUs: 99 * T, retryUs: 0 }, 10, 0, 2, 2);
  expect(pools.refusal([cheap], 3)).toBeDefined();
  pools.refused(dear, { allowed: false, remaining: 0, resetUs: 100 * T, retryUs: 99 * T }, 4);
  expect(pools.refusal([cheap], 5)).toBeDefined();
});

it("tells when the same would pass, not only when it looks again", () => {
  const [op, dear] = [opOf(100, 1), opOf(100, 30)];
  const pools = busy(op);
  pools.granted(op, { allowed: true, remaining: 9, resetUs: 90 * T, retryUs: 0 }, 10, 9, 0, 0);
  for (let n = 0; n < 9; n++) pools.spend(op, 1);
  // Full in 99 T and no sooner: for one a unit has come in already, and is looked for 49 ms from now; for thirty 29 T have to pass.
  expect(pools.refusal([op], 1000)).toEqual([
    { allowed: false, remaining: 0, resetUs: 99 * T - 1000, retryUs: 49_000 },
  ]);
  expect(pools.refusal([dear], 1000)).toEqual([
    { allowed: false, remaining: 0, resetUs: 99 * T - 1000, retryUs: 29 * T - 1000 },
  ]);
  expect(pools.refusal([opOf(100, 101)], 1000)?.[0]?.retryUs).toBe(100 * T);
});

it("a refusal tells of the other counts what is known of them, and where nothing is, they are asked", () => {
  const [empty, other] = [opOf(100, 1), { ...opOf(50, 1), key: "b:t:" }];
  const pools = busy(empty);
  pools.demand(other, 0);
  const part = { allowed: false, remaining: 0, resetUs: 100 * T, retryUs: T };
  pools.refused(empty, part, 0);
  expect(pools.refusal([other, empty], 1)).toBeUndefined();
  expect(pools.refusals).toBe(0);
  pools.refused(other, { allowed: true, remaining: 30, resetUs: 20 * T, retryUs: 0 }, 0);
  expect(pools.refusal([other, empty], 1)).toEqual([
    { allowed: true, remaining: 30, resetUs: 20 * T - 1, retryUs: 0 },
    { allowed: false, remaining: 0, resetUs: 100 * T - 1, retryUs: 49_999 },
  ]);
  expect(pools.refusals).toBe(1);
});

it("tells of no more than the burst, also where some is in hand and the bucket is full again", () => {
  const [empty, other] = [opOf(100, 1), { ...opOf(3, 2), key: "b:t:" }];
  const pools = busy(empty);
  pools.granted(other, { allowed: true, remaining: 1, resetUs: 0, retryUs: 0 }, 1, 1, 0, 0);
  pools.refused(empty, { allowed: false, remaining: 0, resetUs: 100 * T, retryUs: T }, 2 * T);
  expect(pools.refusal([other, empty], 2 * T)?.[0]).toEqual({
    allowed: true,
    remaining: 3,
    resetUs: 0,
    retryUs: 0,
  });
});

it("what is given back may be taken at once", () => {
  const op = opOf(100, 1);
  const pools = busy(op);
  pools.refused(op, { allowed: false, remaining: 0, resetUs: 100 * T, retryUs: T }, 0);
  pools.forget(op.key);
  expect(pools.refusal([op], 1)).toBeUndefined();
});

it("a caller who comes once in a while is refused no longer than the count says", () => {
  const pools = new Pools(() => 1);
  const op = opOf(1000, 1);
  pools.demand(op, 0);
  pools.refused(op, { allowed: false, remaining: 0, resetUs: 0, retryUs: 1 }, 0);
  expect(pools.refusal([op], 1)).toBeUndefined();
});

it("takes nothing ahead for a caller who comes once in a while", () => {
  const pools = new Pools(() => 1);
  for (let now = 0; now < 10_000_000; now += 1_000_000) {
    pools.demand(opOf(100, 1), now);
    expect(pools.want(opOf(100, 1), now)).toBe(0);
  }
});

it("what was put back after another batch is lost: it would outlive its time", () => {
  const pools = new Pools(() => 1);
  const op = opOf(100, 1);
  const part = { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 };
  pools.granted(op, part, 1, 1, 0, 0);
  const spent = pools.spend(op, 1);
  if (spent === undefined) throw new Error("nothing in hand");
  pools.granted(op, part, 1, 1, 10, 10);
  pools.putBack(spent);
  expect(pools.spend(op, 11)).toBeDefined();
  expect(pools.spend(op, 11)).toBeUndefined();
});

it("only a token bucket that says so is leased", () => {
  expect(isLeased(opOf(1, 1))).toBe(true);
  expect(isLeased({ kind: "gcra", key: "a", emissionUs: 1, burst: 1, cost: 1 })).toBe(false);
  expect(isLeased({ kind: "block", key: "a" })).toBe(false);
});

it("a dear request that is refused during a pause hears what the count still has, and no more than it lacked", () => {
  const pools = new Pools(() => 1);
  const dear = opOf(100, 60);
  for (let n = 0; n < 1000; n++) pools.demand(dear, 0);
  pools.refused(dear, { allowed: false, remaining: 50, resetUs: 50 * T, retryUs: 10 * T }, 0);
  const remainingAt = (nowUs: number): number | undefined => pools.refusal([dear], nowUs)?.[0]?.remaining;
  expect([remainingAt(0), remainingAt(2 * T)]).toEqual([50, 52]);
  pools.forget(dear.key);
  pools.granted(dear, { allowed: true, remaining: 0, resetUs: 100 * T, retryUs: 0 }, 9, 0, 0, 0);
  expect([remainingAt(0), remainingAt(2 * T)]).toEqual([0, 0]);
});
