/** What is kept of the latest callers changes no count: held to a store that is handed new ops each time, and to keys made anew. */
import { createHash } from "node:crypto";
import { fc, test } from "@fast-check/vitest";
import { expect, it } from "vitest";
import type { CompiledFact } from "../../conditions/index.js";
import type { LimitSettings, PolicyDocument } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import type { CallContext, LimitOp, StateStore } from "../../ports/state-store.js";
import { createMemoryStore } from "../../store/index.js";
import { Asks } from "./asks.js";
import { Keys } from "./key.js";
import { storeWith, worldOf } from "./limit.test-support.js";
import { termsOf } from "./terms.js";

const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");
const state = stateFor({});

function factOf(text: string | undefined, callerChosen = false): CompiledFact {
  return { fact: "client.ip", needs: "connection", callerChosen, read: () => text };
}

const ALGORITHMS = ["sliding-window", "token-bucket"] as const;

const settings: fc.Arbitrary<LimitSettings> = fc.record({
  limit: fc.integer({ min: 1, max: 9 }),
  window: fc.constantFrom("1s", "1m"),
  algorithm: fc.constantFrom(...ALGORITHMS),
  onMissing: fc.constantFrom("group" as const, "skip" as const),
});

/** Texts that a table of names, or a separator, would take for others. */
const text = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom("__proto__", "constructor", "", "-", "1=", "1", "01", "1.0", "#", "::1"),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(95), "x".repeat(96), "x".repeat(256), "x".repeat(300)) },
);

test.prop([settings, fc.boolean(), fc.array(fc.option(text, { nil: undefined }), { maxLength: 40 })])(
  "fast path: a caller who is known is asked for as one who is new",
  (value, observe, texts) => {
    const terms = termsOf("few", { value, pointer: "", from: "document" });
    const options = { terms, observe, price: 2, share: 1, sha256Hex };
    const [kept, anew] = [new Asks({ ...options, repeats: true }), new Asks({ ...options, repeats: false })];
    const keys = new Keys(terms, observe, sha256Hex);
    for (const one of texts) {
      const facts = [factOf(one)];
      const ask = kept.maker(facts, () => 2)(state);
      expect(ask?.[0].key).toBe(keys.reader(facts)(state));
      // Copied, it is without what a store noted beside it.
      expect({ ...ask?.[0] }).toEqual({ ...anew.maker(facts, () => 2)(state)?.[0] });
      // Another route of the same limit.
      expect(kept.maker([factOf(one)], () => 2)(state)?.[0]).toEqual(ask?.[0]);
    }
  },
);

it("what a caller chooses, what has a price of its own, and what a store may write into is made anew", () => {
  const terms = termsOf("few", { value: { limit: 3, window: "1m" }, pointer: "", from: "document" });
  const options = { terms, observe: false, price: 1, share: 1, repeats: true, sha256Hex };
  const twice = (asks: Asks, facts: readonly CompiledFact[]): boolean => {
    const make = asks.maker(facts, () => 1);
    return make(state)?.[0] === make(state)?.[0];
  };
  expect(twice(new Asks(options), [factOf("a")])).toBe(true);
  expect(twice(new Asks(options), [])).toBe(true);
  expect(twice(new Asks(options), [factOf("a", true)])).toBe(false);
  expect(twice(new Asks(options), [factOf("a"), factOf("b")])).toBe(false);
  expect(twice(new Asks({ ...options, price: undefined }), [factOf("a")])).toBe(false);
  expect(twice(new Asks({ ...options, repeats: false }), [factOf("a")])).toBe(false);
});

