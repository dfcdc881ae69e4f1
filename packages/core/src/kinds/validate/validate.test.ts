import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { Stage } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { Refusal } from "../../model/outcome.js";
import type { PolicyDocument } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { type TestState, cookiesOf, stateFor } from "../../model/state.test-support.js";
import { loadSchemaCompiler } from "../../schemas/index.js";
import type { Platform } from "../../ports/platform.js";
import { UNFIT, compileCoercer } from "./coerce.js";
import { validateKind } from "./index.js";

type Routes = Record<string, unknown>;

function resolved(routes: Routes, more: Record<string, unknown> = {}): ResolvedPolicy {
  const document = {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    defaults: { authenticate: "none" },
    ...more,
    routes,
  } as unknown as PolicyDocument;
  const policy = resolvePolicy(document, new Report());
  if (policy === undefined) throw new Error("the test's own document cannot be resolved");
  return policy;
}

function diagnosticsOf(routes: Routes, more?: Record<string, unknown>): Report["diagnostics"] {
  const report = new Report();
  validateKind.check(resolved(routes, more), report);
  return report.diagnostics;
}

async function stagesOf(
  request: Record<string, unknown>,
  key = "POST /a/:id",
  more?: Record<string, unknown>,
) {
  const policy = resolved({ [key]: { request } }, more);
  const report = new Report();
  const schemas = () => loadSchemaCompiler({ generatesCode: false } as Platform);
  const kind = await validateKind.compile(policy, { report, schemas } as unknown as CompileEnvironment);
  const [route] = policy.routes;
  if (route === undefined || kind.stages === undefined) throw new Error("the kind has no stages");
  return { stages: kind.stages(route), unmatched: kind.stages(policy.unmatched), report };
}

/** Stages in order until one speaks. */
function run(
  stages: readonly Stage[],
  state: TestState,
  phase: "head" | "body" | "all" = "all",
): Refusal | undefined {
  for (const stage of stages) {
    const own = stage.phase ?? (stage.at === "validate" ? "body" : "head");
    if (phase !== "all" && own !== phase) continue;
    const verdict = stage.run(state);
    if (verdict !== undefined && "kind" in verdict && verdict.kind === "refusal") return verdict;
  }
  return undefined;
}

