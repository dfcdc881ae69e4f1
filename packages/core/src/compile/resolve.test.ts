import { describe, expect, it } from "vitest";
import { Report } from "../errors/diagnostics.js";
import type { PolicyDocument } from "../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { resolvePolicy } from "./resolve.js";

const base: PolicyDocument = {
  gatehouse: 1,
  name: "t",
  authenticators: {
    user: { type: "jwt", issuer: "i", audience: "a", algorithms: ["ES256"], keys: { jwks: { keys: [] } } },
    partner: { type: "api-key", in: "cookie", name: "key", keys: { secret: "env:K" } },
  },
  roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
  limits: {
    "per-ip": { limit: 1, window: "1m", by: "client.ip" },
    "per-user": { limit: 1, window: "1m", by: "principal.id" },
    exports: { limit: 1, window: "1m" },
  },
  routes: {},
};

function resolve(parts: Partial<PolicyDocument>): ResolvedPolicy {
  const report = new Report();
  const policy = resolvePolicy({ ...base, ...parts }, report);
  expect(report.diagnostics).toEqual([]);
  if (policy === undefined) throw new Error("nothing was resolved");
  return policy;
}

function only(parts: Partial<PolicyDocument>): ResolvedRoute {
  const [route] = resolve(parts).routes;
  if (route === undefined) throw new Error("no route was resolved");
  return route;
}

const names = (route: ResolvedRoute): string[] => route.limits.map(({ value }) => value);

describe("replacing keys", () => {
  it("takes each key from the longest group that has it", () => {
    const route = only({
      defaults: { conceal: false, audience: "browser" },
      groups: {
        "/": { conceal: true, mode: "observe" },
        "/a": { conceal: false },
        "/ab": { audience: "api" },
      },
      routes: { "GET /a/b": { authorize: "authenticated" } },
    });
    expect([route.conceal, route.mode, route.audience]).toEqual([false, "observe", "browser"]);
    expect(route.groups.map(({ prefix }) => prefix)).toEqual(["/", "/a"]);
  });

  it("replaces the members of request, response, headers and errors one by one", () => {
    const route = only({
      headers: { preset: "web", "X-One": "document", "x-two": "document" },
      errors: { expose: "none" },
      defaults: { request: { maxBody: "1kB", maxDepth: 3 }, errors: { typeBase: "https://e.test/" } },
      groups: { "/a": { headers: { "X-Two": "group" }, response: { onMismatch: "withhold" } } },
      routes: {
        "GET /a": { authorize: "authenticated", request: { maxBody: "2KiB" }, response: { encode: true } },
      },
    });
    expect([route.request.maxBody, route.request.maxDepth]).toEqual([2048, 3]);
    expect([route.response.onMismatch, route.response.encode]).toEqual(["withhold", true]);
    expect([route.errors.expose, route.errors.typeBase]).toEqual(["none", "https://e.test/"]);
    expect(route.headers.preset).toBe("web");
    expect([...route.headers.fields]).toEqual([
      ["x-one", { name: "X-One", value: "document", pointer: "/headers/X-One" }],
      ["x-two", { name: "X-Two", value: "group", pointer: "/groups/~1a/headers/X-Two" }],
    ]);
  });

  it("lets a nearer body reopen what a group shut, and nothing else", () => {
    const groups = { "/a": { response: false as const } };
    const shut = only({
      groups,
      routes: { "GET /a": { authorize: "authenticated", response: { encode: true } } },
    });
    expect(shut.response.nothing).toEqual({ value: false, pointer: "/groups/~1a/response", from: "group" });
    const open = only({
      groups,
      routes: { "GET /a": { authorize: "authenticated", response: { body: true } } },
    });
    expect([open.response.nothing, open.response.body?.value]).toEqual([undefined, true]);
  });

  it("lets `body` replace an inherited `bodies`", () => {
    const route = only({
      defaults: { response: { bodies: { "200": true } } },
      routes: { "GET /a": { authorize: "authenticated", response: { body: { type: "object" } } } },
    });
    expect(route.response.bodies).toBeUndefined();
    expect(route.response.body?.pointer).toBe("/routes/GET ~1a/response/body");
  });
});

