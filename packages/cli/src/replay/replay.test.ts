/** Recorded decisions against candidates: what is found, and what is said not to be known. */
import {
  createEngine,
  plainEvent,
  type DecisionEvent,
  type EngineOptions,
  type FrameworkMatching,
  type PolicyDocument,
} from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import { describe, expect, it } from "vitest";
import { formatReplay } from "./formats.js";
import { replayLog, type ReplayReport } from "./replay.js";

const BASE: PolicyDocument = {
  gatehouse: 1,
  name: "shop",
  transport: { https: "off" },
  roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
  authenticators: {
    user: {
      type: "custom",
      use: "user",
      in: "header",
      name: "X-User",
      confers: ["admin", "clerk", "customer"],
      principal: { tenant: "tenant" },
    },
  },
  limits: { "per-user": { limit: 100, window: "1m", by: "principal.id" } },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /orders/:id": { authorize: { roles: ["customer"] }, limits: ["per-user"] },
    "GET /orders/export": { authorize: { roles: ["clerk"] } },
    "GET /tenants/:tenant/orders": { authorize: { when: "params.tenant == principal.tenant" } },
    "GET /reports/:id": {
      authorize: { roles: ["clerk"] },
      request: { query: { page: { type: "integer" } } },
    },
    "POST /orders": {
      authorize: { roles: ["clerk"], scopes: ["orders:write"] },
      request: { body: { type: "object", properties: { sku: { type: "string" } } } },
    },
    "DELETE /orders/:id": { authorize: { roles: ["admin"], check: "mayDelete" } },
  },
};

type Routes = PolicyDocument["routes"];
const withRoutes = (routes: Routes, rest: Partial<PolicyDocument> = {}): PolicyDocument => ({
  ...BASE,
  ...rest,
  routes: { ...BASE.routes, ...routes },
});

interface Ask {
  readonly method?: string;
  readonly target: string;
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: readonly (readonly [string, string])[];
}

const PEOPLE: Readonly<Record<string, { roles: string[]; scopes?: string[] }>> = {
  ann: { roles: ["customer"] },
  bob: { roles: ["clerk"], scopes: ["orders:write"] },
  eve: { roles: ["admin"] },
};

async function record(
  policy: PolicyDocument,
  asks: readonly Ask[],
  options: Partial<EngineOptions> = {},
  matching: FrameworkMatching = {},
): Promise<string[]> {
  const events: DecisionEvent[] = [];
  const clock = virtualClock(Date.UTC(2026, 5, 1));
  const engine = await createEngine(policy, {
    clock,
    checks: { mayDelete: () => true },
    authenticators: {
      user: ({ credential }) => {
        const person = PEOPLE[credential];
        return person === undefined
          ? "bad"
          : { principal: { id: credential, ...person, claims: { tenant: `${credential}-inc` } } };
      },
    },
    onDecision: (event) => void events.push(event),
    ...options,
  });
  const { revision } = engine;
  const bound = engine.bind(matching);
  for (const { method = "GET", target, as, body, headers = [] } of asks) {
    clock.advance(10);
    await bound.evaluate({
      method,
      target,
      headers: [["Host", "a.test"], ...(as === undefined ? [] : [["X-User", as] as const]), ...headers],
      remoteAddress: "203.0.113.7",
      ...(body === undefined ? {} : { body }),
    });
  }
  await engine.close();
  return [{ type: "policy", revision, document: policy }, ...events.map(plainEvent)].map((one) =>
    JSON.stringify(one),
  );
}

const one = async (candidate: PolicyDocument, ask: Ask, served = BASE): Promise<string> => {
  const report = await replayLog(await record(served, [ask]), candidate);
  expect(report.decisions).toBe(1);
  return told(report)[0] ?? "same";
};

function told({ findings }: ReplayReport): string[] {
  return findings.map(
    ({ category, candidate, reason }) =>
      `${category}: ${[candidate.outcome, candidate.code, candidate.stage].filter(Boolean).join(" ")}${reason === undefined ? "" : ` (${reason})`}`,
  );
}

