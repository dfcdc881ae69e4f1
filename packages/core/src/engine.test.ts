/** The engine's own promises: options, bindings, events, traces, and what `evaluate` makes of a body. */
import { describe, expect, it } from "vitest";
import {
  createEngine,
  createMemoryStore,
  PolicyError,
  type DecisionEvent,
  type PolicyDocument,
  type ShapedResponse,
  type StateStore,
} from "./index.js";
import type { HeaderField } from "./model/request.js";

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "small",
  transport: { https: "off" },
  authenticators: { key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } } },
  roles: { clerk: [] },
  routes: {
    "GET /open": { authenticate: "none" },
    "GET /clerks/:id": { authorize: { roles: ["clerk"], when: "params.id != 'x'" }, conceal: true },
    "POST /orders": {
      authenticate: "none",
      request: { body: { type: "object", required: ["sku"], properties: { sku: { type: "string" } } } },
    },
  },
};
const lookups = { find: (sha256: string) => ({ id: "ann", sha256, roles: ["clerk"] }) };
const host: readonly [string, string] = ["Host", "a.test"];

describe("the document that an author handed over", () => {
  it("is copied: what becomes of it afterwards does not follow", async () => {
    const given = structuredClone(policy) as { routes: Record<string, unknown> };
    const engine = await createEngine(given as unknown as PolicyDocument, { lookups });
    given.routes["GET /late"] = { authenticate: "none" };
    given.routes["GET /open"] = {};
    expect(engine.revision).toBe((await createEngine(policy, { lookups })).revision);
    const answers = ["/late", "/open"].map((target) =>
      engine.evaluate({ method: "GET", target, headers: [host] }),
    );
    expect((await Promise.all(answers)).map(({ outcome }) => outcome)).toEqual(["refuse", "admit"]);
  });

  it("is refused where it cannot be copied", async () => {
    const making = createEngine(new Proxy(policy, {}), { lookups });
    await expect(making).rejects.toMatchObject({ diagnostics: [{ code: "not-json", pointer: "" }] });
  });
});

describe("what an author handed over beside the document", () => {
  const head = (engine: Awaited<ReturnType<typeof createEngine>>, target: string) =>
    engine.evaluate({ method: "GET", target, headers: [host, ["X-API-Key", "k".repeat(32)]] });

  it("is settled by then: a check that is taken away or replaced before its route is first asked for still decides", async () => {
    const routes = Object.fromEntries(
      ["GET /gone", "GET /other"].map((key) => [key, { authorize: { check: key.slice("GET /".length) } }]),
    );
    const checks: Record<string, () => boolean> = { gone: () => false, other: () => false };
    const engine = await createEngine({ ...policy, routes }, { lookups, checks });
    delete checks["gone"];
    checks["other"] = () => true;
    const decisions = await Promise.all(["/gone", "/other"].map((target) => head(engine, target)));
    expect(decisions.map(({ outcome }) => outcome)).toEqual(["refuse", "refuse"]);
  });

  it("is settled by then: a store's share is asked for while the policy is compiled", async () => {
    let share = 0.5;
    const store = Object.assign(Object.create(createMemoryStore()) as StateStore, { share: () => share });
    const limits = { few: { limit: 4, window: "1h", by: "principal.id" } };
    const route = { authorize: "authenticated", limits: ["few"] };
    const limited = { ...policy, limits, routes: { "GET /a": route, "GET /b": route } };
    const engine = await createEngine(limited as unknown as PolicyDocument, { lookups, store });
    share = 1;
    const outcomes: string[] = [];
    for (const target of ["/a", "/b", "/a", "/b"]) outcomes.push((await head(engine, target)).outcome);
    expect(outcomes).toEqual(["admit", "admit", "refuse", "refuse"]);
  });
});

