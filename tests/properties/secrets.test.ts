/**
 * `secrets_never_leak`: credentials, secrets, bodies and what a handler throws carry a canary; it stands in no refusal,
 * reason, header, trace, event, diagnostic or inspected object.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  createEngine,
  openTelemetry,
  pollPolicy,
  PolicyError,
  Secret,
  type DecisionEvent,
  type PolicyDocument,
  type ShadowDifference,
} from "@gatehouse/core";
import { decisionChannel, jsonLines } from "@gatehouse/core/node";
import { mintToken } from "@gatehouse/core/conformance";
import { describe, expect, it } from "vitest";
import { policy, through } from "./support.js";
import { ed25519Pair } from "../../packages/core/src/node/key-pair.js";

const CANARY = "c4n4ry";
const SECRET = `${CANARY}-0123456789abcdef0123456789abcdef`;

async function engineWith(events: DecisionEvent[]): ReturnType<typeof createEngine> {
  return createEngine(policy, {
    trace: true,
    secrets: { get: () => SECRET },
    lookups: { find: () => undefined },
    authenticators: { own: ({ credential }) => (credential === CANARY ? "bad" : "absent") },
    checks: {
      first: () => true,
      second: () => {
        throw new Error(CANARY);
      },
    },
    onDecision: (event) => void events.push(event),
  });
}

const json: readonly (readonly [string, string])[] = [
  ["Host", "a.test"],
  ["Content-Type", "application/json"],
];
const lengthOf = (body: string): readonly [string, string] => [
  "Content-Length",
  String(Buffer.byteLength(body)),
];

/** Every place where a caller can put something that must not come back. */
const requests = {
  "a bad API key": { headers: [["X-API-Key", CANARY]] },
  "a bad credential of the application's": { headers: [["X-Own", CANARY]] },
  "a malformed token": { headers: [["Authorization", `Bearer ${CANARY}.${CANARY}.${CANARY}`]] },
  "another scheme": { headers: [["Authorization", `Basic ${CANARY}`]] },
  "a token signed by somebody else": {
    headers: [["Authorization", `Bearer ${mintToken({ key: "hs-1", claims: { sub: CANARY } }, Date.now())}`]],
  },
  "a cookie": { headers: [["Cookie", `sid=${CANARY}`]] },
  "a query": { target: `/things/a?token=${CANARY}` },
  "an origin": { headers: [["Origin", `https://${CANARY}.evil.test`]] },
  "a host": { headers: [["Host", `${CANARY}.evil.test`]], bare: true },
  "a path that can be read two ways": { target: `/things/..%2f${CANARY}` },
  "a path that no route has": { target: `/${CANARY}` },
  "a method": { method: `X${CANARY.toUpperCase()}` },
  "a correlation id with blanks": { headers: [["X-Request-Id", `${CANARY} x`]] },
  "a header that is sent twice": {
    headers: [
      ["Authorization", CANARY],
      ["Authorization", CANARY],
    ],
  },
  "an expectation": { headers: [["Expect", CANARY]] },
} as const satisfies Record<
  string,
  { headers?: readonly (readonly [string, string])[]; target?: string; method?: string; bare?: boolean }
>;