const EVERYONE: readonly Ask[] = [
  { target: "/health" },
  { target: "/orders/7" },
  { target: "/orders/7", as: "ann" },
  { target: "/orders/7", as: "mallory" },
  { target: "/orders/export", as: "ann" },
  { target: "/tenants/ann-inc/orders", as: "ann" },
  { target: "/tenants/bob-inc/orders", as: "ann" },
  { target: "/reports/1?page=x", as: "bob" },
  { target: "/reports/1?page=2", as: "bob" },
  { method: "POST", target: "/orders", as: "ann", body: { sku: "A" } },
  { method: "POST", target: "/orders", as: "bob", body: { sku: "A" } },
  { method: "POST", target: "/orders", as: "bob", body: { sku: 1 } },
  { method: "DELETE", target: "/orders/7", as: "eve" },
  { method: "PUT", target: "/orders/7", as: "eve" },
  { target: "/nothing" },
  { target: "//twice" },
];

describe("a candidate that changes nothing", () => {
  it.each([
    ["/https:~1~1id.test~1a.b", "x"],
    ["/a.b", "x"],
    ["none", null],
  ])("does not take the claim %s for one that the caller did not have", async (path, value) => {
    const policy = withRoutes({ "GET /shops": { authorize: { claims: { [path]: value } } } });
    const claims = { "https://id.test/a.b": "x", "a.b": "x", none: null };
    const user = (): object => ({ principal: { id: "ann", roles: ["customer"], claims } });
    const log = await record(policy, [{ target: "/shops", as: "ann" }], {
      authenticators: { user: user as never },
    });
    expect(log[1]).toContain('"outcome":"admit"');
    if (path.includes(".")) expect(log[1]).not.toContain("principal.claims");
    expect(told(await replayLog(log, { ...policy, name: "other" }))).toEqual([]);
  });

  it("says the same of every decision, whatever is not recorded", async () => {
    const log = await record(BASE, EVERYONE);
    for (const candidate of [BASE, withRoutes({}, { name: "other" })]) {
      const report = await replayLog(log, candidate);
      expect(told(report)).toEqual([]);
      expect(report.counts).toMatchObject({ same: EVERYONE.length });
    }
  });
});

