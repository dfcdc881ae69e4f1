/** A policy without a fault has no finding; each fault that is planted in it is found, in its place. */
import { parsePolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { audit, AUDIT_RULES } from "./audit.js";
import { applyBaseline, readBaseline } from "./baseline.js";
import { formatAudit } from "./formats.js";

const NOW = Date.parse("2026-06-01T12:00:00Z");

// oxlint-disable-next-line typescript/no-explicit-any -- faults are planted anywhere, in documents that no type describes
type Json = Record<string, any>;

const clean = (): Json => ({
  gatehouse: 1,
  name: "clean",
  transport: { hosts: ["api.example.com"] },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "clean",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
      maxAge: "1h",
      principal: { id: "sub", roles: "roles" },
      confers: ["clerk", "admin"],
    },
    session: {
      type: "jwt",
      in: "cookie",
      name: "__Host-sid",
      issuer: "https://id.example.com/",
      audience: "clean",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
      maxAge: "1h",
      confers: [],
    },
    partner: {
      type: "api-key",
      in: "header",
      name: "X-Key",
      keys: { secret: "env:KEYS" },
      confers: ["clerk"],
    },
  },
  roles: { admin: ["clerk"], clerk: [] },
  limits: {
    "per-ip": { limit: 100, window: "1m", by: "client.ip" },
    guessing: { limit: 5, window: "15m", by: "client.ip", count: "failures" },
  },
  schemas: { Name: { type: "string", maxLength: 100 } },
  defaults: {
    authenticate: ["user", "partner"],
    limits: ["per-ip"],
    cors: { origins: ["https://shop.example.com"] },
  },
  routes: {
    "GET /orders/:id": {
      authorize: { roles: ["clerk"], when: "params.id.startsWith(principal.id)" },
      response: { body: { type: "object", properties: { id: { type: "string" } } } },
    },
    "POST /orders": {
      authorize: { roles: ["clerk"] },
      request: {
        body: {
          type: "object",
          properties: {
            name: { $ref: "#/schemas/Name" },
            tags: { type: "array", maxItems: 3, items: { enum: ["a"] } },
          },
        },
      },
      response: false,
    },
    "POST /profile": {
      authenticate: ["session"],
      authorize: { when: "has(principal.id)" },
      request: { body: { type: "object", properties: {} } },
      response: false,
    },
    "POST /login": {
      authenticate: "none",
      csrf: { always: true },
      limits: ["inherited", "guessing"],
      request: { body: { type: "object", properties: {} } },
    },
  },
});

const read = (document: Json): PolicyDocument => parsePolicy(JSON.stringify(document, null, 2), "p.json");
const found = (document: Json): string[] =>
  audit(read(document), { now: NOW }).map(({ rule, pointer, severity }) => `${severity} ${rule} ${pointer}`);

/** What is found anyway: a login is open. */
const ANYWAY = ["info open-route /routes/POST ~1login"];

type Plant = (policy: Json) => void;
const order = (policy: Json): Json => policy["routes"]["GET /orders/:id"] as Json;
const create = (policy: Json): Json => policy["routes"]["POST /orders"] as Json;
const ORDER = "/routes/GET ~1orders~1:id";
const CREATE = "/routes/POST ~1orders";

