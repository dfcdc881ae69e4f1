/** One scope and one request that most tests of conditions share. */
import { Report } from "../errors/diagnostics.js";
import type { Diagnostic } from "../errors/diagnostics.js";
import { cookiesOf, stateFor } from "../model/state.test-support.js";
import type { StateOptions, TestState } from "../model/state.test-support.js";
import type { Identity, Principal } from "../model/principal.js";
import type { Condition, ConditionScope } from "./index.js";
import { compileCondition, isConditionError } from "./index.js";

export const SCOPE: ConditionScope = {
  params: { n: { type: "integer" } },
  paramNames: ["tenant", "n"],
  query: { page: { type: "integer" }, tags: { type: "array", items: { type: "string" } } },
  headers: { "x-count": { type: "integer" } },
  cookies: {},
  body: {
    type: "object",
    properties: {
      i: { type: "integer" },
      j: { type: "integer" },
      d: { type: "number" },
      s: { type: "string" },
      b: { type: "boolean" },
      l: { type: "array", items: { type: "integer" } },
      ls: { type: "array", items: { type: "string" } },
      either: { oneOf: [{ type: "string" }, { type: "integer" }] },
      nullable: { type: ["string", "null"] },
      free: { type: "object" },
      customer: { $ref: "#/schemas/Customer" },
      items: {
        type: "array",
        items: { type: "object", properties: { sku: { type: "string" }, n: { type: "integer" } } },
      },
      tree: { $ref: "#/$defs/tree" },
    },
    $defs: {
      tree: { type: "object", properties: { leaf: { type: "boolean" }, next: { $ref: "#/$defs/tree" } } },
    },
  },
  schemas: {
    Customer: { type: "object", properties: { name: { type: "string" }, vip: { enum: [true, false] } } },
  },
  principal: "required",
  principalFields: ["tenant", "level"],
  roles: new Set(["admin", "clerk", "customer"]),
};

export interface IdentityParts {
  readonly id?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly authenticator?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export function identityOf(parts: IdentityParts = {}): Identity {
  const { id = "ann", roles = [], scopes = [], claims = {}, authenticator = "user", fields = {} } = parts;
  const principal: Principal = { ...fields, id, roles, scopes, claims, authenticator };
  return {
    principal,
    authenticator,
    roles: new Set(roles),
    scopes: new Set(scopes),
    ambient: false,
    key: `${authenticator.length}:${authenticator}${id}`,
  };
}

export function record(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, values);
}

export function sample(options: StateOptions = {}): TestState {
  return stateFor({
    identity: identityOf({
      roles: ["clerk", "customer"],
      scopes: ["orders:read"],
      claims: {
        level: 3,
        groups: ["a", "b"],
        org: { id: "o-1" },
        flag: true,
        none: null,
        "https://x.test/y": "z",
      },
      fields: { tenant: "t-1", level: 7 },
    }),
    params: record({ tenant: "t-1", n: 5 }),
    query: record({ page: 2, tags: ["x"] }),
    headers: record({ "x-count": 4 }),
    headerFields: { "x-count": "4", "x-purpose": "audit", authorization: "Bearer secret-token" },
    queryParameters: new Map<string, string | readonly string[]>([
      ["free", "text"],
      ["twice", ["a", "b"]],
    ]),
    sentCookies: cookiesOf({ theme: "dark" }),
    request: { method: "POST", path: "/a/b", host: "api.test", clientIp: "10.1.2.3", clientKey: "10.1.2.3" },
    body: {
      i: 3,
      j: -4,
      d: 1.5,
      s: "héllo",
      b: true,
      l: [1, 2, 3],
      ls: ["a", "b"],
      either: "text",
      nullable: null,
      free: { any: "thing" },
      customer: { name: "Ann", vip: true },
      items: [
        { sku: "A", n: 1 },
        { sku: "B", n: 2 },
      ],
      tree: { leaf: false, next: { leaf: true } },
    },
    ...options,
  });
}

export function diagnose(text: string, scope: ConditionScope = SCOPE): readonly Diagnostic[] {
  const report = new Report();
  const condition = compileCondition(text, scope, "/here", report);
  if ((condition === undefined) !== report.failed)
    throw new Error("a condition and a diagnostic exclude each other");
  return report.diagnostics;
}

export function condition(text: string, scope: ConditionScope = SCOPE): Condition {
  const report = new Report();
  const compiled = compileCondition(text, scope, "/here", report);
  if (compiled === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return compiled;
}

/** True, false, or the text of the error. */
export function result(
  text: string,
  state: TestState = sample(),
  scope: ConditionScope = SCOPE,
): boolean | string {
  const value = condition(text, scope).evaluate(state);
  return isConditionError(value) ? value.error : value;
}
