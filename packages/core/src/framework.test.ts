/** What an exchange tells and takes for the sake of frameworks that answer, parse and fail by themselves. */
import { describe, expect, it } from "vitest";
import {
  createEngine,
  type Admission,
  type DecisionEvent,
  type Exchange,
  type PolicyDocument,
} from "./index.js";

const BODY = { type: "object", properties: { id: { type: "integer" } } };
const ROUTES: PolicyDocument["routes"] = {
  "GET /plain": { authenticate: "none" },
  "GET /ruled": { authenticate: "none", response: { body: BODY } },
  "GET /encoded": { authenticate: "none", response: { encode: true } },
  "GET /typed": { authenticate: "none", request: { query: { n: { type: "integer" } } } },
  "GET /concealed": { authenticate: "none", conceal: true },
  "POST /in": { authenticate: "none", request: { body: BODY } },
};
const events: DecisionEvent[] = [];

async function opened(key: string, mode: "enforce" | "observe" = "enforce"): Promise<Exchange> {
  const engine = await createEngine(
    { gatehouse: 1, name: "framework", transport: { https: "off" }, mode, routes: ROUTES },
    { onDecision: (event) => void events.push(event) },
  );
  const [method = "", target = ""] = key.split(" ");
  const headers: [string, string][] = [["Host", "A.test"]];
  if (method === "POST") headers.push(["Content-Type", "application/json"], ["Content-Length", "2"]);
  return engine.open({ method, target, headers, remoteAddress: "127.0.0.1" });
}

async function admitted(key: string): Promise<{ exchange: Exchange; admission: Admission }> {
  const exchange = await opened(key);
  const admission = await exchange.head();
  if (admission.outcome !== "admit") throw new Error(admission.outcome);
  return { exchange, admission };
}

describe("fail", () => {
  it.each([
    [undefined, 500, "handler-failed"],
    [500, 500, "handler-failed"],
    [503, 503, "handler-failed"],
    [404, 404, "not-found"],
    [400, 400, "handler-refused"],
    [418, 418, "handler-refused"],
    [200, 500, "handler-failed"],
    [600, 500, "handler-failed"],
    [404.5, 500, "handler-failed"],
    [Number.NaN, 500, "handler-failed"],
  ])("with %s is %s %s", async (status, expected, code) => {
    const { exchange } = await admitted("GET /plain");
    const shaped = exchange.fail(new Error("canary"), status);
    expect([shaped.status, JSON.parse(Buffer.from(shaped.body ?? "").toString())]).toMatchObject([
      expected,
      { code, status: expected },
    ]);
    expect(shaped.body).not.toContain("canary");
    exchange.end(shaped.status);
    expect(events.at(-1)).toMatchObject({ outcome: "admit", error: new Error("canary") });
  });
});

describe("a handler that asks who calls", () => {
  const JWT = {
    type: "jwt",
    issuer: "https://id.test/",
    audience: "t",
    algorithms: ["HS256"],
    keys: { secret: "env:KEY" },
  } as const;
  const failed = async (mode: "enforce" | "observe"): Promise<readonly (readonly [string, string])[]> => {
    const engine = await createEngine(
      {
        gatehouse: 1,
        name: "framework",
        transport: { https: "off" },
        mode,
        authenticators: { user: JWT },
        routes: { "GET /": { authenticate: ["optional", "user"], authorize: "anyone" } },
      },
      { secrets: { get: () => "k".repeat(32) } },
    );
    const exchange = engine.open({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
    expect((await exchange.head()).outcome).toBe("admit");
    return exchange.fail(new Error("who?"), 401).headers;
  };

  it.each(["enforce", "observe"] as const)("says how to tell, and what it sends, under %s", async (mode) => {
    const headers = await failed(mode);
    expect(headers.slice(-3)).toEqual([
      ["WWW-Authenticate", 'Bearer realm="framework"'],
      ["Content-Type", "application/problem+json"],
      ["Content-Length", expect.any(String)],
    ]);
    // Under observation nothing else is the policy's.
    expect(headers.length > 3).toBe(mode === "enforce");
  });
});

it("an answer of the engine's own has its trace, also where it has no body", async () => {
  const engine = await createEngine(
    {
      gatehouse: 1,
      name: "framework",
      transport: { https: "off" },
      cors: { origins: ["https://b.test"] },
      routes: ROUTES,
    },
    { trace: true },
  );
  const decision = await engine.evaluate({
    method: "OPTIONS",
    target: "/plain",
    headers: { Host: "a.test", Origin: "https://b.test", "Access-Control-Request-Method": "GET" },
  });
  expect(decision).toMatchObject({ outcome: "answer", status: 204 });
  expect(decision).not.toHaveProperty("body");
  expect(decision.trace).not.toEqual([]);
  expect(decision.trace).toBeDefined();
});

describe("what an adapter is told", () => {
  it.each([
    ["GET /plain", false],
    ["GET /ruled", true],
    ["GET /encoded", true],
  ])("%s: a value is wanted before it is text: %s", async (key, wanted) => {
    expect((await admitted(key)).exchange.writesJson).toBe(wanted);
  });

  it.each([
    ["GET /plain?n=1", false],
    ["GET /typed?n=1", true],
    ["GET /typed", true],
  ])("%s: the query was validated: %s", async (key, validated) => {
    expect((await admitted(key)).admission.queryValidated).toBe(validated);
  });

  it("who called whom", async () => {
    const { admission } = await admitted("GET /plain");
    expect(admission.client).toEqual({ ip: "127.0.0.1", scheme: "http", host: "a.test" });
  });
});

describe("a body that somebody else has read", () => {
  it("is refused where a rule reads it", async () => {
    const exchange = await opened("POST /in");
    expect((await exchange.head()).outcome).toBe("continue");
    expect(await exchange.body({ taken: true })).toMatchObject({
      outcome: "refuse",
      stage: "body",
      code: "body-already-read",
      status: 500,
    });
  });

  it("is told in observe mode", async () => {
    const exchange = await opened("POST /in", "observe");
    await exchange.head();
    expect(await exchange.body({ taken: true })).toMatchObject({
      outcome: "admit",
      observed: [{ stage: "body", code: "body-already-read", status: 500 }],
    });
  });
});