const PLANTS: readonly (readonly [name: string, plant: Plant, expected: string])[] = [
  [
    "an open route that changes things",
    (p) => void (p["routes"]["POST /feedback"] = { authenticate: "none", request: create(p)["request"] }),
    "medium open-route /routes/POST ~1feedback",
  ],
  [
    "an open probe",
    (p) => void (p["routes"]["GET /health"] = { authenticate: "none" }),
    "info open-route /routes/GET ~1health",
  ],
  [
    "anonymous callers",
    (p) =>
      void (p["routes"]["GET /feed"] = {
        authenticate: ["optional", "user"],
        authorize: "anyone",
        response: false,
      }),
    "info anyone-route /routes/GET ~1feed",
  ],
  [
    "known is enough to change",
    (p) => void (create(p)["authorize"] = "authenticated"),
    `medium authenticated-is-enough ${CREATE}`,
  ],
  [
    "known is enough to read",
    (p) => void (p["routes"]["GET /x"] = { authorize: "authenticated", response: false }),
    "low authenticated-is-enough /routes/GET ~1x",
  ],
  [
    "no look at the object, with a role",
    (p) => void delete order(p)["authorize"]["when"],
    `medium object-without-condition ${ORDER}`,
  ],
  [
    "no look at the object, for anybody",
    (p) => void (order(p)["authorize"] = { scopes: ["read"] }),
    `high object-without-condition ${ORDER}`,
  ],
  [
    "every role from everywhere",
    (p) => void delete p["authenticators"]["partner"]["confers"],
    "low confers-all-roles /authenticators/partner",
  ],
  [
    "an unchecked issuer",
    (p) => void (p["authenticators"]["user"]["issuer"] = "unchecked"),
    "high unchecked-token /authenticators/user/issuer",
  ],
  [
    "an unchecked audience",
    (p) => void (p["authenticators"]["user"]["audience"] = "unchecked"),
    "high unchecked-token /authenticators/user/audience",
  ],
  [
    "tokens of any age",
    (p) => void delete p["authenticators"]["user"]["maxAge"],
    "low long-lived-token /authenticators/user",
  ],
  [
    "tokens of a month",
    (p) => void (p["authenticators"]["user"]["maxAge"] = "30d"),
    "medium long-lived-token /authenticators/user/maxAge",
  ],
  [
    "a key in the query",
    (p) => void Object.assign(p["authenticators"]["partner"], { in: "query", name: "key" }),
    "medium key-in-query /authenticators/partner/in",
  ],
  [
    "keys in the policy",
    (p) =>
      void (p["authenticators"]["partner"]["keys"] = [
        { id: "a", sha256: "a".repeat(64), expires: "2027-01-01" },
      ]),
    "low key-in-policy /authenticators/partner/keys",
  ],
  [
    "a key for ever",
    (p) => void (p["authenticators"]["partner"]["keys"] = [{ id: "a", sha256: "a".repeat(64) }]),
    "low key-without-expiry /authenticators/partner/keys/0",
  ],
  [
    "a shared secret",
    (p) =>
      void Object.assign(p["authenticators"]["user"], { algorithms: ["HS256"], keys: { secret: "env:S" } }),
    "info symmetric-token /authenticators/user/algorithms",
  ],
  ["csrf off", (p) => void (p["csrf"] = "off"), "high cookie-without-csrf /routes/POST ~1profile"],
  [
    "csrf off on the route",
    (p) => void (p["routes"]["POST /profile"]["csrf"] = "off"),
    "high cookie-without-csrf /routes/POST ~1profile",
  ],
  [
    "csrf unknown",
    (p) => void (p["csrf"] = { unknown: "allow" }),
    "medium cookie-without-csrf /routes/POST ~1profile",
  ],
  [
    "a login that counts no failures",
    (p) => void (p["routes"]["POST /login"]["limits"] = ["per-ip"]),
    "high unprotected-login /routes/POST ~1login",
  ],
  [
    "a reset that counts no failures",
    (p) => void (p["routes"]["POST /password-reset"] = { ...p["routes"]["POST /login"], limits: ["per-ip"] }),
    "high unprotected-login /routes/POST ~1password-reset",
  ],
  [
    "a login that any site may begin",
    (p) => void delete p["routes"]["POST /login"]["csrf"],
    "low login-without-origin /routes/POST ~1login",
  ],
  [
    "a webhook that may come again",
    (p) =>
      void (p["authenticators"]["hook"] = {
        type: "signature",
        preset: "github",
        secrets: [{ secret: "env:HOOK" }],
        confers: [],
      }),
    "low replayable-signature /authenticators/hook",
  ],
  [
    "a message that may come again",
    (p) =>
      void (p["authenticators"]["peer"] = {
        type: "http-signature",
        replay: "allow",
        confers: [],
        keys: [{ keyid: "k", algorithm: "hmac-sha256", key: { secret: "env:PEER" }, id: "peer" }],
      }),
    "low replayable-signature /authenticators/peer/replay",
  ],
  ["no limit", (p) => void (order(p)["limits"] = []), `medium route-without-limit ${ORDER}`],
  [
    "no limit but the global one",
    (p) => {
      p["global"] = { limits: ["per-ip"] };
      order(p)["limits"] = [];
    },
    `low route-without-limit ${ORDER}`,
  ],
  [
    "a limit that fails open",
    (p) => void (p["limits"]["per-ip"]["onStoreFailure"] = "open"),
    "medium limit-fails-open /limits/per-ip/onStoreFailure",
  ],
  [
    "a revocation that fails open",
    (p) => void (p["revocation"] = { onStoreFailure: "open" }),
    "medium revocation-fails-open /revocation/onStoreFailure",
  ],
  [
    "a limit that observes",
    (p) => void (p["limits"]["per-ip"]["mode"] = "observe"),
    "medium limit-only-observes /limits/per-ip/mode",
  ],
  [
    "shedding that observes",
    (p) => void (p["shed"] = { signal: "event-loop", mode: "observe" }),
    "low shed-only-observes /shed/mode",
  ],
  [
    "a route that is never shed",
    (p) => {
      p["shed"] = { signal: "event-loop" };
      order(p)["shed"] = "never";
    },
    `info never-shed ${ORDER}`,
  ],
  ["a policy that observes", (p) => void (p["mode"] = "observe"), "high observe-mode /mode"],
  ["a route that observes", (p) => void (order(p)["mode"] = "observe"), `high observe-mode ${ORDER}/mode`],
  [
    "a body without a schema",
    (p) => void delete create(p)["request"],
    `medium body-without-schema ${CREATE}`,
  ],
  [
    "an upload",
    (p) => void (create(p)["request"] = { types: ["image/png"] }),
    `low body-without-schema ${CREATE}`,
  ],
  [
    "a text without a bound, by reference",
    (p) => void delete p["schemas"]["Name"]["maxLength"],
    "low unbounded-input /schemas/Name",
  ],
  [
    "a list without a bound",
    (p) => void delete create(p)["request"]["body"]["properties"]["tags"]["maxItems"],
    `low unbounded-input ${CREATE}/request/body/properties/tags`,
  ],
  [
    "members that nobody names",
    (p) => void (create(p)["request"]["body"]["additionalProperties"] = true),
    `medium unknown-input ${CREATE}/request/body/additionalProperties`,
  ],
  [
    "unknown allowed",
    (p) => void (create(p)["request"]["unknown"] = "allow"),
    `medium unknown-input ${CREATE}/request/unknown`,
  ],
  [
    "a guard switched off",
    (p) => void (create(p)["request"]["sniff"] = { prototypeKeys: false }),
    `medium weak-parsing ${CREATE}/request/sniff/prototypeKeys`,
  ],
  [
    "operators",
    (p) => void (create(p)["request"]["operators"] = "allow"),
    `medium weak-parsing ${CREATE}/request/operators`,
  ],
  [
    "an answer without a schema",
    (p) => void delete order(p)["response"],
    `medium response-without-schema ${ORDER}`,
  ],
  [
    "an answer that lets all out",
    (p) => void (order(p)["response"]["body"]["properties"]["id"] = {}),
    `low open-response ${ORDER}/response/body/properties/id`,
  ],
  [
    "an answer with additional properties",
    (p) => void (order(p)["response"]["body"]["additionalProperties"] = true),
    `low open-response ${ORDER}/response/body`,
  ],
  [
    "events that let all out",
    (p) => void (order(p)["response"]["events"] = { type: "object", properties: { id: {} } }),
    `low open-response ${ORDER}/response/events/properties/id`,
  ],
  [
    "events with a schema, and other answers without",
    (p) => void (order(p)["response"] = { events: { type: "object", properties: {} } }),
    `low response-without-schema ${ORDER}`,
  ],
  [
    "cors for everybody",
    (p) => void (p["defaults"]["cors"]["origins"] = ["*"]),
    "medium wide-cors /defaults/cors/origins/0",
  ],
  ["cors for sandboxes", (p) => void (p["cors"] = { origins: ["null"] }), "medium wide-cors /cors/origins/0"],
  [
    "cors for plain HTTP",
    (p) => void (p["cors"] = { origins: ["http://shop.example.com"] }),
    "medium wide-cors /cors/origins/0",
  ],
  [
    "cors with cookies for subdomains",
    (p) => void (p["cors"] = { origins: ["https://*.example.com"], credentials: true }),
    "low wide-cors /cors/origins/0",
  ],
  ["plain HTTP", (p) => void (p["transport"]["https"] = "off"), "high plain-http /transport/https"],
  ["no HSTS", (p) => void (p["transport"]["hsts"] = false), "low weak-hsts /transport/hsts"],
  [
    "short HSTS",
    (p) => void (p["transport"]["hsts"] = { maxAge: "30d" }),
    "low weak-hsts /transport/hsts/maxAge",
  ],
  ["any host", (p) => void delete p["transport"]["hosts"], "low any-host /transport"],
  [
    "a whole network trusted",
    (p) => void (p["transport"]["trust"] = { peers: ["loopback", "private"], header: "x-forwarded-for" }),
    "low wide-trust /transport/trust/peers/1",
  ],
  [
    "a route past its sunset",
    (p) => void (order(p)["deprecated"] = { since: "2025-01-01", sunset: "2026-01-01" }),
    `medium past-sunset ${ORDER}/deprecated/sunset`,
  ],
  [
    "a session on the record",
    (p) => void (order(p)["record"] = { facts: ["headers.x-purpose", "query.session"] }),
    `medium sensitive-record ${ORDER}/record/facts/1`,
  ],
  [
    "a limit that nothing takes",
    (p) => void (p["limits"]["idle"] = { limit: 1, window: "1s" }),
    "info unused-rule /limits/idle",
  ],
  [
    "an authenticator that nothing asks",
    (p) => void (p["authenticators"]["idle"] = { ...p["authenticators"]["partner"], name: "X-Idle" }),
    "info unused-rule /authenticators/idle",
  ],
  [
    "a schema that nothing names",
    (p) => void (p["schemas"]["Idle"] = { type: "string" }),
    "info unused-rule /schemas/Idle",
  ],
];

