// Limits in memory: beside the same arithmetic on a bare cache, and beside the stores that servers use today.
import { strict as assert } from "node:assert";
import { createEngine, createMemoryStore } from "@gatehouse/core";
import { MemoryStore } from "express-rate-limit";
import { LRUCache } from "lru-cache";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { decide, request } from "../lib/requests.mjs";
import { median } from "../lib/compare.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atLeast, atMost, nanoseconds, times } from "../lib/target.mjs";

const HOT = 1000;
/** Who take turns, more than the engine keeps an op of. */
const CROWD = 20_000;
const EMISSION = 1;
const BURST = 1_000_000;

// As the engine's own clock does: the global is an accessor, which would be measured too.
const timer = performance;
/** Of a process that has run for a day: in its first half an hour instants are small integers, which are cheaper. */
const UP = 86_400_000_000;
const now = () => Math.floor(timer.now() * 1000) + UP;

/** One look at the heap is off by some bytes a key: of so many the middle counts. */
const HEAPS = 5;

/** Callers that the engine knows of each limit, by their text; it forgets all when so many times as many have come that it did not. */
const KNOWN = 4096;
const STRANGERS = 8;

/** As the engine lays it out: what the store notes is not copied with it. */
class Op {
  #slot = 0;
  #since = 0;
  kind = "gcra";
  emissionUs = EMISSION;
  burst = BURST;
  cost = 1;

  constructor(key) {
    this.key = key;
  }

  get slot() {
    return this.#slot;
  }
  set slot(slot) {
    this.#slot = slot;
  }
  get since() {
    return this.#since;
  }
  set since(since) {
    this.#since = since;
  }
}

