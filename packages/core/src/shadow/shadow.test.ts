/** A candidate beside the policy that serves. */
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import {
  createEngine,
  PolicyError,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type PolicyDocument,
  type RawRequest,
  type ShadowDifference,
  type ShadowOptions,
} from "../index.js";

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

async function serve(policy: PolicyDocument, options: EngineOptions = {}): Promise<Engine> {
  const engine = await createEngine(policy, options);
  engines.push(engine);
  return engine;
}

function policyOf(routes: PolicyDocument["routes"], more: Partial<PolicyDocument> = {}): PolicyDocument {
  return { gatehouse: 1, name: "beside", transport: { https: "off" }, routes, ...more };
}

type Request = Partial<RawRequest> & { readonly body?: unknown };

async function ask(engine: Engine, target: string, more: Request = {}): Promise<string> {
  const { headers = [], ...rest } = more;
  const pairs = Array.isArray(headers) ? (headers as [string, string][]) : [];
  const decision = await engine.evaluate({
    method: "GET",
    target,
    remoteAddress: "203.0.113.7",
    ...rest,
    headers: [["Host", "a.test"], ...pairs],
  });
  return decision.outcome === "refuse" ? decision.code : decision.outcome;
}

class Seen {
  readonly differences: ShadowDifference[] = [];
  readonly options: ShadowOptions = { onDifference: (one) => void this.differences.push(one) };

