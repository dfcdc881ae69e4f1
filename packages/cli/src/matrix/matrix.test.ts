/** Each cell is what the engine decides; what depends on more than the caller is stated, not guessed. */
import { definePolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { policyKit } from "@gatehouse/core/testing";
import { describe, expect, it } from "vitest";
import { matrix } from "./matrix.js";
import { cellText, tableOf } from "./text.js";

const policy = definePolicy({
  gatehouse: 1,
  name: "shop",
  transport: { hosts: ["*.example.com"] },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "shop",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
      principal: { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
      confers: ["clerk", "guest"],
    },
    session: {
      type: "jwt",
      in: "cookie",
      name: "sid",
      issuer: "https://id.example.com/",
      audience: "shop",
      algorithms: ["HS256"],
      keys: { secret: "env:S" },
    },
    partner: { type: "api-key", in: "header", name: "X-Key", keys: { lookup: "partners" } },
  },
  roles: { admin: ["clerk"], clerk: [], guest: [] },
  limits: { tiny: { limit: 1, window: "1d", by: "client.ip" } },
  global: { limits: ["tiny"] },
  defaults: {
    authenticate: ["user"],
    limits: ["tiny"],
    request: { headers: { "x-purpose": { type: "string", required: true } } },
  },
  groups: { "/admin": { require: { roles: ["admin"], forbid: "client.ip == '203.0.113.9'" } } },
  routes: {
    "GET /open": { authenticate: "none" },
    "GET /known": { authorize: "authenticated" },
    "GET /clerks": { authorize: { roles: ["clerk"] } },
    "GET /keys": { authenticate: ["partner"], authorize: { roles: ["clerk"] } },
    "GET /either": { authenticate: ["user", "partner"], authorize: { roles: ["admin"] } },
    "POST /cookie": { authenticate: ["session"], authorize: { roles: ["clerk"] } },
    "GET /maybe": {
      authenticate: ["optional", "user"],
      authorize: [{ roles: ["clerk"] }, { when: "query.page == '1'" }],
    },
    "GET /any/:id": { authenticate: ["optional", "user"], authorize: "anyone" },
    "GET /any/any": { authorize: { roles: ["guest"] } },
    "POST /orders": {
      authorize: [
        { roles: ["clerk"], scopes: ["write"] },
        { scopes: ["write", "all"] },
        { roles: ["guest"], claims: { plan: "gold" }, check: "owns" },
      ],
      request: { body: { type: "object", properties: {} } },
    },
    "GET|DELETE /mixed": { authorize: { when: "request.method == 'GET' || 'clerk' in principal.roles" } },
    "GET /hidden": { authorize: { roles: ["guest"] }, conceal: true },
    "GET /watched": { authorize: { roles: ["guest"] }, mode: "observe" },
    "GET /admin/audit": { authenticate: ["partner"], authorize: "authenticated" },
  },
});

const table = async (document: PolicyDocument): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries(tableOf(await matrix(document)).map(([route = "", ...cells]) => [route, cells]));

describe("the matrix", () => {
  it("tells for each route who is let in, and under which condition", async () => {
    expect(await table(policy)).toMatchInlineSnapshot(`
      {
        "DELETE /mixed": [
          "401 unauthenticated",
          "403 forbidden",
          "403 forbidden",
          "allow",
          "403 forbidden",
        ],
        "GET /admin/audit": [
          "401 unauthenticated",
          "403 forbidden",
          "allow if not \`client.ip == '203.0.113.9'\`; else 403 forbidden",
          "403 forbidden",
          "403 forbidden",
        ],
        "GET /any/:id": [
          "allow",
          "allow",
          "allow",
          "allow",
          "allow",
        ],
        "GET /any/any": [
          "401 unauthenticated",
          "403 forbidden",
          "403 forbidden",
          "403 forbidden",
          "allow",
        ],
        "GET /clerks": [
          "401 unauthenticated",
          "403 forbidden",
          "403 forbidden",
          "allow",
          "403 forbidden",
        ],
        "GET /either": [
          "401 unauthenticated",
          "403 forbidden",
          "by \`user\`: 403 forbidden; by \`partner\`: allow",
          "403 forbidden",
          "403 forbidden",
        ],
        "GET /hidden": [
          "401 unauthenticated",
          "404 not-found",
          "404 not-found",
          "404 not-found",
          "allow",
        ],
        "GET /keys": [
          "401 unauthenticated",
          "403 forbidden",
          "allow",
          "allow",
          "403 forbidden",
        ],
        "GET /known": [
          "401 unauthenticated",
          "allow",
          "allow",
          "allow",
          "allow",
        ],
        "GET /maybe": [
          "allow if \`query.page == '1'\`; else 401 unauthenticated",
          "allow if \`query.page == '1'\`; else 403 forbidden",
          "allow if \`query.page == '1'\`; else 403 forbidden",
          "allow",
          "allow if \`query.page == '1'\`; else 403 forbidden",
        ],
        "GET /mixed": [
          "401 unauthenticated",
          "allow",
          "allow",
          "allow",
          "allow",
        ],
        "GET /open": [
          "allow",
          "allow",
          "allow",
          "allow",
          "allow",
        ],
        "GET /watched": [
          "only observed, let through: 401 unauthenticated",
          "only observed, let through: 403 forbidden",
          "only observed, let through: 403 forbidden",
          "only observed, let through: 403 forbidden",
          "allow",
        ],
        "POST /cookie": [
          "401 unauthenticated",
          "403 forbidden",
          "no such caller",
          "no such caller",
          "no such caller",
        ],
        "POST /orders": [
          "401 unauthenticated",
          "allow if scope \`write\` and scope \`all\`; else 403 insufficient-scope",
          "allow if scope \`write\` and scope \`all\`; else 403 insufficient-scope",
          "allow if scope \`write\`; else 403 insufficient-scope",
          "allow if (claim \`plan\` = "gold" and check \`owns\`) or (scope \`write\` and scope \`all\`); else 403 insufficient-scope",
        ],
        "route": [
          "anonymous",
          "no role",
          "admin",
          "clerk",
          "guest",
        ],
      }
    `);
  });

  it("refuses a policy that cannot be served", async () => {
    await expect(matrix({ ...policy, roles: {} })).rejects.toThrow(PolicyError);
  });
});

