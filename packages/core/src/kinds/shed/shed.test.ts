import { fc, test } from "@fast-check/vitest";
import { afterEach, describe, expect, it } from "vitest";
import { checkPolicy } from "../../compile/check.js";
import { resolvePolicy } from "../../compile/resolve.js";
import { createEngine, type Engine, type EngineOptions } from "../../engine.js";
import { Report } from "../../errors/diagnostics.js";
import type { Exchange } from "../../exchange.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { PolicyDocument, ShedSettings } from "../../model/policy.js";
import type { RequestState } from "../../model/state.js";
import { shedKind } from "./index.js";
import { InFlightGate } from "./in-flight.js";
import { simulate } from "./simulation.test-support.js";

const OPEN = { authenticate: "none" } as const;

function document(shed: ShedSettings | undefined, routes: PolicyDocument["routes"] = {}): PolicyDocument {
  return {
    gatehouse: 1,
    name: "test",
    transport: { https: "off" },
    ...(shed !== undefined && { shed }),
    routes: { "GET /": OPEN, ...routes },
  };
}

function problems(shed: ShedSettings | undefined, routes?: PolicyDocument["routes"]): readonly string[] {
  return checkPolicy(document(shed, routes)).map(
    ({ code, pointer, message, help }) => `${code} ${pointer}: ${message} | ${help ?? ""}`,
  );
}

const PAY = { "GET /pay": { ...OPEN, shed: "pay" } };

describe("what could only misfire", () => {
  it.each<[string, ShedSettings | undefined, PolicyDocument["routes"], readonly string[]]>([
    ["all is well", { signal: "event-loop", classes: { pay: 0.5 } }, PAY, []],
    [
      "all of it is kept, and nobody is left out",
      { signal: "event-loop", classes: { pay: 0.6, default: 0.4 } },
      PAY,
      [],
    ],
    [
      "a class without shedding",
      undefined,
      PAY,
      [
        "setting-without-effect /routes/GET ~1pay/shed: `shed` is `pay` here, and the document has no `shed` | write `shed` at the top of the document, or leave the key out",
      ],
    ],
    [
      "a class that is not declared",
      { signal: "event-loop", classes: { pays: 0.5 } },
      PAY,
      [
        "unknown-class /routes/GET ~1pay/shed: unknown class `pay` | did you mean `pays`?",
        'unused-class /shed/classes/pays: a share is kept for `pays`, and no route is of that class | write `"shed": "pays"` on a route, a group or the defaults, or leave the class out',
      ],
    ],
    [
      "concurrency without a number",
      { signal: "concurrency" },
      {},
      ["missing-key /shed: `limit` is missing | write how many requests may be in flight, as in `200`"],
    ],
    [
      "the other signal's keys",
      { signal: "concurrency", limit: 5, target: "50ms" },
      {},
      [
        'setting-without-effect /shed/target: `target` belongs to the signal `event-loop` | leave it out, or write `"signal": "event-loop"`',
      ],
    ],
    [
      "the other signal's keys, the other way round",
      { signal: "event-loop", limit: 5 },
      {},
      [
        'setting-without-effect /shed/limit: `limit` belongs to the signal `concurrency` | leave it out, or write `"signal": "concurrency"`',
      ],
    ],
    [
      "a delay that cannot be told",
      { signal: "event-loop", target: "9ms" },
      {},
      [
        "out-of-range /shed/target: `9ms` is no delay of the event loop that can be kept | write a duration from `10ms` to `10s`",
      ],
    ],
    [
      "half a second in a field of whole ones",
      { signal: "event-loop", retryAfter: "1500ms" },
      {},
      [
        "out-of-range /shed/retryAfter: `1500ms` is nothing that `Retry-After` can say | write whole seconds, from `1s` to `1h`",
      ],
    ],
    [
      "no time at all",
      { signal: "event-loop", retryAfter: "0s" },
      {},
      [
        "out-of-range /shed/retryAfter: `0s` is nothing that `Retry-After` can say | write whole seconds, from `1s` to `1h`",
      ],
    ],
    [
      "more than all",
      { signal: "event-loop", classes: { pay: 0.6, default: 0.5 } },
      PAY,
      [
        "out-of-range /shed/classes: the shares together are more than 1 | a share is a part of one whole: make them smaller",
      ],
    ],
    [
      "nothing for the rest",
      { signal: "event-loop", classes: { pay: 1 } },
      PAY,
      [
        "out-of-range /shed/classes: the classes leave nothing to the routes that are of none | make a share smaller, or give `default` one",
      ],
    ],
    [
      "less than one request",
      { signal: "concurrency", limit: 20, classes: { pay: 0.04 } },
      PAY,
      ["out-of-range /shed/classes/pay: `0.04` of 20 is less than one request | write at least `0.05`"],
    ],
  ])("%s", (_what, shed, routes, expected) => {
    expect(problems(shed, routes)).toEqual(expected);
  });

  it("a signal that nobody gives", async () => {
    const report = new Report();
    const policy = resolvePolicy(document({ signal: "event-loop" }), report);
    if (policy === undefined) throw new Error("the policy is wrong");
    // As on a platform without one.
    const load = { inFlight: new Map(), watchEventLoop: () => undefined };
    await shedKind.compile(policy, { load, report } as unknown as CompileEnvironment);
    expect(report.diagnostics).toEqual([
      {
        code: "no-event-loop-delay",
        severity: "error",
        pointer: "/shed/signal",
        message: "nothing on this platform tells how late the event loop is",
        help: "hand `eventLoopDelay` to createEngine, or shed by `concurrency`",
      },
    ]);
  });
});

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