describe("limits", () => {
  it("spells `inherited` out through groups and defaults, each name once", () => {
    const route = only({
      defaults: { limits: ["per-ip"] },
      groups: { "/a": { limits: ["inherited", "per-user"] } },
      routes: { "GET /a/b": { authorize: "authenticated", limits: ["exports", "inherited", "per-ip"] } },
    });
    expect(route.limits).toEqual([
      { value: "exports", pointer: "/routes/GET ~1a~1b/limits/0", from: "route" },
      { value: "per-ip", pointer: "/defaults/limits/0", from: "defaults" },
      { value: "per-user", pointer: "/groups/~1a/limits/1", from: "group" },
    ]);
  });

  it("drops inherited limits that read the principal on open routes, not those that the route writes", () => {
    const defaults = { limits: ["per-ip", "per-user"] };
    expect(names(only({ defaults, routes: { "GET /a": { authenticate: "none" } } }))).toEqual(["per-ip"]);
    const own = { authenticate: "none", limits: ["inherited", "per-user"] } as const;
    expect(names(only({ defaults, routes: { "GET /a": own } }))).toEqual(["per-ip", "per-user"]);
  });

  it("knows a principal read in a condition from one in a text", () => {
    const limits = {
      a: { limit: 1, window: "1m", when: "request.method == 'principal.id'" },
      b: { limit: 1, window: "1m", when: "'x' in principal.roles" },
      c: { limit: 1, window: "1m", cost: { estimate: "size(principal.id)", settle: "response./n" } },
      d: { limit: 1, window: "1m", by: ["client.ip", { fact: "authenticator" }] },
      e: { limit: 1, window: "1m", when: "params.principal == 'a' && principals" },
    };
    const defaults = { limits: ["a", "b", "c", "d", "e"] };
    expect(names(only({ limits, defaults, routes: { "GET /a": { authenticate: "none" } } }))).toEqual([
      "a",
      "e",
    ]);
  });
});

describe("who may call", () => {
  it("takes any authenticator where nobody says, in the order of their names", () => {
    const { authenticate } = only({ routes: { "GET /a": { authorize: "authenticated" } } });
    expect(authenticate.mode).toBe("required");
    expect(authenticate.anyOf.map((all) => all.map(({ name }) => name))).toEqual([["partner"], ["user"]]);
  });

  it("reads optional, alternatives and credentials that go together", () => {
    const { authenticate } = only({
      routes: { "GET /a": { authenticate: ["optional", "user", ["partner", "user"]], authorize: "anyone" } },
    });
    expect(authenticate.mode).toBe("optional");
    expect(authenticate.anyOf.map((all) => all.map(({ name }) => name))).toEqual([
      ["user"],
      ["partner", "user"],
    ]);
  });

  it("adds up `require`, outermost first, and asks nothing of it on open routes", () => {
    const groups = { "/a/b": { require: { roles: ["admin"] } }, "/a": { require: [{ scopes: ["s"] }] } };
    const routes = { "GET /a/b/c": {}, "GET /a/open": { authenticate: "none" as const } };
    const [closed, open] = resolve({ groups, defaults: { authorize: { roles: ["clerk"] } }, routes }).routes;
    expect(closed?.require).toEqual([
      { value: [{ scopes: ["s"] }], pointer: "/groups/~1a/require", from: "group" },
      { value: [{ roles: ["admin"] }], pointer: "/groups/~1a~1b/require", from: "group" },
    ]);
    expect(closed?.authorize).toEqual({
      value: "authenticated",
      pointer: "/routes/GET ~1a~1b~1c",
      from: "language",
    });
    expect(open?.require).toEqual([]);
    expect(open?.authorize.value).toBe("anyone");
  });

  it("takes the defaults' authorize where neither route nor group says", () => {
    const route = only({ defaults: { authorize: { roles: ["clerk"] } }, routes: { "GET /a": {} } });
    expect(route.authorize).toEqual({
      value: [{ roles: ["clerk"] }],
      pointer: "/defaults/authorize",
      from: "defaults",
    });
  });

  it("closes roles over what they include", () => {
    const { roles } = resolve({ routes: {} });
    expect([...roles].map(([role, all]) => [role, [...all]])).toEqual([
      ["admin", ["admin", "clerk", "customer"]],
      ["clerk", ["clerk", "customer"]],
      ["customer", ["customer"]],
    ]);
  });

  it("knows where each credential sits", () => {
    const { authenticators } = resolve({ routes: {} });
    expect([...authenticators.values()].map(({ carrier }) => carrier)).toEqual([
      { in: "cookie", name: "key", scheme: undefined, ambient: true },
      { in: "header", name: "authorization", scheme: "bearer", ambient: false },
    ]);
  });
});
