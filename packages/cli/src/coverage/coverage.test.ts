import { expect, it } from "vitest";
import { definePolicy, type PolicyDocument } from "@gatehouse/core";
import { runPolicyTests, type PolicyTestFile } from "@gatehouse/core/testing";
import { CoverageOf, type PolicyCoverage } from "./coverage.js";

const policy = {
  gatehouse: 1,
  name: "notes",
  transport: { hosts: ["a.example", "b.example"] },
  cors: { origins: ["https://shop.example"] },
  authenticators: {
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
  },
  roles: { admin: [], clerk: [], reader: [] },
  limits: { few: { limit: 2, window: "1m", by: "client.ip", when: "request.method == 'GET' || false" } },
  schemas: {
    Note: { type: "object", required: ["text"], properties: { text: { type: "string", maxLength: 3 } } },
  },
  routes: {
    "POST /notes/:id": {
      authorize: [
        { roles: ["admin", "clerk"] },
        { scopes: ["w"], when: "!(principal.tenant == params.id) && 'reader' in principal.roles" },
      ],
      limits: ["few"],
      request: { params: { id: { type: "string", minLength: 2 } }, body: { $ref: "#/schemas/Note" } },
      response: {
        body: { type: "object", properties: { text: { type: "string" } } },
        redact: { "/text": { action: "mask", unless: { roles: ["admin"] } } },
      },
    },
  },
} as const satisfies PolicyDocument;

async function coverageBy(...tests: readonly object[]): Promise<PolicyCoverage> {
  return coverageOf(policy, people, tests);
}

const people = {
  admin: { roles: ["admin"] },
  reader: { roles: ["reader"], scopes: ["w"], attributes: { tenant: "acme" } },
};

async function coverageOf(
  policy: PolicyDocument,
  people: object,
  tests: readonly object[],
): Promise<PolicyCoverage> {
  const file = {
    policy,
    people,
    tests: tests.map((test, index) => ({ name: `${index}`, expect: { absent: ["/none"] }, ...test })),
  } as unknown as PolicyTestFile;
  const coverage = new CoverageOf("policy.json", policy);
  await runPolicyTests(file, { onDecision: (seen) => coverage.see(seen, file) });
  return coverage.report();
}

const post = (more: object = {}): object => ({
  method: "POST",
  target: "/notes/acme",
  body: { text: "a" },
  ...more,
});
const lines = ({ uncovered }: PolicyCoverage): string[] =>
  uncovered.map(({ kind, pointer, outcome, part }) =>
    [
      kind,
      pointer.replace("/routes/POST ~1notes~1:id", "…"),
      ...(part === undefined ? [] : [part]),
      outcome,
    ].join(" | "),
  );

it("is a closed list, of which nothing is reached without tests", async () => {
  const found = await coverageBy({ request: "GET /elsewhere" });
  expect(found.covered).toBe(3);
  expect(found.total).toBe(58);
  expect(lines(found)).toEqual(lines(await coverageBy({ request: "GET /elsewhere" })));
});

it("tells each part of a condition, each entry and each keyword apart", async () => {
  const found = await coverageBy(
    {
      as: "admin",
      request: post({ headers: { Origin: "https://shop.example" } }),
      answer: { body: { text: "t", more: 1 } },
    },
    { as: "reader", request: post({ body: { text: "long" }, host: "b.example" }) },
    { as: "reader", request: post({ target: "/notes/ab" }), answer: { body: { text: "t" } } },
    { as: "reader", request: post({ target: "/notes/ab", body: { text: "long" } }) },
    { as: "reader", request: post({ target: "/notes/ab", body: {} }) },
    { as: "reader", request: post({ target: "/notes/a" }) },
  );
  const when = "…/authorize/1/when";
  expect(
    lines(found).filter((line) =>
      /conditions|authorize|schemas|redactions|cors|transport|responses/u.test(line),
    ),
  ).toEqual([
    "authorize | …/authorize/0/roles/1 | held",
    "authorize | …/authorize/1/scopes | missed",
    `conditions | ${when} | 'reader' in principal.roles | false`,
    "schemas | /schemas/Note/type | refused",
    "schemas | /schemas/Note/properties/text/type | refused",
    "cors | /cors | preflight granted",
    "cors | /cors | preflight not granted",
    "cors | /cors | stranger",
    "conditions | /limits/few/when | request.method == 'GET' || false | true",
    "conditions | /limits/few/when | request.method == 'GET' | true",
    "transport | /transport/https | refused",
    "transport | /transport/hosts | refused",
  ]);
});

