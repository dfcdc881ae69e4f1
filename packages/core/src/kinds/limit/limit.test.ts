import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checkPolicy } from "../../compile/check.js";
import type { Exchange } from "../../exchange.js";
import type { LimitSettings, PolicyDocument } from "../../model/policy.js";
import { StoreError, type StateStore } from "../../ports/state-store.js";
import { createMemoryStore } from "../../store/memory.js";
import { documentOf, open, pass, said, storeWith, worldOf } from "./limit.test-support.js";

const ONE = { limit: 1, window: "10s" } as const;

afterEach(() => {
  vi.useRealTimers();
});

describe("a store that fails", () => {
  const FAILURES: readonly (readonly [name: string, take: () => unknown])[] = [
    [
      "throws",
      () => {
        throw new Error("planted");
      },
    ],
    ["rejects", () => Promise.reject(new Error("planted"))],
    ["says undefined", () => undefined],
    ["says true", () => true],
    ["says an empty object", () => ({})],
    ["says allowed and nothing else", () => ({ allowed: true, source: "shared", per: [] })],
    [
      "contradicts itself",
      () => ({
        allowed: true,
        source: "shared",
        per: [{ allowed: false, remaining: 0, resetUs: 0, retryUs: 0 }],
      }),
    ],
    [
      "counts with NaN",
      () => ({
        allowed: true,
        source: "shared",
        per: [{ allowed: true, remaining: Number.NaN, resetUs: 0, retryUs: 0 }],
      }),
    ],
    [
      "names no source",
      () => ({ allowed: true, per: [{ allowed: true, remaining: 0, resetUs: 0, retryUs: 0 }] }),
    ],
    [
      "promises what is no token",
      () =>
        Promise.resolve({
          allowed: true,
          source: "shared",
          per: [{ allowed: true, remaining: 0, resetUs: 0, retryUs: 0 }],
          token: 1,
        }),
    ],
  ];

  describe.each(FAILURES)("and %s", (_name, take) => {
    it("is replaced by this process's own counting (B6.107)", async () => {
      const world = await worldOf(documentOf({ few: ONE }), storeWith({ take }));
      expect([await pass(world), await pass(world)]).toEqual(["admit", "429 rate-limited"]);
    });

    it("refuses with 503 where the author chose closed", async () => {
      const world = await worldOf(
        documentOf({ few: { ...ONE, onStoreFailure: "closed" }, soft: { ...ONE, onStoreFailure: "open" } }),
        storeWith({ take }),
      );
      const decision = await open(world).head();
      expect(said(decision)).toBe("503 capacity-reduced");
      expect(decision.outcome === "refuse" ? decision.responseHeaders : []).toContainEqual([
        "Retry-After",
        "1",
      ]);
    });

    it("lets pass, and says so, where the author chose open", async () => {
      const world = await worldOf(
        documentOf({ few: { ...ONE, onStoreFailure: "open" } }),
        storeWith({ take }),
      );
      expect([await pass(world), await pass(world)]).toEqual(["admit", "admit"]);
      expect(world.events.map(({ failedOpen }) => failedOpen)).toEqual([["few"], ["few"]]);
    });

    it("never refuses for a limit that only observes", async () => {
      const world = await worldOf(
        documentOf({ few: { ...ONE, mode: "observe", onStoreFailure: "closed" } }),
        storeWith({ take }),
      );
      expect(await pass(world)).toBe("admit");
      expect(world.events[0]?.reports).toEqual([
        "limit `few` only observes: it would have refused, the store of the limits could not answer",
      ]);
    });
  });

  it("an open limit is not said to have failed open when a local one refuses", async () => {
    const take = (): unknown => undefined;
    const world = await worldOf(
      documentOf({ few: ONE, soft: { ...ONE, onStoreFailure: "open" } }),
      storeWith({ take }),
    );
    expect([await pass(world), await pass(world)]).toEqual(["admit", "429 rate-limited"]);
    expect(world.events.map(({ failedOpen }) => failedOpen)).toEqual([["soft"], undefined]);
  });

  it("a share is what this process keeps of the limit, rounded up", async () => {
    const world = await worldOf(
      documentOf({ few: { limit: 10, window: "10s", share: 0.25 } }),
      storeWith({ take: () => undefined }),
    );
    const seen = await Promise.all([1, 2, 3, 4].map(() => pass(world)));
    expect(seen).toEqual(["admit", "admit", "admit", "429 rate-limited"]);
  });

  it("what was counted meanwhile survives a reload", async () => {
    const document = documentOf({ few: ONE });
    const world = await worldOf(document, storeWith({ take: () => undefined }));
    expect(await pass(world)).toBe("admit");
    await world.engine.replace(document);
    expect(await pass(world)).toBe("429 rate-limited");
  });

  it("a full store of this process is no reason to begin anew", async () => {
    const full = (): never => {
      throw new StoreError("oom", false, "full");
    };
    const world = await worldOf(documentOf({ few: ONE }), storeWith({ take: full }, [], "process"));
    expect(await pass(world)).toBe("503 capacity-reduced");
  });

  it("is waited for until the deadline of the document, and its late answer frees what it lent", async () => {
    vi.useFakeTimers();
    const calls: string[] = [];
    let answer: (value: unknown) => void = () => undefined;
    const document = documentOf(
      { one: { limit: 1, algorithm: "concurrency", onStoreFailure: "closed" } },
      {},
      { store: { deadline: "20ms" } },
    );
    const take = (): Promise<unknown> => new Promise((resolve) => (answer = resolve));
    const world = await worldOf(document, storeWith({ take, settle: () => undefined }, calls));
    const head = Promise.resolve(open(world).head()).then(said);
    let settled: string | undefined;
    void head.then((text) => (settled = text));
    await vi.advanceTimersByTimeAsync(19);
    expect(settled).toBeUndefined();
    await vi.advanceTimersByTimeAsync(5);
    expect(settled).toBe("503 capacity-reduced");
    expect(calls).toEqual(["take"]);
    const part = { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 };
    answer({ allowed: true, source: "shared", per: [part], token: { takenAtUs: 0, ops: [] } });
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(["take", "settle"]);
  });

  it("makes no timer and no promise when it answers at once", async () => {
    const timer = vi.spyOn(globalThis, "setTimeout");
    const world = await worldOf(documentOf({ few: ONE }));
    const decision = open(world).head();
    expect(decision).not.toBeInstanceOf(Promise);
    expect(timer).not.toHaveBeenCalled();
    timer.mockRestore();
  });

  it("a settlement that fails harms nobody", async () => {
    const settle = (): Promise<void> => Promise.reject(new Error("planted"));
    const world = await worldOf(documentOf({ few: { ...ONE, count: "failures" } }), storeWith({ settle }));
    expect(await pass(world)).toBe("admit");
  });
});

