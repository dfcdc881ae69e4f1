/** What is revoked is refused, in every process that shares the store, and without a request that waits for it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Decision, Engine, EngineOptions, PolicyDocument, Revocation, StateStore } from "../../index.js";
import { createEngine, createMemoryStore, StoreError } from "../../index.js";
import { virtualClock } from "../../conformance/clock.js";
import { checkOf, JWT, NOW, SECONDS, signed } from "./authenticate.test-support.js";

const KEY = "k".repeat(43);

const POLICY = {
  gatehouse: 1,
  name: "t",
  transport: { https: "off" },
  revocation: {},
  authenticators: {
    user: JWT,
    key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } },
  },
  routes: { "GET /": { authorize: "authenticated" } },
} as unknown as PolicyDocument;

const engines: Engine[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

async function engineOf(options: EngineOptions = {}, revocation: object = {}): Promise<Engine> {
  const lookups = { find: () => ({ id: "till", attributes: { jti: "t1" } }) };
  const engine = await createEngine(
    { ...POLICY, revocation },
    { clock: virtualClock(NOW), lookups, ...options },
  );
  engines.push(engine);
  return engine;
}

type Claims = Readonly<Record<string, unknown>>;

const bobs = (claims: Claims): Claims => Object.fromEntries([["sub", "bob"], ...Object.entries(claims)]);

async function ask(engine: Engine, claims: Claims | "key"): Promise<string> {
  const field =
    claims === "key"
      ? (["X-API-Key", KEY] as const)
      : (["Authorization", `Bearer ${await signed(claims)}`] as const);
  const decision = await engine.evaluate({
    method: "GET",
    target: "/",
    headers: [["Host", "a.test"], field],
  });
  return outcomeOf(decision);
}

const outcomeOf = (decision: Decision): string =>
  decision.outcome === "admit"
    ? String(decision.principal?.id)
    : decision.outcome === "refuse"
      ? decision.code
      : "answer";

/** The memory of another machine: all that is asked of it takes a turn, and can be made to fail. */
function shared(memory: StateStore, log: Partial<NonNullable<StateStore["log"]>> = {}): StateStore {
  const inner = memory.log;
  if (inner === undefined) throw new Error("no log");
  return Object.assign(Object.create(memory) as StateStore, {
    scope: "shared",
    start: () => undefined,
    close: () => undefined,
    take: memory.take.bind(memory),
    settle: memory.settle.bind(memory),
    renew: memory.renew.bind(memory),
    log: {
      append: async (...given: Parameters<typeof inner.append>) => inner.append(...given),
      read: async (...given: Parameters<typeof inner.read>) => inner.read(...given),
      ...log,
    },
  });
}

const gone = (): never => {
  throw new StoreError("connection", false, "gone");
};

