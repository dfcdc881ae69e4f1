/** What the store is asked, to the microsecond: an error of one here is a limit that is kept a little less than it says. */
import { expect, it } from "vitest";
import type { LimitSettings } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import type { LimitOp } from "../../ports/state-store.js";
import { createMemoryStore } from "../../store/index.js";
import { emissionUs, opMaker, repeatedOpMaker } from "./op.js";
import { termsOf } from "./terms.js";

const state = stateFor({ now: Date.UTC(2026, 1, 28, 23, 59, 59, 999) });

function opOf(value: LimitSettings, share = 1): LimitOp {
  return opMaker(termsOf("few", { value, pointer: "/limits/few", from: "document" }), share)("k", 2, state);
}

it.each([
  [1_000_000, 7, 142_858],
  [60_000_000, 700, 85_715],
  [1_000_000, 10, 100_000],
  [3, 2, 2],
])("one unit of a window of %i µs and limit %i comes back in %i µs, never sooner", (window, limit, each) => {
  expect(emissionUs(window, limit)).toBe(each);
});

it("a sliding window is cut into ten, and a process alone keeps its share, rounded up", () => {
  const settings: LimitSettings = { limit: 10, window: "1m" };
  const op = { kind: "strict", key: "k", windowUs: 60_000_000, buckets: 10, limit: 10, cost: 2 };
  expect(opOf(settings)).toEqual(op);
  expect(opOf(settings, 0.25)).toEqual({ ...op, limit: 3 });
});

it("a share that no double is exactly adds no unit: each of N processes keeps ⌈limit / N⌉", () => {
  const wrong: unknown[] = [];
  for (let processes = 1; processes <= 300; processes += 1) {
    for (const limit of [1, 2, 7, 100, 525, 999, 1000, processes, 7 * processes, 31 * processes, 10 ** 9]) {
      const op = opOf({ limit, window: "1m" }, 1 / processes);
      const kept = Math.floor((limit + processes - 1) / processes);
      if (op.kind !== "strict" || op.limit !== kept) wrong.push([limit, processes, kept, op]);
    }
  }
  expect(wrong).toEqual([]);
});

it.each([
  [70, 0.1, 7],
  [30, 0.1, 3],
  [100, 0.07, 7],
  [100, 0.29, 29],
  [10, 0.31, 4],
  [1, 0.001, 1],
])("of %i the share %d is %i", (limit, share, kept) => {
  expect(opOf({ limit, window: "1m" }, share)).toMatchObject({ limit: kept });
});

it("a token bucket alone fills slower and holds less", () => {
  const settings: LimitSettings = { limit: 7, window: "1s", algorithm: "token-bucket", burst: 9 };
  const op = { kind: "gcra", key: "k", emissionUs: 142_858, burst: 9, cost: 2 };
  expect(opOf(settings)).toEqual(op);
  expect(opOf(settings, 0.3)).toEqual({ ...op, emissionUs: 476_194, burst: 3 });
});

it.each([
  ["UTC", "day", Date.UTC(2026, 2, 1)],
  ["UTC", "month", Date.UTC(2026, 2, 1)],
  ["Pacific/Auckland", "day", Date.UTC(2026, 2, 1, 11)],
  ["America/New_York", "month", Date.UTC(2026, 2, 1, 5)],
] as const)("a quota of %s ends with the %s there", (zone, window, end) => {
  expect(opOf({ limit: 3, window, zone, algorithm: "calendar" })).toEqual({
    kind: "period",
    key: "k",
    limit: 3,
    cost: 2,
    endsAtUs: end * 1000,
  });
});

it("a slot is held by the exchange that took it", () => {
  expect(opOf({ limit: 3, algorithm: "concurrency", lease: "5s" }, 0.5)).toEqual({
    kind: "lease",
    key: "k",
    limit: 2,
    leaseUs: 5_000_000,
    holder: state.id,
  });
});

it("a penalty goes with every kind of op", () => {
  const penalty = { after: 3, block: "30s" };
  const struck = { after: 3, blockUs: 30_000_000, factor: 2, maxUs: 3_600_000_000, strikes: "refusals" };
  const all: readonly LimitSettings[] = [
    { limit: 3, window: "1m", penalty },
    { limit: 3, window: "1m", algorithm: "token-bucket", penalty },
    { limit: 3, window: "day", algorithm: "calendar", penalty },
    { limit: 3, algorithm: "concurrency", penalty },
  ];
  for (const settings of all) expect(opOf(settings).penalty).toEqual(struck);
});

it.each(["sliding-window", "token-bucket"] as const)(
  "what a store noted of a %s is no part of the op: a copy under another key counts for itself",
  (algorithm) => {
    const settings: LimitSettings = { limit: 3, window: "1m", algorithm };
    const terms = termsOf("few", { value: settings, pointer: "/limits/few", from: "document" });
    const op = repeatedOpMaker(terms, 1, 2)?.("k");
    if (op === undefined) throw new Error("such an op is kept");
    const store = createMemoryStore();
    const left = (one: LimitOp): unknown => store.take("", [one], { nowUs: 1, deadlineUs: 1 });
    for (const allowed of [true, false, false]) expect(left(op)).toMatchObject({ allowed });
    expect({ ...op }).toEqual(opOf(settings));
    const copy: LimitOp = { ...op, key: "other" };
    expect(left(copy)).toMatchObject({ allowed: true, per: [{ remaining: 1 }] });
    expect(left(op)).toMatchObject({ allowed: false });
  },
);