describe("what a cell says", () => {
  const routes: PolicyDocument["routes"] = policy.routes;
  const plain = definePolicy({
    gatehouse: 1,
    name: "plain",
    authenticators: policy.authenticators ?? {},
    roles: policy.roles ?? {},
    defaults: { authenticate: ["user"] },
    routes: Object.fromEntries(
      ["GET /clerks", "POST /orders", "GET /maybe", "GET /hidden"].map((key) => [key, routes[key] ?? {}]),
    ),
  });

  it("is what the policy itself decides, its conditions made true and false", async () => {
    const { route: columns = [], ...rows } = await table(plain);
    const kit = await policyKit(plain, { checks: { owns: true } });
    let conditional = 0;
    for (const [route, cells] of Object.entries(rows)) {
      for (const [index, column] of columns.entries()) {
        const ask = async (more: object, query: string): Promise<string> => {
          const roles = column === "no role" ? [] : [column];
          const caller =
            column === "anonymous" ? kit.anonymous : kit.as({ authenticator: "user", roles, ...more });
          const [method = "", path = ""] = route.split(" ");
          const body = method === "POST" ? { body: {} } : {};
          const result = await caller.request({ method, target: `${path}${query}`, ...body });
          return result.outcome === "admit" ? "allow" : `${result.status} ${result.code ?? ""}`;
        };
        const least = await ask({}, "");
        const most = await ask({ scopes: ["write", "all"], claims: { plan: "gold" } }, "?page=1");
        const cell = cells[index] ?? "";
        if (cell.startsWith("allow if")) {
          conditional += 1;
          expect([cell.split("; else ")[1], most]).toEqual([least, "allow"]);
        } else expect([route, column, least, most]).toEqual([route, column, cell, cell]);
      }
    }
    expect(conditional).toBeGreaterThan(5);
    await kit.close();
  });
});

it("names each kind of cell", () => {
  const conditions = ["a and b", "c"];
  expect(cellText({ outcome: "conditional", conditions, status: 403, code: "forbidden" })).toBe(
    "allow if (a and b) or c; else 403 forbidden",
  );
  expect(cellText({ outcome: "none" })).toBe("no such caller");
  expect(cellText({ outcome: "observe", would: { outcome: "refuse", status: 403, code: "forbidden" } })).toBe(
    "only observed, let through: 403 forbidden",
  );
});

it("asks as those whom the policy lists, and by every kind of credential", async () => {
  const secret = { secret: "env:S" } as const;
  const asked = definePolicy({
    gatehouse: 1,
    name: "others",
    authenticators: {
      password: { type: "basic", users: { secret: "env:USERS" } },
      device: {
        type: "mtls",
        match: [
          { subject: "CN=a", id: "plain" },
          { san: "DNS:b.test", id: "clerk", roles: ["clerk"], scopes: ["read"] },
        ],
      },
      peer: {
        type: "http-signature",
        keys: [{ keyid: "k", algorithm: "hmac-sha256", key: secret, id: "peer", roles: ["clerk"] }],
      },
      hook: {
        type: "signature",
        preset: "github",
        secrets: [secret],
        principal: { id: { value: "github" }, roles: { value: ["clerk"] } },
      },
      bound: {
        type: "jwt",
        issuer: "https://id.test/",
        audience: "others",
        algorithms: ["ES256"],
        keys: { jwks: "k.json" },
        principal: { id: "sub", roles: "roles" },
        senderConstrained: "mtls",
      },
      asked: {
        type: "introspection",
        url: "https://id.test/introspect",
        client: { id: "others", secret },
        issuer: "https://id.test/",
        audience: "others",
        in: "header",
        principal: { id: "sub", roles: "roles" },
        senderConstrained: "dpop",
      },
    },
    roles: { clerk: [] },
    defaults: { authorize: { roles: ["clerk"] } },
    routes: {
      "GET /password": { authenticate: ["password"] },
      "GET /device": { authenticate: ["device"], authorize: { roles: ["clerk"], scopes: ["read"] } },
      "GET /devices": { authenticate: ["device"], authorize: { roles: ["clerk"], scopes: ["write"] } },
      "POST /peer": { authenticate: ["peer"] },
      "POST /hook": { authenticate: ["hook"] },
      "GET /bound": { authenticate: ["bound"] },
      "GET /asked": { authenticate: ["asked"] },
      "GET /both": { authenticate: [["device", "password"]] },
    },
  });
  expect(await table(asked)).toEqual({
    route: ["anonymous", "no role", "clerk"],
    "GET /password": ["401 unauthenticated", "403 forbidden", "allow"],
    "GET /device": ["401 unauthenticated", "403 forbidden", "allow"],
    "GET /devices": ["401 unauthenticated", "403 forbidden", "403 insufficient-scope"],
    "POST /peer": ["401 unauthenticated", "no such caller", "allow"],
    "POST /hook": ["401 unauthenticated", "no such caller", "allow"],
    "GET /bound": ["401 unauthenticated", "403 forbidden", "allow"],
    "GET /asked": ["401 unauthenticated", "403 forbidden", "allow"],
    "GET /both": ["401 unauthenticated", "403 forbidden", "allow"],
  });
});