describe("the audit", () => {
  it("finds nothing in a policy without a fault", () => {
    expect(found(clean())).toEqual(ANYWAY);
  });

  it.each(PLANTS)("finds %s", (_name, plant, expected) => {
    const policy = clean();
    plant(policy);
    expect(found(policy)).toContain(expected);
  });

  it("has a planted fault for every rule", () => {
    const planted = new Set(PLANTS.map(([, , expected]) => expected.split(" ")[1]));
    expect(AUDIT_RULES.map(({ id }) => id).filter((id) => !planted.has(id))).toEqual([]);
  });

  it("tells where each stands, the gravest first", () => {
    const policy = clean();
    policy["mode"] = "observe";
    policy["transport"]["hsts"] = false;
    const findings = audit(read(policy), { now: NOW });
    expect(findings.map(({ rule, line }) => [rule, line])).toEqual([
      ["observe-mode", expect.any(Number)],
      ["weak-hsts", 8],
      ["open-route", expect.any(Number)],
    ]);
  });

  it("refuses a policy that cannot be served", () => {
    expect(() => audit(read({ ...clean(), rutes: {} }))).toThrow(PolicyError);
  });
});

describe("a baseline", () => {
  const entry = {
    rule: "open-route",
    pointer: "/routes/POST ~1login",
    reason: "people have to log in",
    expires: "2026-12-31",
  };
  const text = (...accepted: readonly object[]): string => JSON.stringify({ accepted });
  const findings = audit(read(clean()), { now: NOW });

  it("accepts a finding until its day", () => {
    const { judged, expired, stale } = applyBaseline(findings, readBaseline(text(entry)), NOW);
    expect(judged.map(({ accepted }) => accepted?.reason)).toEqual(["people have to log in"]);
    expect([expired, stale]).toEqual([[], []]);
    const later = applyBaseline(findings, readBaseline(text(entry)), Date.parse("2026-12-31T00:00:00Z"));
    expect(later.judged.map(({ accepted }) => accepted)).toEqual([undefined]);
    expect(later.expired).toEqual([entry]);
  });

  it("tells of what is no longer found", () => {
    const gone = { ...entry, pointer: "/routes/GET ~1gone" };
    expect(applyBaseline(findings, readBaseline(text(gone)), NOW).stale).toEqual([gone]);
  });

  it.each([
    ["[]", "a baseline is `{"],
    [JSON.stringify({ accepted: [], also: 1 }), "a baseline is `{"],
    [text({ ...entry, reson: "" }), "accepted/0 has an unknown key `reson`"],
    [text({ ...entry, reason: " " }), "accepted/0 has no `reason`"],
    [text({ ...entry, expires: undefined }), "accepted/0 has no `expires`"],
    [text({ ...entry, expires: "soon" }), "accepted/0: `expires` is no day"],
    [
      text(entry, { ...entry, rule: "open-rout" }),
      "accepted/1 names no rule: `open-rout`; did you mean `open-route`?",
    ],
  ])("refuses %j", (written, message) => {
    expect(() => readBaseline(written)).toThrow(message);
  });
});

