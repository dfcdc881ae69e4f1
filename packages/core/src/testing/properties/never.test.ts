import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { definePolicy, type PolicyDocument } from "../../index.js";
import type { RouteSettings } from "../../model/policy.js";
import { policyKit } from "../kit.js";
import { CounterexampleError, never, type Counterexample, type NeverOptions } from "./never.js";
import type { Statement } from "./statement.js";

const base = definePolicy({
  gatehouse: 1,
  name: "never",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys: { jwks: "k.json" },
      principal: { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
    },
    robot: {
      type: "api-key",
      in: "header",
      name: "X-Key",
      keys: { lookup: "byHash" },
      confers: ["customer"],
    },
    both: { type: "custom", use: "badge", in: "header", name: "X-Badge" },
  },
  roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
  limits: { one: { limit: 1, window: "1d" } },
  groups: { "/admin": { require: { roles: ["admin"] } } },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /admin/audit": { authenticate: ["user"] },
    "DELETE /admin/users/:id": { authenticate: ["user", "robot"] },
    "GET /orders/:id": {
      authenticate: ["user", "robot"],
      authorize: { roles: ["customer"] },
      limits: ["one"],
    },
    "POST /orders": {
      authenticate: ["user"],
      authorize: { roles: ["customer"], scopes: ["orders:write"] },
      request: {
        body: { type: "object", required: ["n"], properties: { n: { type: "integer", minimum: 3 } } },
      },
    },
    "GET /files/*": { authenticate: ["user"], authorize: { when: "principal.tenant == 'acme'" } },
    "GET /double": { authenticate: [["robot", "both"]], authorize: "authenticated" },
  },
});

function withRoute(key: string, settings: RouteSettings): PolicyDocument {
  return { ...base, routes: { ...base.routes, [key]: settings } };
}

async function counterexample(
  policy: PolicyDocument,
  statement: string | Statement,
  options: Partial<NeverOptions> = {},
): Promise<Counterexample & { readonly message: string }> {
  try {
    await never(policy, statement, { fc, ...options });
  } catch (error) {
    if (error instanceof CounterexampleError) return { ...error.counterexample, message: error.message };
    throw error;
  }
  throw new Error("it holds");
}

describe("statements that hold", () => {
  it.each<string | Statement>([
    "anonymous reaches /admin/*",
    "role clerk reaches /admin/*",
    "anyone without role admin reaches /admin/*",
    "anyone without role customer reaches GET /orders/:id",
    "anyone without scope orders:write reaches POST /orders",
    "anonymous reaches GET|HEAD /orders/:id",
    { who: (person) => person?.authenticator === "robot", reaches: "DELETE /admin/users/:id" },
    { who: (person) => person?.attributes?.["tenant"] !== "acme", reaches: "/files/*" },
  ])("%j", { timeout: 60_000 }, async (statement) => {
    const report = await never(base, statement, { fc });
    expect(report.runs).toBe(200 * report.routes.length);
  });
});