describe("a policy that is refused at the start", () => {
  it("leaves nothing running: whatever the store began may end", async () => {
    const memory = createMemoryStore({ maxKeys: 64 });
    const signals: AbortSignal[] = [];
    const store = Object.assign(Object.create(memory) as StateStore, {
      start: (signal: AbortSignal) => void signals.push(signal),
    });
    await expect(createEngine({ ...policy, routes: { "GET /x": {} } }, { store })).rejects.toBeInstanceOf(
      PolicyError,
    );
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

describe("evaluate", () => {
  it.each([
    ["a parsed value", { sku: "a" }, [host]],
    ["text with its type", '{"sku":"a"}', [host, ["Content-Type", "application/json"]]],
    ["bytes with their type", Buffer.from('{"sku":"a"}'), [host, ["Content-Type", "application/json"]]],
  ] as const)("admits %s", async (_name, body, headers) => {
    const engine = await createEngine(policy, { lookups });
    const decision = await engine.evaluate({ method: "POST", target: "/orders", headers, body });
    expect(decision).toMatchObject({ outcome: "admit", route: "POST /orders", body: { sku: "a" } });
  });

  it("takes a record of headers, for tests", async () => {
    const engine = await createEngine(policy, { lookups });
    const decision = await engine.evaluate({ method: "GET", target: "/open", headers: { host: "a.test" } });
    expect(decision.outcome).toBe("admit");
  });

  it("refuses a value that does not fit", async () => {
    const engine = await createEngine(policy, { lookups });
    const decision = await engine.evaluate({
      method: "POST",
      target: "/orders",
      headers: [host],
      body: { sku: 1 },
    });
    expect(decision).toMatchObject({
      outcome: "refuse",
      stage: "validate",
      code: "invalid-body",
      status: 422,
    });
  });
});

describe("events and traces", () => {
  it("emits one event an exchange, when it ends", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policy, { lookups, onDecision: (event) => void events.push(event) });
    const exchange = engine.open({ method: "GET", target: "/open", headers: [host] });
    void exchange.head();
    expect(events).toEqual([]);
    exchange.end(200);
    exchange.end(500);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      policy: "small",
      revision: engine.revision,
      mode: "enforce",
      route: "GET /open",
      method: "GET",
      outcome: "admit",
      status: 200,
    });
    expect(events[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("an exchange whose client left before a decision is told as aborted", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policy, { lookups, onDecision: (event) => void events.push(event) });
    const exchange = engine.open({
      method: "POST",
      target: "/orders",
      headers: [host, ["Content-Type", "application/json"], ["Content-Length", "10"]],
    });
    expect(exchange.head()).toMatchObject({ outcome: "continue", bodyLimit: 100_000 });
    exchange.end(0);
    expect(events).toMatchObject([{ outcome: "aborted", status: 0 }]);
  });

  it.each([
    { method: "GET", headers: [host], report: "`transport` would have answered with 308" },
    {
      method: "OPTIONS",
      headers: [host, ["Origin", "https://b.test"], ["Access-Control-Request-Method", "GET"]] as const,
      report: "`cors` would have answered with 204",
    },
  ])("observe mode reports an answer of the engine's own: $method", async ({ method, headers, report }) => {
    const events: DecisionEvent[] = [];
    const observing: PolicyDocument = {
      gatehouse: 1,
      name: "observing",
      mode: "observe",
      transport: { https: "redirect", hosts: ["a.test"] },
      cors: { origins: ["https://b.test"] },
      routes: { "GET /": { authenticate: "none", audience: "browser" } },
    };
    const engine = await createEngine(observing, { onDecision: (event) => void events.push(event) });
    const decision = await engine.evaluate({ method, target: "/", headers });
    expect([decision.outcome, events.map(({ reports }) => reports)]).toEqual(["admit", [[report]]]);
  });

  it("a concealed refusal is told to the operator as what it was", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policy, { lookups, onDecision: (event) => void events.push(event) });
    const decision = await engine.evaluate({
      method: "GET",
      target: "/clerks/x",
      headers: [host, ["X-API-Key", "any"]],
    });
    expect(decision).toMatchObject({ outcome: "refuse", status: 404, code: "not-found" });
    expect(events).toMatchObject([{ code: "forbidden", concealed: true, status: 404 }]);
  });

  it("says what each stage decided when tracing, and nothing otherwise", async () => {
    const request = {
      method: "GET",
      target: "/clerks/x",
      headers: [host, ["X-API-Key", "s3cret-key"]],
    } as const;
    const silent = await createEngine(policy, { lookups });
    expect(await silent.evaluate(request)).not.toHaveProperty("trace");
    const tracing = await createEngine(policy, { lookups, trace: true });
    const decision = await tracing.evaluate(request);
    const steps = decision.trace ?? [];
    expect(steps.map(({ stage, outcome }) => `${stage} ${outcome}`)).toContain("authenticate pass");
    expect(steps.at(-1)).toMatchObject({ stage: "authorize", outcome: "refuse", code: "forbidden" });
    expect(steps.at(-1)?.rule).toMatch(/^\/routes\/GET ~1clerks~1:id\/authorize/);
    expect(JSON.stringify(steps)).not.toContain("s3cret-key");
  });
});