it("of no more callers than a few thousand", () => {
  const terms = termsOf("few", { value: { limit: 3, window: "1m" }, pointer: "", from: "document" });
  const asks = new Asks({ terms, observe: false, price: 1, share: 1, repeats: true, sha256Hex });
  const ask = (one: string): LimitOp | undefined => asks.maker([factOf(one)], () => 1)(state)?.[0];
  const first = ask("first");
  for (let index = 0; index < 4095; index++) ask(String(index));
  expect(ask("first")).toBe(first);
  expect(ask("one more")).not.toBe(ask("one more"));
  expect(ask("first")).toBe(first);
  const long = "x".repeat(257);
  expect(ask(long)).not.toBe(ask(long));
});

const ADDRESSES = [
  "192.0.2.1",
  "192.0.2.11",
  "::ffff:192.0.2.1",
  "2001:db8::1",
  "2001:db8::2",
  "2001:db8:0:1::1",
  undefined,
];

function policyOf(first: LimitSettings, second: LimitSettings): PolicyDocument {
  return {
    gatehouse: 1,
    name: "asks",
    transport: { https: "off" },
    defaults: { authenticate: "none" },
    limits: {
      first: { by: "client.ip", ...first },
      second: { by: ["client.ip"], ...second },
      all: { limit: 40, window: "1s" },
    },
    routes: {
      "GET /one": { limits: ["first"] },
      "GET /other": { limits: ["first"] },
      "GET /both": { limits: ["first", "second"] },
      "GET /watched": { mode: "observe", limits: ["first"] },
      "GET /all": { limits: ["all"] },
    },
  };
}

const request = fc.record({
  gap: fc.constantFrom(0, 0, 1, 300, 5000),
  path: fc.constantFrom("/one", "/other", "/both", "/watched", "/all"),
  address: fc.constantFrom(...ADDRESSES),
  replace: fc.integer({ min: 0, max: 19 }).map((dice) => dice === 0),
});

/** Memory behind a store that does not say that it may be handed the same op again. */
function plain(): StateStore {
  return storeWith({}, [], "process");
}

test.prop(
  [fc.array(settings, { minLength: 2, maxLength: 4 }), fc.array(request, { minLength: 1, maxLength: 60 })],
  { numRuns: 40 },
)(
  "fast path: ops that are kept count as new ones do, on all routes, before and after a policy is replaced",
  async (all, requests) => {
    const documents = all.map((one, index) => policyOf(one, all[index + 1] ?? one));
    const [first] = documents;
    if (first === undefined) return;
    const [kept, anew] = [await worldOf(first, createMemoryStore()), await worldOf(first, plain())];
    let served = 0;
    for (const { gap, path, address, replace } of requests) {
      if (replace) {
        served += 1;
        const next = documents[served % documents.length] ?? first;
        for (const { engine } of [kept, anew]) await engine.replace(next);
      }
      const told: unknown[] = [];
      for (const { engine, clock } of [kept, anew]) {
        clock.advance(gap);
        const exchange = engine.open({
          method: "GET",
          target: path,
          headers: [["Host", "a.test"]],
          ...(address === undefined ? {} : { remoteAddress: address }),
        });
        const decided = await exchange.head();
        if (decided.outcome === "continue") throw new Error("the route reads no body");
        exchange.end(200);
        const fields = decided.responseHeaders.filter(([name]) => name.startsWith("RateLimit"));
        told.push([
          decided.outcome,
          fields,
          decided.outcome === "admit" ? decided.observed : decided.outcome,
        ]);
      }
      expect(told[0]).toEqual(told[1]);
    }
  },
);

it.each([
  ["/one", "/watched"],
  ["/watched", "/one"],
])("who is known where a limit is kept is another where it only observes: %s before %s", async (...paths) => {
  const limit: LimitSettings = { limit: 1, window: "1m" };
  const { engine } = await worldOf(policyOf(limit, limit), createMemoryStore());
  const told: unknown[] = [];
  for (const target of [...paths, ...paths]) {
    const exchange = engine.open({
      method: "GET",
      target,
      headers: [["Host", "a.test"]],
      remoteAddress: "192.0.2.1",
    });
    const decided = await exchange.head();
    told.push(decided.outcome === "admit" ? (decided.observed ?? []).length : decided.outcome);
    exchange.end(200);
  }
  const again = paths.map((path) => (path === "/one" ? "refuse" : 1));
  expect(told).toEqual([0, 0, ...again]);
});