const JSON_HEAD = {
  headerFields: { "content-type": "application/json" },
  request: { method: "POST", hasContent: true },
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("stages", () => {
  it("a route that reads a body has one stage for the head and two for the bytes", async () => {
    const { stages, unmatched } = await stagesOf({ body: { type: "object" } });
    expect(stages.map(({ at, phase, rule }) => [at, phase, rule])).toEqual([
      ["parameters", undefined, "/routes/POST ~1a~1:id"],
      ["body", "head", "/routes/POST ~1a~1:id/request/body"],
      ["body", "body", "/routes/POST ~1a~1:id/request/body"],
      ["validate", undefined, "/routes/POST ~1a~1:id/request/body"],
    ]);
    expect(unmatched).toEqual([]);
  });

  it("a route without schemas never loads a schema compiler", async () => {
    const policy = resolved({ "GET /": {} });
    const refuse = () => Promise.reject(new Error("loaded"));
    const kind = await validateKind.compile(policy, {
      report: new Report(),
      schemas: refuse,
    } as unknown as CompileEnvironment);
    expect(policy.routes.flatMap((route) => kind.stages?.(route) ?? []).map(({ at }) => at)).toEqual([
      "parameters",
      "body",
    ]);
  });

  it("a refusal tells the operator which rules, and nothing of the caller's", async () => {
    const { stages } = await stagesOf({ body: { properties: { a: { type: "integer" } } } });
    const state = stateFor({ ...JSON_HEAD, bodyBytes: bytes('{"a":"hunter2","hunter3":1}') });
    expect(run(stages, state)).toEqual({
      kind: "refusal",
      code: "invalid-body",
      reason: "the body does not fit its schema: type, unknown",
      rule: "/routes/POST ~1a~1:id/request/body",
      errors: [
        { pointer: "/body/a", rule: "type", message: "must be of type integer" },
        { pointer: "/body/hunter3", rule: "unknown", message: "is not known here" },
      ],
    });
    expect(state.body).toBeUndefined();
  });

  it("what nobody may keep alive after it closes the connection", async () => {
    const { stages } = await stagesOf({ body: true, maxBody: 5 });
    const early = run(
      stages,
      stateFor({ ...JSON_HEAD, request: { ...JSON_HEAD.request, contentLength: 6 } }),
      "head",
    );
    const late = run(
      stages,
      stateFor({ ...JSON_HEAD, bodyBytes: bytes("[1]"), bodyComplete: false }),
      "body",
    );
    const large = {
      kind: "refusal",
      code: "body-too-large",
      reason: "the content has more than 5 bytes",
      rule: "/routes/POST ~1a~1:id/request/body",
      close: true,
    };
    expect([early, late]).toEqual([large, large]);
    expect(
      run(stages, stateFor({ ...JSON_HEAD, request: { ...JSON_HEAD.request, contentLength: 5 } }), "head"),
    ).toBeUndefined();
  });

  it("parameters that are refused leave the state as it was", async () => {
    const { stages } = await stagesOf({
      params: { id: { type: "integer" } },
      query: { n: { type: "integer" } },
    });
    const params = { id: "5" };
    const state = stateFor({ params, queryParameters: new Map([["n", "x"]]), request: { queryText: "n=x" } });
    expect(run(stages, state)?.errors).toEqual([
      { pointer: "/query/n", rule: "type", message: "must be of type integer" },
    ]);
    expect(state.params).toBe(params);
  });

  it("typed values stand in objects that have no prototype", async () => {
    const { stages } = await stagesOf({
      params: { id: { type: "integer" } },
      query: { n: { type: "boolean" } },
      headers: { "X-Count": { type: "integer" } },
      cookies: { c: { type: "number" } },
    });
    const state = stateFor({
      params: { id: "5", other: "x" },
      queryParameters: new Map([["n", "true"]]),
      headerFields: { "x-count": "3" },
      sentCookies: cookiesOf({ c: "0.5" }),
      headers: { "x-count": "3", accept: "*/*" },
      cookies: { c: "0.5", d: "e" },
      request: { queryText: "n=true" },
    });
    expect(run(stages, state)).toBeUndefined();
    const parts = [state.params, state.query, state.headers, state.cookies];
    expect(parts.map((part) => ({ ...part }))).toEqual([
      { id: 5, other: "x" },
      { n: true },
      { "x-count": 3, accept: "*/*" },
      { c: 0.5, d: "e" },
    ]);
    expect(parts.map((part) => Object.getPrototypeOf(part) as unknown)).toEqual([null, null, null, null]);
  });

  it("a credential in the query is known to its authenticator, and no value of the handler's", async () => {
    const authenticators = { k: { type: "api-key", in: "query", name: "api_key", keys: [] } };
    for (const unknown of ["reject", "strip", "allow"]) {
      const { stages } = await stagesOf({ unknown, query: { n: { type: "string" } } }, "GET /q", {
        authenticators,
        defaults: { authenticate: ["k"], authorize: "authenticated" },
      });
      const state = stateFor({
        queryParameters: new Map([
          ["api_key", "secret"],
          ["n", "x"],
        ]),
        request: { queryText: "api_key=secret&n=x" },
      });
      expect(run(stages, state)).toBeUndefined();
      expect({ ...state.query }).toEqual({ n: "x" });
    }
  });

  it("a default is one value for everybody, and nobody can change it", async () => {
    const { stages } = await stagesOf({
      query: { tag: { type: "array", items: { type: "string" }, default: ["a"] } },
    });
    const state = stateFor({});
    expect(run(stages, state)).toBeUndefined();
    expect(state.query["tag"]).toEqual(["a"]);
    expect(Object.isFrozen(state.query["tag"])).toBe(true);
  });

  it("a default that its own schema refuses is found when the policy is compiled", async () => {
    const { report } = await stagesOf({ query: { page: { type: "integer", minimum: 1, default: 0 } } });
    expect(report.diagnostics).toEqual([
      {
        code: "invalid-default",
        severity: "error",
        pointer: "/routes/POST ~1a~1:id/request/query/page",
        message: "the default of `page` does not fit its own schema",
      },
    ]);
  });
});

describe("a value that was handed in", () => {
  it("meets the same guards and the same schema", async () => {
    const { stages } = await stagesOf({ body: { properties: { a: { type: "integer" } } }, maxDepth: 2 });
    const judge = (body: unknown): string[] | undefined =>
      run(stages, stateFor({ ...JSON_HEAD, body, bodyRead: true }))?.errors?.map(
        ({ pointer, rule }) => `${pointer} ${rule}`,
      );
    expect(judge({ a: 1 })).toBeUndefined();
    expect(judge({ a: "x" })).toEqual(["/body/a type"]);
    expect(judge({ a: [[1]] })).toEqual(["/body/a/0 depth"]);
    expect(judge(JSON.parse('{"__proto__":1}'))).toEqual(["/body/__proto__ prototype-key"]);
    expect(judge({ a: 2 ** 53 })).toEqual(["/body/a unsafe-integer"]);
  });

  it("stays its owner's: what is cut is cut from a copy", async () => {
    const { stages } = await stagesOf({ body: { properties: { a: true } }, unknown: "strip" });
    const body = { a: 1, b: 2 };
    const state = stateFor({ ...JSON_HEAD, body, bodyRead: true });
    expect(run(stages, state)).toBeUndefined();
    expect([state.body, body]).toEqual([{ a: 1 }, { a: 1, b: 2 }]);
  });

  it("absent is missing, unless the body is optional", async () => {
    const state = () => stateFor({ ...JSON_HEAD, bodyRead: true });
    expect(run((await stagesOf({ body: true })).stages, state())?.code).toBe("missing-body");
    expect(run((await stagesOf({ body: true, bodyOptional: true })).stages, state())).toBeUndefined();
  });
});

describe("coercion", () => {
  const types = ["integer", "number", "boolean", "null", "string"] as const;

  it("coerced_values_round_trip_to_the_same_text", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.maxSafeInteger().map(String),
      fc.bigInt().map(String),
      fc.constantFrom(
        "",
        " ",
        "0",
        "-0",
        "00",
        "1e3",
        "1e21",
        "1e400",
        "true",
        "false",
        "null",
        "NaN",
        "0x1",
        "+1",
        ".5",
        "1.",
        "1_0",
        "9007199254740993",
      ),
    );
    fc.assert(
      fc.property(texts, fc.subarray([...types], { minLength: 1 }), fc.boolean(), (text, chosen, unsafe) => {
        const value = compileCoercer(new Set(chosen), unsafe)(text);
        if (value === UNFIT) expect(chosen).not.toContain("string");
        else expect(String(value)).toBe(text);
      }),
    );
  });

  it.each([
    [["integer"], "5", 5],
    [["integer"], "9007199254740992", UNFIT],
    [["number"], "9007199254740992", 9007199254740992],
    [["number"], "1e+21", 1e21],
    [["integer", "string"], "5", 5],
    [["integer", "string"], "05", "05"],
    [["boolean", "null"], "null", null],
    [["boolean", "null"], "", UNFIT],
    [["string"], "true", "true"],
  ] as const)("%j reads %j", (chosen, text, value) => {
    expect(compileCoercer(new Set(chosen), false)(text)).toBe(value);
  });

  it("an integer beyond 2^53 is taken only where its digits survive and the guard is off", () => {
    const coerce = compileCoercer(new Set(["integer"]), true);
    expect([coerce("9007199254740992"), coerce("9007199254740993")]).toEqual([9007199254740992, UNFIT]);
  });
});