describe("requests in flight", () => {
  const flight = documentOf({ one: { limit: 1, algorithm: "concurrency", lease: "3s" } });

  it("hold their slot until they end, also when the caller left (B6.106)", async () => {
    const world = await worldOf(flight);
    const first = open(world);
    expect(said(await first.head())).toBe("admit");
    expect(await pass(world)).toBe("429 rate-limited");
    first.end(0);
    expect(await pass(world)).toBe("admit");
  });

  it("renew their slot while they run, and stop when they end", async () => {
    vi.useFakeTimers();
    const calls: string[] = [];
    const world = await worldOf(flight, storeWith({}, calls, "process"));
    const first = open(world);
    await first.head();
    for (let second = 0; second < 10; second++) {
      world.clock.advance(1000);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(said(await open(world).head())).toBe("429 rate-limited");
    const renewed = calls.filter((call) => call === "renew").length;
    expect(renewed).toBe(10);
    first.end(200);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(calls.filter((call) => call === "renew").length).toBe(renewed);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["at once", <T>(value: T): T | Promise<T> => value],
    ["later", <T>(value: T): T | Promise<T> => Promise.resolve(value)],
  ])(
    "whose slot was lost have it again while there is one, of a store that answers %s",
    async (_name, given) => {
      vi.useFakeTimers();
      const memory = createMemoryStore();
      const store = storeWith({
        take: (...args: Parameters<StateStore["take"]>) => given(memory.take(...args)),
        renew: (...args: Parameters<StateStore["renew"]>) => given(memory.renew(...args)),
        settle: (...args: Parameters<StateStore["settle"]>) => given(memory.settle(...args)),
      });
      const world = await worldOf(flight, store);
      const first = open(world);
      expect(said(await first.head())).toBe("admit");
      // The store was away for longer than the lease.
      world.clock.advance(3000);
      await vi.advanceTimersByTimeAsync(1000);
      expect(said(await open(world).head())).toBe("429 rate-limited");
      first.end(200);
      await vi.advanceTimersByTimeAsync(0);
      expect(said(await open(world).head())).toBe("admit");
    },
  );

  it("whose slot is another's by now strike nobody, and try again", async () => {
    vi.useFakeTimers();
    const penalty = { after: 1, block: "1h" };
    const struck = documentOf({ one: { limit: 1, algorithm: "concurrency", lease: "3s", penalty } });
    const world = await worldOf(struck);
    const first = open(world);
    await first.head();
    world.clock.advance(3000);
    const second = open(world);
    expect(said(await second.head())).toBe("admit");
    await vi.advanceTimersByTimeAsync(1000);
    second.end(200);
    await vi.advanceTimersByTimeAsync(1000);
    expect(said(await open(world).head())).toBe("429 rate-limited");
    first.end(200);
  });

  it("that end while their slot is asked for again leave it free", async () => {
    vi.useFakeTimers();
    const memory = createMemoryStore();
    let go: () => void = () => undefined;
    let takes = 0;
    const slow = storeWith({
      take: async (...args: Parameters<StateStore["take"]>) => {
        if (takes++ === 1) await new Promise<void>((resolve) => void (go = resolve));
        return memory.take(...args);
      },
      renew: () => false,
      settle: (...args: Parameters<StateStore["settle"]>) => memory.settle(...args),
    });
    const world = await worldOf(flight, slow);
    const first = open(world);
    await first.head();
    await vi.advanceTimersByTimeAsync(1000);
    first.end(200);
    go();
    await vi.advanceTimersByTimeAsync(0);
    expect(said(await open(world).head())).toBe("admit");
  });

  it("whose process died free it when the lease has run out", async () => {
    vi.useFakeTimers();
    const world = await worldOf(flight, storeWith({ renew: () => false }));
    await open(world).head();
    world.clock.advance(2999);
    expect(said(await open(world).head())).toBe("429 rate-limited");
    world.clock.advance(1);
    expect(said(await open(world).head())).toBe("admit");
  });
});

describe("what is given back", () => {
  it("a caller who leaves before the answer keeps the charge", async () => {
    const world = await worldOf(documentOf({ few: { ...ONE, count: "failures" } }));
    const first = open(world);
    await first.head();
    first.end(0);
    expect(await pass(world)).toBe("429 rate-limited");
  });

  it("a refusal that is shown as a missing object is the failure that it is", async () => {
    const world = await worldOf(
      documentOf(
        { few: { ...ONE, count: "failures" } },
        {},
        {
          routes: {
            "GET /x/:id": {
              authenticate: "none",
              limits: ["few"],
              conceal: true,
              authorize: { when: "params.id == 'mine'" },
            },
          },
        },
      ),
    );
    expect(await pass(world, "mine")).toBe("admit");
    expect(await pass(world, "mine", 404)).toBe("admit");
    expect(await pass(world, "theirs")).toBe("404 not-found");
    expect(await pass(world, "mine")).toBe("429 rate-limited");
  });

  it("parallel guesses cannot slip through (B6.106)", async () => {
    const world = await worldOf(documentOf({ few: { limit: 3, window: "10s", count: "failures" } }));
    const exchanges = Array.from({ length: 30 }, () => open(world));
    const seen = exchanges.map((exchange) => exchange.head());
    expect(seen.filter((one) => "outcome" in one && one.outcome === "admit").length).toBe(3);
  });

  const priced = documentOf({
    few: { limit: 10, window: "10s", cost: { estimate: 4, settle: "response./n" } },
  });

  async function streamed(type: string, text: string, status: number): Promise<string> {
    const world = await worldOf(priced);
    const exchange = open(world);
    await exchange.head();
    exchange.respond({ status: 200, headers: [["Content-Type", type]] });
    exchange.saw(new TextEncoder().encode(text));
    exchange.end(status);
    const next = await open(world).head();
    const fields = next.outcome === "admit" ? next.responseHeaders : [];
    return fields.find(([name]) => name === "RateLimit")?.[1] ?? said(next);
  }

  it.each([
    ["of a whole answer", "application/json", '{"n":1}', 200, '"few";r=5;t=11'],
    [
      "of the last event that has it",
      "text/event-stream",
      'data: {"n":9}\n\ndata: {"n":2}\n\ndata: {}\n\n',
      200,
      '"few";r=4;t=11',
    ],
    ["of nothing that can be read", "text/event-stream", "data: {}\n\n", 200, '"few";r=2;t=11'],
    [
      "told to a caller who left, where it is less",
      "text/event-stream",
      'data: {"n":1}\n\n',
      0,
      '"few";r=2;t=11',
    ],
    [
      "told to a caller who left, where it is more",
      "text/event-stream",
      'data: {"n":6}\n\n',
      0,
      '"few";r=0;t=11',
    ],
  ])("the price %s", async (_name, type, text, status, expected) => {
    expect(await streamed(type, text, status)).toBe(expected);
  });

  it.each([
    ["one by one", undefined],
    ["as a whole", 'data: {"n":2}\n\n'],
  ])("the price of events that leave %s is read from what the handler wrote", async (_name, body) => {
    const [key, route] = Object.entries(priced.routes)[0] ?? ["", {}];
    const events = { type: "object", properties: { text: { type: "string" } } };
    const world = await worldOf({ ...priced, routes: { [key]: { ...route, response: { events } } } });
    const exchange = open(world);
    await exchange.head();
    const headers = [["Content-Type", "text/event-stream"]] as const;
    exchange.respond({ status: 200, headers, ...(body === undefined ? {} : { body }) });
    if (body === undefined) {
      expect(exchange.event(new TextEncoder().encode('data: {"n":2}\n\n'))).toEqual(
        new TextEncoder().encode("data: {}\n\n"),
      );
    }
    exchange.end(200);
    const next = await open(world).head();
    const fields = next.outcome === "admit" ? next.responseHeaders : [];
    expect(fields.find(([name]) => name === "RateLimit")?.[1]).toBe('"few";r=4;t=11');
  });

  it("answers are watched only where a limit settles by them", async () => {
    const watched = [];
    for (const document of [priced, documentOf({ few: ONE })]) {
      const exchange = open(await worldOf(document));
      await exchange.head();
      exchange.respond({ status: 200, headers: [["Content-Type", "application/json"]] });
      watched.push(exchange.watchesAnswer);
    }
    expect(watched).toEqual([true, false]);
  });
});

describe("safety", () => {
  const limit: fc.Arbitrary<LimitSettings> = fc.oneof(
    fc.record({ limit: fc.integer({ min: 1, max: 5 }), window: fc.constantFrom("1s", "3s") }),
    fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      window: fc.constantFrom("1s", "3s"),
      algorithm: fc.constant("token-bucket" as const),
    }),
  );

  it("limit_refusal_consumes_nothing_beside_it", async () => {
    await fc.assert(
      fc.asyncProperty(limit, fc.integer({ min: 1, max: 9 }), async (beside, tries) => {
        const world = await worldOf({
          ...documentOf({ beside, none: { limit: 1, window: "100d", by: "params.id" } }),
          routes: {
            "GET /x/:id": { authenticate: "none", limits: ["beside", "none"] },
            "GET /beside": { authenticate: "none", limits: ["beside"] },
          },
        });
        expect(await pass(world)).toBe("admit");
        for (let count = 0; count < tries; count++) expect(await pass(world)).toBe("429 rate-limited");
        let left = 0;
        while (left < 10 && (await besides(world)) === "admit") left += 1;
        expect(left).toBe(beside.limit - 1);
      }),
      { numRuns: 60 },
    );
  });

  it("limits_keep_their_bound_through_the_engine", async () => {
    const wait = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.constantFrom(999, 1000, 1001));
    const arrival = fc.record({ wait, status: fc.constantFrom(200, 401, 0) });
    await fc.assert(
      fc.asyncProperty(
        limit,
        fc.boolean(),
        fc.array(arrival, { maxLength: 60 }),
        async (settings, counted, arrivals) => {
          const world = await worldOf(
            documentOf({ it: counted ? { ...settings, count: "failures" } : settings }),
          );
          const charged: number[] = [];
          let now = 0;
          for (const { wait: ms, status } of arrivals) {
            world.clock.advance(ms);
            now += ms;
            const exchange = open(world);
            const admitted = (await exchange.head()).outcome === "admit";
            exchange.end(admitted ? status : 429);
            if (admitted && (!counted || status !== 200)) charged.push(now);
          }
          const windowMs = settings.window === "1s" ? 1000 : 3000;
          const emission = Math.ceil(windowMs / settings.limit);
          const bucket = settings.algorithm === "token-bucket";
          for (const [index, from] of charged.entries()) {
            for (const [offset, to] of charged.slice(index).entries()) {
              const most = bucket
                ? settings.limit + Math.floor((to - from) / emission) + 1
                : to - from < windowMs
                  ? settings.limit
                  : Infinity;
              expect(offset + 1).toBeLessThanOrEqual(most);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("what the clock says", () => {
  const login = documentOf(
    { few: { limit: 2, window: "10s", by: "body.email" } },
    {},
    {
      routes: {
        "POST /login": {
          authenticate: "none",
          limits: ["few"],
          request: {
            body: { type: "object", required: ["email"], properties: { email: { type: "string" } } },
          },
        },
      },
    },
  );
  const body = { value: { email: "a@b.test" } };

  it("a body that was held back counts when it comes, not when its exchange opened (B6.108)", async () => {
    const world = await worldOf(login);
    const openLogin = (): Exchange =>
      world.engine.open({
        method: "POST",
        target: "/login",
        headers: [
          ["Host", "a.test"],
          ["Content-Type", "application/json"],
          ["Content-Length", "20"],
        ],
        remoteAddress: "127.0.0.1",
      });
    const held = [openLogin(), openLogin()];
    for (const exchange of held) expect(said(await exchange.head())).toBe("continue");
    world.clock.advance(11_000);
    for (const exchange of held) expect(said(await exchange.body(body))).toBe("admit");
    const fresh = openLogin();
    await fresh.head();
    expect(said(await fresh.body(body))).toBe("429 rate-limited");
  });

  it("spreads the end of a quota by a tenth at most, and never to before it (B6.110)", async () => {
    const random = vi.spyOn(Math, "random");
    const day = documentOf({ daily: { limit: 1, window: "day", algorithm: "calendar" } });
    const retryAfter = async (millisecondsLeft: number, luck: number): Promise<string | undefined> => {
      random.mockReturnValue(luck);
      const world = await worldOf(day);
      world.clock.advance(12 * 3_600_000 - millisecondsLeft);
      await pass(world);
      const refused = await open(world).head();
      const fields = refused.outcome === "refuse" ? refused.responseHeaders : [];
      return fields.find(([name]) => name === "Retry-After")?.[1];
    };
    expect(await retryAfter(1, 0.999_999)).toBe("1");
    expect(await retryAfter(9000, 0.999_999)).toBe("9");
    expect(await retryAfter(15_000, 0.999_999)).toBe("16");
    expect(await retryAfter(15_000, 0)).toBe("15");
    expect(await retryAfter(3_600_000, 0.999_999)).toBe("3630");
    random.mockRestore();
  });
});

async function besides(world: Awaited<ReturnType<typeof worldOf>>): Promise<string> {
  const decision = await world.engine.evaluate({
    method: "GET",
    target: "/beside",
    headers: [["Host", "a.test"]],
    remoteAddress: "127.0.0.1",
  });
  return said(decision);
}

describe("what a policy may not say", () => {
  const told = (document: PolicyDocument): string[] =>
    checkPolicy(document)
      .filter(({ severity }) => severity === "error")
      .map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
  const of = (settings: Partial<LimitSettings>): string[] =>
    told(documentOf({ x: { limit: 5, ...settings } }));

  it.each<readonly [Partial<LimitSettings>, string]>([
    [{}, "missing-window /limits/x: the limit does not say per how long"],
    [
      { window: "9ms" },
      "invalid-window /limits/x/window: `9ms` is shorter than a clock and a process can tell instants apart",
    ],
    [{ window: "0s" }, "invalid-window /limits/x/window: `0s` is no window that can be kept"],
    [{ window: "day" }, "invalid-window /limits/x/window: `day` is no window of `sliding-window`"],
    [
      { window: "1d", algorithm: "calendar" },
      "invalid-window /limits/x/window: `1d` is no window of `calendar`",
    ],
    [
      { window: "1m", burst: 2 },
      "setting-without-effect /limits/x/burst: `burst` means nothing to `sliding-window`",
    ],
    [
      { window: "1m", lease: "2s" },
      "setting-without-effect /limits/x/lease: `lease` means nothing to `sliding-window`",
    ],
    [
      { window: "1m", algorithm: "token-bucket", zone: "UTC" },
      "setting-without-effect /limits/x/zone: `zone` means nothing to `token-bucket`",
    ],
    [
      { window: "day", algorithm: "calendar", zone: "Mars/Olympus" },
      "invalid-zone /limits/x/zone: there is no time zone `Mars/Olympus`",
    ],
    [
      { window: "1m", algorithm: "concurrency" },
      "setting-without-effect /limits/x/window: `window` means nothing to `concurrency`, which counts requests in flight",
    ],
    [
      { algorithm: "concurrency", cost: 2 },
      "setting-without-effect /limits/x/cost: `cost` means nothing to `concurrency`, which counts requests in flight",
    ],
    [
      { algorithm: "concurrency", count: "failures" },
      "setting-without-effect /limits/x/count: `count` means nothing to `concurrency`, which counts requests in flight",
    ],
    [
      { algorithm: "concurrency", lease: "99ms" },
      "out-of-range /limits/x/lease: `99ms` is too short to be renewed in time",
    ],
    [
      { window: "1ms", algorithm: "token-bucket", limit: 1001 },
      "out-of-range /limits/x/limit: `1001` in `1ms` is more than one in a microsecond",
    ],
    [
      { window: "365d", algorithm: "token-bucket", burst: 1000 },
      "out-of-range /limits/x/window: `1000` at `5` in `365d` is longer than can be counted exactly",
    ],
    [
      { window: "1m", cost: 6 },
      "out-of-range /limits/x/cost: one request costs `6`, and there are never more than `5`",
    ],
    [
      { window: "1m", penalty: { after: 1, block: "0s" } },
      "out-of-range /limits/x/penalty/block: `0s` blocks nobody",
    ],
    [
      { window: "1m", penalty: { after: 1, block: "10s", max: "9s" } },
      "out-of-range /limits/x/penalty/max: `9s` is shorter than the first block, `10s`",
    ],
    [
      { window: "1m", onStoreFailure: "closed", share: 0.5 },
      "setting-without-effect /limits/x/share: `share` is for a process that counts alone, and the limit is `closed` then",
    ],
    [
      { limit: 1, window: "1m", mode: "observe", reveal: true },
      "setting-without-effect /limits/x/reveal: a limit that only observes is never shown: a client would slow down for what refuses nobody",
    ],
    [
      { window: "1m", onMissing: "skip" },
      "setting-without-effect /limits/x/onMissing: the limit counts by nothing, so nothing of it can be absent",
    ],
    [
      { window: "1m", by: "principal.id" },
      "principal-on-open-route /limits/x/by: `principal.id` is counted where nobody is known (on route `GET /x/:id`)",
    ],
    [
      { window: "1m", by: ["client.ip", "body.email"] },
      "body-without-schema /limits/x/by/1: `body.email` is counted on a route that has no `request.body` (on route `GET /x/:id`)",
    ],
    [
      { window: "1m", by: "client.id" },
      "unknown-fact /limits/x/by: `client.id` is nothing to count by (on route `GET /x/:id`)",
    ],
    [
      { window: "1m", count: [404, 431] },
      "uncountable-status /limits/x/count/1: `431` is given at the stage `normalize`, before this limit is taken at `limit-connection` (on route `GET /x/:id`)",
    ],
  ])("%j", (settings, expected) => {
    expect(of(settings)).toEqual([expected]);
  });

  it.each([
    [
      { window: "1m", precision: "leased" },
      "setting-without-effect /limits/x/precision: `leased` cannot keep what `sliding-window` promises",
    ],
    [
      { window: "day", algorithm: "calendar", precision: "leased" },
      "setting-without-effect /limits/x/precision: `leased` cannot keep what `calendar` promises",
    ],
    [
      { algorithm: "concurrency", precision: "leased" },
      "setting-without-effect /limits/x/precision: `leased` cannot keep what `concurrency` promises",
    ],
    [
      { window: "1m", algorithm: "token-bucket", precision: "leased", penalty: { after: 1, block: "1m" } },
      "setting-without-effect /limits/x/precision: `leased` admits without asking, also a caller whom a `penalty` blocks elsewhere",
    ],
  ] as const)("%j", (settings, expected) => {
    expect(of(settings)).toEqual([expected]);
  });

  it("leased precision of a token bucket is no problem", () => {
    expect(of({ window: "1m", algorithm: "token-bucket", precision: "leased" })).toEqual([]);
  });

  it("a global limit reads the client alone, and may count what comes after it", () => {
    const globally = (settings: Partial<LimitSettings>): string[] =>
      told(documentOf({ x: { limit: 5, window: "1m", ...settings } }, {}, { global: { limits: ["x"] } }));
    expect(globally({ by: "client.ip", count: [404, 405, 421] })).toEqual([]);
    expect(globally({ by: "route" })).toEqual([
      "global-limit-fact /global/limits/0: a global limit reads `route`",
    ]);
    expect(globally({ when: "request.method == 'GET'" })).toEqual([
      "global-limit-fact /global/limits/0: a global limit reads `request.method`",
    ]);
    expect(globally({ cost: { estimate: 1, settle: "response./n" } })).toEqual([
      "global-limit-fact /global/limits/0: a global limit reads the answer",
    ]);
    expect(globally({ count: [431] })).toEqual([
      "uncountable-status /limits/x/count/0: `431` is given at the stage `normalize`, before this limit is taken at `global-limit`",
    ]);
  });

  it("on an optional route a limit by principal says what holds for the others", () => {
    const document = (settings: LimitSettings): PolicyDocument =>
      documentOf(
        { x: settings },
        { authenticate: ["optional", "own"], authorize: "anyone" },
        { authenticators: { own: { type: "custom", use: "own", in: "header", name: "X-Own" } } },
      );
    const settings = { limit: 5, window: "1m", by: "principal.id" } as const;
    expect(told(document(settings))).toEqual([
      "missing-on-missing /limits/x: `principal.id` is absent for anonymous callers, and the limit does not say what then (on route `GET /x/:id`)",
    ]);
    expect(told(document({ ...settings, onMissing: "skip" }))).toEqual([]);
  });

  it("a deadline is a time that a request can wait", () => {
    const deadline = (text: string): string[] =>
      told(documentOf({ x: { limit: 5, window: "1m" } }, {}, { store: { deadline: text } }));
    expect(deadline("1s")).toEqual([]);
    for (const text of ["0ms", "61s"]) {
      expect(deadline(text)).toEqual([
        `out-of-range /store/deadline: \`${text}\` is no time that a request can wait for a store`,
      ]);
    }
  });

  it("a caller who chooses the key is warned of", () => {
    const [warning] = checkPolicy(documentOf({ x: { limit: 5, window: "1m", by: "headers.x-team" } }));
    expect(warning).toEqual({
      code: "caller-chosen-count",
      severity: "warning",
      pointer: "/limits/x/by",
      message: "a caller gets a fresh count by sending another header (on route `GET /x/:id`)",
      help: "count by `client.ip` besides",
    });
  });
});