describe("statements that do not", () => {
  it("are told with the smallest request that was found, as data and as a line to type", async () => {
    const found = await counterexample(
      withRoute("POST /admin/notes", {
        authenticate: "none",
        request: {
          body: {
            type: "object",
            required: ["text"],
            properties: { text: { type: "string" }, more: { type: "string" } },
          },
        },
      }),
      "anonymous reaches /admin/*",
    );
    expect(found).toMatchObject({
      as: undefined,
      request: { method: "POST", target: "/admin/notes", body: { text: "" } },
    });
    expect(found.curl).toBe(
      "curl -si --path-as-is -X POST -H 'Content-Type: application/json' --data-raw '{\"text\":\"\"}' 'https://api.test/admin/notes'",
    );
    expect(found.result.outcome).toBe("admit");
    expect(found.message.split("\n").slice(0, 4)).toEqual([
      "it happens: anonymous reaches /admin/*",
      '{"request":{"method":"POST","target":"/admin/notes","body":{"text":""}}}',
      found.curl,
      "anonymous: POST /admin/notes",
    ]);
  });

  it("come with a person that a test can take over, and no credential", async () => {
    const policy = withRoute("DELETE /admin/users/:id", {
      authenticate: ["user"],
      authorize: { roles: ["clerk"] },
    });
    const open: PolicyDocument = { ...policy, groups: { "/admin": { require: { roles: ["clerk"] } } } };
    const found = await counterexample(open, "role clerk reaches DELETE /admin/*");
    expect(found.as).toMatchObject({ authenticator: "user", roles: ["clerk"] });
    expect(found.curl).toContain('-H "Authorization: Bearer $USER_CREDENTIAL"');
    expect(found.message).not.toMatch(/Bearer ey/u);
    const kit = await policyKit(open);
    expect((await kit.as(found.as ?? {}).request(found.request)).outcome).toBe("admit");
    await kit.close();
  });

  it.each<[what: string, policy: PolicyDocument, statement: string | Statement]>([
    [
      "an open route",
      withRoute("GET /admin/open", { authenticate: "none" }),
      "anonymous reaches GET /admin/:page",
    ],
    [
      "an optional one",
      withRoute("GET /x", { authenticate: ["optional", "user"], authorize: "anyone" }),
      "anonymous reaches /x",
    ],
    [
      "a wildcard beside a prefix",
      withRoute("GET /:section/:page", { authenticate: "none" }),
      "anonymous reaches GET /private/:page",
    ],
    ["a role that includes another", base, "role admin reaches GET /orders/:id"],
    ["HEAD, which a GET route answers", base, "role customer reaches HEAD /orders/:id"],
    ["a role that has the scopes too", base, "role customer reaches POST /orders"],
    ["an API key", base, { who: (person) => person?.authenticator === "robot", reaches: "/orders/:id" }],
    ["a condition on the tenant", base, "anyone without role customer reaches /files/*"],
    ["two credentials together", base, "anyone reaches /double"],
    [
      "a check that is taken for granted",
      withRoute("GET /y", { authenticate: ["user"], authorize: { check: "mayI" } }),
      "anyone reaches /y",
    ],
    [
      "observe mode",
      withRoute("GET /z", { authenticate: ["user"], authorize: { roles: ["admin"] }, mode: "observe" }),
      "anonymous reaches /z",
    ],
  ])("%s", async (_what, policy, statement) => {
    expect((await counterexample(policy, statement)).result.outcome).toBe("admit");
  });

  it("hold where a check says no", async () => {
    const policy = withRoute("GET /y", { authenticate: ["user"], authorize: { check: "mayI" } });
    expect(await never(policy, "anyone reaches /y", { fc, checks: { mayI: false } })).toEqual({
      runs: 200,
      routes: ["GET /y"],
    });
  });

  it("are searched the same way again, with the same seed", async () => {
    const policy = withRoute("GET /admin/open", { authenticate: "none" });
    const first = await counterexample(policy, "anyone reaches /admin/*", { seed: 3, runs: 50 });
    const again = await counterexample(policy, "anyone reaches /admin/*", { seed: 3, runs: 50 });
    expect(again.message).toBe(first.message);
  });
});

describe("statements about nothing", () => {
  it.each<[string | Statement, string]>([
    [
      "nobody reaches /admin/*",
      "`nobody reaches /admin/*` does not fit here: write `anonymous reaches /admin/*`",
    ],
    ["anonymous reaches /amdin/*", "no route of the policy can lead to `/amdin/*`"],
    ["anonymous reaches PUT /admin/audit", "no route of the policy can lead to `PUT /admin/audit`"],
    ["anonymous reaches get /admin/audit", "`get` does not fit here: write methods in upper case"],
    ["anonymous reaches admin", "does not begin with `/`"],
    ["role admn reaches /admin/*", "the policy declares no role `admn`: did you mean `admin`?"],
    ["anyone without role x reaches /admin/*", "the policy declares no role `x`: name one of `roles`"],
  ])("%j", async (statement, message) => {
    await expect(never(base, statement, { fc })).rejects.toThrow(message);
  });

  it("and unknown options are refused", async () => {
    await expect(never(base, "anonymous reaches /admin/*", { fc, run: 1 } as never)).rejects.toThrow(
      "unknown option `run`: did you mean `runs`?",
    );
  });
});