describe("what a candidate changes", () => {
  const open: Routes = { "GET /orders/export": { authorize: { roles: ["customer"] } } };

  it.each<[string, Routes, Ask, string]>([
    ["a role that widens", open, { target: "/orders/export", as: "ann" }, "newly admitted: admit"],
    [
      "a role that narrows",
      { "GET /orders/:id": { authorize: { roles: ["admin"] }, limits: ["per-user"] } },
      { target: "/orders/7", as: "ann" },
      "newly refused: refuse forbidden authorize",
    ],
    [
      "who has it all the same",
      { "GET /orders/:id": { authorize: { roles: ["admin"] }, limits: ["per-user"] } },
      { target: "/orders/7", as: "eve" },
      "same",
    ],
    [
      "a route that opens",
      { "GET /orders/:id": { authenticate: "none" } },
      { target: "/orders/7" },
      "newly admitted: admit",
    ],
    [
      "a route that is gone",
      { "GET /health": undefined as never },
      { target: "/health" },
      "newly refused: refuse not-found route",
    ],
    [
      "a scope",
      { "GET /orders/:id": { authorize: { scopes: ["orders:read"] }, limits: ["per-user"] } },
      { target: "/orders/7", as: "ann" },
      "newly refused: refuse insufficient-scope authorize",
    ],
    [
      "a condition on what was recorded",
      {
        "GET /tenants/:tenant/orders": {
          authorize: { when: "params.tenant == principal.tenant || 'customer' in principal.roles" },
        },
      },
      { target: "/tenants/bob-inc/orders", as: "ann" },
      "newly admitted: admit",
    ],
    [
      "the same under other names",
      {
        "GET /tenants/:tenant/orders": undefined as never,
        "GET /tenants/:org/orders": { authorize: { when: "principal.tenant == params.org" } },
      },
      { target: "/tenants/ann-inc/orders", as: "ann" },
      "same",
    ],
    [
      "what is forbidden",
      {
        "GET /orders/:id": {
          authorize: { roles: ["customer"], forbid: "'clerk' in principal.roles" },
          limits: ["per-user"],
        },
      },
      { target: "/orders/7", as: "bob" },
      "newly refused: refuse forbidden authorize",
    ],
    ["a demand that a group adds", {}, { target: "/orders/7", as: "ann" }, "same"],
    [
      "concealing",
      { "GET /orders/export": { authorize: { roles: ["clerk"] }, conceal: true } },
      { target: "/orders/export", as: "ann" },
      "changed code: refuse forbidden authorize",
    ],
    [
      "observing",
      { "GET /orders/export": { authorize: { roles: ["clerk"] }, mode: "observe" } },
      { target: "/orders/export", as: "ann" },
      "newly admitted: admit",
    ],
    [
      "another code",
      { "GET /orders/export": { authenticate: ["user"], authorize: { scopes: ["x"] } } },
      { target: "/orders/export", as: "ann" },
      "changed code: refuse insufficient-scope authorize",
    ],
  ])("%s", async (_name, routes, ask, expected) => {
    const candidate = withRoutes(routes);
    expect(await one(JSON.parse(JSON.stringify(candidate)) as PolicyDocument, ask)).toBe(expected);
  });

  it("a policy that observed and enforces now", async () => {
    const observing: PolicyDocument = { ...BASE, mode: "observe" };
    expect(await one(BASE, { target: "/orders/export", as: "ann" }, observing)).toBe(
      "newly refused: refuse forbidden authorize",
    );
    expect(await one(BASE, { target: "/orders/export", as: "bob" }, observing)).toBe("same");
  });

  it("a hierarchy of roles: what may have been granted besides is not guessed", async () => {
    const flat = { ...BASE, roles: { admin: [], clerk: [], customer: [] } };
    expect(await one(flat, { target: "/orders/export", as: "bob" })).toBe("same");
    expect(await one(flat, { target: "/orders/7", as: "bob" })).toBe(
      "unknown: unknown authorize (which roles were granted, and which only included, was not recorded)",
    );
  });
});