describe("what is revoked", () => {
  it("is one token, one session, or a principal's tokens of before", async () => {
    const engine = await engineOf();
    const asked = async (): Promise<string[]> => [
      await ask(engine, { jti: "t1" }),
      await ask(engine, { jti: "t2", sid: "s1" }),
      await ask(engine, bobs({ sid: "s2" })),
      await ask(engine, bobs({ iat: SECONDS - 1 })),
      await ask(engine, bobs({ iat: undefined })),
      await ask(engine, "key"),
    ];
    expect(await asked()).toEqual(["ann", "ann", "bob", "bob", "bob", "till"]);
    await engine.revoke({ authenticator: "user", jti: "t1" });
    await engine.revoke({ authenticator: "user", sid: "s1" });
    await engine.revoke({ authenticator: "user", id: "bob", before: new Date(NOW) });
    const no = "invalid-credential";
    // A key's attribute is no `jti` of a token, and its authenticator is another.
    expect(await asked()).toEqual([no, no, "bob", no, no, "till"]);
    await engine.revoke({ authenticator: "key", id: "till" });
    expect(await ask(engine, "key")).toBe(no);
  });

  it("is refused also when the token was verified before, and ends by its time", async () => {
    const clock = virtualClock(NOW);
    const engine = await engineOf({ clock });
    const claims = { jti: "t1", exp: SECONDS + 7200 };
    expect(await ask(engine, claims)).toBe("ann");
    await engine.revoke({ authenticator: "user", jti: "t1", until: new Date(NOW + 3_600_000) });
    expect(await ask(engine, claims)).toBe("invalid-credential");
    clock.advance(3_599_999);
    expect(await ask(engine, claims)).toBe("invalid-credential");
    clock.advance(1);
    expect(await ask(engine, claims)).toBe("ann");
  });

  it("is known to every engine of a process at once, and survives another policy", async () => {
    const store = createMemoryStore({ maxKeys: 64 });
    const [one, two] = [await engineOf({ store }), await engineOf({ store })];
    await one.revoke({ authenticator: "user", jti: "t1" });
    expect([await ask(two, { jti: "t1" }), await ask(two, { jti: "t2" })]).toEqual([
      "invalid-credential",
      "ann",
    ]);
    await one.replace({ ...POLICY, name: "other" });
    expect(await ask(one, { jti: "t1" })).toBe("invalid-credential");
  });

  it("is asked without a promise", async () => {
    const engine = await engineOf();
    const headers = [["Host", "a.test"] as const, ["Authorization", `Bearer ${await signed()}`] as const];
    for (let round = 0; round < 2; round += 1) {
      const exchange = engine.open({ method: "GET", target: "/", headers });
      const decision = exchange.head();
      expect(decision).not.toBeInstanceOf(Promise);
      exchange.end(200);
    }
  });
});

describe("a store elsewhere", () => {
  it("tells the others within `refresh`, and whoever starts later", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const memory = createMemoryStore({ maxKeys: 64 });
    const [one, two] = [await engineOf({ store: shared(memory) }), await engineOf({ store: shared(memory) })];
    await one.revoke({ authenticator: "user", jti: "t1" });
    expect([await ask(one, { jti: "t1" }), await ask(two, { jti: "t1" })]).toEqual([
      "invalid-credential",
      "ann",
    ]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await ask(two, { jti: "t1" })).toBe("invalid-credential");
    const late = await engineOf({ store: shared(memory) });
    expect([await ask(late, { jti: "t1" }), await ask(late, { jti: "t2" })]).toEqual([
      "invalid-credential",
      "ann",
    ]);
  });

  it.each([
    ["closed", undefined, "unavailable"],
    ["open", { onStoreFailure: "open" }, "ann"],
  ])("that is silent for longer than `maxStale`: %s", async (_name, settings, expected) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const clock = virtualClock(NOW);
    let fails = false;
    const memory = createMemoryStore({ maxKeys: 64 });
    const events: (readonly string[] | undefined)[] = [];
    const store = shared(memory, {
      read: (...given) => (fails ? gone() : (Promise.resolve(memory.log?.read(...given)) as never)),
    });
    const engine = await engineOf(
      { store, clock, onDecision: (event) => void events.push(event.failedOpen) },
      settings,
    );
    await engine.revoke({ authenticator: "user", jti: "t1" });
    fails = true;
    clock.advance(30_000);
    expect(await ask(engine, { exp: SECONDS + 7200 })).toBe("ann");
    clock.advance(1);
    expect(await ask(engine, { exp: SECONDS + 7200 })).toBe(expected);
    expect(events.at(-1)).toEqual(expected === "ann" ? ["(revocation)"] : undefined);
    // What is known to be revoked is refused all the same.
    expect(await ask(engine, { jti: "t1", exp: SECONDS + 7200 })).toBe("invalid-credential");
    fails = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await ask(engine, { exp: SECONDS + 7200 })).toBe("ann");
  });

  it.each<readonly [string, () => unknown]>([
    ["is down", gone],
    ["rejects", () => Promise.reject(new Error("down"))],
    ["answers no page", () => Promise.resolve([])],
    [
      "holds what nobody understands",
      () => Promise.resolve({ entries: [new Uint8Array([1])], cursor: "1", more: false }),
    ],
  ])("that %s when the engine starts lets nobody in", async (_name, read) => {
    const engine = await engineOf({
      store: shared(createMemoryStore({ maxKeys: 64 }), { read: read as never }),
    });
    expect(await ask(engine, {})).toBe("unavailable");
  });

  it("that does not take a revocation says so, and it holds here all the same", async () => {
    const store = shared(createMemoryStore({ maxKeys: 64 }), {
      append: () => Promise.reject(new StoreError("readonly", false, "no")),
    });
    const engine = await engineOf({ store });
    await expect(engine.revoke({ authenticator: "user", jti: "t1" })).rejects.toThrow(
      new StoreError("readonly", false, "no"),
    );
    expect(await ask(engine, { jti: "t1" })).toBe("invalid-credential");
  });

  it("is read page by page, and its first page is not taken for all", async () => {
    const memory = createMemoryStore({ maxKeys: 64 });
    const writer = await engineOf({ store: memory });
    for (const jti of ["t1", "t2", "t3"]) await writer.revoke({ authenticator: "user", jti });
    const paged = shared(memory, {
      read: async (log, after, context) => {
        const page = await memory.log?.read(log, undefined, context);
        const at = Number(after ?? 0);
        return { entries: page?.entries.slice(at, at + 1) ?? [], cursor: String(at + 1), more: at < 2 };
      },
    });
    const engine = await engineOf({ store: paged });
    expect([await ask(engine, { jti: "t3" }), await ask(engine, {})]).toEqual(["invalid-credential", "ann"]);
  });
});

