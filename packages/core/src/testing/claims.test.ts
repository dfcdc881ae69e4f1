import { describe, expect, it } from "vitest";
import { Report } from "../errors/diagnostics.js";
import type { PrincipalMap } from "../model/policy.js";
import { claimsFor, statedFields } from "./claims.js";

interface Stated {
  readonly id?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

function run(map: PrincipalMap, stated: Stated, given: Record<string, unknown> = {}) {
  const report = new Report();
  const claims = claimsFor(map, statedFields(stated, "ann", "/people/ann"), given, "user", report);
  return { claims, diagnostics: report.diagnostics };
}

describe("the principal's map, run backwards", () => {
  it.each<[string, PrincipalMap, Stated, Record<string, unknown>, object]>([
    ["a name", { id: "sub" }, {}, {}, { sub: "ann" }],
    ["an id of its own", { id: "sub" }, { id: "a1" }, {}, { sub: "a1" }],
    [
      "a dotted path",
      { id: "sub", roles: "realm_access.roles" },
      { roles: ["clerk"] },
      {},
      { sub: "ann", realm_access: { roles: ["clerk"] } },
    ],
    [
      "a JSON Pointer, for names with dots and slashes",
      { id: "sub", roles: "/https:~1~1acme.example~1roles" },
      { roles: ["clerk"] },
      {},
      { sub: "ann", "https://acme.example/roles": ["clerk"] },
    ],
    [
      "scopes as one text with blanks",
      { id: "sub", scopes: "scope" },
      { scopes: ["a", "b"] },
      {},
      { sub: "ann", scope: "a b" },
    ],
    [
      "an attribute of any JSON type",
      { id: "sub", plan: "org.plan" },
      { attributes: { plan: { name: "gold" } } },
      {},
      { sub: "ann", org: { plan: { name: "gold" } } },
    ],
    [
      "beside a claim that the test wrote",
      { id: "sub", roles: "realm_access.roles" },
      { roles: ["clerk"] },
      { realm_access: { verify: true } },
      { sub: "ann", realm_access: { verify: true, roles: ["clerk"] } },
    ],
    [
      "a claim that says the same in another form stays as it is",
      { id: "sub", scopes: "scope" },
      { scopes: ["a", "b"] },
      { scope: ["a", "b"] },
      { sub: "ann", scope: ["a", "b"] },
    ],
    [
      "a constant that the test repeats",
      { id: "sub", roles: { value: ["reader"] } },
      { roles: ["reader"] },
      {},
      { sub: "ann" },
    ],
    ["no roles", { id: "sub", roles: "roles" }, { roles: [] }, {}, { sub: "ann" }],
    ["a default id gives way to a claim", { id: "sub" }, {}, { sub: "bob" }, { sub: "bob" }],
    ["a claim that the test takes out stays out", { id: "sub" }, {}, { sub: null }, { sub: null }],
  ])("writes %s", (_what, map, stated, given, claims) => {
    expect(run(map, stated, given)).toEqual({ claims, diagnostics: [] });
  });

  it("leaves the values that a test wrote alone", () => {
    const org = {};
    run({ id: "sub", org: "org", tenant: "org.id" }, { attributes: { org, tenant: "acme" } });
    expect(org).toEqual({});
  });

  it("leaves the claims that a test wrote alone", () => {
    const given = { realm_access: {} };
    run({ id: "sub", roles: "realm_access.roles" }, { roles: ["clerk"] }, given);
    expect(given).toEqual({ realm_access: {} });
  });

  const conflict = (field: string, source: string, pointer: string): object => ({
    code: "conflicting-claims",
    severity: "error",
    pointer,
    message: `\`${field}\` is read from \`${source}\`, where another value stands`,
    help: "say it once: as a field of the principal, or among the claims",
  });

  it.each<[string, PrincipalMap, Stated, Record<string, unknown>, object]>([
    [
      "a field that nothing maps",
      { id: "sub" },
      { roles: ["clerk"] },
      {},
      {
        code: "unreachable-field",
        severity: "error",
        pointer: "/people/ann/roles",
        message: "no claim gives a principal `roles`: `principal` of authenticator `user` maps no `roles`",
        help: "map it in the policy, or leave it out here",
      },
    ],
    [
      "a typo in a field",
      { id: "sub", tenant: "org_id" },
      { attributes: { tenat: "acme" } },
      {},
      {
        code: "unreachable-field",
        severity: "error",
        pointer: "/people/ann/attributes/tenat",
        message: "no claim gives a principal `tenat`: `principal` of authenticator `user` maps no `tenat`",
        help: "did you mean `tenant`?",
      },
    ],
    [
      "another value than the policy's constant",
      { id: "sub", roles: { value: ["reader"] } },
      { roles: ["clerk"] },
      {},
      {
        code: "unreachable-field",
        severity: "error",
        pointer: "/people/ann/roles",
        message: "`roles` is a constant of the policy",
        help: "the policy says what it is: leave it out here",
      },
    ],
    [
      "roles and claims that disagree",
      { id: "sub", roles: "roles" },
      { roles: ["clerk"] },
      { roles: ["admin"] },
      conflict("roles", "roles", "/people/ann/roles"),
    ],
    [
      "a text where members would have to stand",
      { id: "sub", roles: "realm.roles" },
      { roles: ["clerk"] },
      { realm: "x" },
      conflict("roles", "realm.roles", "/people/ann/roles"),
    ],
    [
      "two fields of one claim with two values",
      { id: "sub", name: "sub" },
      { id: "a1", attributes: { name: "Ann" } },
      {},
      conflict("name", "sub", "/people/ann/attributes/name"),
    ],
    [
      "a field inside of another that says otherwise",
      { id: "sub", org: "org", tenant: "org.id" },
      { attributes: { tenant: "acme", org: { id: "globex" } } },
      {},
      conflict("org", "org", "/people/ann/attributes/org"),
    ],
    [
      "a field that another one is written into",
      { id: "sub", org: "org", tenant: "org.id" },
      { attributes: { org: {}, tenant: "acme" } },
      {},
      conflict("org", "org", "/people/ann/attributes/org"),
    ],
  ])("refuses %s", (_what, map, stated, given, problem) => {
    expect(run(map, stated, given).diagnostics).toEqual([problem]);
  });
});
