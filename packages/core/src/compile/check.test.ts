import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../errors/diagnostics.js";
import { checkPolicy } from "./check.js";
import { parsePolicy } from "./parse.js";
import { SAMPLE } from "./sample.test-support.js";

/** A small document that checks clean, with parts replaced. */
function document(parts: Record<string, unknown>): Record<string, unknown> {
  return {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    authenticators: {
      key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
    },
    roles: { admin: [], clerk: [] },
    routes: { "GET /a": { authorize: "authenticated" } },
    ...parts,
  };
}

function problems(
  parts: Record<string, unknown>,
): Pick<Diagnostic, "code" | "pointer" | "message" | "help">[] {
  return checkPolicy(document(parts)).map(({ severity: _severity, ...rest }) => rest);
}

const route = (settings: unknown): Record<string, unknown> => ({ routes: { "GET /a": settings } });

describe("documents that are right", () => {
  it("finds nothing in the reference's sample", () => {
    expect(checkPolicy(parsePolicy(SAMPLE))).toEqual([]);
  });

  it("finds nothing in the small document of these tests", () => {
    expect(problems({})).toEqual([]);
  });

  it("finds nothing in a document that serves nothing", () => {
    expect(checkPolicy({ gatehouse: 1, name: "t", transport: { https: "off" }, routes: {} })).toEqual([]);
  });
});

describe("shape", () => {
  it("places a diagnostic in its text, whole", () => {
    const text =
      '{\n  "gatehouse": 1,\n  "name": "t",\n  "transport": { "https": "rediect" },\n  "routes": {}\n}';
    expect(checkPolicy(parsePolicy(text, "orders.jsonc"))).toEqual([
      {
        code: "unknown-value",
        severity: "error",
        pointer: "/transport/https",
        message: "`rediect` is not one of `require`, `redirect`, `off`",
        help: "did you mean `redirect`?",
        line: 4,
        column: 18,
        file: "orders.jsonc",
      },
    ]);
  });

  it("names the nearest key", () => {
    expect(problems(route({ authorize: "authenticated", limts: [] }))).toEqual([
      {
        code: "unknown-key",
        pointer: "/routes/GET ~1a/limts",
        message: "unknown key `limts`",
        help: "did you mean `limits`?",
      },
    ]);
  });

  it("reports problems of every part at once, and none that follows from another", () => {
    const found = problems({
      mode: "off",
      limits: { burst: { limit: 0, window: "10 s" } },
      routes: {
        "GET /a": { authorise: "authenticated", limits: ["burst"] },
        "GET /b": { authorize: { roles: ["admn"] } },
        "FETCH /c": { authorize: null },
        "get /d": { authorize: "authenticated" },
      },
    });
    expect(found.map(({ code, pointer }) => [code, pointer])).toEqual([
      ["unknown-key", "/routes/GET ~1a/authorise"],
      ["wrong-type", "/routes/FETCH ~1c/authorize"],
      ["unknown-value", "/mode"],
      ["out-of-range", "/limits/burst/limit"],
      ["invalid-value", "/limits/burst/window"],
      ["unknown-role", "/routes/GET ~1b/authorize/roles/0"],
      ["invalid-route", "/routes/get ~1d"],
    ]);
  });

  it("reports code that throws while a document is read", () => {
    const accessor = {
      get gatehouse(): number {
        throw new Error("secret");
      },
    };
    const trap = new Proxy({}, { ownKeys: () => [1] as unknown as string[] });
    for (const policy of [accessor, { gatehouse: 1, routes: trap }]) {
      expect(checkPolicy(policy).map(({ code, pointer }) => [code, pointer])).toEqual([["not-json", ""]]);
      expect(JSON.stringify(checkPolicy(policy))).not.toContain("secret");
    }
  });

  it("says how text becomes a document", () => {
    expect(checkPolicy('{ "gatehouse": 1 }')).toEqual([
      {
        severity: "error",
        code: "wrong-type",
        pointer: "",
        message: "expected an object, found a string",
        help: "`parsePolicy` makes a document of text",
      },
    ]);
  });

  it("says what a key is called where it stands", () => {
    const found = problems({
      groups: { "/a": { authorize: "authenticated" } },
      defaults: { require: "authenticated" },
    });
    expect(found.map(({ pointer, help }) => [pointer, help])).toEqual(
      expect.arrayContaining([
        [
          "/groups/~1a/authorize",
          "a group writes `require`: it is asked of every route below, and nothing replaces it",
        ],
        ["/defaults/require", "`require` belongs to groups; here it is `authorize`"],
      ]),
    );
  });

  it("chooses the branch of a union by what tells branches apart", () => {
    expect(problems({ ...route({ authorize: "authenticated", authenticate: 5 }) })).toEqual([
      {
        code: "wrong-type",
        pointer: "/routes/GET ~1a/authenticate",
        message: "expected `none` or a list, found a number",
      },
    ]);
    expect(problems({ authenticators: { key: { type: "jwtt" } } })).toEqual([
      {
        code: "unknown-value",
        pointer: "/authenticators/key/type",
        message:
          "`jwtt` is not one of `jwt`, `api-key`, `introspection`, `custom`, `signature`, `http-signature`, `basic`, `mtls`",
        help: "did you mean `jwt`?",
      },
    ]);
    expect(problems({ authenticators: { key: { type: "custom", in: "header" } } })).toEqual([
      { code: "missing-key", pointer: "/authenticators/key", message: "`use` is missing", help: "add `use`" },
    ]);
    expect(problems({ authenticators: { key: { type: "custom", use: "own" } } })).toEqual([
      {
        code: "missing-key",
        pointer: "/authenticators/key",
        message: "`in` is missing",
        help: "add `in`: `header`, `query`, `cookie` or `tls`",
      },
    ]);
    const keys = { jwsk: { keys: [] } };
    const jwt = { type: "jwt", issuer: "i", audience: "a", algorithms: ["ES256"], keys };
    expect(problems({ authenticators: { key: jwt } })).toEqual([
      {
        code: "unknown-key",
        pointer: "/authenticators/key/keys/jwsk",
        message: "unknown key `jwsk`",
        help: "did you mean `jwks`?",
      },
    ]);
  });

  it("never repeats a secret that was written out", () => {
    const literal = { message: "a literal stands where a secret belongs", code: "literal-secret" };
    const help = 'take it out of the policy and refer to it: `{ "secret": "env:NAME" }`';
    expect(problems({ redaction: { key: "hunter2-hunter2" } })).toEqual([
      { ...literal, pointer: "/redaction/key", help },
    ]);
    expect(problems({ redaction: { key: { secret: "hunter2 hunter2" } } })).toEqual([
      { ...literal, pointer: "/redaction/key/secret", help },
    ]);
    const record = { id: "a", sha256: "hunter2-hunter2" };
    const found = problems({
      authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: [record] } },
    });
    expect(found).toEqual([
      {
        code: "invalid-value",
        pointer: "/authenticators/key/keys/0/sha256",
        message: "the text does not fit here",
        help: "write 64 lower-case hex digits",
      },
    ]);
  });
});