class Server {
  private constructor(
    readonly engine: Engine,
    private readonly time: { now: number },
  ) {}

  static async of(policy: PolicyDocument, options: EngineOptions = {}): Promise<Server> {
    const time = { now: 1_000 };
    const clock = { now: () => time.now, monotonic: () => time.now };
    const engine = await createEngine(policy, { clock, ...options });
    engines.push(engine);
    return new Server(engine, time);
  }

  wait(milliseconds: number): void {
    this.time.now += milliseconds;
  }

  open(target = "/"): { readonly exchange: Exchange; readonly admitted: boolean } {
    const exchange = this.engine.open({
      method: "GET",
      target,
      headers: [["Host", "a.test"]],
      remoteAddress: "::1",
    });
    const decision = exchange.head();
    if (decision instanceof Promise) throw new Error("a promise was made");
    if (decision.outcome === "refuse") exchange.end(decision.status);
    return { exchange, admitted: decision.outcome === "admit" };
  }
}

describe("requests in flight", () => {
  it("a policy that is replaced hands its own on to the next, by class", async () => {
    const shed = (limit: number): ShedSettings => ({ signal: "concurrency", limit, classes: { pay: 0.5 } });
    const server = await Server.of(document(shed(4), PAY));
    const held = [server.open(), server.open("/pay")];
    await server.engine.replace(document(shed(2), PAY));
    expect(server.open().admitted).toBe(false);
    expect(server.open("/pay").admitted).toBe(false);
    held[0]?.exchange.end(200);
    expect(server.open().admitted).toBe(true);
    expect(server.open("/pay").admitted).toBe(false);
  });

  it("ends once, however often it is told", async () => {
    const server = await Server.of(document({ signal: "concurrency", limit: 1 }));
    const { exchange } = server.open();
    exchange.end(200);
    exchange.end(200);
    expect([server.open().admitted, server.open().admitted]).toEqual([true, false]);
  });

  it("a candidate beside the policy takes none of them", async () => {
    const server = await Server.of(document({ signal: "concurrency", limit: 1 }));
    const differences: unknown[] = [];
    await server.engine.shadow(document({ signal: "concurrency", limit: 1, retryAfter: "2s" }), {
      onDifference: (difference) => void differences.push(difference),
    });
    for (let time = 0; time < 5; time += 1) server.open().exchange.end(200);
    await server.engine.shadow(undefined);
    expect(differences).toEqual([]);
    expect(server.open().admitted).toBe(true);
  });

  const plan = fc.record({
    limit: fc.integer({ min: 1, max: 12 }),
    shares: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    // Mostly they come: what is kept is met when all is full.
    steps: fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { minLength: 20, maxLength: 80 }),
  });

  test.prop([plan])("never more than the limit, and never less than a share", ({ limit, shares, steps }) => {
    const names = ["default", ...shares.map((_, index) => `c${index}`)];
    const parts = [0, ...shares.map((percent) => percent / 130)];
    const kept = parts.map((part) => Math.floor(part * limit + 1e-9));
    const gate = new InFlightGate(
      limit,
      new Map(names.map((name, index) => [name, parts[index] ?? 0])),
      new Map(),
    );
    const doors = names.map((name) => gate.door(name));
    const held = names.map((): RequestState[] => []);
    const count = (index: number): number => held[index]?.length ?? 0;
    for (const [pick, enters] of steps) {
      const index = pick % names.length;
      const mine = held[index] ?? [];
      if (enters === 0) {
        const leaver = mine.shift();
        for (const one of leaver?.settlements ?? [])
          one.settle({ status: 200, refusedAt: undefined, answer: undefined }, leaver as RequestState);
        continue;
      }
      const state = { settlements: undefined } as unknown as RequestState;
      const before = names.map((_, at) => count(at));
      const others = before.reduce(
        (sum, own, at) => sum + (at === index ? 0 : Math.max(own, kept[at] ?? 0)),
        0,
      );
      const room = others + (before[index] ?? 0) < limit;
      const entered = doors[index]?.enter(state) === true;
      expect(entered).toBe(room || (before[index] ?? 0) < (kept[index] ?? 0));
      if (entered) mine.push(state);
      expect(names.reduce((sum, _, at) => sum + count(at), 0)).toBeLessThanOrEqual(limit);
    }
  });
});