it("counts routes without a credential whose callers are asked where they come from", async () => {
  const login = { authenticate: "none", csrf: { always: true } } as const;
  const open = definePolicy({
    gatehouse: 1,
    name: "login",
    routes: {
      "POST /login": login,
      "GET /login": login,
      "POST /hello": { authenticate: "none", csrf: { origins: ["https://a.example"] } },
    },
  });
  const from = (site: string): object => ({
    request: { method: "POST", target: "/login", headers: { "Sec-Fetch-Site": site } },
  });
  const missing = async (...tests: readonly object[]): Promise<readonly string[]> => {
    const { uncovered } = await coverageOf(open, {}, tests);
    return uncovered
      .filter(({ kind }) => kind === "csrf")
      .map(({ pointer, outcome }) => `${pointer} ${outcome}`);
  };
  const at = "/routes/POST ~1login/csrf";
  expect(await missing({ request: "GET /login" })).toEqual([`${at} passed`, `${at} refused`]);
  expect(await missing(from("same-origin"))).toEqual([`${at} refused`]);
  expect(await missing(from("cross-site"))).toEqual([`${at} passed`]);
});

it("counts what is shed, and each of its classes", async () => {
  const shed = {
    ...policy,
    shed: { signal: "event-loop", classes: { writes: 0.5 } },
    defaults: { shed: "writes" },
  } as const satisfies PolicyDocument;
  const file = {
    policy: shed,
    people: { reader: { roles: ["reader"] } },
    tests: [{ name: "one", as: "reader", request: post(), expect: { absent: ["/none"] } }],
  } as unknown as PolicyTestFile;
  const coverage = new CoverageOf("policy.json", shed);
  await runPolicyTests(file, { onDecision: (seen) => coverage.see(seen, file) });
  expect(lines(coverage.report()).filter((line) => line.includes("shed"))).toEqual([
    "limits | /shed | refused",
    "limits | /shed/classes/writes | refused",
  ]);
});

const wide = {
  gatehouse: 1,
  name: "wide",
  transport: {
    https: "off",
    trust: { peers: ["loopback", "10.0.0.0/8"], header: "x-forwarded-for", clientCert: "client-cert" },
  },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "wide",
      algorithms: ["ES256"],
      keys: { pem: { secret: "env:KEY" } },
    },
  },
  routes: {
    "DELETE /notes": { authorize: { stepUp: { acr: ["strong", "stronger"], maxAge: "5m" } } },
    "GET /chat": { authenticate: "none", upgrade: "websocket" },
    "POST /notes": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { text: { type: "string", maxLength: 50 } } },
        sanitize: { "/text": "text" },
      },
      response: {
        body: { type: "object", properties: { text: { type: "string", maxLength: 50 } } },
        sanitize: { "/text": "text" },
        events: { type: "object", properties: { text: { type: "string" }, by: { redact: "null" } } },
      },
    },
  },
} as const satisfies PolicyDocument;

/** Outcomes of the rules below a pointer that no test reached. */
async function missingOf(about: string, ...tests: readonly object[]): Promise<readonly string[]> {
  const strong = (acr: string, ago: number): object => ({ claims: { acr, auth_time: { $now: -ago } } });
  const people = {
    strong: strong("strong", 10),
    stronger: strong("stronger", 10),
    weak: strong("weak", 10),
    late: strong("strong", 600),
  };
  const { uncovered } = await coverageOf(wide, people, tests);
  return uncovered
    .filter(({ kind, pointer }) => kind !== "refusals" && kind !== "routes" && pointer.startsWith(about))
    .map(({ pointer, outcome }) => `${pointer.slice(about.length)} ${outcome}`);
}

