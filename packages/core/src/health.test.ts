import { afterEach, describe, expect, it } from "vitest";
import { createEngine, type Engine, type EngineOptions } from "./engine.js";
import { readiness } from "./health.js";
import type { PolicyDocument } from "./model/policy.js";
import type { RawRequest } from "./model/request.js";
import type { StateStore } from "./ports/state-store.js";

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "shop",
  transport: { https: "off" },
  routes: { "GET /": { authenticate: "none" } },
};

class Clock {
  elapsed = 0;
  now = (): number => 1_700_000_000_000 + this.elapsed;
  monotonic = (): number => 5_000 + this.elapsed;
}

async function engineOf(
  document: PolicyDocument = policy,
  options: EngineOptions = {},
): Promise<{ readonly engine: Engine; readonly clock: Clock }> {
  const clock = new Clock();
  const engine = await createEngine(document, { clock, ...options });
  engines.push(engine);
  return { engine, clock };
}

function storeOf(scope: StateStore["scope"], health: StateStore["health"]): StateStore {
  const nothing = (): never => {
    throw new Error("it is not asked");
  };
  const start = (): void => undefined;
  return {
    scope,
    health,
    start,
    close: start,
    take: nothing,
    settle: nothing,
    renew: nothing,
  } as unknown as StateStore;
}

