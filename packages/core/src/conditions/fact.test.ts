import { describe, expect, it } from "vitest";
import { Report } from "../errors/diagnostics.js";
import { identityOf, sample, SCOPE } from "./conditions.test-support.js";
import type { CompiledFact, ConditionScope } from "./index.js";
import { compileFact } from "./index.js";

function fact(text: string, as?: "lowercase", scope: ConditionScope = SCOPE): CompiledFact {
  const report = new Report();
  const compiled = compileFact(text, as, scope, "/by", report);
  if (compiled === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return compiled;
}

function refused(text: string, scope: ConditionScope = SCOPE): unknown {
  const report = new Report();
  expect(compileFact(text, undefined, scope, "/by", report)).toBe(undefined);
  expect(report.diagnostics).toHaveLength(1);
  const [only] = report.diagnostics;
  expect(only).toMatchObject({ pointer: "/by", severity: "error" });
  return [only?.code, only?.message, only?.help];
}

describe("facts that a limit counts by", () => {
  it.each([
    ["client.ip", "connection", false, "10.1.2.3"],
    ["principal.id", "principal", false, "4:userann"],
    ["principal.tenant", "principal", false, "t-1"],
    ["principal.level", "principal", false, "7"],
    ["authenticator", "principal", false, "user"],
    ["params.tenant", "connection", true, "t-1"],
    ["params.n", "parameters", true, "5"],
    ["headers.x-purpose", "connection", true, "audit"],
    ["headers.x-count", "parameters", true, "4"],
    ["headers.x-none", "connection", true, undefined],
    ["body.s", "body", true, "héllo"],
    ["body.i", "body", true, "3"],
    ["body.customer.name", "body", true, "Ann"],
    ["body.tree.next.leaf", "body", true, "true"],
    ["body.tree.next.next.leaf", "body", true, undefined],
  ])("%s", (text, needs, callerChosen, value) => {
    const compiled = fact(text);
    expect({ ...compiled, read: compiled.read(sample()) }).toEqual({
      fact: text,
      needs,
      callerChosen,
      read: value,
    });
  });

  it("counts a route by its key", () => {
    const state = sample({ route: { key: "GET /x" } as never });
    expect(fact("route").read(state)).toBe("GET /x");
  });

  it("counts IPv6 by its prefix", () => {
    expect(
      fact("client.ip").read(sample({ request: { clientIp: "2001:db8::1", clientKey: "2001:db8::/64" } })),
    ).toBe("2001:db8::/64");
  });

  it("folds case where asked", () => {
    expect(fact("body.customer.name", "lowercase").read(sample())).toBe("ann");
    expect(fact("body.customer.name", "lowercase").read(sample({ body: {} }))).toBe(undefined);
  });

  it("reads nothing of an anonymous caller, and no lists, objects or inherited members", () => {
    const anonymous = sample({ identity: undefined });
    for (const text of ["principal.id", "principal.tenant", "authenticator"])
      expect(fact(text).read(anonymous)).toBe(undefined);
    const odd = sample({ identity: identityOf({ fields: { tenant: ["t-1"], level: { a: 1 } } }) });
    expect([fact("principal.tenant").read(odd), fact("principal.level").read(odd)]).toEqual([
      undefined,
      undefined,
    ]);
    const open = { ...SCOPE, anyPrincipalField: true };
    expect(fact("principal.constructor", undefined, open).read(sample())).toBe(undefined);
    expect(
      fact("principal.plan", undefined, open).read(
        sample({ identity: identityOf({ fields: { plan: "gold" } }) }),
      ),
    ).toBe("gold");
  });

  it("takes typed text with a default from the parameters", () => {
    const scope = {
      ...SCOPE,
      headers: { "x-plan": { type: "string", default: "free" }, "x-tag": { type: "string" } },
    };
    expect(fact("headers.x-plan", undefined, scope).needs).toBe("parameters");
    expect(fact("headers.x-tag", undefined, scope).needs).toBe("connection");
  });

  it.each([
    ["client.ipp", ["unknown-fact", "`client.ipp` is nothing to count by", "did you mean `client.ip`?"]],
    [
      "query.page",
      [
        "unknown-fact",
        "`query.page` is nothing to count by",
        expect.stringContaining("there are `client.ip`"),
      ],
    ],
    [
      "cookies.theme",
      ["unknown-fact", "`cookies.theme` is nothing to count by", expect.stringContaining("there are")],
    ],
    [
      "principal.tenent",
      [
        "unknown-fact",
        "`principal.tenent` is no field that the route's authenticators map to one value",
        "did you mean `tenant`?",
      ],
    ],
    [
      "principal.scopes",
      [
        "unknown-fact",
        "`principal.scopes` is no field that the route's authenticators map to one value",
        undefined,
      ],
    ],
    [
      "principal.claims.x",
      [
        "unknown-fact",
        "`principal.claims.x` is no field that the route's authenticators map to one value",
        undefined,
      ],
    ],
    ["params.tenent", ["unknown-fact", "the route has no `params.tenent`", "did you mean `tenant`?"]],
    [
      "headers.X-Purpose",
      [
        "unknown-fact",
        "`headers.X-Purpose` can never be read",
        "header names are lower case here: `headers.x-purpose`",
      ],
    ],
    [
      "body.customer.nam",
      ["unknown-fact", "the body's schema has no `body.customer.nam`", "did you mean `name`?"],
    ],
    [
      "body.l",
      [
        "unknown-fact",
        "the body's schema does not make `body.l` one value",
        "give it type string, integer, number or boolean",
      ],
    ],
    [
      "body.either",
      [
        "unknown-fact",
        "the body's schema does not make `body.either` one value",
        "give it type string, integer, number or boolean",
      ],
    ],
    [
      "body.s.x",
      [
        "unknown-fact",
        "the body's schema does not make `body.s.x` one value",
        "give it type string, integer, number or boolean",
      ],
    ],
  ])("refuses %s", (text, expected) => {
    expect(refused(text)).toEqual(expected);
  });

  it("refuses what the route never knows", () => {
    const open = { ...SCOPE, principal: "none" as const, body: undefined };
    expect(refused("principal.id", open)).toEqual([
      "principal-on-open-route",
      "`principal.id` is counted where nobody is known",
      "name an authenticator on the route, or count by `client.ip`",
    ]);
    expect(refused("authenticator", open)).toEqual([
      "principal-on-open-route",
      "`authenticator` is counted where nobody is known",
      "name an authenticator on the route, or count by `client.ip`",
    ]);
    expect(refused("body.s", open)).toEqual([
      "body-without-schema",
      "`body.s` is counted on a route that has no `request.body`",
      "write a schema for the body under `request`",
    ]);
  });
});