describe("what is not known", () => {
  it.each<[string, PolicyDocument, Ask, string]>([
    [
      "a condition on what is never recorded unasked",
      withRoutes({
        "GET /reports/:id": {
          authorize: { when: "query.page == 2" },
          request: { query: { page: { type: "integer" } } },
        },
      }),
      { target: "/reports/1?page=2", as: "bob" },
      "unknown authorize (`query.page == 2` reads what was not recorded)",
    ],
    [
      "a check",
      withRoutes({ "GET /orders/:id": { authorize: { check: "own" }, limits: ["per-user"] } }),
      { target: "/orders/7", as: "ann" },
      "unknown authorize (the check `own` was not asked)",
    ],
    [
      "another authenticator",
      withRoutes(
        {},
        {
          authenticators: {
            ...BASE.authenticators,
            key: { type: "api-key", in: "header", name: "X-Key", keys: { lookup: "find" } },
          },
        },
      ),
      { target: "/orders/7", as: "ann" },
      "unknown authenticate (a credential is looked at, and refused where it is bad, that the other does not look at)",
    ],
    [
      "counts",
      withRoutes({}, { limits: { "per-user": { limit: 10, window: "1m", by: "principal.id" } } }),
      { target: "/orders/7", as: "ann" },
      "unknown limit-principal (counts are not recorded: `per-user`: 100 are let pass where 10 are)",
    ],
    [
      "a body that nobody read",
      withRoutes({ "POST /orders": { authorize: { roles: ["customer"] }, request: { body: true } } }),
      { method: "POST", target: "/orders", as: "ann", body: { sku: "A" } },
      "unknown revalidate (the body was not recorded)",
    ],
    [
      "a path that no route had",
      withRoutes({ "GET /new/:id": { authenticate: "none" } }),
      { target: "/new/7" },
      "unknown (the path was not recorded: it leads to no route or `GET /new/:id`)",
    ],
    [
      "parameters that were not looked at",
      withRoutes({
        "GET /reports/:id": { authenticate: "none", request: { query: { page: { type: "integer" } } } },
      }),
      { target: "/reports/7?page=1" },
      "unknown parameters (parameters, which the candidate looks at, were not recorded)",
    ],
    [
      "who calls a route that was open",
      withRoutes({ "GET /health": { authorize: "authenticated" } }),
      { target: "/health" },
      "unknown authenticate (who calls was not looked at: the route was open)",
    ],
  ])("%s", async (_name, candidate, ask, expected) => {
    expect(await one(candidate, ask)).toBe(`unknown: ${expected}`);
  });

  it("with the path recorded it is known", async () => {
    const candidate = withRoutes({ "GET /new/:id": { authenticate: "none" } });
    const log = await record(BASE, [{ target: "/new/7" }, { target: "/old/7" }], { events: { paths: true } });
    const report = await replayLog(log, candidate);
    expect(report.counts).toMatchObject({ "newly admitted": 1, same: 1 });
  });

  it("nor is a fact that was hashed", async () => {
    const candidate = withRoutes({
      "GET /tenants/:tenant/orders": { authorize: { when: "params.tenant == 'bob-inc'" } },
    });
    const ask = { target: "/tenants/bob-inc/orders", as: "ann" };
    const hashed = await record(BASE, [ask], {
      events: { hash: ["params.tenant"], key: "0123456789abcdef" },
    });
    expect(hashed.join("\n")).not.toContain('"params.tenant":"bob-inc"');
    expect((await replayLog(hashed, candidate)).counts).toMatchObject({ unknown: 1 });
    expect((await replayLog(await record(BASE, [ask]), candidate)).counts).toMatchObject({
      "newly admitted": 1,
    });
  });

  it("a policy that is not in the log decided; named besides, it is known", async () => {
    const log = (await record(BASE, [{ target: "/health" }])).slice(1);
    const candidate = withRoutes({ "GET /health": { authenticate: "none", limits: [] } }, { name: "x" });
    const report = await replayLog(log, candidate);
    expect(told(report)[0]).toMatch(
      /^unknown: unknown \(the policy that decided, revision [0-9a-f]{12}, is not in the log\)$/u,
    );
    expect((await replayLog(log, candidate, { served: [BASE] })).counts).toMatchObject({ same: 1 });
  });

  it("nor is a policy believed that is not what its revision names", async () => {
    const [policy = "", ...rest] = await record(BASE, [{ target: "/orders/export", as: "ann" }]);
    const forged = policy.replace('"roles":["clerk"]', '"roles":["admin"]');
    expect(forged).not.toBe(policy);
    const report = await replayLog([forged, ...rest], withRoutes({ "GET /x": { authenticate: "none" } }));
    expect(told(report)[0]).toContain("is not the one that its revision names");
  });

  it("lines that are none, and what the log says was lost, are counted", async () => {
    const log = [
      "",
      "no",
      "{}",
      '{"type":"dropped","count":3}',
      '{"type":"head"}',
      ...(await record(BASE, [{ target: "/health" }])),
    ];
    expect(await replayLog(log, BASE)).toMatchObject({ decisions: 1, dropped: 3, unreadable: 2, lines: 7 });
  });
});

describe("a path that a framework takes for another", () => {
  const matching = { caseSensitive: false, trailingSlash: "ignored" } as const;
  const paths = { events: { paths: true } };

  it.each(["/ORDERS/Export", "/orders/export/", "/Orders/export/"])(
    "%s leads where it led, recorded or not",
    async (target) => {
      const asks = [
        { target, as: "ann" },
        { target, as: "bob" },
      ];
      const candidate = withRoutes({ "GET /orders/export": { authorize: { roles: ["customer"] } } });
      for (const options of [paths, {}]) {
        const report = await replayLog(await record(BASE, asks, options, matching), candidate);
        expect(report.counts).toMatchObject({ "newly admitted": 1, same: 1 });
      }
    },
  );

  it("may lead to what the candidate has besides", async () => {
    const log = await record(BASE, [{ target: "/ORDERS/Stuck", as: "ann" }], paths, matching);
    const candidate = withRoutes({ "GET /orders/stuck": { authorize: { roles: ["admin"] } } });
    expect(told(await replayLog(log, candidate))).toEqual([
      "unknown: unknown (how the framework reads the path was not recorded: it leads to `GET /orders/:id` or `GET /orders/stuck`)",
    ]);
  });

  it("tells parameters by its own segments alone", async () => {
    const mounted = { mountPrefix: "/api", ...matching };
    const candidate = withRoutes({
      "GET /orders/:id": { authorize: { when: "params.id == 'orders'" }, limits: ["per-user"] },
    });
    const log = await record(BASE, [{ target: "/api/orders/7", as: "ann" }], paths, mounted);
    expect((await replayLog(log, candidate)).counts).toMatchObject({ "newly refused": 0 });
  });
});