describe("the event loop", () => {
  it("asks for the delay a hundred times a second at most, and for routes that are shed alone", async () => {
    let asked = 0;
    const server = await Server.of(
      document({ signal: "event-loop" }, { "GET /free": { ...OPEN, shed: "never" } }),
      {
        eventLoopDelay: () => (asked++, 0),
      },
    );
    for (let time = 0; time < 50; time += 1) server.open("/free").exchange.end(200);
    expect(asked).toBe(0);
    server.open().exchange.end(200);
    const first = asked;
    for (let time = 0; time < 50; time += 1) server.open().exchange.end(200);
    expect(asked).toBe(first);
    server.wait(10);
    server.open().exchange.end(200);
    expect(asked).toBe(first + 1);
  });

  it("a delay that is no number refuses: compared with one it would say that all is well", async () => {
    const reasons: unknown[] = [];
    for (const eventLoopDelay of [
      () => Number.NaN,
      () => {
        throw new Error("broken");
      },
    ]) {
      const server = await Server.of(document({ signal: "event-loop" }), {
        eventLoopDelay,
        onDecision: ({ code }) => void reasons.push(code),
      });
      expect(server.open().admitted).toBe(false);
    }
    expect(reasons).toEqual(["internal-error", "internal-error"]);
  });

  it("what the process did before anybody asked is no delay of theirs", async () => {
    let delay = 5_000;
    const server = await Server.of(document({ signal: "event-loop" }), {
      eventLoopDelay: () => {
        const told = delay;
        delay = 0;
        return told;
      },
    });
    for (let time = 0; time < 2; time += 1) {
      server.open().exchange.end(200);
      server.wait(100);
    }
    expect([1, 2, 3].map(() => server.open().admitted)).toEqual([true, true, true]);
  });

  const CALM = { target: 50, shares: { default: 0 }, seconds: 6 };

  it("turns nobody away from a process that can bear it", () => {
    const { seen } = simulate({ ...CALM, handler: 4, waits: 5, callers: { default: 40 }, pause: 200 });
    expect(seen["default"]?.refused).toBe(0);
  });

  it.each([2, 20, 120])(
    "keeps the loop within twice the target where handlers of %i ms do all at once",
    (handler) => {
      const { used, latest, seen } = simulate({
        ...CALM,
        handler,
        waits: 0,
        callers: { default: 100 },
        pause: 10,
      });
      expect(seen["default"]?.refused).toBeGreaterThan(100);
      expect(latest).toBeLessThanOrEqual(Math.max(100, handler + 1));
      expect(used).toBeGreaterThan(0.75);
    },
  );

  it.each([
    [2, 5],
    [2, 50],
    [20, 5],
  ])("and not much beyond where handlers of %i ms do it %i ms later", (handler, waits) => {
    const { used, latest } = simulate({ ...CALM, handler, waits, callers: { default: 100 }, pause: 10 });
    expect(latest).toBeLessThanOrEqual(150);
    expect(used).toBeGreaterThan(0.45);
  });

  it("a class that asks for less than its share is hardly ever turned away", () => {
    const { seen } = simulate({
      ...CALM,
      shares: { critical: 0.2, default: 0 },
      handler: 2,
      waits: 5,
      callers: { default: 100, critical: 1 },
      pause: 50,
    });
    const { admitted = 0, refused = 0 } = seen["critical"] ?? {};
    expect(refused / (admitted + refused)).toBeLessThan(0.1);
    expect((seen["default"]?.refused ?? 0) / (seen["default"]?.admitted ?? 1)).toBeGreaterThan(1);
  });
});