describe("names", () => {
  it("looks for each where it was written", () => {
    const found = problems({
      roles: { admin: ["clrk"], clerk: [] },
      limits: { flood: { limit: 1, window: "1m" } },
      global: { limits: ["fload"] },
      defaults: { limits: ["inherited"], authorize: { roles: ["admin"] } },
      groups: { "/a": { require: [{ roles: ["root"] }] } },
      routes: { "GET /a": { authenticate: ["keys", "optional"], limits: ["nothing"] } },
    });
    expect(found).toEqual([
      {
        code: "unknown-role",
        pointer: "/roles/admin/0",
        message: "unknown role `clrk`",
        help: "did you mean `clerk`?",
      },
      {
        code: "unknown-limit",
        pointer: "/global/limits/0",
        message: "unknown limit `fload`",
        help: "did you mean `flood`?",
      },
      {
        code: "nothing-inherited",
        pointer: "/defaults/limits/0",
        message: '`"inherited"` stands where nothing is inherited',
        help: "name the limits; `inherited` belongs into groups and routes",
      },
      {
        code: "unknown-role",
        pointer: "/groups/~1a/require/0/roles/0",
        message: "unknown role `root`",
        help: "the document declares `admin` or `clerk`",
      },
      {
        code: "unknown-limit",
        pointer: "/routes/GET ~1a/limits/0",
        message: "unknown limit `nothing`",
        help: "the document declares `flood`",
      },
      {
        code: "unknown-authenticator",
        pointer: "/routes/GET ~1a/authenticate/0",
        message: "unknown authenticator `keys`",
        help: "did you mean `key`?",
      },
      {
        code: "misplaced-optional",
        pointer: "/routes/GET ~1a/authenticate/1",
        message: '`"optional"` is not the first entry',
        help: "write it first: it is about the whole list",
      },
    ]);
  });

  it("reports roles that run in a circle, each of them", () => {
    expect(
      problems({ roles: { a: ["b"], b: ["a"], c: ["a"] } }).map(({ pointer, message }) => [pointer, message]),
    ).toEqual([
      ["/roles/a", "role `a` includes itself"],
      ["/roles/b", "role `b` includes itself"],
    ]);
  });
});