it("writes ids of OWASP and ASVS, and suppressions, into SARIF", () => {
  const policy = clean();
  policy["mode"] = "observe";
  const accepted = [
    { rule: "open-route", pointer: "/routes/POST ~1login", reason: "people log in", expires: "2027-01-01" },
  ];
  const judged = applyBaseline(audit(read(policy), { now: NOW }), accepted, NOW);
  const log = JSON.parse(formatAudit(judged, "sarif", "p.json")) as Json;
  const [run] = log["runs"] as [Json];
  expect(run["tool"]["driver"]["rules"][0]["properties"]["tags"]).toEqual([
    "security",
    "owasp-API8:2023",
    "asvs-v5.0.0-8.3.1",
    "asvs-v5.0.0-16.5.3",
  ]);
  expect(run["results"][0]["level"]).toBe("error");
  expect(run["results"][1]["suppressions"]).toEqual([
    { kind: "external", status: "accepted", justification: "people log in (until 2027-01-01)" },
  ]);
  expect(formatAudit(judged, "markdown", "p.json")).toContain("accepted until 2027-01-01: people log in");
});

it("writes a page in which nothing of a policy's is markup", () => {
  const policy = clean();
  order(policy)["response"]["body"]["properties"]["<img src=x>"] = {};
  const stale = { rule: "plain-http", pointer: "/<i>", reason: "a <b>", expires: "2027-01-01" };
  const expired = {
    rule: "open-route",
    pointer: "/routes/POST ~1login",
    reason: "<u>",
    expires: "2020-01-01",
  };
  const judged = applyBaseline(audit(read(policy), { now: NOW }), [stale, expired], NOW);
  const page = formatAudit(judged, "html", "<p>.json");
  expect(page).toContain("<title>Audit of &lt;p&gt;.json</title>");
  expect(page).toContain("<li>accepted and no longer found: plain-http at /&lt;i&gt;</li>");
  expect(page).toContain("<li>expired on 2020-01-01: open-route at /routes/POST ~1login");
  expect(page).toContain('<tr class="low">');
  expect(page).toContain("properties/&lt;img src=x&gt;</code>");
  expect(page).not.toMatch(/<(?:b|i|u|p\.|img)>/u);
  expect(formatAudit(judged, "markdown", "p.json")).toContain("\n- expired on 2020-01-01: ");
});