describe("checks", () => {
  it("a param that no path binds", () => {
    expect(
      diagnosticsOf({ "GET /a/:orderId": { request: { params: { orderID: { type: "string" } } } } }),
    ).toEqual([
      {
        code: "unknown-param",
        severity: "error",
        pointer: "/routes/GET ~1a~1:orderId/request/params/orderID",
        message: "no path under this key has a param `:orderID`",
        help: "did you mean `orderId`?",
      },
    ]);
  });

  it("a param of the defaults needs one route that binds it", () => {
    const defaults = {
      authenticate: "none",
      request: { params: { id: { type: "integer" }, nope: { type: "string" } } },
    };
    expect(
      diagnosticsOf({ "GET /a/:id": {}, "GET /b": {} }, { defaults }).map(({ code, pointer }) => [
        code,
        pointer,
      ]),
    ).toEqual([["unknown-param", "/defaults/request/params/nope"]]);
  });

  it("types that cannot be read where a body must be", () => {
    const request = { body: true, types: ["application/json", "multipart/form-data"] };
    expect(diagnosticsOf({ "POST /a": { request } })).toEqual([
      {
        code: "unreadable-type",
        severity: "error",
        pointer: "/routes/POST ~1a/request/types/1",
        message: "`multipart/form-data` is no JSON, and `request.body` must be read",
        help: "leave the type out here, or `request.body` where this type is accepted",
      },
    ]);
    expect(diagnosticsOf({ "POST /a": { request: { types: ["multipart/form-data"] } } })).toEqual([]);
  });

  it("B7.120: unbounded uniqueItems, once for each place", () => {
    const schemas = { Tags: { type: "array", uniqueItems: true } };
    const body = {
      properties: { a: { $ref: "#/schemas/Tags" }, b: { type: "array", uniqueItems: true, maxItems: 3 } },
    };
    expect(
      diagnosticsOf({ "POST /a": { request: { body } }, "POST /b": { request: { body } } }, { schemas }),
    ).toEqual([
      {
        code: "unbounded-unique-items",
        severity: "warning",
        pointer: "/schemas/Tags",
        message: "`uniqueItems` compares the items of a list whose length is the caller's choice",
        help: "write `maxItems` beside it",
      },
    ]);
  });

  it.each<[string, Record<string, unknown>, [code: string, severity: string, pointer: string][]]>([
    [
      "an object as a parameter",
      { query: { q: { type: "object" } } },
      [["parameter-type", "error", "query/q"]],
    ],
    [
      "a list of lists",
      { query: { q: { type: "array", items: { type: "array" } } } },
      [["parameter-type", "error", "query/q"]],
    ],
    [
      "a list or a text",
      { query: { q: { type: ["array", "string"] } } },
      [["parameter-type", "error", "query/q"]],
    ],
    [
      "a list as a header",
      { headers: { "X-A": { type: "array" } } },
      [["parameter-type", "error", "headers/X-A"]],
    ],
    [
      "a header under two spellings",
      { headers: { "X-A": {}, "x-a": {} } },
      [["duplicate-name", "error", "headers/x-a"]],
    ],
    [
      "a param that is not required",
      { params: { id: { type: "string", required: false } } },
      [["param-not-required", "error", "params/id/required"]],
    ],
    [
      "a default of a param",
      { params: { id: { type: "string", default: "x" } } },
      [["unused-default", "warning", "params/id"]],
    ],
    [
      "a default of what is required",
      { query: { q: { type: "string", default: "x", required: true } } },
      [["unused-default", "warning", "query/q"]],
    ],
    [
      "a query name that a guard refuses",
      { query: { "a.b": { type: "string" } } },
      [["guarded-name", "error", "query/a.b"]],
    ],
    [
      "one whose brackets hold what a guard refuses",
      { query: { "a[$ne]": { type: "string" } } },
      [["guarded-name", "error", "query/a[$ne]"]],
    ],
    ["the same where the guard is off", { operators: "allow", query: { "a.b": { type: "string" } } }, []],
    [
      "a member that a guard refuses",
      { body: { properties: { $x: true } } },
      [["guarded-name", "warning", "body/properties/$x"]],
    ],
    [
      "bodyOptional without a body",
      { bodyOptional: true },
      [["setting-without-effect", "error", "bodyOptional"]],
    ],
    ["maxDepth without a body", { maxDepth: 3 }, [["setting-without-effect", "error", "maxDepth"]]],
    [
      "unknown with nothing to act on",
      { unknown: "strip" },
      [["setting-without-effect", "error", "unknown"]],
    ],
    [
      "a guard of what only a parser of JSON meets",
      { sniff: { duplicateKeys: false, loneSurrogates: false } },
      [
        ["setting-without-effect", "error", "sniff/duplicateKeys"],
        ["setting-without-effect", "error", "sniff/loneSurrogates"],
      ],
    ],
    ["a guard that the query meets too", { sniff: { controlCharacters: false, prototypeKeys: false } }, []],
    ["what streams has a type and a size", { types: ["text/plain"], maxBody: 5 }, []],
    ["unknown on a query", { unknown: "strip", query: {} }, []],
  ])("%s", (_name, request, expected) => {
    const key = "POST /a/:id";
    expect(
      diagnosticsOf({ [key]: { request } }).map(({ code, severity, pointer }) => [code, severity, pointer]),
    ).toEqual(
      expected.map(([code, severity, pointer]) => [
        code,
        severity,
        `/routes/POST ~1a~1:id/request/${pointer}`,
      ]),
    );
  });

  it("types and sizes of content that may never come have no effect", () => {
    const request = { types: ["text/plain"], maxBody: 5 };
    const found = (key: string) =>
      diagnosticsOf({ [key]: { request } }).map(({ code, message }) => [code, message]);
    expect(found("GET|DELETE /a")).toEqual([
      ["setting-without-effect", "`types` is about content, and none may come with DELETE or GET"],
      ["setting-without-effect", "`maxBody` is about content, and none may come with DELETE or GET"],
    ]);
    expect(found("* /a")).toEqual([]);
    expect(found("GET|POST /a")).toEqual([]);
  });

  it("a body of GET or HEAD is warned of, and of DELETE is not", () => {
    expect(
      diagnosticsOf({
        "GET|HEAD|POST /a": { request: { body: true } },
        "DELETE /b": { request: { body: true } },
      }),
    ).toEqual([
      {
        code: "body-on-safe-method",
        severity: "warning",
        pointer: "/routes/GET|HEAD|POST ~1a/request/body",
        message: "content of GET and HEAD has no agreed meaning, and proxies drop it",
        help: "put `request.body` on the routes of other methods",
      },
    ]);
  });
});
