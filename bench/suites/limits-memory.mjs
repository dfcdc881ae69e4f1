// Limits in memory: beside the same arithmetic on a bare cache, and beside the stores that servers use today.
import { createMemoryStore } from "@gatehouse/core";
import { MemoryStore } from "express-rate-limit";
import { LRUCache } from "lru-cache";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { compare, compareAsync } from "../lib/compare.mjs";
import { atLeast, atMost, nanoseconds, times } from "../lib/target.mjs";

const HOT = 1000;
const EMISSION = 1;
const BURST = 1_000_000;

const now = () => Math.floor(performance.now() * 1000);

/** One take of one token bucket. */
function ours(store, name) {
  return (index) => {
    const nowUs = now();
    const op = { kind: "gcra", key: name(index), emissionUs: EMISSION, burst: BURST, cost: 1 };
    return store.take("limits", [op], { nowUs, deadlineUs: 50_000 });
  };
}

/** What a careful engineer writes: the same sum, the same answer. */
function byHand(cache, name) {
  return (index) => {
    const nowUs = now();
    const key = name(index);
    const known = cache.get(key);
    const base = known === undefined || known < nowUs ? nowUs : known;
    const next = base + EMISSION;
    const wait = next - nowUs - BURST * EMISSION;
    if (wait <= 0) cache.set(key, next);
    const remaining = Math.max(0, Math.floor((BURST * EMISSION - (next - nowUs)) / EMISSION));
    return {
      allowed: wait <= 0,
      per: [{ allowed: wait <= 0, remaining, resetUs: next - nowUs, retryUs: wait }],
    };
  };
}

function heapOf(fill) {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const kept = fill();
  globalThis.gc?.();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  return { bytes, kept };
}

export const title = "Limits in memory";

export async function run({ short }) {
  const names = Array.from({ length: HOT }, (_, n) => `b:t:${n}`);
  const hot = (index) => names[index % HOT];
  const hand = compare(ours(createMemoryStore(), hot), byHand(new LRUCache({ max: 100_000 }), hot), {
    short,
  });

  const express = new MemoryStore();
  express.init({ windowMs: 3_600_000 });
  const flexible = new RateLimiterMemory({ points: BURST, duration: 3600 });
  const take = ours(createMemoryStore(), hot);
  const againstExpress = await compareAsync(take, (index) => express.increment(hot(index)), { short });
  const againstFlexible = await compareAsync(take, (index) => flexible.consume(hot(index)), { short });

  const cap = short ? 2000 : 100_000;
  const spread = Array.from({ length: 3 * cap }, (_, n) => `c:t:${n}`);
  const any = (index) => spread[(index * 7919) % spread.length];
  const churn = compare(
    ours(createMemoryStore({ maxKeys: cap }), any),
    byHand(new LRUCache({ max: cap }), any),
    { short },
  );

  const keys = short ? 2000 : 200_000;
  const fresh = (mark) => Array.from({ length: keys }, (_, n) => `${mark}:t:${n}`);
  const [one, other] = [fresh("h"), fresh("x")];
  const gatehouse = heapOf(() => {
    const store = createMemoryStore({ maxKeys: keys });
    const run = ours(store, (index) => one[index]);
    for (let n = 0; n < keys; n++) run(n);
    return store;
  });
  const peer = new MemoryStore();
  peer.init({ windowMs: 3_600_000 });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (const key of other) await peer.increment(key);
  globalThis.gc?.();
  const theirs = process.memoryUsage().heapUsed - before;
  peer.shutdown();
  express.shutdown();

  const heap = gatehouse.bytes / theirs;
  return {
    tables: [
      {
        caption: "One decision on a hot key",
        columns: ["store", "ns", "times of ours"],
        rows: [
          ["Gatehouse", hand.a, 1],
          ["a bare cache with the same sum, by hand", hand.b, 1 / hand.ratio],
          ["express-rate-limit", againstExpress.b, 1 / againstExpress.ratio],
          ["rate-limiter-flexible", againstFlexible.b, 1 / againstFlexible.ratio],
        ].map(([store, ns, ratio]) => [store, ns.toFixed(0), times(ratio)]),
      },
    ],
    targets: [
      atMost("12", "one limit decided in memory, values of its fields included", 250, hand.a, nanoseconds),
      atLeast("12", "limit decisions a second, against a bare cache with the same sum", 0.8, 1 / hand.ratio),
      atLeast("12", "the same, against express-rate-limit's memory store", 1.3, 1 / againstExpress.ratio),
      atLeast("12", "the same, against rate-limiter-flexible's memory store", 4, 1 / againstFlexible.ratio),
      atLeast("12", "with three times the keys that fit, against a bare cache", 0.5, 1 / churn.ratio),
      atMost("12", `heap a key (${keys} keys), against express-rate-limit's memory store`, 0.35, heap),
    ],
    notes: [
      `bytes a key beyond its text: ${Math.round(gatehouse.bytes / keys)} and ${Math.round(theirs / keys)}`,
      ...(globalThis.gc === undefined ? ["heap without --expose-gc means nothing"] : []),
    ],
  };
}