/** One take of one token bucket, from a caller's text on, as the engine asks the store: again with what was asked for that text before. */
function asked(store, name) {
  const known = new Map();
  let strangers = 0;
  const opsOf = (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const ops = [new Op(text)];
    if (known.size >= KNOWN) {
      strangers += 1;
      if (strangers <= STRANGERS * KNOWN) return ops;
      strangers = 0;
      known.clear();
    }
    known.set(text, ops);
    return ops;
  };
  const context = { nowUs: 0, deadlineUs: 50_000, final: true };
  return (index) => {
    const ops = opsOf(name(index));
    context.nowUs = now();
    return store.take("limits", ops, context);
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

/** Decides nothing: whoever decides for a caller by the time does at least this. */
function least(name) {
  const known = new Map();
  return (index) => {
    const key = name(index);
    if (known.get(key) === undefined) known.set(key, key);
    return now();
  };
}

/** Twice: what the first collection only found to be dead, such as the tables that a map grew out of, is gone after the second. */
function collect() {
  globalThis.gc?.();
  globalThis.gc?.();
}

/** Bytes that stay of so many callers, beyond their texts. */
async function heaps(keys, round) {
  const fresh = (mark) => Array.from({ length: keys }, (_, n) => `${mark}${round}:t:${n}`);
  const [one, other] = [fresh("h"), fresh("x")];
  const ours = await heapOf(() => {
    const store = createMemoryStore({ maxKeys: keys });
    const run = asked(store, (index) => one[index]);
    for (let n = 0; n < keys; n++) run(n);
    // What is known of the callers counts too.
    return { store, run };
  });
  const peer = new MemoryStore();
  const theirs = await heapOf(async () => {
    peer.init({ windowMs: 3_600_000 });
    for (const key of other) await peer.increment(key);
    return peer;
  });
  peer.shutdown();
  return { ours, theirs };
}

async function heapOf(fill) {
  collect();
  const before = process.memoryUsage();
  const kept = await fill();
  collect();
  const after = process.memoryUsage();
  assert.ok(kept);
  return after.heapUsed + after.external - before.heapUsed - before.external;
}

/** The same engine with a limit on one route and none on the other: the difference is the limit, its header fields written. */
async function wholeDecisions() {
  const limit = (algorithm) => ({ algorithm, limit: BURST, window: "1m", by: ["client.ip"] });
  const engine = await createEngine({
    gatehouse: 1,
    name: "bench-limits-memory",
    transport: { https: "off" },
    defaults: { authenticate: "none" },
    limits: { bucket: limit("token-bucket"), window: limit("sliding-window") },
    routes: { "GET /none": {}, "GET /bucket": { limits: ["bucket"] }, "GET /window": { limits: ["window"] } },
  });
  return ["none", "bucket", "window"].map((name) => {
    const raw = request("GET", `/${name}`);
    const check = () => {
      const decided = decide(engine, raw);
      assert.equal(decided.outcome, "admit");
      const told = decided.responseHeaders.some(([field]) => field.toLowerCase() === "ratelimit");
      assert.equal(told, name !== "none");
    };
    check();
    return { name: `decision: ${name}`, run: () => decide(engine, raw).responseHeaders, check };
  });
}

export const title = "Limits in memory";

export async function run({ short }) {
  const names = Array.from({ length: CROWD }, (_, n) => `b:t:${n}`);
  const hot = (index) => names[index % HOT];
  const each = (index) => names[(index * 7919) % CROWD];
  const mine = asked(createMemoryStore(), hot);
  const hand = byHand(new LRUCache({ max: 100_000 }), hot);
  assert.deepEqual(Object.keys(mine(0).per[0]).sort(), Object.keys(hand(0).per[0]).sort());
  assert.equal(mine(0).allowed, hand(0).allowed);
  const express = new MemoryStore();
  express.init({ windowMs: 3_600_000 });
  const flexible = new RateLimiterMemory({ points: BURST, duration: 3600 });
  const taken = [await express.increment("one"), await express.increment("one")];
  assert.equal(taken[1].totalHits, 2);
  const points = [await flexible.consume("one"), await flexible.consume("one")];
  assert.deepEqual(
    points.map(({ remainingPoints }) => remainingPoints),
    [BURST - 1, BURST - 2],
  );
  const seen = await sideBySide(
    [
      { name: "Gatehouse", run: mine },
      { name: "by hand", run: hand },
      { name: "express-rate-limit", run: (index) => express.increment(hot(index)) },
      { name: "rate-limiter-flexible", run: (index) => flexible.consume(hot(index)) },
      { name: "least", run: least(hot) },
    ],
    { short, ms: 50 },
  );
  const crowd = await sideBySide(
    [
      { name: "Gatehouse", run: asked(createMemoryStore(), each) },
      { name: "by hand", run: byHand(new LRUCache({ max: 100_000 }), each) },
      { name: "express-rate-limit", run: (index) => express.increment(each(index)) },
      { name: "rate-limiter-flexible", run: (index) => flexible.consume(each(index)) },
      { name: "least", run: least(each) },
    ],
    { short, ms: 50 },
  );
  // Behind the stores: the engine's ops are of two classes of its own, and a store that has met three is slower for each than any server's.
  const whole = await wholeDecisions();
  const decided = await sideBySide(whole, { short, ms: 50 });
  // A limit that was used up on the way would have been measured refusing.
  for (const { check } of whole) check();
  const against = (peer) => seen.ratio(peer, "Gatehouse");
  const stores = (of) => ({
    columns: ["store", "ns", "times of ours"],
    rows: [
      ["Gatehouse", "Gatehouse"],
      ["a bare cache with the same sum, by hand", "by hand"],
      ["express-rate-limit", "express-rate-limit"],
      ["rate-limiter-flexible", "rate-limiter-flexible"],
      ["the clock and one look-up of the caller, nothing decided", "least"],
    ].map(([store, name]) => [store, of.ns(name).toFixed(0), times(of.ratio(name, "Gatehouse"))]),
  });
  const adds = (name) => decided.added(`decision: ${name}`, "decision: none");

  const cap = short ? 2000 : 100_000;
  const spread = Array.from({ length: 3 * cap }, (_, n) => `c:t:${n}`);
  const any = (index) => spread[(index * 7919) % spread.length];
  const churned = await sideBySide(
    [
      { name: "Gatehouse", run: asked(createMemoryStore({ maxKeys: cap }), any) },
      { name: "by hand", run: byHand(new LRUCache({ max: cap }), any) },
    ],
    { short, ms: 200 },
  );

  const keys = short ? 2000 : 200_000;
  const rounds = [];
  while (rounds.length < HEAPS) rounds.push(await heaps(keys, rounds.length));
  const gatehouse = median(rounds.map(({ ours }) => ours));
  const theirs = median(rounds.map(({ theirs }) => theirs));
  express.shutdown();

  const heap = gatehouse / theirs;
  return {
    tables: [
      { caption: "One decision on a hot key", ...stores(seen) },
      { caption: `The same, with ${CROWD} callers who take turns`, ...stores(crowd) },
      {
        caption: "What one limit adds to a whole decision, its header fields written",
        columns: ["algorithm", "ns"],
        rows: [
          ["token bucket", adds("bucket").toFixed(0)],
          ["sliding window", adds("window").toFixed(0)],
        ],
      },
    ],
    targets: [
      atMost("12", "one limit decided in memory", 250, seen.ns("Gatehouse"), nanoseconds),
      atMost(
        "12",
        "one limit in a whole decision, its header fields written",
        250,
        adds("bucket"),
        nanoseconds,
      ),
      atLeast(
        "12",
        "limit decisions a second, against a bare cache with the same sum",
        0.8,
        against("by hand"),
      ),
      atLeast(
        "12",
        "the same, against express-rate-limit's memory store",
        1.3,
        against("express-rate-limit"),
      ),
      atLeast(
        "12",
        "the same, against rate-limiter-flexible's memory store",
        4,
        against("rate-limiter-flexible"),
      ),
      atLeast(
        "12",
        "with three times the keys that fit, against a bare cache",
        0.5,
        churned.ratio("by hand", "Gatehouse"),
      ),
      atMost("12", `heap a key (${keys} keys), against express-rate-limit's memory store`, 0.35, heap),
    ],
    notes: [
      `Who reads the clock, looks the caller up and decides nothing is ${times(seen.ratio("rate-limiter-flexible", "least"))} as fast as rate-limiter-flexible's store.`,
      "Processor time. Ours and the one by hand are told the time by whoever calls, and reading the clock is counted with them; the others read it themselves. Ours begins with a caller's text, as theirs do: looking up what the engine keeps for it is counted. The store is one whose limits are all of one algorithm; with both kinds a decision takes about a tenth more.",
      `bytes a key beyond its text: ${Math.round(gatehouse / keys)} and ${Math.round(theirs / keys)}`,
      ...(globalThis.gc === undefined ? ["heap without --expose-gc means nothing"] : []),
    ],
  };
}
