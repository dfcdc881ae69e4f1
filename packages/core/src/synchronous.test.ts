/** A warm decision that asks nobody outside makes no promise: each would cost every request a turn of the event loop's queue. */
import { createHmac } from "node:crypto";
import { createHook } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { createEngine, type Engine, type PolicyDocument, type RawRequest } from "./index.js";

const SECRET = "a-secret-of-more-than-thirty-two-bytes!!";
const ORIGIN = "https://shop.example.com";

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "small",
  transport: { https: "off" },
  cors: { origins: [ORIGIN] },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "small",
      algorithms: ["HS256"],
      keys: { secret: "env:JWT_SECRET" },
      principal: { id: "sub", roles: "roles", tenant: "tenant" },
    },
  },
  roles: { clerk: [], customer: [] },
  limits: {
    "per-ip": { limit: 1_000_000, window: "1h", by: "client.ip" },
    "per-user": { limit: 1_000_000, window: "1h", by: "principal.id", algorithm: "token-bucket" },
    "at-once": { limit: 1000, by: "principal.id", algorithm: "concurrency" },
  },
  routes: {
    "GET /open": { authenticate: "none" },
    "GET /tenants/:tenant": {
      authorize: { roles: ["customer"], when: "principal.tenant == params.tenant" },
      limits: ["per-ip", "per-user", "at-once"],
      request: { query: { page: { type: "integer", default: 1 } } },
      response: {
        body: { type: "object", properties: { id: { type: "string" } } },
        redact: { "/id": { action: "mask", unless: { roles: ["clerk"] } } },
      },
    },
    "GET /clerks": { authorize: { roles: ["clerk"] } },
    "POST /orders": {
      authorize: "authenticated",
      request: { body: { type: "object", properties: { sku: { type: "string" } } } },
    },
  },
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = {
    iss: "https://id.example.com/",
    aud: "small",
    sub: "ann",
    roles: ["customer"],
    tenant: "acme",
  };
  const input = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...claims, exp })}`;
  return `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
}

const BEARER = `Bearer ${token()}`;

const asking = (method: string, target: string, ...fields: readonly string[]): RawRequest => ({
  method,
  target,
  headers: ["Host", "a.test", ...fields],
  remoteAddress: "203.0.113.7",
});

const known = (method: string, target: string, ...fields: readonly string[]): RawRequest =>
  asking(method, target, "Origin", ORIGIN, "Authorization", BEARER, ...fields);

const engine: Promise<Engine> = createEngine(policy, {
  secrets: { get: () => SECRET },
  onDecision: () => undefined,
});

/** Of everything that runs in it, deep inside too. */
function promisesIn(run: () => void): number {
  let made = 0;
  const hook = createHook({ init: (_id, type) => (made += type === "PROMISE" ? 1 : 0) }).enable();
  try {
    run();
  } finally {
    hook.disable();
  }
  return made;
}

const BODY = Buffer.from('{"sku":"a"}');

/** @returns how it ended */
function exchangeOf(opened: Engine, raw: RawRequest): string {
  const exchange = opened.open(raw);
  const head = exchange.head();
  if (head instanceof Promise) throw new Error("the head waits");
  const decided = head.outcome === "continue" ? exchange.body({ bytes: BODY, complete: true }) : head;
  if (decided instanceof Promise) throw new Error("the body waits");
  if (decided.outcome === "admit")
    exchange.respond({ status: 200, headers: [], body: { id: "1", more: "2" } });
  exchange.end(200);
  return decided.outcome;
}

const REQUESTS: readonly (readonly [what: string, outcome: string, raw: RawRequest])[] = [
  ["an open route", "admit", asking("GET", "/open")],
  [
    "a token, a role, a condition, limits, a query and a projected answer",
    "admit",
    known("GET", "/tenants/acme?page=2"),
  ],
  ["a role that is not held", "refuse", known("GET", "/clerks")],
  ["a condition that does not hold", "refuse", known("GET", "/tenants/other")],
  ["no credential", "refuse", asking("GET", "/clerks")],
  ["a bad credential", "refuse", asking("GET", "/clerks", "Authorization", "Bearer x.y.z")],
  ["no such route", "refuse", asking("GET", "/nowhere")],
  [
    "a preflight",
    "answer",
    asking("OPTIONS", "/open", "Origin", ORIGIN, "Access-Control-Request-Method", "GET"),
  ],
  [
    "a body that is there",
    "admit",
    known("POST", "/orders", "Content-Type", "application/json", "Content-Length", String(BODY.length)),
  ],
];

describe("a warm decision", () => {
  it.each(REQUESTS)("makes no promise: %s", async (_what, outcome, raw) => {
    const opened = await engine;
    expect(exchangeOf(opened, raw)).toBe(outcome);
    expect(promisesIn(() => exchangeOf(opened, raw))).toBe(0);
  });

  it("is counted by something that sees promises", () => {
    expect(promisesIn(() => void Promise.resolve().then(() => undefined))).toBe(2);
  });
});