describe("an answer of the policy's own", () => {
  const cors = { origins: ["https://shop.test"] };
  const OPEN: Routes = { "GET /open/:id": { authenticate: "none", cors } };
  const preflight: Ask = {
    method: "OPTIONS",
    target: "/open/7",
    headers: [
      ["Origin", "https://shop.test"],
      ["Access-Control-Request-Method", "GET"],
    ],
  };
  const served = withRoutes(OPEN);

  it.each<[string, PolicyDocument, string]>([
    [
      "is the same where nothing that it depends on differs",
      withRoutes({ ...OPEN, "GET /x": BASE.routes["GET /health"] ?? {} }),
      "same",
    ],
    [
      "may be limited where it was not",
      withRoutes(OPEN, {
        limits: { ...BASE.limits, all: { limit: 1, window: "1h", by: "client.ip" } },
        global: { limits: ["all"] },
      }),
      "unknown: unknown global-limit (counts are not recorded: `all` is taken by one alone)",
    ],
    [
      "may be another route's",
      withRoutes({ ...OPEN, "GET /open/day": { authenticate: "none", cors: "none" } }),
      "unknown: unknown (to which route the path leads was not recorded)",
    ],
    ["is not shed", withRoutes(OPEN, { shed: { signal: "concurrency", limit: 1 } }), "same"],
  ])("%s", async (_name, candidate, expected) => {
    expect(await one(candidate, preflight, served)).toBe(expected);
  });

  it("may be what a preflight gets that was refused", async () => {
    const closed = withRoutes({ "GET /open/:id": { authenticate: "none" } });
    const asks = [preflight, { method: "OPTIONS", target: "/orders/7" }];
    for (const options of [{ events: { paths: true } }, {}]) {
      const log = await record(closed, asks, options);
      expect(await replayLog(log, served)).toMatchObject({
        counts: options.events === undefined ? { unknown: 2 } : { unknown: 1, same: 1 },
        findings: [
          { reason: "whether it was a preflight, which the candidate may answer, was not recorded" },
        ],
      });
      const watched = withRoutes({ "GET /open/:id": { authenticate: "none", cors, mode: "observe" } });
      expect((await replayLog(log, watched)).counts.unknown).toBe(options.events === undefined ? 2 : 1);
      const limited = withRoutes(
        { "GET /open/:id": { authenticate: "none", limits: ["per-ip"] } },
        {
          limits: { ...BASE.limits, "per-ip": { limit: 9, window: "1m", by: "client.ip" } },
        },
      );
      expect((await replayLog(log, limited)).counts).toMatchObject({ same: 2 });
    }
  });
});

