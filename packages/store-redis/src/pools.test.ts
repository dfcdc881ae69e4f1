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
          pools.granted(op, { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 }, more, now, now);
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
  pools.granted(op, part, 1, 0, 0);
  const spent = pools.spend(op, 1);
  if (spent === undefined) throw new Error("nothing in hand");
  pools.granted(op, part, 1, 10, 10);
  pools.putBack(spent);
  expect(pools.spend(op, 11)).toBeDefined();
  expect(pools.spend(op, 11)).toBeUndefined();
});

it("only a token bucket that says so is leased", () => {
  expect(isLeased(opOf(1, 1))).toBe(true);
  expect(isLeased({ kind: "gcra", key: "a", emissionUs: 1, burst: 1, cost: 1 })).toBe(false);
  expect(isLeased({ kind: "block", key: "a" })).toBe(false);
});