describe("routes and groups", () => {
  it("asks every route that authenticates for who may", () => {
    expect(problems(route({}))).toEqual([
      {
        code: "missing-authorize",
        pointer: "/routes/GET ~1a",
        message: "the route authenticates and says nothing of `authorize`: being known is not being allowed",
        help: 'say who may, here or by `require` of a group or in `defaults`; any principal is `"authorize": "authenticated"`',
      },
    ]);
  });

  it("refuses a document without authenticators whose route does not open itself", () => {
    expect(problems({ authenticators: {} }).map(({ code, pointer }) => [code, pointer])).toEqual([
      ["no-authenticator", "/routes/GET ~1a"],
    ]);
  });

  it("refuses a group that covers no route, but not one that only closes its prefix", () => {
    expect(problems({ groups: { "/amdin": { conceal: true }, "/closed": {} } })).toEqual([
      {
        code: "empty-group",
        pointer: "/groups/~1amdin",
        message: "group `/amdin` covers no route",
        help: "mend the prefix, or write `{}` to do no more than close it",
      },
    ]);
  });

  it("refuses groups that differ in the name of a parameter alone", () => {
    const groups = { "/t/:a": {}, "/t/:b": {} };
    expect(problems({ groups }).map(({ code, pointer }) => [code, pointer])).toEqual([
      ["duplicate-group", "/groups/~1t~1:b"],
    ]);
  });

  it("refuses routes that no request could tell apart", () => {
    const one = { authorize: "authenticated" };
    expect(problems({ routes: { "GET /a/:x": one, "GET|POST /a/:y": one } })).toEqual([
      {
        code: "indistinguishable-routes",
        pointer: "/routes/GET|POST ~1a~1:y",
        message: "no request can tell `GET|POST /a/:y` and `GET /a/:x` apart",
        help: "keep one of them, or let their methods or the static text of their paths differ",
      },
    ]);
  });

  it("B1.15 refuses a route whose every path a group closes", () => {
    const one = { authorize: "authenticated" };
    const groups = { "/files/:name": {}, "/docs": {} };
    expect(
      problems({ groups, routes: { "GET /files/*": one, "GET /files/:id/*": one, "GET /*": one } }),
    ).toEqual([
      {
        code: "unreachable-route",
        pointer: "/routes/GET ~1files~1*",
        message:
          "no request reaches `GET /files/*`: group `/files/:name` closes every path that it could match",
        help: "let the route stand in the group, or shorten the group's prefix",
      },
    ]);
  });

  it("refuses two spellings of one header field", () => {
    const headers = { "X-One": "1", "x-one": "2" };
    expect(problems(route({ authorize: "authenticated", headers }))).toEqual([
      {
        code: "duplicate-header",
        pointer: "/routes/GET ~1a/headers/x-one",
        message: "`x-one` and `X-One` name one field",
        help: "keep one of them",
      },
    ]);
  });

  const keys: [string, string, string][] = [
    [
      "GET",
      "route key `GET` is not of the form `METHOD /path`",
      "write the method, one blank and the path, as in `GET /orders/:id`",
    ],
    ["GTE|get /a", "`get` is no method name", "methods are case-sensitive; did you mean `GET`?"],
    [
      "TRACE /a",
      "method `TRACE` is never routed",
      "the engine answers TRACE and CONNECT with 405 by itself; leave it out",
    ],
    ["GET|* /a", "`*` cannot be joined with other methods", "write `*` alone, or name the methods"],
    ["GET|GET /a", "method `GET` is named twice", "name each method once"],
    ["GET a", "path `a` does not begin with `/`", "write the path from its first slash"],
    [
      "GET /a//b",
      "path `/a//b` has an empty segment",
      "no request path can match it; see the rules for paths",
    ],
    ["GET /a/../b", "path has a `..` segment", "no request path can match it: such paths are refused"],
    [
      "GET /a%2fb",
      "path `/a%2fb` is percent-encoded",
      "write the character itself: paths are compared decoded",
    ],
    ["GET /a?b", "path `/a?b` has a query or a fragment", "describe query parameters under `request.query`"],
    [
      "GET /a;b",
      "path `/a;b` has a character that no request path may have",
      "no request path can match it; see the rules for paths",
    ],
    [
      "GET /a b ",
      "path `/a b ` has a character that no request path may have",
      "no request path can match it; see the rules for paths",
    ],
    [
      "GET /*/a",
      "`*` stands before the end of the path",
      "`*` may only be the last segment; use `:name` for one segment",
    ],
    ["GET /a*", "segment `a*` mixes `*` with text", "`*` and `:name` stand for whole segments"],
    [
      "GET /:a.json",
      "`:a.json` is no parameter name",
      "a parameter is one whole segment: `:` and a name of letters, digits and `_`",
    ],
    ["GET /:a/:a", "parameter `:a` is named twice", "give each parameter its own name"],
    [
      "GET /:constructor",
      "parameter `:constructor` would reach into an object's prototype",
      "choose another name",
    ],
  ];

  it.each(keys)("refuses the key %s", (key, message, help) => {
    expect(problems({ routes: { [key]: { authorize: "authenticated" } } })).toEqual([
      { code: "invalid-route", pointer: `/routes/${key.replaceAll("/", "~1")}`, message, help },
    ]);
  });

  it("refuses prefixes that no path could begin with", () => {
    const groups = { admin: {}, "/a/": {}, "/b/*": {} };
    expect(problems({ groups }).map(({ code, pointer, help }) => [code, pointer, help])).toEqual([
      ["invalid-group", "/groups/~1a~1", "write `/a`: it covers the prefix itself and all below it"],
      ["invalid-group", "/groups/~1b~1*", "a group covers all below its prefix: leave `/*` out"],
      ["invalid-group", "/groups/admin", "write the path from its first slash"],
    ]);
  });
});