describe("an exchange keeps its order", () => {
  it("refuses calls out of turn", async () => {
    const engine = await createEngine(policy, { lookups });
    const exchange = engine.open({ method: "GET", target: "/open", headers: [host] });
    expect(() => exchange.respond({ status: 200, headers: [] })).toThrow("only an admitted exchange");
    void exchange.head();
    expect(() => exchange.head()).toThrow("head() was called before");
    expect(() => exchange.body({ value: {} })).toThrow("only for an exchange that said `continue`");
  });
});

describe("respond", () => {
  const ruled: PolicyDocument = {
    gatehouse: 1,
    name: "ruled",
    transport: { https: "off" },
    routes: {
      "GET /": {
        authenticate: "none",
        response: { body: { type: "object", properties: { id: { type: "string" } } } },
      },
      "GET /open": { authenticate: "none" },
    },
  };
  const answered = async (method: string, body: unknown): Promise<ShapedResponse> => {
    const engine = await createEngine(ruled);
    const exchange = engine.open({ method, target: "/", headers: [host] });
    void exchange.head();
    return exchange.respond({ status: 200, headers: [["ETag", '"x"']], body });
  };
  const fieldsOf = ({ headers }: ShapedResponse): unknown =>
    headers.filter(([name]) => name !== "X-Request-Id");

  it.each([{ id: "a", more: 1 }, '{"id":"a","more":1}'])(
    "gives HEAD the fields of GET, for %j",
    async (body) => {
      const [get, head] = await Promise.all([answered("GET", body), answered("HEAD", body)]);
      expect(Buffer.from(get.body ?? "").toString()).toBe('{"id":"a"}');
      expect(head.body).toBeUndefined();
      expect(fieldsOf(head)).toEqual(fieldsOf(get));
      expect(head.headers).toContainEqual(["Content-Length", "10"]);
    },
  );

  it.each<[string, number, unknown, boolean]>([
    ["GET", 200, { id: "\u00e4\u{1f600}" }, true],
    ["GET", 201, '{"id":"a"}', true],
    ["HEAD", 200, { id: "a" }, false],
    ["GET", 204, { id: "a" }, false],
    ["GET", 304, undefined, false],
    ["GET", 200, "", false],
    ["GET", 500, { id: "a" }, false],
  ])(
    "says of %s %i %j that it is framed only where its fields alone say so",
    async (method, status, body, framed) => {
      const engine = await createEngine(ruled);
      const exchange = engine.open({ method, target: "/", headers: [host] });
      void exchange.head();
      const theirs: HeaderField[] = [
        ["content-length", "1"],
        ["Transfer-Encoding", "chunked"],
        ["trailer", "x"],
      ];
      const shaped = exchange.respond({ status, headers: theirs, body });
      expect(shaped.framed === true).toBe(framed);
      const framing = shaped.headers.filter(([name]) =>
        /^(?:content-length|transfer-encoding|trailer)$/i.test(name),
      );
      if (framed)
        expect(framing).toEqual([["Content-Length", String(Buffer.from(shaped.body ?? "").length)]]);
    },
  );

  it("an object that cannot be written as JSON is the handler's failure, not the caller's answer", async () => {
    const engine = await createEngine(ruled);
    const exchange = engine.open({ method: "GET", target: "/open", headers: [host] });
    void exchange.head();
    const cycle: Record<string, unknown> = { secret: "s3cret" };
    cycle["self"] = cycle;
    const shaped = exchange.respond({ status: 200, headers: [], body: cycle });
    expect(shaped.status).toBe(500);
    expect(Buffer.from(shaped.body ?? "").toString()).not.toContain("s3cret");
  });
});

