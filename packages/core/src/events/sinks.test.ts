/** What listeners are told: facts and hashes, metrics and spans, and never anything of a request but that. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { context, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import pino from "pino";
import { afterEach, describe, expect, it } from "vitest";
import {
  createEngine,
  openTelemetry,
  plainEvent,
  sampleDecisions,
  type DecisionEvent,
  type DecisionSink,
  type Engine,
  type EngineOptions,
  type Exchange,
  type PolicyDocument,
  type ServedPolicy,
} from "../index.js";
import { decisionChannel } from "../node/index.js";

const POLICY: PolicyDocument = {
  gatehouse: 1,
  name: "told",
  transport: { https: "off" },
  roles: { clerk: ["customer"], customer: [] },
  authenticators: {
    key: {
      type: "custom",
      use: "key",
      in: "header",
      name: "X-Key",
      confers: ["clerk", "customer"],
      principal: { tenant: "tenant" },
    },
  },
  limits: { few: { limit: 2, window: "1m", by: "client.ip" } },
  routes: {
    "GET /tenants/:tenant": { authorize: { when: "params.tenant == principal.tenant" } },
    "GET /few": { authenticate: "none", limits: ["few"] },
    "POST /watched": { authorize: { roles: ["clerk"] }, mode: "observe" },
  },
};

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

async function serve(options: EngineOptions, policy = POLICY): Promise<Engine> {
  const engine = await createEngine(policy, {
    authenticators: {
      key: ({ credential }) => ({
        principal: {
          id: credential,
          roles: ["customer"],
          scopes: ["read"],
          claims: { tenant: `${credential}-inc` },
        },
      }),
    },
    ...options,
  });
  engines.push(engine);
  return engine;
}

interface Ask {
  readonly method?: string;
  readonly as?: string;
  readonly body?: unknown;
}

async function ask(engine: Engine, target: string, { method = "GET", as, body }: Ask = {}): Promise<void> {
  await engine.evaluate({
    method,
    target,
    headers: [["Host", "a.test"], ...(as === undefined ? [] : [["X-Key", as] as const])],
    remoteAddress: "203.0.113.7",
    ...(body === undefined ? {} : { body }),
  });
}

async function told(
  options: EngineOptions,
  target: string,
  more: Ask = {},
): Promise<DecisionEvent | undefined> {
  const events: DecisionEvent[] = [];
  await ask(await serve({ onDecision: (event) => void events.push(event), ...options }), target, more);
  expect(events).toHaveLength(1);
  return events[0];
}

describe("an event", () => {
  it("tells who called, and what the decision read", async () => {
    expect(await told({}, "/tenants/bob-inc?x=1", { as: "ann" })).toMatchObject({
      outcome: "refuse",
      principal: { id: "ann", authenticator: "key", roles: ["customer"], scopes: ["read"] },
      facts: { "params.tenant": "bob-inc", "principal.tenant": "ann-inc" },
      query: true,
    });
  });

  it("tells that there was a body or a query, and nothing where there was none", async () => {
    const posted = await told({}, "/watched", { method: "POST", as: "ann", body: { a: "c4n4ry" } });
    expect(posted).toMatchObject({ content: true, mode: "observe", observed: [{ stage: "authorize" }] });
    expect(posted).not.toHaveProperty("query");
    expect(JSON.stringify(posted)).not.toContain("c4n4ry");
    expect(await told({}, "/few")).not.toHaveProperty("content");
  });

  it("has timings by the monotonic clock, and none where that fails", async () => {
    let at = 0;
    const clock = { now: () => 0, monotonic: () => (at += 1.5) };
    expect((await told({ clock }, "/few"))?.timings).toEqual({
      decided: expect.any(Number),
      total: expect.any(Number),
    });
    let calls = 0;
    const failing = {
      now: () => 0,
      monotonic: () => {
        calls += 1;
        if (calls > 2) throw new Error("broken");
        return 1;
      },
    };
    expect(await told({ clock: failing }, "/tenants/ann-inc", { as: "ann" })).not.toHaveProperty("timings");
  });

  it("tells paths only where that was asked for, and never a query", async () => {
    expect(await told({}, "/no/c4n4ry")).not.toHaveProperty("path");
    expect(await told({ events: { paths: true } }, "/no/such?token=c4n4ry")).toMatchObject({
      path: "/no/such",
      route: null,
    });
  });

  it("tells hashes of what is named: the same for the same, and another under another key", async () => {
    const hash = ["principal.id", "params.tenant", "client.ip"];
    const under = (key: string): Promise<DecisionEvent | undefined> =>
      told({ events: { hash, key } }, "/tenants/ann", { as: "ann" });
    const [first, again, other] = [
      await under("0123456789abcdef"),
      await under("0123456789abcdef"),
      await under("another key of 16 bytes"),
    ];
    const id = first?.principal?.id;
    expect(id).toMatch(/^hmac:[\w-]{22}$/u);
    expect(first?.facts).toEqual({ "params.tenant": id, "principal.tenant": "ann-inc" });
    expect(again?.principal?.id).toBe(id);
    expect(other?.principal?.id).not.toBe(id);
    expect(JSON.stringify(first)).not.toContain('"ann"');
  });

  it("tells the same hashes in the trace, and what is not named as it is", async () => {
    const events = { hash: ["params.tenant", "client.ip"], key: "0123456789abcdef" };
    const event = await told({ events, trace: true }, "/tenants/c4n4ry", { as: "ann" });
    const marked = event?.facts?.["params.tenant"];
    expect(marked).toMatch(/^hmac:[\w-]{22}$/u);
    expect(event?.trace?.find(({ stage }) => stage === "authorize")?.read).toEqual([
      { fact: "params.tenant", value: marked },
      { fact: "principal.tenant", value: "ann-inc" },
    ]);
    expect(JSON.stringify(event)).not.toContain("c4n4ry");
  });

  it.each<[string, unknown, string]>([
    ["no key", { hash: ["client.ip"] }, "`hash` of `events` needs a `key`"],
    [
      "a key for nothing",
      { key: "0123456789abcdef" },
      "`key` of `events` is for `hash`, which names nothing",
    ],
    [
      "a name that is none",
      { hash: ["clientip"], key: "0123456789abcdef" },
      "`hash` of `events` names no fact with `clientip`: write it as `principal.id` or `params.email`",
    ],
    [
      "what every event tells",
      { hash: ["principal.roles"], key: "0123456789abcdef" },
      "`hash` of `events`: every event tells `principal.roles` as it is",
    ],
    [
      "what stands in the path",
      { hash: ["params.email"], key: "0123456789abcdef", paths: true },
      "`hash` of `events`: `paths` would tell `params.email` as it is",
    ],
    [
      "a key that can be guessed",
      { hash: ["client.ip"], key: "short" },
      "`key` of `events` holds 5 bytes, at least 16 are needed",
    ],
    ["a stranger", { hashes: [] }, "did you mean `hash`?"],
    ["a wrong list", { hash: "client.ip" }, "`hash` of `events` is not a list of names of facts"],
  ])("refuses %s", async (_name, events, message) => {
    await expect(
      createEngine(POLICY, { events: events as NonNullable<EngineOptions["events"]> }),
    ).rejects.toThrow(message);
  });
});

describe("sinks", () => {
  it("that throw, reject or cannot be asked change nothing, and keep nobody else from hearing", async () => {
    const heard: string[] = [];
    const broken: DecisionSink = {
      wants: () => {
        throw new Error("broken");
      },
      write: () => {
        throw new Error("broken");
      },
      policy: () => {
        throw new Error("broken");
      },
    };
    // oxlint-disable-next-line typescript/no-misused-promises -- code without types hands in what waits
    const rejecting: DecisionSink = { write: () => Promise.reject(new Error("broken")) };
    const engine = await serve({
      sinks: [broken, rejecting, { write: ({ outcome }) => void heard.push(outcome) }],
    });
    await ask(engine, "/few");
    expect(heard).toEqual(["admit"]);
  });

  it("are told of each policy that decides, with its document, and never twice", async () => {
    const served: ServedPolicy[] = [];
    const engine = await serve({
      sinks: [{ write: () => undefined, policy: (one) => void served.push(one) }],
    });
    const next = { ...POLICY, name: "next" };
    await engine.replace(next);
    await engine.replace(next);
    expect(served.map(({ name, document }) => [name, document.name])).toEqual([
      ["told", "told"],
      ["next", "next"],
    ]);
    expect(served[1]?.revision).toBe(engine.revision);
  });

  it("that left an admission out hear that its handler threw, whoever else heard of it, and once", async () => {
    const quiet: string[] = [];
    const also: string[] = [];
    const notable: string[] = [];
    const into = (list: string[]): DecisionSink => ({
      write: ({ outcome, error }) => void list.push(error === undefined ? outcome : "threw"),
    });
    const engine = await serve({
      sinks: [
        sampleDecisions(into(quiet), { admit: 0 }),
        into(also),
        sampleDecisions(into(notable), { admit: 0, notable: 0 }),
      ],
    });
    const admitted = async (): Promise<Exchange> => {
      const exchange = engine.open({
        method: "GET",
        target: "/few",
        headers: [["Host", "a.test"]],
        remoteAddress: "203.0.113.7",
      });
      expect(await exchange.head()).toMatchObject({ outcome: "admit" });
      return exchange;
    };
    (await admitted()).end(200);
    const failing = await admitted();
    failing.fail(new Error("broken"));
    failing.end(500);
    expect({ quiet, also, notable }).toEqual({ quiet: ["threw"], also: ["admit", "threw"], notable: [] });
  });

  it("hear once of each decision, also where a candidate is asked beside", async () => {
    let count = 0;
    const engine = await serve({ sinks: [{ write: () => void (count += 1) }] });
    await engine.shadow({ ...POLICY, name: "beside" }, { onDifference: () => undefined });
    await ask(engine, "/few");
    while ((engine.shadowing?.compared ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(count).toBe(1);
  });

  it.each([[{}], ["x"], [[{ writes: () => undefined }]]])("refuses %j", async (sinks) => {
    await expect(createEngine(POLICY, { sinks: sinks as never })).rejects.toThrow(
      "`sinks` of `createEngine` is not",
    );
  });

  it("a channel gets events while somebody listens", async () => {
    const seen: unknown[] = [];
    const listen = (event: unknown): void => void seen.push(event);
    const sink = decisionChannel();
    const engine = await serve({ sinks: [sink] });
    expect(sink.wants?.("admit", false)).toBe(false);
    await ask(engine, "/few");
    subscribe("gatehouse.decision", listen);
    await ask(engine, "/few");
    unsubscribe("gatehouse.decision", listen);
    await ask(engine, "/few");
    expect(seen).toMatchObject([{ outcome: "admit", route: "GET /few" }]);
  });

  it("pino writes what a plain event says", async () => {
    const lines: string[] = [];
    const logger = pino({ base: null }, { write: (line) => void lines.push(line) });
    const write = (event: DecisionEvent): void => logger.info({ decision: plainEvent(event) }, "decision");
    const engine = await serve({ sinks: [{ write }] });
    await ask(engine, "/nothing");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 30, msg: "decision", decision: { code: "not-found" } },
    ]);
  });
});

describe("OpenTelemetry", () => {
  it("counts by few values, and tells the active span which decision it was", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meters = new MeterProvider({ readers: [reader] });
    const spans = new InMemorySpanExporter();
    const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
    metrics.setGlobalMeterProvider(meters);
    trace.setGlobalTracerProvider(tracers);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    try {
      const engine = await serve({ sinks: [await openTelemetry()] });
      await trace.getTracer("test").startActiveSpan("request", async (span) => {
        await ask(engine, "/tenants/c4n4ry?q=c4n4ry", { as: "ann" });
        span.end();
      });
      for (const path of ["/c4n4ry/1", "/c4n4ry/2"]) await ask(engine, path, { method: "C4N4RY" });
      await ask(engine, "/watched", { method: "POST", as: "ann" });
      await reader.forceFlush();
      const points = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics: all }) => all);
      const named = (name: string): readonly unknown[] =>
        points
          .filter(({ descriptor }) => descriptor.name === name)
          .flatMap(({ dataPoints }) => [...dataPoints]);
      expect(named("gatehouse.decisions")).toMatchObject([
        {
          value: 1,
          attributes: {
            "gatehouse.policy.name": "told",
            "gatehouse.outcome": "refuse",
            "gatehouse.mode": "enforce",
            "gatehouse.stage": "authorize",
            "gatehouse.code": "forbidden",
            "http.route": "/tenants/:tenant",
            "http.request.method": "GET",
            "http.response.status_code": 403,
          },
        },
        { value: 2, attributes: { "gatehouse.code": "not-found", "http.request.method": "_OTHER" } },
        { value: 1, attributes: { "gatehouse.outcome": "admit", "gatehouse.mode": "observe" } },
      ]);
      expect(named("gatehouse.decision.duration")).toHaveLength(3);
      expect(named("gatehouse.refusals.observed")).toMatchObject([
        { value: 1, attributes: { "gatehouse.code": "forbidden", "gatehouse.stage": "authorize" } },
      ]);
      const [span] = spans.getFinishedSpans();
      expect(span?.attributes).toMatchObject({
        "gatehouse.code": "forbidden",
        "gatehouse.authenticator": "key",
        "gatehouse.policy.revision": engine.revision,
        "gatehouse.decision.id": expect.stringMatching(/^[0-9a-f-]{36}$/u),
      });
      expect(JSON.stringify([points, span?.attributes]).toLowerCase()).not.toContain("c4n4ry");
    } finally {
      await meters.shutdown();
      await tracers.shutdown();
      for (const api of [metrics, trace, context]) api.disable();
    }
  });

  it("takes what is handed in, and needs no package then", async () => {
    const counted: unknown[] = [];
    const instrument = { add: (value: number) => void counted.push(value), record: () => undefined };
    const sink = await openTelemetry({
      meter: { createCounter: () => instrument, createHistogram: () => instrument },
      span: () => undefined,
    });
    await ask(await serve({ sinks: [sink] }), "/few");
    expect(counted).toEqual([1]);
  });
});