describe("bounds", () => {
  it("a full copy lets nobody in, until something has run out", async () => {
    const clock = virtualClock(NOW);
    const engine = await engineOf({ clock }, { maxEntries: 2, keepFor: "1m" });
    for (const jti of ["t1", "t2"]) await engine.revoke({ authenticator: "user", jti });
    expect(await ask(engine, {})).toBe("ann");
    await expect(engine.revoke({ authenticator: "user", jti: "t3" })).rejects.toThrow(
      "the list of what is revoked is full (`maxEntries`)",
    );
    clock.advance(30_001);
    expect(await ask(engine, {})).toBe("unavailable");
    clock.advance(30_000);
    expect(await ask(engine, {})).toBe("ann");
  });

  it("a full store takes no more", async () => {
    const engine = await engineOf({ store: createMemoryStore({ maxKeys: 32 }) });
    for (let count = 0; count < 32; count += 1)
      await engine.revoke({ authenticator: "user", jti: `t${count}` });
    await expect(engine.revoke({ authenticator: "user", jti: "more" })).rejects.toThrow(
      "the store is full and no entry has run out",
    );
  });
});

describe("a candidate in shadow", () => {
  const candidate = { ...POLICY, name: "next", revocation: { keepFor: "1d", maxEntries: 9 } };

  it("knows what is revoked, and what it says of it binds nobody", async () => {
    const clock = virtualClock(NOW);
    const engine = await engineOf({ clock }, { keepFor: "1m", maxEntries: 1 });
    const different: unknown[] = [];
    await engine.shadow(candidate, { onDifference: (one) => void different.push(one), code: "call" });
    await engine.revoke({ authenticator: "key", id: "till" });
    await expect(engine.revoke({ authenticator: "key", id: "shop" })).rejects.toThrow("full (`maxEntries`)");
    expect(await ask(engine, "key")).toBe("invalid-credential");
    await vi.waitUntil(() => engine.shadowing?.compared === 1);
    clock.advance(60_001);
    expect(await ask(engine, "key")).toBe("till");
    await vi.waitUntil(() => engine.shadowing?.compared === 2);
    expect(different).toEqual([]);
  });

  it("knows it also where the policy that serves does not ask", async () => {
    const { revocation: _revocation, ...silent } = POLICY;
    const store = createMemoryStore({ maxKeys: 64 });
    const other = await engineOf({ store });
    const engine = await createEngine(silent, { store, lookups: { find: () => ({ id: "till" }) } });
    engines.push(engine);
    await other.revoke({ authenticator: "key", id: "till", until: new Date(Date.now() + 3_600_000) });
    const codes: unknown[] = [];
    await engine.shadow(candidate, { onDifference: ({ candidate: { code } }) => void codes.push(code) });
    expect(await ask(engine, "key")).toBe("till");
    await vi.waitUntil(() => codes.length > 0);
    expect(codes).toEqual(["invalid-credential"]);
  });
});