describe("the signal", () => {
  it("is aborted by the end, for those who asked before and those who ask after", async () => {
    const engine = await createEngine(policy, { lookups });
    for (const early of [true, false]) {
      const exchange = engine.open({ method: "GET", target: "/open", headers: [host] });
      void exchange.head();
      const before = early && !exchange.signal.aborted;
      exchange.end(200);
      expect([before, exchange.signal.aborted]).toEqual([early, true]);
    }
  });
});

describe("createEngine", () => {
  it("rejects with every diagnostic at once", async () => {
    const wrong: unknown = {
      ...policy,
      routes: { "GET /a": {}, "GET /b": { authorise: 1, authenticate: "none" } },
    };
    await expect(createEngine(wrong as PolicyDocument, { lookups })).rejects.toMatchObject({
      name: "PolicyError",
      diagnostics: [{ code: "unknown-key" }, { code: "missing-authorize" }],
    });
  });

  it("takes no option that it does not know, nor one of another kind", async () => {
    const options = (given: object) => createEngine(policy, { lookups, ...given });
    await expect(options({ trase: true })).rejects.toThrow(
      new TypeError("unknown option `trase` of `createEngine`; did you mean `trace`?"),
    );
    await expect(options({ onDecision: {} })).rejects.toThrow(TypeError);
    await expect(options({ clock: { now: () => 0 } })).rejects.toThrow(TypeError);
    await expect(options({ store: {} })).rejects.toThrow(TypeError);
    await expect(options({ trace: undefined })).resolves.toBeDefined();
  });

  it("a binding says only what matchings have", async () => {
    const engine = await createEngine(policy, { lookups });
    const given: object = { caseSensitve: false };
    expect(() => engine.bind(given)).toThrow(
      new TypeError("unknown option `caseSensitve` of `bind`; did you mean `caseSensitive`?"),
    );
    const loose: object = { trailingSlash: "strict" };
    expect(() => engine.bind(loose)).toThrow(TypeError);
  });

  it("fails the load when a secret is not set", async () => {
    const needs: PolicyDocument = {
      ...policy,
      redaction: { key: { secret: "env:NOT_SET" } },
      routes: {
        "GET /a": { authenticate: "none", response: { redact: { "/x": "hash" } } },
      },
    };
    await expect(createEngine(needs, { lookups, secrets: { get: () => undefined } })).rejects.toBeInstanceOf(
      PolicyError,
    );
  });
});

describe("bind, where the platform hides the peer's address", () => {
  const hidden = { peerAddress: false } as const;
  const open = { authenticate: "none" } as const;
  const base = { gatehouse: 1, name: "hidden", transport: { https: "off" } } as const;
  const limited: PolicyDocument = {
    ...base,
    limits: { by: { limit: 1, window: "1m", by: [{ fact: "client.ip" }] } },
    routes: { "GET /": { ...open, limits: ["by"] } },
  };
  const conditional: PolicyDocument = {
    ...base,
    limits: { all: { limit: 1, window: "1m", when: "inRange(client.ip, '10.0.0.0/8')" } },
    routes: { "GET /": { ...open, limits: ["all"] } },
  };
  const trusting: PolicyDocument = {
    ...base,
    transport: { https: "off", trust: { peers: ["loopback"], header: "x-forwarded-for" } },
    routes: { "GET /": open },
  };

  it.each([
    ["a limit", limited, "/limits/by/by", "the limit counts by `client.ip`"],
    ["a condition", conditional, "/limits/all/when", "the expression reads `client.ip`"],
    ["trust", trusting, "/transport/trust", "`trust` believes proxies by their address"],
  ])("refuses %s that reads it", async (_name, document, pointer, what) => {
    const engine = await createEngine(document);
    expect(engine.bind({})).toBeDefined();
    let error: unknown;
    try {
      engine.bind(hidden);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PolicyError);
    expect((error as PolicyError).diagnostics).toMatchObject([
      {
        code: "needs-peer-address",
        pointer,
        message: `${what}, and this server does not tell the address of its peer`,
        help: "hand `remoteAddress` to the adapter, or take this out of the policy",
      },
    ]);
  });

  it("serves what reads nothing of it, and keeps out a policy that does", async () => {
    const engine = await createEngine({ ...base, routes: { "GET /": open } });
    expect(engine.bind(hidden)).toBeDefined();
    await expect(engine.replace(limited)).rejects.toThrow(PolicyError);
  });
});