describe("an engine's health", () => {
  it("has one shape, and all is well", async () => {
    const { engine } = await engineOf();
    engine.bind({});
    expect(engine.health()).toEqual({
      status: "ok",
      policy: { name: "shop", revision: engine.revision, since: 1_700_000_000_000 },
      bindings: 1,
      store: { status: "ok", scope: "process", state: "closed", counters: expect.any(Object) as object },
      keySets: [],
      secrets: { status: "ok" },
      changes: { status: "ok" },
      added: {},
    });
  });

  it("tells of a policy that was refused, until one is in force", async () => {
    const { engine, clock } = await engineOf();
    clock.elapsed = 10;
    const wrong = { ...policy, routes: { "GET /": { authenticate: ["nobody"] } } } as PolicyDocument;
    await expect(engine.replace(wrong)).rejects.toThrow("nobody");
    expect(engine.health()).toMatchObject({
      status: "degraded",
      reason: "the last policy that was handed in is not in force",
      policy: { since: 1_700_000_000_000 },
      changes: {
        status: "degraded",
        problem: { at: 1_700_000_000_010, reason: expect.stringContaining("nobody") as string },
      },
    });
    clock.elapsed = 20;
    await engine.replace({ ...policy, description: "another" });
    expect(engine.health()).toMatchObject({
      status: "ok",
      policy: { revision: engine.revision, since: 1_700_000_000_020 },
      changes: { status: "ok" },
    });
    await engine.replace({ ...policy, description: "another" });
    clock.elapsed = 30;
    expect(engine.health().policy.since).toBe(1_700_000_000_020);
  });

  it("is degraded where the store is away, and failing where a limit is closed then", async () => {
    const away = storeOf("shared", () => ({
      state: "open",
      lastError: "timeout",
      counters: { failures: 5 },
    }));
    const limits = { few: { limit: 1, window: "1m" } } as const;
    const counted = {
      ...policy,
      limits,
      routes: { "GET /": { authenticate: "none", limits: ["few"] } },
    } as const;
    const open = await engineOf(counted, { store: away });
    expect(open.engine.health()).toMatchObject({
      status: "degraded",
      store: { scope: "shared", state: "open", lastError: "timeout", counters: { failures: 5 } },
    });
    const closes = { ...counted, limits: { few: { ...limits.few, onStoreFailure: "closed" } } } as const;
    const closed = await engineOf(closes, { store: away });
    expect(closed.engine.health()).toMatchObject({
      status: "failing",
      reason: "the store of the limits is away",
    });
    const mute = storeOf("shared", () => {
      throw new Error("at redis://user:hunter2@host");
    });
    const { engine } = await engineOf(counted, { store: mute });
    expect(engine.health()).toMatchObject({
      status: "degraded",
      reason: "the store does not tell how it is",
    });
    expect(JSON.stringify(engine.health())).not.toContain("hunter2");
  });

  it("tells how old fetched keys are, and whether they serve", async () => {
    const keys = { jwks: "https://id.test/keys", refresh: "10m", maxStale: "1h", atStart: "later" } as const;
    const user = {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys,
    } as const;
    let up = false;
    const fetch = (): Promise<Response> =>
      up ? Promise.resolve(Response.json({ keys: [] })) : Promise.reject(new Error("secret words"));
    const { engine, clock } = await engineOf(
      {
        ...policy,
        authenticators: { user, again: { ...user, audience: "other" } },
        routes: { "GET /": { authenticate: ["user"], authorize: "authenticated" } },
      },
      { fetch },
    );
    const [none] = engine.health().keySets;
    expect(none).toEqual({
      status: "failing",
      reason: "`https://id.test/keys` cannot be reached",
      authenticators: ["again", "user"],
      stale: true,
    });
    expect(engine.health().status).toBe("failing");
    up = true;
    clock.elapsed = 2_000;
    const claims = { iss: "https://id.test/", aud: "api", sub: "ann", exp: 4_000_000_000 };
    const token = [{ alg: "ES256", kid: "k" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const credential = `Bearer ${token.join(".")}.${"A".repeat(86)}`;
    const ask: RawRequest = {
      method: "GET",
      target: "/",
      headers: [
        ["Host", "a.test"],
        ["Authorization", credential],
      ],
    };
    await engine.evaluate(ask);
    clock.elapsed = 3_000;
    expect(engine.health().keySets).toEqual([
      { status: "ok", authenticators: ["again", "user"], stale: false, fetchedAt: 1_700_000_002_000 },
    ]);
    expect(engine.health().status).toBe("ok");
  });

  it("tells of shedding", async () => {
    const { engine } = await engineOf({ ...policy, shed: { signal: "concurrency", limit: 1 } });
    expect(engine.health().shed).toEqual({
      status: "ok",
      signal: "concurrency",
      shedding: false,
      inFlight: 0,
    });
    const exchange = engine.open({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
    void exchange.head();
    expect(engine.health()).toMatchObject({
      status: "degraded",
      reason: "requests are shed",
      shed: { signal: "concurrency", shedding: true, inFlight: 1 },
    });
    exchange.end(200);
    expect(engine.health().status).toBe("ok");
  });

  it("takes a part that rejects, or that JSON has no word for, as one that does not tell", async () => {
    const { engine } = await engineOf();
    const unheard: unknown[] = [];
    const hear = (reason: unknown): void => void unheard.push(reason);
    process.on("unhandledRejection", hear);
    try {
      engine.addHealth("late", (() => Promise.reject(new Error("hunter2"))) as never);
      engine.addHealth("large", () => ({ status: "ok", waiting: 1n }));
      const circle: Record<string, unknown> = {};
      circle["self"] = circle;
      engine.addHealth("circle", () => ({ status: "ok", circle }));
      const mute = { status: "degraded", reason: "it does not tell how it is" };
      expect(engine.health().added).toEqual({ late: mute, large: mute, circle: mute });
      expect(readiness(engine, { details: true })()).toMatchObject({ status: 200 });
      await new Promise((resolve) => setImmediate(resolve));
      expect(unheard).toEqual([]);
    } finally {
      process.off("unhandledRejection", hear);
    }
  });

  it("takes parts of others, whatever becomes of them", async () => {
    const { engine } = await engineOf();
    const leave = engine.addHealth("database", () => ({ status: "failing", reason: "it is away" }));
    engine.addHealth("database", () => ({ status: "ok" }));
    engine.addHealth("broken", () => {
      throw new Error("hunter2");
    });
    engine.addHealth("mute", () => ({ status: "toString" }) as never);
    const mute = { status: "degraded", reason: "it does not tell how it is" };
    expect(engine.health()).toMatchObject({
      status: "failing",
      reason: "it is away",
      added: { database: { status: "failing" }, "database-2": { status: "ok" }, broken: mute, mute },
    });
    leave();
    leave();
    expect(Object.keys(engine.health().added)).toEqual(["database-2", "broken", "mute"]);
    expect(() => engine.addHealth("__proto__", () => ({ status: "ok" }))).toThrow(
      "the name of a part of health",
    );
  });
});

describe("readiness", () => {
  it("tells the status alone, unless the application says otherwise", async () => {
    const { engine } = await engineOf();
    const headers = [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ];
    expect(readiness(engine)()).toEqual({ status: 200, headers, body: '{"status":"ok"}' });
    expect(JSON.parse(readiness(engine, { details: true })().body)).toEqual(engine.health());
    expect(() => readiness(engine, { detail: true } as never)).toThrow("did you mean `details`?");
  });

  it("is 200 while requests are decided, and 503 when they are not", async () => {
    const { engine } = await engineOf();
    const ready = readiness(engine);
    const leave = engine.addHealth("sink", () => ({ status: "degraded" }));
    expect(ready()).toMatchObject({ status: 200, body: '{"status":"degraded"}' });
    leave();
    await engine.close();
    expect(ready()).toMatchObject({ status: 503, body: '{"status":"failing"}' });
  });
});