describe("what cannot be revoked", () => {
  it.each<readonly [string, unknown, string]>([
    ["nothing", null, "what is revoked is no object"],
    ["no kind", { authenticator: "user" }, "one of `jti`, `sid` and `id` says what is revoked"],
    [
      "two kinds",
      { authenticator: "user", jti: "a", sid: "b" },
      "one of `jti`, `sid` and `id` says what is revoked",
    ],
    [
      "a typo",
      { authenticator: "user", jti: "a", untill: new Date(NOW + 1) },
      "unknown member `untill` of what is revoked",
    ],
    [
      "an empty text",
      { authenticator: "user", jti: "" },
      "`jti` of what is revoked is no text of 1 to 1024 characters",
    ],
    [
      "no authenticator",
      { jti: "a" },
      "`authenticator` of what is revoked is no text of 1 to 1024 characters",
    ],
    [
      "of an authenticator that nobody has",
      { authenticator: "usr", jti: "a" },
      "what is revoked is of no authenticator of the policy; did you mean `user`?",
    ],
    [
      "of an inherited name",
      { authenticator: "toString", id: "a" },
      "what is revoked is of no authenticator of the policy; there are user, key",
    ],
    [
      "a token of what has none",
      { authenticator: "key", jti: "t1" },
      "`jti` is a token's: of the authenticator `key` an `id` is revoked",
    ],
    ["the past", { authenticator: "user", jti: "a", until: new Date(NOW) }, "`until` lies in the past"],
    [
      "no date",
      { authenticator: "user", id: "a", before: "today" },
      "`before` of what is revoked is no valid Date",
    ],
    [
      "a token of before",
      { authenticator: "user", jti: "a", before: new Date(NOW) },
      "`before` belongs to an `id`: a token or session is revoked whole",
    ],
  ])("%s", async (_name, revocation, message) => {
    const engine = await engineOf();
    await expect(engine.revoke(revocation as Revocation)).rejects.toThrow(new TypeError(message));
  });

  it("anything, under a policy that does not say so or a store without a log", async () => {
    const { revocation: _revocation, ...silent } = POLICY;
    const engine = await createEngine(silent, { lookups: { find: () => undefined } });
    engines.push(engine);
    await expect(engine.revoke({ authenticator: "user", jti: "a" })).rejects.toThrow(
      new TypeError("the policy has no `revocation`"),
    );
    const store = Object.assign(shared(createMemoryStore({ maxKeys: 64 })), { log: undefined });
    await expect(engineOf({ store })).rejects.toMatchObject({
      diagnostics: [
        {
          code: "store-without-log",
          pointer: "/revocation",
          message: "the store has no log that would tell other processes what is revoked",
          help: "use a store that has one, or take `revocation` out",
        },
      ],
    });
  });

  it("settings out of bounds", () => {
    const found = checkOf({
      authenticators: { user: JWT },
      revocation: { refresh: "1ms", maxStale: "0s", keepFor: "400d" },
    });
    expect(found.map(({ code, pointer, help }) => [code, pointer, help])).toEqual([
      ["out-of-range", "/revocation/refresh", "from `100ms` to `1h`"],
      ["out-of-range", "/revocation/maxStale", "from `1ms` to `366d`"],
      ["out-of-range", "/revocation/keepFor", "from `1m` to `366d`"],
    ]);
  });
});
