/** `fault_never_admits`: the n-th call of everything outside fails, in every way, for all n. */
import {
  createEngine,
  createMemoryStore,
  StoreError,
  type Engine,
  type EngineOptions,
  type StateStore,
} from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { KEY, KEY_SHA256, policy, through, type Finished } from "./support.js";

type Failure = () => unknown;

const FAILURES: readonly (readonly [name: string, fail: Failure])[] = [
  [
    "throws",
    () => {
      throw new Error("planted");
    },
  ],
  ["rejects", () => Promise.reject(new Error("planted"))],
  ["rejects as a store does", () => Promise.reject(new StoreError("connection", true, "planted"))],
  ["says undefined", () => undefined],
  ["says NaN", () => Number.NaN],
  ["says null", () => null],
  ["says text", () => "true"],
  ["says an empty object", () => ({})],
];

/** Calls anything outside, in the order in which they happen; the `failing`-th fails. */
class Outside {
  calls: string[] = [];
  failing = Number.POSITIVE_INFINITY;
  private fail: Failure = () => undefined;

  arm(failing: number, fail: Failure): void {
    this.calls = [];
    this.failing = failing;
    this.fail = fail;
  }

  wrap<A extends unknown[], R>(name: string, real: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.calls.push(name);
      // The types say what a sound part returns; a broken one returns anything.
      if (this.calls.length - 1 === this.failing) return this.fail() as R;
      return real(...args);
    };
  }
}

function optionsWith(outside: Outside): EngineOptions {
  const memory = createMemoryStore();
  const store: StateStore = {
    scope: "process",
    start: (signal) => memory.start(signal),
    take: outside.wrap("store.take", (...args) => memory.take(...args)),
    settle: outside.wrap("store.settle", (...args) => memory.settle(...args)),
    peek: outside.wrap("store.peek", (...args) => memory.peek(...args)),
    renew: outside.wrap("store.renew", (...args) => memory.renew(...args)),
    once: outside.wrap("store.once", (...args) => memory.once(...args)),
    get: outside.wrap("store.get", (...args) => memory.get(...args)),
    set: outside.wrap("store.set", (...args) => memory.set(...args)),
    del: outside.wrap("store.del", (...args) => memory.del(...args)),
    health: () => memory.health(),
    close: () => memory.close(),
  };
  return {
    store,
    secrets: { get: () => "0123456789abcdef0123456789abcdef" },
    clock: {
      now: outside.wrap("clock.now", () => Date.UTC(2026, 5, 1)),
      monotonic: outside.wrap("clock.monotonic", () => 1_000_000),
    },
    lookups: {
      find: outside.wrap("lookup", (sha256: string) =>
        sha256 === KEY_SHA256 ? { id: "ann", sha256, roles: ["customer"] } : undefined,
      ),
    },
    authenticators: {
      own: outside.wrap("authenticator", () => ({ principal: { id: "own", roles: ["customer"] } }) as const),
    },
    checks: {
      first: outside.wrap("check.first", () => true),
      second: outside.wrap("check.second", () => true),
    },
    onDecision: outside.wrap("sink", () => undefined),
  };
}

const base = {
  method: "POST",
  target: "/things/a",
  remoteAddress: "203.0.113.7",
  encrypted: false,
  body: '{"name":"lamp"}',
};
const headers = (credential: readonly [string, string]): [string, string][] => [
  ["Host", "a.test"],
  ["Content-Type", "application/json"],
  ["Content-Length", String(base.body.length)],
  [credential[0], credential[1]],
];
const requests = {
  "an API key": { ...base, headers: headers(["X-API-Key", KEY]) },
  "an authenticator of the application's": { ...base, headers: headers(["X-Own", "anything"]) },
};

/** Parts whose failure changes no decision: who listens, and what is put right afterwards. */
const HARMLESS = new Set(["sink", "store.settle"]);

/** Places of the last calls of a name. */
function lastOf(calls: readonly string[], name: string, count: number): number[] {
  return [...calls.keys()].filter((index) => calls[index] === name).slice(-count);
}

async function settled(engine: Engine, request: Parameters<typeof through>[1]): Promise<Finished> {
  return through(engine, request, { body: { ok: true, mail: "ann@a.test", secret: "s3cret" } });
}

describe.each(Object.entries(requests))("fault_never_admits, with %s (B8.135)", (_name, request) => {
  it("admits when nothing fails, and calls many parts", async () => {
    const outside = new Outside();
    const engine = await createEngine(policy, optionsWith(outside));
    outside.arm(Number.POSITIVE_INFINITY, () => undefined);
    const { decision } = await settled(engine, request);
    expect(decision.outcome).toBe("admit");
    expect(new Set(outside.calls).size).toBeGreaterThanOrEqual(7);
  });

  it.each(FAILURES)("for every n: the n-th call %s", async (failure, fail) => {
    const outside = new Outside();
    const engine = await createEngine(policy, optionsWith(outside));
    outside.arm(Number.POSITIVE_INFINITY, fail);
    await settled(engine, request);
    const calls = [...outside.calls];
    for (const [index, name] of calls.entries()) {
      // Nobody waits for a clock: a promise from it would be the test's own stray rejection.
      if (name.startsWith("clock.") && failure.startsWith("rejects")) continue;
      outside.arm(index, fail);
      const { decision, shaped } = await settled(engine, request);
      const outcome = decision.outcome === "refuse" ? `refuse ${decision.status}` : decision.outcome;
      // The last two readings of the clock measure for whoever listens: the decision was made.
      const measures = name === "clock.monotonic" && lastOf(calls, name, 2).includes(index);
      if (HARMLESS.has(name) || measures) expect([name, outcome]).toEqual([name, "admit"]);
      else expect([name, outcome]).toEqual([name, expect.stringMatching(/^refuse (401|403|429|500|503)$/)]);
      expect(Buffer.from(shaped?.body ?? "").toString()).not.toContain("s3cret");
      expect(decision.outcome === "refuse" ? decision.body : "").not.toContain("planted");
    }
  });
});