  /** Until every request was looked at. */
  async all(engine: Engine, count: number): Promise<readonly ShadowDifference[]> {
    for (;;) {
      const { compared, unknown, skipped, failed } = engine.shadowing ?? NOTHING;
      if (compared + unknown + skipped + failed >= count) return this.differences;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

const NOTHING = { compared: 0, unknown: 0, skipped: 0, failed: 0 };
const OPEN = { authenticate: "none" } as const;

describe("a candidate in shadow", () => {
  it("is asked the same, and what it would have said otherwise is told", async () => {
    const engine = await serve(policyOf({ "GET /a": OPEN, "GET /b": OPEN }));
    const seen = new Seen();
    const candidate = policyOf({ "GET /a": OPEN, "GET /c": OPEN });
    await engine.shadow(candidate, seen.options);
    expect([await ask(engine, "/a"), await ask(engine, "/b"), await ask(engine, "/c")]).toEqual([
      "admit",
      "admit",
      "not-found",
    ]);
    const [b, c, ...more] = await seen.all(engine, 3);
    expect(more).toEqual([]);
    expect(b).toMatchObject({
      method: "GET",
      differs: ["outcome", "code", "status", "route"],
      serving: {
        revision: engine.revision,
        route: "GET /b",
        outcome: "admit",
        status: 200,
        authenticator: null,
      },
      candidate: {
        revision: engine.shadowing?.revision,
        route: null,
        outcome: "refuse",
        status: 404,
        code: "not-found",
      },
    });
    expect(c).toMatchObject({
      serving: { outcome: "refuse" },
      candidate: { outcome: "admit", route: "GET /c" },
    });
    expect(engine.shadowing).toMatchObject({ compared: 3, different: 2, unknown: 0, skipped: 0, failed: 0 });
    await engine.shadow(undefined);
    expect(engine.shadowing).toBeUndefined();
    await ask(engine, "/b");
    expect(seen.differences).toHaveLength(2);
  });

  it("names the decision that was served", async () => {
    const events: DecisionEvent[] = [];
    const engine = await serve(policyOf({ "GET /a": OPEN }), {
      onDecision: (event) => void events.push(event),
    });
    const seen = new Seen();
    await engine.shadow(policyOf({ "GET /b": OPEN }), seen.options);
    await ask(engine, "/a");
    const [difference] = await seen.all(engine, 1);
    expect(events).toHaveLength(1);
    expect(difference).toMatchObject({
      id: events[0]?.id,
      correlation: events[0]?.correlation,
      time: events[0]?.time,
    });
  });

  it("judges the body that was read, and says so where none was", async () => {
    const text = { type: "object", properties: { n: { type: "string" } } } as const;
    const number = { type: "object", properties: { n: { type: "number" } } } as const;
    const engine = await serve(
      policyOf({
        "POST /read": { ...OPEN, request: { body: text } },
        "POST /streamed": OPEN,
        "POST /none": { ...OPEN, request: { body: text } },
      }),
    );
    const seen = new Seen();
    await engine.shadow(
      policyOf({
        "POST /read": { ...OPEN, request: { body: number } },
        "POST /streamed": { ...OPEN, request: { body: text } },
        "POST /none": OPEN,
      }),
      seen.options,
    );
    const body = JSON.stringify({ n: "c4n4ry" });
    const headers: [string, string][] = [
      ["Content-Type", "application/json"],
      ["Content-Length", String(body.length)],
    ];
    for (const path of ["/read", "/streamed", "/none"]) {
      expect(await ask(engine, path, { method: "POST", body, headers })).toBe("admit");
    }
    const [read, streamed, ...more] = await seen.all(engine, 3);
    expect(read).toMatchObject({
      differs: ["outcome", "code", "status"],
      candidate: { code: "invalid-body" },
    });
    expect(streamed).toMatchObject({
      differs: ["outcome"],
      candidate: { outcome: "unknown", route: "POST /streamed", reason: "the body was not read" },
    });
    expect(more).toEqual([]);
    expect(engine.shadowing).toMatchObject({ compared: 2, different: 1, unknown: 1 });
    expect(inspect(seen.differences, { depth: 9 })).not.toContain("c4n4ry");
  });

  it("judges the body as it came, whatever the handler made of it", async () => {
    const body = { type: "object", properties: { sku: { type: "string" } } } as const;
    const policy = policyOf({ "POST /a": { ...OPEN, request: { body } } });
    const engine = await serve(policy);
    const seen = new Seen();
    await engine.shadow({ ...policy, name: "next" }, seen.options);
    const value: Record<string, unknown> = { sku: "a" };
    expect(await ask(engine, "/a", { method: "POST", body: value })).toBe("admit");
    value["sku"] = 1;
    expect(await seen.all(engine, 1)).toEqual([]);
  });

  it("counts for itself: no limit of anybody's is touched", async () => {
    const limited = (limit: number): PolicyDocument =>
      policyOf(
        { "GET /a": { ...OPEN, limits: ["few"] } },
        { limits: { few: { limit, window: "1h", by: "client.ip" } } },
      );
    const engine = await serve(limited(4));
    const seen = new Seen();
    await engine.shadow(limited(2), seen.options);
    const said: string[] = [];
    for (let round = 0; round < 5; round++) said.push(await ask(engine, "/a"));
    expect(said).toEqual(["admit", "admit", "admit", "admit", "rate-limited"]);
    const differences = await seen.all(engine, 5);
    expect(differences.map(({ candidate }) => [candidate.code, candidate.stage])).toEqual([
      ["rate-limited", "limit-connection"],
      ["rate-limited", "limit-connection"],
    ]);
  });

  it("sees who calls, and says of them no more than how they are known", async () => {
    const authenticators = (roles: readonly string[]): Partial<PolicyDocument> => ({
      roles: { admin: [] },
      authenticators: {
        own: { type: "custom", use: "own", in: "header", name: "X-Own", confers: [...roles] },
      },
    });
    const routes = { "GET /a": { authenticate: ["own"], authorize: { roles: ["admin"] } } };
    let called = 0;
    const own = ({
      credential,
    }: {
      readonly credential: string;
    }): { principal: { id: string; roles: string[] } } => {
      called += 1;
      return { principal: { id: `user of ${credential}`, roles: ["admin"] } };
    };
    const engine = await serve(policyOf(routes, authenticators(["admin"])), { authenticators: { own } });
    const seen = new Seen();
    await engine.shadow(policyOf(routes, authenticators([])), seen.options);
    expect(await ask(engine, "/a", { headers: [["X-Own", "c4n4ry"]] })).toBe("admit");
    const [difference] = await seen.all(engine, 1);
    expect(difference).toMatchObject({
      serving: { outcome: "admit", authenticator: "own" },
      candidate: { code: "forbidden", authenticator: "own" },
    });
    expect(called).toBe(1);
    expect(inspect(seen.differences, { depth: 9 })).not.toContain("c4n4ry");
  });

  describe("the application's code", () => {
    const routes = (check: string, more: object = {}): PolicyDocument["routes"] => ({
      "GET /things/:id": {
        authenticate: ["key"],
        authorize: { roles: ["customer"], check },
        ...more,
      },
    });
    const document = (check: string, more: object = {}): PolicyDocument =>
      policyOf(routes(check, more), {
        roles: { customer: [] },
        authenticators: {
          key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } },
        },
      });
    class Code {
      calls: string[] = [];
      readonly options: EngineOptions = {
        lookups: {
          find: (sha256) => {
            this.calls.push("find");
            return Promise.resolve({ id: "ann", sha256, roles: ["customer"] });
          },
        },
        checks: {
          owns: async ({ params }) => {
            this.calls.push("owns");
            return Promise.resolve(params["id"] !== "8");
          },
          other: () => {
            this.calls.push("other");
            return true;
          },
          throws: () => {
            this.calls.push("throws");
            throw new Error("c4n4ry");
          },
        },
      };
    }
    const key: Request = { headers: [["X-API-Key", "a-long-enough-api-key"]] };

    it("is not asked twice: what it answered stands", async () => {
      const code = new Code();
      const engine = await serve(document("owns"), code.options);
      const seen = new Seen();
      await engine.shadow(document("owns", { limits: [] }), seen.options);
      expect([await ask(engine, "/things/7", key), await ask(engine, "/things/8", key)]).toEqual([
        "admit",
        "forbidden",
      ]);
      expect(await seen.all(engine, 2)).toEqual([]);
      expect(code.calls).toEqual(["find", "owns", "find", "owns"]);
      expect(engine.shadowing).toMatchObject({ compared: 2, different: 0, unknown: 0 });
    });

    it("that threw has thrown for both", async () => {
      const code = new Code();
      const engine = await serve(document("throws"), code.options);
      const seen = new Seen();
      await engine.shadow(document("throws"), seen.options);
      expect(await ask(engine, "/things/7", key)).toBe("internal-error");
      expect(await seen.all(engine, 1)).toEqual([]);
      expect(code.calls).toEqual(["find", "throws"]);
    });

    it("that was not asked, or of something else, leaves the candidate without an answer", async () => {
      const code = new Code();
      const engine = await serve(document("owns"), code.options);
      const seen = new Seen();
      await engine.shadow(document("other"), seen.options);
      await ask(engine, "/things/7", key);
      // The same check, but of a number where it was a text.
      await seen.all(engine, 1);
      await engine.shadow(
        document("owns", { request: { params: { id: { type: "integer" } } } }),
        seen.options,
      );
      await ask(engine, "/things/7", key);
      const differences = await seen.all(engine, 1);
      expect(differences.map(({ candidate }) => candidate)).toMatchObject([
        { outcome: "unknown", reason: "`check other` was not asked about the same" },
        { outcome: "unknown", reason: "`check owns` was not asked about the same" },
      ]);
      expect(code.calls).toEqual(["find", "owns", "find", "owns"]);
    });

    it("is asked again where that is wanted", async () => {
      const code = new Code();
      const engine = await serve(document("owns"), code.options);
      const seen = new Seen();
      await engine.shadow(document("other"), { ...seen.options, code: "call" });
      await ask(engine, "/things/8", key);
      const [difference] = await seen.all(engine, 1);
      expect(difference).toMatchObject({ serving: { code: "forbidden" }, candidate: { outcome: "admit" } });
      expect(code.calls).toEqual(["find", "owns", "find", "other"]);
    });
  });

  it("keeps to itself what breaks in it, and a listener that throws harms nobody", async () => {
    const engine = await serve(policyOf({ "GET /a": OPEN }));
    await engine.shadow(policyOf({ "GET /b": OPEN }), {
      onDifference: () => {
        throw new Error("a listener");
      },
    });
    expect(await ask(engine, "/a")).toBe("admit");
    await new Seen().all(engine, 1);
    // One whose routes this server could not tell apart is found when it is asked.
    await engine.shadow(policyOf({ "GET /x": OPEN, "GET /X": OPEN }), new Seen().options);
    const folding = engine.bind({ caseSensitive: false });
    const request = { method: "GET", target: "/a", headers: [["Host", "a.test"]] } as const;
    expect((await folding.evaluate(request)).outcome).toBe("admit");
    await new Seen().all(engine, 1);
    expect(engine.shadowing).toMatchObject({ failed: 1 });
  });

  it("that cannot be served is refused, and the one before stays", async () => {
    const engine = await serve(policyOf({ "GET /a": OPEN }));
    engine.bind({ caseSensitive: false });
    const seen = new Seen();
    await engine.shadow(policyOf({ "GET /b": OPEN }), seen.options);
    const { revision } = engine.shadowing ?? { revision: "" };
    for (const routes of [{ "GET /x": {} }, { "GET /x": OPEN, "GET /X": OPEN }]) {
      await expect(engine.shadow(policyOf(routes), seen.options)).rejects.toBeInstanceOf(PolicyError);
    }
    expect(engine.shadowing?.revision).toBe(revision);
    await engine.close();
    await expect(engine.shadow(policyOf({ "GET /b": OPEN }), seen.options)).rejects.toThrow("closed");
  });

  it("costs no more than its part, and what is too much is left out", async () => {
    const engine = await serve(policyOf({ "GET /a": OPEN }));
    const seen = new Seen();
    await engine.shadow(policyOf({ "GET /b": OPEN }), seen.options);
    // Nothing is looked at before the server's own work is done.
    const request = { method: "GET", target: "/a", headers: [["Host", "a.test"]] } as const;
    for (let round = 0; round < 150; round++) {
      const exchange = engine.open(request);
      void exchange.head();
      exchange.end(200);
    }
    expect(seen.differences).toEqual([]);
    expect(engine.shadowing).toMatchObject({ skipped: 50 });
    await seen.all(engine, 150);
    expect(seen.differences).toHaveLength(100);
    await engine.shadow(policyOf({ "GET /b": OPEN }), { ...seen.options, sample: Number.MIN_VALUE });
    for (let round = 0; round < 50; round++) await ask(engine, "/a");
    expect(engine.shadowing).toMatchObject({ compared: 0, skipped: 0 });
  });

  it("follows its secrets like the policy that serves", async () => {
    let signal: (() => void)[] = [];
    let key = "[]";
    const engine = await serve(policyOf({ "GET /a": OPEN }), {
      secrets: {
        get: () => key,
        watch: (_, changed) => {
          signal.push(changed);
          return () => void (signal = signal.filter((one) => one !== changed));
        },
      },
    });
    const seen = new Seen();
    await engine.shadow(
      policyOf(
        { "GET /a": { authenticate: ["key"], authorize: "authenticated" } },
        {
          authenticators: {
            key: { type: "api-key", in: "header", name: "X-API-Key", keys: { secret: "vault:keys" } },
          },
        },
      ),
      seen.options,
    );
    const shared: Request = { headers: [["X-API-Key", "a-long-enough-api-key"]] };
    await ask(engine, "/a", shared);
    const [first] = await seen.all(engine, 1);
    expect(first).toMatchObject({ candidate: { code: "invalid-credential" } });
    key = JSON.stringify([
      { id: "ann", sha256: "62ae86d6d227488219a18b78dc1ea9d9b38a2ff59bb84e1e31b617785115fb26" },
    ]);
    for (const tell of signal) tell();
    let count = 1;
    while (seen.differences.at(-1)?.candidate.outcome !== "admit") {
      await ask(engine, "/a", shared);
      await seen.all(engine, (count += 1));
    }
    expect(seen.differences.at(-1)).toMatchObject({ differs: ["principal"] });
    await engine.close();
    expect(signal).toEqual([]);
  });

  it.each<[object, string]>([
    [{}, "`shadow` needs `onDifference`"],
    [{ onDifference: 1 }, "`onDifference` of `shadow` is not a function"],
    [{ onDifference: () => undefined, sample: 0 }, "`sample` of `shadow` is not a number above 0 up to 1"],
    [{ onDifference: () => undefined, code: "no" }, "`code` of `shadow` is not `reuse` or `call`"],
    [
      { onDiference: () => undefined },
      "unknown option `onDiference` of `shadow`; did you mean `onDifference`?",
    ],
  ])("is not begun with %o", async (options, message) => {
    const engine = await serve(policyOf({ "GET /a": OPEN }));
    await expect(engine.shadow(policyOf({ "GET /a": OPEN }), options as ShadowOptions)).rejects.toThrow(
      message,
    );
  });
});