it.each([
  ["one again and again, that tells of each take", true, 1],
  ["another one for each take", undefined, 3],
] as const)("when it is taken is told by %s", async (_name, repeats, different) => {
  const contexts = new Set<CallContext>();
  const instants: unknown[] = [];
  const memory = createMemoryStore();
  const store = storeWith({
    take: (group: string, ops: readonly LimitOp[], context: CallContext) => {
      contexts.add(context);
      instants.push([context.nowUs, context.wallUs]);
      return memory.take(group, ops, context);
    },
  });
  const limit: LimitSettings = { limit: 9, window: "1m", by: "client.ip" };
  const world = await worldOf(policyOf(limit, limit), repeats === undefined ? store : { ...store, repeats });
  const times: unknown[] = [];
  for (const gap of [0, 7, 1000]) {
    world.clock.advance(gap);
    times.push([world.clock.monotonic() * 1000, world.clock.now() * 1000]);
    const exchange = world.engine.open({
      method: "GET",
      target: "/one",
      headers: [["Host", "a.test"]],
      remoteAddress: "192.0.2.1",
    });
    await exchange.head();
    exchange.end(200);
  }
  expect(instants).toEqual(times);
  expect(contexts.size).toBe(different);
});

it("what a store noted before it failed leads nowhere in the one that counts instead", async () => {
  let since = 0;
  const failing = storeWith({
    take: (_group: string, [op]: readonly LimitOp[]) => {
      // As a store of another copy of this module would, whose states have the same numbers.
      if (op?.kind === "gcra") Object.assign(op, { slot: 0, since: since++ });
      throw new Error("away");
    },
  });
  const limit: LimitSettings = { algorithm: "token-bucket", limit: 1, window: "1m", by: "client.ip" };
  const world = await worldOf(policyOf(limit, limit), { ...failing, repeats: true });
  for (let caller = 0; caller < 200; caller += 1) {
    const exchange = world.engine.open({
      method: "GET",
      target: "/one",
      headers: [["Host", "a.test"]],
      remoteAddress: `192.0.2.${caller}`,
    });
    expect((await exchange.head()).outcome).toBe("admit");
    exchange.end(200);
  }
  expect(since).toBe(200);
});

it("a take that nothing is settled of says so, and gets no token", async () => {
  const contexts: (boolean | undefined)[] = [];
  const memory = createMemoryStore();
  const store = storeWith({
    take: (group: string, ops: readonly LimitOp[], context: CallContext) => {
      contexts.push(context.final);
      return memory.take(group, ops, context);
    },
  });
  const limit: LimitSettings = { limit: 3, window: "1m", by: "client.ip" };
  const document: PolicyDocument = {
    ...policyOf(limit, { ...limit, count: "failures" }),
    routes: { "GET /one": { limits: ["first"] }, "GET /both": { limits: ["first", "second"] } },
  };
  const { engine } = await worldOf(document, store);
  for (const target of ["/one", "/both"]) {
    const exchange = engine.open({
      method: "GET",
      target,
      headers: [["Host", "a.test"]],
      remoteAddress: "192.0.2.1",
    });
    expect((await exchange.head()).outcome).toBe("admit");
    exchange.end(200);
  }
  expect(contexts).toEqual([true, false]);
  const op: LimitOp = { kind: "gcra", key: "a:1", emissionUs: 1, burst: 9, cost: 1 };
  const other: LimitOp = { ...op, key: "a:2" };
  const taken = [[op], [op, other]].map((ops) =>
    memory.take("", ops, { nowUs: 1, deadlineUs: 1, final: true }),
  );
  expect(taken.map((answer) => "token" in answer)).toEqual([false, false]);
});