describe("what only the moment decided", () => {
  it("a record that was not kept says nothing of another record, and much where none is asked for", async () => {
    const closed: Routes = { "GET /health": { authenticate: "none", record: { onFailure: "closed" } } };
    const sinks = [{ write: () => undefined, commit: () => Promise.reject(new Error("full")) }];
    const log = await record(withRoutes(closed), [{ target: "/health" }], { sinks });
    const other: Routes = { "GET /x": { authenticate: "none" } };
    expect(told(await replayLog(log, withRoutes({ ...closed, ...other })))).toEqual([
      "unknown: unknown record (a fault decided (`unavailable`))",
    ]);
    expect((await replayLog(log, withRoutes(other))).counts).toMatchObject({ "newly admitted": 1 });
  });

  it("load is not known: neither to whom was shed, nor to who would be", async () => {
    const shed = { signal: "concurrency", limit: 1 } as const;
    const [policy = "", line = ""] = await record(withRoutes({}, { shed }), [{ target: "/health" }]);
    const event: unknown = { ...JSON.parse(line), outcome: "refuse", stage: "shed", code: "overloaded" };
    const log = [policy, JSON.stringify(event)];
    for (const candidate of [BASE, withRoutes({}, { shed: { ...shed, limit: 2 } })])
      expect((await replayLog(log, candidate)).counts).toMatchObject({ unknown: 1 });
    expect((await replayLog([policy, line], BASE)).counts).toMatchObject({ same: 1 });
    expect(await one(withRoutes({}, { shed }), { target: "/health" })).toBe(
      "unknown: unknown shed (`shed` differs, which only a process under load shows)",
    );
  });
});

describe("a head that cannot be read in one way", () => {
  const twice: Ask = {
    target: "/health",
    headers: [
      ["X-User", "ann"],
      ["X-User", "bob"],
    ],
  };

  it("may be one that the candidate reads, where that reads other fields", async () => {
    const bearer: PolicyDocument = {
      ...BASE,
      authenticators: {
        user: {
          ...BASE.authenticators?.["user"],
          type: "custom",
          use: "user",
          in: "header",
          name: "X-Other",
        },
      },
    };
    expect(await one(bearer, twice)).toBe(
      "unknown: unknown (whether the head can be read in one way depends on the fields that the policy reads)",
    );
    expect(await one(withRoutes({ "GET /x": { authenticate: "none" } }), twice)).toBe("same");
  });

  it("or one whose path leads elsewhere under other routes", async () => {
    const ask = { target: "/orders/%65xport", as: "bob" };
    const { ["GET /orders/export"]: _export, ...fewer } = BASE.routes;
    for (const options of [{ events: { paths: true } }, {}]) {
      const log = await record(BASE, [ask], options);
      expect(log[1]).toContain('"code":"ambiguous-path"');
      expect(told(await replayLog(log, { ...BASE, routes: fewer }))).toEqual([
        "unknown: unknown (whether a path can be read in one way depends on the routes of the policy)",
      ]);
      expect((await replayLog(log, { ...BASE, name: "other" })).counts).toMatchObject({ same: 1 });
    }
    const before = await record({ ...BASE, routes: fewer }, [ask], { events: { paths: true } });
    expect((await replayLog(before, BASE)).counts).toMatchObject({ unknown: 1 });
  });
});

it("an instant that no clock tells makes a line none of a log", async () => {
  const [policy = "", line = ""] = await record(BASE, [{ target: "/health" }]);
  const odd = line.replace(/"time":\d+/u, '"time":8.7e15');
  expect(odd).not.toBe(line);
  const report = await replayLog(
    [policy, odd, line],
    withRoutes({ "GET /health": { authorize: "authenticated" } }),
  );
  expect(report).toMatchObject({ unreadable: 1, decisions: 1 });
  expect(formatReplay(report, "pretty")).toContain("1 line could not be read");
});

describe("a log of several policies", () => {
  it("says nothing of the candidate where another decided, unless that is named besides", async () => {
    const admin = { ...BASE, name: "admin" };
    const ask = { target: "/health" };
    const log = [...(await record(admin, [ask, ask])), ...(await record(BASE, [ask]))];
    const candidate = withRoutes({ "GET /orders/export": { authenticate: "none" } });
    const report = await replayLog(log, candidate);
    expect(report).toMatchObject({ decisions: 3, counts: { unknown: 2, same: 1 } });
    expect(report.findings).toMatchObject([
      {
        reason: "the policy `admin` decided, which shares the log with those that the candidate replaces",
        count: 2,
        examples: [{ line: 2 }, { line: 3 }],
      },
    ]);
    expect(await replayLog(log, candidate, { served: [admin] })).toMatchObject({
      decisions: 3,
      counts: { same: 3 },
    });
  });
});