it("has points of its own for a caller who must have logged in well and lately", async () => {
  const at = "/routes/DELETE ~1notes/authorize/stepUp";
  const as = (name: string): object => ({ as: name, request: "DELETE /notes" });
  expect(await missingOf(at, as("strong"))).toEqual([
    " missed",
    "/acr missed",
    "/maxAge missed",
    "/acr/1 held",
  ]);
  expect(await missingOf(at, as("weak"))).toEqual([" held", "/maxAge missed", "/acr/0 held", "/acr/1 held"]);
  expect(await missingOf(at, as("strong"), as("stronger"), as("weak"), as("late"))).toEqual([]);
});

it("has points of its own for what a proxy says, and for what others say in its words", async () => {
  const at = "/transport/trust";
  const from = (ip: string, headers: object = { "X-Forwarded-For": "203.0.113.5" }): object => ({
    request: { target: "/chat", ip, headers },
  });
  const cert = { "Client-Cert": "no certificate" };
  expect(await missingOf(at, from("127.0.0.1", {}), from("10.1.2.3", {}))).toHaveLength(6);
  expect(await missingOf(at, from("127.0.0.1"), from("10.1.2.3"))).toEqual([
    "/header ignored",
    "/clientCert believed",
    "/clientCert ignored",
  ]);
  expect(await missingOf(at, from("11.1.2.3"))).toEqual([
    "/peers/0 believed",
    "/peers/1 believed",
    "/header believed",
    "/clientCert believed",
    "/clientCert ignored",
  ]);
  expect(
    await missingOf(
      at,
      from("::1"),
      from("10.1.2.3"),
      from("192.0.2.1"),
      from("10.1.2.3", cert),
      from("192.0.2.1", cert),
    ),
  ).toEqual([]);
});

it("has no point for proxies that are believed nothing", () => {
  const trust = { peers: ["loopback"], ipv6Prefix: 56 };
  const coverage = new CoverageOf("policy.json", { ...wide, transport: { https: "off", trust } });
  expect(lines(coverage.report()).filter((line) => line.includes("/trust"))).toEqual([]);
});

it("has points of its own for a route that may be upgraded", async () => {
  const at = "/routes/GET ~1chat/upgrade";
  const asks = (protocol: string): object => ({
    request: { target: "/chat", upgrade: true, headers: { Connection: "Upgrade", Upgrade: protocol } },
  });
  expect(await missingOf(at, { request: "GET /chat" })).toEqual([" passed", " refused"]);
  expect(await missingOf(at, asks("websocket"))).toEqual([" refused"]);
  expect(await missingOf(at, asks("h2c"))).toEqual([" passed"]);
});

it("has points of its own for each place that is sanitized, both ways", async () => {
  const write = (text: string, answer: object): object => ({
    request: { method: "POST", target: "/notes", body: { text } },
    answer,
  });
  const [inward, outward] = [
    "/routes/POST ~1notes/request/sanitize",
    "/routes/POST ~1notes/response/sanitize",
  ];
  const marked = write("<b>a</b>", { body: { text: "b" } });
  const plain = write("a", { body: { text: "<b>b</b>" } });
  expect(await missingOf(inward, marked)).toEqual(["/~1text kept"]);
  expect(await missingOf(inward, plain)).toEqual(["/~1text cleaned"]);
  expect(await missingOf(outward, marked)).toEqual(["/~1text cleaned"]);
  expect(await missingOf(outward, plain)).toEqual(["/~1text kept"]);
});

it("has points of its own for what leaves in a stream of events", async () => {
  const at = "/routes/POST ~1notes/response/events";
  const stream = (...data: readonly string[]): object => ({
    request: { method: "POST", target: "/notes", body: { text: "a" } },
    answer: {
      headers: { "Content-Type": "text/event-stream" },
      text: data.map((line) => `event: note\ndata: ${line}\n\n`).join(""),
    },
  });
  expect(await missingOf(at, { request: "GET /chat" })).toEqual([
    " left",
    " cut",
    "/properties/by/redact applied",
  ]);
  expect(await missingOf(at, stream('{"text":"a"}'))).toEqual([" cut", "/properties/by/redact applied"]);
  expect(await missingOf(at, stream('{"secret":"a"}'))).toEqual([" left", "/properties/by/redact applied"]);
  expect(await missingOf(at, stream('{"text":"a","by":"ann"}', "no json"))).toEqual([]);
});