describe("JSON Schemas", () => {
  const schemas = (schema: unknown): ReturnType<typeof problems> => problems({ schemas: { Order: schema } });
  const at = "/schemas/Order";

  it("refuses bounds that nothing is within, whole", () => {
    const help = "mend one of the two bounds; `false` is the schema that nothing satisfies";
    expect(schemas({ type: "integer", minimum: 5, maximum: 4 })).toEqual([
      {
        code: "unsatisfiable-schema",
        pointer: `${at}/maximum`,
        message: "nothing is at once within `minimum` 5 and `maximum` 4",
        help,
      },
    ]);
    const emptied = (schema: object): unknown => schemas(schema).map(({ code, pointer }) => [code, pointer]);
    expect(emptied({ type: "number", exclusiveMinimum: 5, maximum: 5 })).toEqual([
      ["unsatisfiable-schema", `${at}/maximum`],
    ]);
    expect(emptied({ type: "number", minimum: 5, exclusiveMaximum: 5 })).toEqual([
      ["unsatisfiable-schema", `${at}/exclusiveMaximum`],
    ]);
    expect(emptied({ type: "string", minLength: 2, maxLength: 1 })).toEqual([
      ["unsatisfiable-schema", `${at}/maxLength`],
    ]);
    expect(emptied({ type: "array", items: true, minItems: 2, maxItems: 1 })).toEqual([
      ["unsatisfiable-schema", `${at}/maxItems`],
    ]);
    expect(emptied({ type: "integer", minimum: 5, maximum: 5 })).toEqual([]);
    expect(emptied({ type: "number", exclusiveMinimum: 4, maximum: 5 })).toEqual([]);
  });

  it("refuses a member that must be there and may not, whole", () => {
    const closed = { type: "object", properties: { sku: {} }, additionalProperties: false };
    expect(schemas({ ...closed, required: ["sku", "skew"] })).toEqual([
      {
        code: "unsatisfiable-schema",
        pointer: `${at}/required/1`,
        message: "`skew` is required, and `additionalProperties` refuses it",
        help: "declare it under `properties`, or take it out of `required`",
      },
    ]);
    expect(schemas({ ...closed, required: ["skew"], patternProperties: { "^s": {} } })).toEqual([]);
  });

  it("B7.123 names the nearest keyword and refuses those of other dialects", () => {
    expect(schemas({ type: "string", maxLenght: 5, nullable: true })).toEqual([
      {
        code: "unknown-keyword",
        pointer: `${at}/maxLenght`,
        message: "unknown keyword `maxLenght`",
        help: "did you mean `maxLength`?",
      },
      {
        code: "unsupported-keyword",
        pointer: `${at}/nullable`,
        message: "keyword `nullable` is not part of the language",
        help: 'write `"type": ["string", "null"]`',
      },
    ]);
  });

  it("follows references, and refuses those that lead nowhere or out", () => {
    const found = schemas({
      $defs: { Id: { type: "string" } },
      allOf: [
        { $ref: "#/$defs/Id" },
        { $ref: "#/$defs/Name" },
        { $ref: "#/schemas/Ordr" },
        { $ref: "https://a.test/s" },
      ],
    });
    expect(found).toEqual([
      {
        code: "unknown-schema",
        pointer: `${at}/allOf/1/$ref`,
        message: "reference `#/$defs/Name` leads to no schema",
        help: "the document has `#/schemas/Order`",
      },
      {
        code: "unknown-schema",
        pointer: `${at}/allOf/2/$ref`,
        message: "reference `#/schemas/Ordr` leads to no schema",
        help: "did you mean `#/schemas/Order`?",
      },
      {
        code: "remote-reference",
        pointer: `${at}/allOf/3/$ref`,
        message: "reference `https://a.test/s` leads out of the document",
        help: "put the schema under `schemas` and write `#/schemas/Name`",
      },
    ]);
  });

  it("refuses schemas that refer to themselves before they declare anything, and lets trees be", () => {
    expect(
      problems({ schemas: { A: { $ref: "#/schemas/B" }, B: { anyOf: [{ $ref: "#/schemas/A" }] } } }),
    ).toEqual([
      {
        code: "circular-schema",
        pointer: "/schemas/A",
        message: "the schema refers to itself before it declares anything",
        help: "let the reference stand below `properties`, `items` or the like",
      },
    ]);
    expect(
      schemas({
        type: "object",
        properties: { child: { $ref: "#" }, list: { items: { $ref: "#/schemas/Order" } } },
      }),
    ).toEqual([]);
  });

  it("refuses patterns that do not run in linear time", () => {
    const [found] = schemas({ type: "string", pattern: "(?=a)b" });
    expect(found).toMatchObject({
      code: "invalid-pattern",
      pointer: `${at}/pattern`,
      help: "patterns run in linear time: lookahead, lookbehind and backreferences are not to be had",
    });
  });

  const values: [string, unknown, string, string][] = [
    ["a type", { type: "int" }, "type", "unknown type `int`"],
    ["a format", { type: "string", format: "emial" }, "format", "unknown format `emial`"],
    [
      "a count",
      { type: "string", maxLength: -1 },
      "maxLength",
      "expected a whole number from 0, found a number",
    ],
    ["an enum", { enum: [] }, "enum", "expected a list of values, not empty, found a list"],
    ["a required list", { required: "a" }, "required", "expected a list of property names, found a string"],
    ["properties", { properties: [] }, "properties", "expected names with schemas, found a list"],
    ["a composition", { allOf: [] }, "allOf", "expected a list of schemas, not empty, found a list"],
    ["a step", { multipleOf: 0 }, "multipleOf", "expected a number above 0, found a number"],
    ["a schema", { items: null }, "items", "expected a JSON Schema, found null"],
    [
      "a dialect",
      { $schema: "http://json-schema.org/draft-07/schema#" },
      "$schema",
      "the schema is of another dialect",
    ],
    [
      "an idle bound",
      { type: "integer", maxLength: 5 },
      "maxLength",
      "`maxLength` says nothing about `integer`",
    ],
    ["a branch without its condition", { else: {} }, "else", "`else` does nothing without `if`"],
    [
      "a URL rule",
      { type: "string", allowedUrl: { schemes: ["https"] } },
      "allowedUrl",
      "`allowedUrl` needs schemes and hosts, each a list that is not empty",
    ],
    [
      "a redaction",
      { type: "string", redact: "hide" },
      "redact",
      "`hide` is not one of `remove`, `null`, `mask`, `hash`, `last4`",
    ],
  ];

  it.each(values)("refuses %s that cannot be", (_what, schema, keyword, message) => {
    expect(schemas(schema).map(({ pointer, message }) => [pointer, message])).toEqual([
      [`${at}/${keyword}`, message],
    ]);
  });

  it("takes `required` of a parameter as our own word, there alone", () => {
    const query = { page: { type: "integer", required: true }, sort: { type: "string", required: ["x"] } };
    expect(problems(route({ authorize: "authenticated", request: { query } }))).toEqual([
      {
        code: "wrong-type",
        pointer: "/routes/GET ~1a/request/query/sort/required",
        message: "expected `true` or `false`, found a list",
        help: "a parameter says `required` of itself",
      },
    ]);
  });
});