describe("secrets_never_leak (B10.158)", () => {
  it.each(Object.entries(requests))("through %s", async (_name, parts) => {
    const events: DecisionEvent[] = [];
    const engine = await engineWith(events);
    const body = JSON.stringify({ name: "x" });
    const own = "headers" in parts ? parts.headers : [];
    const { decision } = await through(engine, {
      method: "method" in parts ? parts.method : "POST",
      target: "target" in parts ? parts.target : "/things/a",
      headers: [...("bare" in parts ? json.slice(1) : json), lengthOf(body), ...own],
      remoteAddress: "203.0.113.7",
      body,
    });
    expect(decision.outcome).toBe("refuse");
    // The method is the event's own field: it is what was asked for, no credential.
    const told = inspect([decision, events.map(({ method: _method, ...event }) => event)], { depth: 20 });
    expect(told).not.toContain(CANARY);
    expect(events).toHaveLength(1);
  });

  it("through every sink, whatever is asked", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-canary-"));
    try {
      const file = join(folder, "decisions.jsonl");
      const { privateKey } = ed25519Pair();
      const log = await jsonLines({ file, chain: { key: { kid: "k", algorithm: "EdDSA", privateKey } } });
      const told: unknown[] = [];
      const instrument = {
        add: (_value: number, attributes: object) => void told.push(attributes),
        record: (_value: number, attributes: object) => void told.push(attributes),
      };
      const meter = { createCounter: () => instrument, createHistogram: () => instrument };
      const span = { isRecording: () => true, setAttributes: (attributes: object) => told.push(attributes) };
      const hear = (event: unknown): void => {
        const { error: _error, method: _method, ...rest } = event as DecisionEvent;
        told.push(rest);
      };
      subscribe("gatehouse.canary", hear);
      const engine = await createEngine(policy, {
        ...CODE,
        trace: true,
        secrets: { get: () => SECRET },
        lookups: { find: (sha256) => ({ id: "ann", sha256, roles: ["customer"] }) },
        checks: {
          first: () => true,
          second: () => {
            throw Object.assign(new Error(CANARY, { cause: CANARY }), { name: CANARY, code: CANARY });
          },
        },
        sinks: [log, decisionChannel("gatehouse.canary"), await openTelemetry({ meter, span: () => span })],
      });
      const body = JSON.stringify({ name: "x" });
      // A good key besides, so that one of them gets to the check that throws.
      const all = [...Object.values(requests), { headers: [["X-API-Key", "good"]] as const }];
      for (const parts of all) {
        const own = "headers" in parts ? parts.headers : [];
        await through(engine, {
          method: "method" in parts ? parts.method : "POST",
          target: "target" in parts ? parts.target : "/things/a",
          headers: [...("bare" in parts ? json.slice(1) : json), lengthOf(body), ...own],
          remoteAddress: "203.0.113.7",
          body,
        });
      }
      await log.close();
      await engine.close();
      unsubscribe("gatehouse.canary", hear);
      const lines = readFileSync(file, "utf8");
      expect(log.status).toEqual({ written: all.length, dropped: 0, queued: 0 });
      expect(lines).toContain('"error":"Error"');
      expect(lines).not.toContain(CANARY);
      expect(told.length).toBeGreaterThan(3 * all.length);
      expect(inspect(told, { depth: 20 }).toLowerCase()).not.toContain(CANARY);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("through bodies, valid and not", async () => {
    for (const body of [
      `{"name":"${CANARY}","${CANARY}":1}`,
      `{"name":${CANARY}`,
      `{"name":"x","name":"${CANARY}"}`,
      `["${CANARY}"]`,
    ]) {
      const events: DecisionEvent[] = [];
      const engine = await createEngine(policy, {
        trace: true,
        secrets: { get: () => SECRET },
        lookups: { find: (sha256) => ({ id: "ann", sha256, roles: ["customer"] }) },
        authenticators: { own: () => "absent" },
        checks: { first: () => true, second: () => true },
        onDecision: (event) => void events.push(event),
      });
      const { decision } = await through(engine, {
        method: "POST",
        target: "/things/a",
        headers: [...json, lengthOf(body), ["X-API-Key", "key"]],
        remoteAddress: "203.0.113.7",
        body,
      });
      expect(decision.outcome).toBe("refuse");
      const told = inspect([decision, events], { depth: 20 });
      // A pointer may name a member that the caller made up; its value never comes back.
      expect(told.replaceAll(`/body/${CANARY}`, "")).not.toContain(CANARY);
    }
  });

  it("through what the application throws: only the operator's event carries the error", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policy, {
      trace: true,
      secrets: { get: () => SECRET },
      lookups: { find: (sha256) => ({ id: "ann", sha256, roles: ["customer"] }) },
      authenticators: { own: () => "absent" },
      checks: {
        first: () => true,
        second: () => {
          throw Object.assign(new Error(CANARY, { cause: CANARY }), { name: CANARY });
        },
      },
      onDecision: (event) => void events.push(event),
    });
    const body = '{"name":"x"}';
    const { decision } = await through(engine, {
      method: "POST",
      target: "/things/a",
      headers: [...json, lengthOf(body), ["X-API-Key", "key"]],
      remoteAddress: "203.0.113.7",
      body,
    });
    expect(decision).toMatchObject({ outcome: "refuse", status: 500 });
    expect(inspect(decision, { depth: 20 })).not.toContain(CANARY);
    const [{ error, ...event } = { error: undefined }] = events;
    expect(error).toBeInstanceOf(Error);
    expect(inspect(event, { depth: 20 })).not.toContain(CANARY);
  });

  it("through a handler that throws", async () => {
    const engine = await createEngine({
      gatehouse: 1,
      name: "throws",
      transport: { https: "off" },
      routes: { "GET /": { authenticate: "none" } },
    });
    const exchange = engine.open({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
    void exchange.head();
    const shaped = exchange.fail(Object.assign(new Error(CANARY), { toString: () => CANARY, stack: CANARY }));
    expect(shaped.status).toBe(500);
    expect(inspect(shaped)).not.toContain(CANARY);
  });

  it("through the engine object itself", async () => {
    const engine = await engineWith([]);
    expect(inspect(engine, { depth: 30, showHidden: true, getters: true })).not.toContain(SECRET);
    expect(JSON.stringify(engine)).not.toContain(CANARY);
  });

  it("through diagnostics of keys that cannot be used", async () => {
    const jwt = {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["HS256"],
      keys: { secret: "env:SHORT" },
    } as const;
    const short: PolicyDocument = { ...policy, authenticators: { ...policy.authenticators, user: jwt } };
    const options = {
      lookups: { find: () => undefined },
      authenticators: { own: () => "absent" as const },
      checks: { first: () => true, second: () => true },
    };
    const failed: unknown = await createEngine(short, { ...options, secrets: { get: () => CANARY } }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(PolicyError);
    expect(inspect(failed, { depth: 10 })).not.toContain(CANARY);
  });

  it("through secrets that change, whatever their source does", async () => {
    const told: unknown[] = [];
    let signal: () => void = () => undefined;
    let value: () => string | Secret | undefined = () => SECRET;
    const heard = new Waiter();
    const engine = await createEngine(policy, {
      ...CODE,
      secrets: {
        get: () => value(),
        watch: (_, changed) => {
          signal = changed;
          return () => undefined;
        },
        concern: () => {
          throw new Error(SECRET);
        },
      },
      onSecrets: (event) => {
        told.push(event);
        heard.wake();
      },
    });
    const warnings: unknown[] = [];
    const listen = (warning: unknown): void => void warnings.push(warning);
    process.on("warning", listen);
    for (const [index, next] of [
      () => Secret.of(`${SECRET}-second`),
      () => CANARY,
      () => {
        throw Object.assign(new Error(SECRET, { cause: SECRET }), { name: SECRET, code: SECRET });
      },
      () => undefined,
      () => `${SECRET}-third`,
    ].entries()) {
      value = next;
      signal();
      await heard.until(() => told.length > index);
    }
    process.off("warning", listen);
    const shown = inspect([engine, told, warnings], { depth: 30, showHidden: true, getters: true });
    expect(shown).not.toContain(CANARY);
    expect(JSON.stringify([engine, told])).not.toContain(CANARY);
    await engine.close();
  });

  it("through a policy that is followed, its source and its headers", async () => {
    const told: unknown[] = [];
    const engine = await createEngine({
      gatehouse: 1,
      name: "followed",
      transport: { https: "off" },
      routes: { "GET /": { authenticate: "none" } },
    });
    const answers = [
      new Response(CANARY),
      new Response(`{"gatehouse":1,"name":"${CANARY}`),
      new Response("x", { status: 503, headers: { "X-Why": CANARY } }),
      new Response(null, { status: 302, headers: { Location: `https://${CANARY}.test/` } }),
    ];
    const follower = await pollPolicy(engine, `https://policies.test/orders?key=${CANARY}`, {
      headers: { Authorization: Secret.of(`Bearer ${CANARY}`), "X-Plain": CANARY },
      fetch: () => {
        const next = answers.shift();
        return next === undefined ? Promise.reject(new Error(CANARY)) : Promise.resolve(next);
      },
      onChange: (change) => void told.push(change),
      onProblem: (problem) => void told.push(problem),
    });
    await follower.ready;
    for (let round = 0; round < 4; round++) {
      told.push(follower.status);
      await follower.check();
    }
    follower.close();
    expect(told.length).toBeGreaterThan(4);
    expect(inspect(told, { depth: 20, showHidden: true })).not.toContain(CANARY);
  });

  it("through a candidate in shadow", async () => {
    const differences: ShadowDifference[] = [];
    const heard = new Waiter();
    const engine = await engineWith([]);
    const { "POST /things/:id": _, ...routes } = policy.routes;
    await engine.shadow(
      { ...policy, routes: { ...routes, "GET /else": { authenticate: "none" } } },
      {
        onDifference: (difference) => {
          differences.push(difference);
          heard.wake();
        },
      },
    );
    for (const headers of [
      [["X-API-Key", CANARY]],
      [["X-Own", CANARY]],
      [["Authorization", `Bearer ${CANARY}.${CANARY}.${CANARY}`]],
      [["Cookie", `sid=${CANARY}`]],
    ] as const) {
      const body = JSON.stringify({ name: CANARY });
      const count = differences.length;
      await through(engine, {
        method: "POST",
        target: `/things/a?token=${CANARY}`,
        headers: [...json, lengthOf(body), ...headers],
        remoteAddress: "203.0.113.7",
        body,
      });
      await heard.until(() => differences.length > count);
    }
    expect(inspect(differences, { depth: 20, showHidden: true })).not.toContain(CANARY);
    await engine.close();
  });
});

const CODE = {
  lookups: { find: () => undefined },
  authenticators: { own: () => "absent" as const },
  checks: { first: () => true, second: () => true },
};

class Waiter {
  #waiting: (() => void)[] = [];

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
