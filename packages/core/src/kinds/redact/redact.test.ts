import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateFor } from "../../model/state.test-support.js";
import type { Identity } from "../../model/principal.js";
import type { ResponseSettings, RouteSettings } from "../../model/policy.js";
import { apply, diagnose, documentWith, KEY, leaves, ruleOf, rulesOf } from "./redact.test-support.js";

const text = { type: "string" };
const person = { type: "object", properties: { name: text, email: text } };
const mismatch = (reason: string) => ({ kind: "withheld", code: "response-mismatch", reason });
const unreadable = (reason: string) => ({ kind: "withheld", code: "unreadable-response", reason });

describe("projection", () => {
  it.each<[string, unknown, unknown, unknown]>([
    ["properties", person, { name: "a", secret: 1 }, { name: "a" }],
    [
      "nested objects",
      { type: "object", properties: { p: person } },
      { p: { email: "e", x: { y: 1 } }, q: {} },
      { p: { email: "e" } },
    ],
    ["items", { type: "array", items: person }, [{ name: "a", x: 1 }, { x: 2 }], [{ name: "a" }, {}]],
    ["no items declared", { type: "array" }, [1, { a: 2 }], []],
    [
      "prefixItems",
      { type: "array", prefixItems: [text, person] },
      ["a", { name: "b", x: 1 }, "rest"],
      ["a", { name: "b" }],
    ],
    ["prefixItems and items", { prefixItems: [text], items: { type: "integer" } }, ["a", 1, 2], ["a", 1, 2]],
    [
      "additionalProperties as a schema",
      { type: "object", additionalProperties: person },
      { a: { name: "x", y: 1 }, b: {} },
      { a: { name: "x" }, b: {} },
    ],
    [
      "additionalProperties: true",
      { type: "object", additionalProperties: true },
      { a: { b: [1] } },
      { a: { b: [1] } },
    ],
    [
      "additionalProperties: false",
      { properties: { a: text }, additionalProperties: false },
      { a: "1", b: 2 },
      { a: "1" },
    ],
    [
      "patternProperties",
      { type: "object", patternProperties: { "^x-": text } },
      { "x-a": "1", y: "2" },
      { "x-a": "1" },
    ],
    [
      "patternProperties before additionalProperties",
      { patternProperties: { "^x": person }, additionalProperties: text },
      { x1: { name: "a", z: 1 }, y: "b" },
      { x1: { name: "a" }, y: "b" },
    ],
    [
      "allOf: what any part declares",
      { allOf: [{ properties: { a: text } }, { type: "object", properties: { b: text } }] },
      { a: "1", b: "2", c: "3" },
      { a: "1", b: "2" },
    ],
    [
      "allOf: parts of one member are joined",
      {
        allOf: [
          { properties: { p: { properties: { a: text } } } },
          { properties: { p: { properties: { b: text } } } },
        ],
      },
      { p: { a: "1", b: "2", c: "3" } },
      { p: { a: "1", b: "2" } },
    ],
    [
      "allOf: a part that is closed keeps no other part in",
      { allOf: [{ properties: { a: text } }, { properties: { b: text }, additionalProperties: false }] },
      { a: "1", b: "2", c: "3" },
      { a: "1", b: "2" },
    ],
    [
      "allOf: a part that forbids a member keeps it in",
      { allOf: [{ properties: { a: text, b: text } }, { properties: { a: false } }] },
      { a: "1", b: "2" },
      { b: "2" },
    ],
    [
      "allOf: writeOnly in any part",
      { properties: { a: { allOf: [text, { writeOnly: true }] } } },
      { a: "1" },
      {},
    ],
    ["allOf beside {}", { allOf: [person, {}] }, { name: "a", x: 1 }, { name: "a" }],
    ["an object schema that declares nothing", { type: "object" }, { a: 1 }, {}],
    ["required alone declares nothing", { required: ["a"] }, { a: 1 }, {}],
    ["{} lets out whole", {}, { a: [{ b: 1 }] }, { a: [{ b: 1 }] }],
    ["true lets out whole", true, [1, { a: null }], [1, { a: null }]],
    ["annotations alone are {}", { description: "anything" }, { a: 1 }, { a: 1 }],
    ["a member that is false", { properties: { a: false, b: true } }, { a: 1, b: [2] }, { b: [2] }],
    [
      "writeOnly members",
      { properties: { name: text, password: { type: "string", writeOnly: true } } },
      { name: "a", password: "p" },
      { name: "a" },
    ],
    [
      "const and enum",
      { properties: { a: { const: "x" }, b: { enum: ["y", 1] } } },
      { a: "x", b: 1, c: 2 },
      { a: "x", b: 1 },
    ],
    ["type lists", { type: ["object", "null"], properties: { a: text } }, null, null],
    [
      "a $ref into $defs",
      { $defs: { p: person }, type: "object", properties: { p: { $ref: "#/$defs/p" } } },
      { p: { name: "a", x: 1 } },
      { p: { name: "a" } },
    ],
    [
      "a recursive $ref",
      { type: "object", properties: { v: text, next: { $ref: "#" } } },
      { v: "1", next: { v: "2", x: 1, next: { v: "3" } } },
      { v: "1", next: { v: "2", next: { v: "3" } } },
    ],
  ])("%s", async (_, body, value, expected) => {
    expect(await leaves({ body }, value)).toEqual(expected);
  });

  it("follows references into the document's schemas, and local ones inside those", async () => {
    const document = documentWith(
      { body: { type: "array", items: { $ref: "#/schemas/Order" } } },
      {
        schemas: {
          Order: {
            $defs: { p: person },
            type: "object",
            properties: { id: text, by: { $ref: "#/$defs/p" } },
          },
        },
      },
    );
    const { outcome } = await apply(document, [{ id: "1", by: { name: "a", card: "4111" }, cost: 3 }]);
    expect(outcome).toEqual({ kind: "json", value: [{ id: "1", by: { name: "a" } }] });
  });

  it("never changes the handler's object", async () => {
    const value = Object.freeze({ name: "a", secret: Object.freeze({ x: 1 }), tags: Object.freeze([1]) });
    await leaves(
      { body: { properties: { name: text, tags: { items: true } } }, redact: { "/name": "mask" } },
      value,
    );
    expect(value).toEqual({ name: "a", secret: { x: 1 }, tags: [1] });
  });

  it("keeps a member named __proto__ a member", async () => {
    const body = { type: "object", additionalProperties: person };
    const { outcome } = await apply(documentWith({ body }), JSON.parse('{"__proto__":{"name":"a","x":1}}'));
    expect(outcome.kind === "json" && JSON.stringify(outcome.value)).toBe('{"__proto__":{"name":"a"}}');
    expect(({} as Record<string, unknown>)["name"]).toBeUndefined();
  });

  it("declares names that every object inherits without letting the inherited ones out", async () => {
    const body = { properties: { constructor: true, toString: true, a: text } };
    expect(await leaves({ body }, { a: "1" })).toEqual({ a: "1" });
    expect(
      await leaves({ body }, Object.assign(Object.create({ a: "inherited" }) as object, { b: 1 })),
    ).toEqual({});
  });
});

describe("branches", () => {
  const shape = (kind: string, member: string) => ({
    type: "object",
    required: ["kind"],
    properties: { kind: { const: kind }, [member]: text },
  });
  const union = { oneOf: [shape("a", "x"), shape("b", "y")] };

  it.each<[string, unknown, unknown, unknown]>([
    ["const of a required property", union, { kind: "a", x: "1", y: "2" }, { kind: "a", x: "1" }],
    ["the other branch", union, { kind: "b", x: "1", y: "2" }, { kind: "b", y: "2" }],
    [
      "anyOf by type",
      { anyOf: [person, { type: "null" }, { type: "array", items: text }] },
      ["a", 1],
      ["a", 1],
    ],
    ["null beside an object", { anyOf: [person, { type: "null" }] }, null, null],
    [
      "members beside the branches",
      { type: "object", properties: { id: text }, ...union },
      { id: "1", kind: "a", x: "2", z: 3 },
      { id: "1", kind: "a", x: "2" },
    ],
    [
      "required beside the branches",
      {
        required: ["kind"],
        oneOf: [
          { properties: { kind: { enum: ["a", "c"] }, x: text } },
          { properties: { kind: { const: "b" } } },
        ],
      },
      { kind: "c", x: "1", y: 1 },
      { kind: "c", x: "1" },
    ],
    [
      "branches inside branches",
      { oneOf: [{ type: "null" }, { oneOf: [shape("a", "x"), shape("b", "y")] }] },
      { kind: "b", y: "1", x: "0" },
      { kind: "b", y: "1" },
    ],
    [
      "two unions at once",
      { allOf: [union, { anyOf: [{ type: "object", properties: { z: text } }, { type: "string" }] }] },
      { kind: "a", x: "1", z: "2", w: "3" },
      { kind: "a", x: "1", z: "2" },
    ],
    ["integer and fraction", { oneOf: [{ type: "integer" }, { type: "string" }] }, 5, 5],
  ])("%s", async (_, body, value, expected) => {
    expect(await leaves({ body }, value)).toEqual(expected);
  });

  it("withholds what fits no branch", async () => {
    const reason = "the value fits no branch of /routes/GET ~1/response/body/oneOf";
    expect(await leaves({ body: union }, { kind: "c", x: "1" })).toEqual(mismatch(reason));
    expect(await leaves({ body: union }, { x: "1" })).toEqual(mismatch(reason));
    expect(await leaves({ body: union }, "text")).toEqual(mismatch(reason));
  });

  it("redacts what fits no branch, where it would be redacted anyway", async () => {
    const body = { type: "object", properties: { u: union } };
    expect(await leaves({ body, redact: { "/u": "mask" } }, { u: { kind: "c" } })).toEqual({ u: "***" });
  });

  it("reads the member that decides and the member that leaves in one look", async () => {
    let reads = 0;
    const value = {
      get kind() {
        reads += 1;
        return reads === 1 ? "a" : "b";
      },
      x: "1",
      y: "2",
    };
    expect(await leaves({ body: union }, value)).toEqual({ kind: "a", x: "1" });
    expect(reads).toBe(1);
  });

  it.each<[string, unknown]>([
    ["the same type twice", { anyOf: [text, { type: ["string", "null"] }] }],
    ["objects without a tag", { oneOf: [person, { type: "object", properties: { id: text } }] }],
    [
      "a tag that one does not require",
      { oneOf: [shape("a", "x"), { type: "object", properties: { kind: { const: "b" } } }] },
    ],
    ["tags with a common value", { oneOf: [shape("a", "x"), shape("a", "y")] }],
    ["number beside integer", { oneOf: [{ type: "number" }, { type: "integer" }] }],
  ])("refuses branches that cannot be told apart: %s", (_, body) => {
    const union = Object.keys(body as object).join();
    expect(diagnose(documentWith({ body }))).toEqual([
      {
        code: "indistinct-branches",
        severity: "error",
        pointer: `/routes/GET ~1/response/body/${union}`,
        message: "the branches cannot be told apart",
        help: "give each another `type`, or a required property with a `const` or `enum` of its own",
      },
    ]);
  });
});

describe("onMismatch", () => {
  it("is refused where no schema says what the shape is", () => {
    const found = (response: Parameters<typeof documentWith>[0]) =>
      diagnose(documentWith(response)).map(({ code, pointer }) => [code, pointer]);
    const refused = [["setting-without-effect", "/routes/GET ~1/response/onMismatch"]];
    expect(found({ onMismatch: "withhold" })).toEqual(refused);
    expect(found({ onMismatch: "report", redact: { "/a": "mask" } })).toEqual(refused);
    expect(found({ onMismatch: "withhold", bodies: { "200": true } })).toEqual([]);
  });

  const body = {
    type: "object",
    properties: { n: { type: "integer" }, s: text, o: person, l: { type: "array", items: text } },
  };

  it("lets a scalar out and reports it, once a place and without the value", async () => {
    const { outcome, state } = await apply(documentWith({ body }), { n: "canary", l: [1, 2] });
    expect(outcome).toEqual({ kind: "json", value: { n: "canary", l: [1, 2] } });
    expect(state.reports).toEqual([
      "response: the value declared at /routes/GET ~1/response/body/properties/n has another shape",
      "response: the value declared at /routes/GET ~1/response/body/properties/l/items has another shape",
    ]);
  });

  it("never lets an object or a list out where another shape is declared", async () => {
    expect(await leaves({ body }, { n: { a: 1 }, s: ["x"], o: [person], l: { 0: "x" } })).toEqual({});
    expect(await leaves({ body }, { l: ["a", { b: 1 }, "c"] })).toEqual({ l: ["a", "c"] });
  });

  it("keeps the places of a tuple", async () => {
    expect(await leaves({ body: { prefixItems: [text, text, text] } }, ["a", {}, "c"])).toEqual([
      "a",
      null,
      "c",
    ]);
  });

  it("withholds the answer where the whole has another shape", async () => {
    const reason = "the answer is not of the shape declared at /routes/GET ~1/response/body";
    expect(await leaves({ body }, [1])).toEqual(mismatch(reason));
    expect(await leaves({ body }, "text")).toBe("text");
  });

  it("withholds everything where the author says so", async () => {
    const reason = "the value declared at /routes/GET ~1/response/body/properties/n has another shape";
    expect(await leaves({ body, onMismatch: "withhold" }, { n: 1.5 })).toEqual(mismatch(reason));
    expect(await leaves({ body, onMismatch: "withhold" }, { n: 1, s: "a" })).toEqual({ n: 1, s: "a" });
  });
});

describe("statuses", () => {
  const bodies = {
    "200": { properties: { a: text } },
    "2xx": { properties: { b: text } },
    "4xx": { properties: { c: text } },
  };
  const value = { a: "1", b: "2", c: "3", d: "4" };

  it("takes the exact status before the class and the class before default", async () => {
    expect(await leaves({ bodies }, value, 200)).toEqual({ a: "1" });
    expect(await leaves({ bodies }, value, 201)).toEqual({ b: "2" });
    expect(await leaves({ bodies }, value, 404)).toEqual({ c: "3" });
    expect(await leaves({ bodies: { ...bodies, default: { properties: { d: text } } } }, value, 302)).toEqual(
      { d: "4" },
    );
  });

  it("withholds a status that none covers", async () => {
    expect(await leaves({ bodies }, value, 302)).toEqual(mismatch("no schema covers the status 302"));
  });

  it("lets other than 2xx bodies out as far as the error shape goes", async () => {
    const problem = {
      type: "about:blank",
      title: "t",
      status: 404,
      detail: { sql: "select" },
      code: "c",
      errors: [{ pointer: "/a", value: "canary" }],
      id: "1",
      stack: "at",
    };
    expect(await leaves({ body: { properties: { id: text } } }, problem, 404)).toEqual({
      type: "about:blank",
      title: "t",
      status: 404,
      code: "c",
      errors: [{ pointer: "/a" }],
    });
  });

  it("lets them out as far as the author's own error shape goes", async () => {
    const rest = {
      errors: { bodies: { "not-found": { error: { code: "{code}" } }, "404": { message: "gone" } } },
    };
    const document = documentWith({ body: { properties: { id: text } } }, rest);
    const value = { error: { code: "x", stack: "at" }, message: "m", id: "1", title: "t" };
    expect((await apply(document, value, 404)).outcome).toEqual({
      kind: "json",
      value: { error: { code: "x" }, message: "m" },
    });
    expect((await apply(document, value, 409)).outcome).toEqual({ kind: "json", value: { title: "t" } });
  });

  it("redacts on every status", async () => {
    expect(
      await leaves({ body: person, redact: { "/**/email": "mask" } }, { detail: "d", email: "e" }, 404),
    ).toEqual({ detail: "d" });
    expect(await leaves({ redact: { "/email": "mask" } }, { email: "e" }, 404)).toEqual({ email: "***" });
  });

  it("lets nothing out with `response: false`", async () => {
    expect(await leaves(false, { a: 1 })).toEqual({ kind: "empty" });
    expect((await ruleOf(documentWith(false)))?.needsBody(200)).toBe(true);
  });

  it("has no rule where nothing is said, so that answers stream", async () => {
    expect(await ruleOf(documentWith(undefined))).toBeUndefined();
    expect(await ruleOf(documentWith({ encode: true }))).toBeUndefined();
    expect(await ruleOf(documentWith({ redact: {} }))).toBeUndefined();
  });

  it.each(["500", "5xx", "204", "205", "304"])("refuses a schema for %s", (status) => {
    expect(
      diagnose(documentWith({ bodies: { [status]: true } })).map(({ code, pointer }) => [code, pointer]),
    ).toEqual([["unreachable-status", `/routes/GET ~1/response/bodies/${status}`]]);
  });

  it("refuses body beside bodies", () => {
    expect(
      diagnose(documentWith({ body: true, bodies: { "200": true } })).map(({ code, pointer }) => [
        code,
        pointer,
      ]),
    ).toEqual([["body-and-bodies", "/routes/GET ~1/response/bodies"]]);
  });
});

describe("redaction", () => {
  it.each<[string, Record<string, unknown>, unknown, unknown]>([
    ["remove", { "/a": "remove" }, { a: 1, b: 2 }, { b: 2 }],
    ["remove in a list", { "/0": "remove" }, [1, 2], [2]],
    ["null", { "/a": "null" }, { a: { b: 1 } }, { a: null }],
    ["replace", { "/a": { replace: { hidden: true } } }, { a: 1 }, { a: { hidden: true } }],
    [
      "mask, whatever the length",
      { "/a": "mask", "/b": "mask" },
      { a: "x", b: "a longer text" },
      { a: "***", b: "***" },
    ],
    [
      "mask of every type",
      { "/*": "mask" },
      { a: 1, b: null, c: [1], d: { e: 1 } },
      { a: "***", b: "***", c: "***", d: "***" },
    ],
    [
      "last4",
      { "/*": "last4" },
      { a: "4111111111111111", b: "12345678", c: "1234567", d: 12345678, e: ["x"] },
      { a: "***1111", b: "***5678", c: "***", d: "***", e: "***" },
    ],
    ["last4 counts characters, not halves of them", { "/a": "last4" }, { a: "😀😀😀😀😀😀😀" }, { a: "***" }],
    [
      "* for any key and item",
      { "/*/ip": "mask" },
      [{ ip: "1", x: "2" }, { ip: "3" }],
      [{ ip: "***", x: "2" }, { ip: "***" }],
    ],
    [
      "** for any depth, none included",
      { "/**/ip": "mask" },
      { ip: "1", a: { ip: "2", b: [{ ip: "3" }] } },
      { ip: "***", a: { ip: "***", b: [{ ip: "***" }] } },
    ],
    [
      "** in the middle",
      { "/a/**/c": "mask" },
      { a: { c: "1", b: { c: "2" } }, c: "3" },
      { a: { c: "***", b: { c: "***" } }, c: "3" },
    ],
    ["~2 for a literal *", { "/~2": "mask" }, { "*": "1", a: "2" }, { "*": "***", a: "2" }],
    [
      "~0 and ~1",
      { "/a~1b": "mask", "/c~0d": "mask" },
      { "a/b": "1", "c~d": "2" },
      { "a/b": "***", "c~d": "***" },
    ],
    ["an index", { "/l/1": "mask" }, { l: ["a", "b", "c"] }, { l: ["a", "***", "c"] }],
    ["no index with leading zeros", { "/l/01": "mask" }, { l: ["a", "b"] }, { l: ["a", "b"] }],
    [
      "the stricter wins, in any order",
      { "/a": "last4", "/*": "mask", "/**/a": "null" },
      { a: "123456789" },
      { a: null },
    ],
    [
      "a removed parent takes its members along",
      { "/a": "remove", "/a/b": "mask" },
      { a: { b: 1 }, c: 2 },
      { c: 2 },
    ],
    [
      "a member named __proto__",
      { "/__proto__": "mask" },
      JSON.parse('{"__proto__":1,"a":2}'),
      JSON.parse('{"__proto__":"***","a":2}'),
    ],
  ])("%s", async (_, redact, value, expected) => {
    expect(await leaves({ redact }, value)).toEqual(expected);
  });

  it("hashes the JSON text of a scalar under the key", async () => {
    const hash = (json: string): string => createHmac("sha256", KEY).update(json).digest("base64url");
    expect(await leaves({ redact: { "/*": "hash" } }, { a: "1", b: 1, c: null, d: ["x"] })).toEqual({
      a: hash('"1"'),
      b: hash("1"),
      c: hash("null"),
      d: "***",
    });
  });

  it("comes after projection", async () => {
    expect(
      await leaves({ body: person, redact: { "/email": "mask" } }, { name: "a", email: "e", x: 1 }),
    ).toEqual({ name: "a", email: "***" });
  });

  it("travels with the schema, and the stricter wins", async () => {
    const body = {
      type: "array",
      items: {
        properties: {
          a: { type: "string", redact: "last4" },
          b: { type: "string", redact: { replace: "-" } },
        },
      },
    };
    expect(await leaves({ body }, [{ a: "123456789", b: "x" }])).toEqual([{ a: "***6789", b: "-" }]);
    expect(
      await leaves({ body, redact: { "/*/a": "remove", "/*/b": "mask" } }, [{ a: "1", b: "x" }]),
    ).toEqual([{ b: "-" }]);
  });

  it("travels with a schema that is referred to, combined or chosen", async () => {
    const secret = { type: "string", redact: "mask" };
    const body = {
      $defs: { s: secret },
      type: "object",
      properties: {
        a: { $ref: "#/$defs/s" },
        b: { allOf: [text, { redact: "mask" }] },
        c: { anyOf: [secret, { type: "null" }] },
        d: { redact: "mask" },
      },
    };
    expect(await leaves({ body }, { a: "1", b: "2", c: "3", d: { x: 1 } })).toEqual({
      a: "***",
      b: "***",
      c: "***",
      d: "***",
    });
    expect(await leaves({ body }, { c: null })).toEqual({ c: null });
  });

  it("keeps the redactions of routes apart that share a schema", async () => {
    const schemas = { P: { type: "object", properties: { p: person } } };
    const route = (redact: ResponseSettings["redact"]): RouteSettings => ({
      authenticate: "none",
      response: { body: { $ref: "#/schemas/P" }, ...(redact === undefined ? {} : { redact }) },
    });
    const rules = await rulesOf({
      gatehouse: 1,
      name: "t",
      schemas,
      routes: {
        "GET /a": route({ "/p/name": "mask" }),
        "GET /b": route({ "/p/email": "mask" }),
        "GET /c": route(undefined),
      },
    });
    const value = { p: { name: "n", email: "e", x: 1 } };
    expect(rules.map((rule) => rule?.apply(value, 200, stateFor()))).toEqual([
      { kind: "json", value: { p: { name: "***", email: "e" } } },
      { kind: "json", value: { p: { name: "n", email: "***" } } },
      { kind: "json", value: { p: { name: "n", email: "e" } } },
    ]);
  });

  it("is empty where the whole is removed", async () => {
    expect(await leaves({ redact: { "/**": "remove" } }, { a: 1 })).toEqual({ kind: "empty" });
  });

  it("cannot be escaped by another spelling of the same member", async () => {
    expect(await leaves({ redact: { "/secret": "remove" } }, JSON.parse('{"\\u0073ecret":1,"a":2}'))).toEqual(
      { a: 2 },
    );
  });
});

describe("unless and when", () => {
  const identity = (roles: string[], scopes: string[] = []): Identity => ({
    principal: { id: "ann", roles, scopes, claims: {}, authenticator: "user" },
    authenticator: "user",
    roles: new Set(roles),
    scopes: new Set(scopes),
    ambient: false,
    key: "4:user3:ann",
  });
  const document = (entry: unknown) =>
    documentWith(
      { redact: { "/email": entry } },
      {
        roles: { clerk: [], boss: [] },
        authenticators: {
          user: {
            type: "api-key",
            in: "header",
            name: "x-api-key",
            keys: [{ id: "ann", sha256: "0".repeat(64), attributes: { tenant: "t" } }],
          },
        },
      },
      { authenticate: ["optional", "user"], authorize: "anyone" },
    );
  const emailFor = async (entry: unknown, who: Identity | undefined): Promise<unknown> => {
    const { outcome } = await apply(document(entry), { email: "e" }, 200, stateFor({ identity: who }));
    return outcome.kind === "json" ? (outcome.value as { email?: unknown }).email : outcome;
  };

  it.each<[string, unknown, Identity | undefined, string]>([
    ["a role", { roles: ["clerk"] }, identity(["clerk"]), "e"],
    ["another role", { roles: ["clerk"] }, identity(["other"]), "***"],
    ["nobody", { roles: ["clerk"] }, undefined, "***"],
    ["all scopes", { scopes: ["a", "b"] }, identity([], ["a", "b", "c"]), "e"],
    ["one scope of two", { scopes: ["a", "b"] }, identity([], ["a"]), "***"],
    ["any of several roles", { roles: ["boss", "clerk"] }, identity(["clerk"]), "e"],
    ["every part must hold", { roles: ["clerk"], scopes: ["a"] }, identity(["clerk"]), "***"],
    ["a condition", { when: "request.method == 'GET'" }, undefined, "e"],
    [
      "a condition beside a role",
      { roles: ["clerk"], when: "request.method == 'POST'" },
      identity(["clerk"]),
      "***",
    ],
    ["an error", { when: "principal.id == 'ann'" }, undefined, "***"],
    ["CEL text", "request.method == 'GET'", undefined, "e"],
    ["CEL text that fails", "principal.id == 'ann'", undefined, "***"],
  ])("unless %s", async (_, unless, who, expected) => {
    expect(await emailFor({ action: "mask", unless }, who)).toBe(expected);
  });

  it("redacts when the condition is true or fails", async () => {
    expect(await emailFor({ action: "mask", when: "request.method == 'GET'" }, undefined)).toBe("***");
    expect(await emailFor({ action: "mask", when: "request.method == 'POST'" }, undefined)).toBe("e");
    expect(await emailFor({ action: "mask", when: "principal.id == 'ann'" }, undefined)).toBe("***");
  });

  it("asks for when first, then for unless", async () => {
    const entry = { action: "mask", when: "request.method == 'GET'", unless: { roles: ["clerk"] } };
    expect(await emailFor(entry, identity(["clerk"]))).toBe("e");
    expect(await emailFor(entry, identity([]))).toBe("***");
  });

  it("falls back to a milder action that is always in force", async () => {
    const redact = { "/card": { action: "remove", unless: { roles: ["clerk"] } }, "/*": "last4" };
    const whole = documentWith({ redact }, document("mask"), {
      authenticate: ["optional", "user"],
      authorize: "anyone",
    });
    const rule = await ruleOf(whole);
    const value = { card: "4111111111111111" };
    expect(rule?.apply(value, 200, stateFor({ identity: identity(["clerk"]) }))).toEqual({
      kind: "json",
      value: { card: "***1111" },
    });
    expect(rule?.apply(value, 200, stateFor())).toEqual({ kind: "json", value: {} });
  });

  it("refuses roles and scopes on an open route", () => {
    const redact = { "/a": { action: "mask", unless: { roles: ["clerk"] } } };
    expect(diagnose(documentWith({ redact }, { roles: { clerk: [] } }))).toEqual([
      {
        code: "principal-on-open-route",
        severity: "error",
        pointer: "/routes/GET ~1/response/redact/~1a/unless",
        message: "nobody is known on an open route, so nobody has roles or scopes",
        help: "let the route authenticate, at least with `optional`",
      },
    ]);
  });

  it("reports what several routes inherit once", () => {
    const response = { redact: { "/a": { action: "mask", when: "nobody" } } } as const;
    const document = documentWith(undefined, { defaults: { response } });
    const twice = {
      ...document,
      routes: { ...document.routes, "POST /": { authenticate: "none" } },
    } as const;
    expect(diagnose(twice).map(({ pointer }) => pointer)).toEqual(["/defaults/response/redact/~1a/when"]);
  });

  it("lets an open route inherit an exception, which nobody meets there", async () => {
    const inherited = documentWith(undefined, {
      roles: { clerk: [] },
      defaults: {
        response: {
          redact: { "/a": { action: "mask", unless: { roles: ["clerk"], when: "principal.id == 'ann'" } } },
        },
      },
    });
    expect((await apply(inherited, { a: 1 })).outcome).toEqual({ kind: "json", value: { a: "***" } });
  });
});

describe("checks", () => {
  it.each([
    "if",
    "then",
    "else",
    "not",
    "dependentSchemas",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
  ])("refuses %s, wherever an answer can reach it", (keyword) => {
    const body = {
      $defs: { deep: { [keyword]: {} } },
      type: "array",
      items: { oneOf: [{ type: "null" }, { patternProperties: { x: { $ref: "#/$defs/deep" } } }] },
    };
    expect(diagnose(documentWith({ body })).map(({ code, pointer }) => [code, pointer])).toEqual([
      ["unfollowed-keyword", `/routes/GET ~1/response/body/$defs/deep/${keyword}`],
    ]);
  });

  it("leaves what no answer can reach alone", () => {
    expect(
      diagnose(
        documentWith(
          { body: { $defs: { unused: { not: {} } }, type: "string" } },
          { schemas: { Input: { if: true } } },
        ),
      ),
    ).toEqual([]);
  });

  it("refuses references that lead nowhere or in a circle", () => {
    const document = documentWith(
      { body: { properties: { a: { $ref: "#/schemas/Odrer" }, b: { $ref: "#/schemas/A" } } } },
      { schemas: { Order: true, A: { $ref: "#/schemas/B" }, B: { allOf: [{ $ref: "#/schemas/A" }] } } },
    );
    expect(diagnose(document).map(({ code, pointer }) => [code, pointer])).toEqual([
      ["unknown-schema", "/routes/GET ~1/response/body/properties/a/$ref"],
      ["circular-schema", "/schemas/A"],
    ]);
  });

  it("reports a schema that several routes share once", () => {
    const document = documentWith({ body: { $ref: "#/schemas/S" } }, { schemas: { S: { not: {} } } });
    const twice = { ...document, routes: { ...document.routes, "POST /": document.routes["GET /"] ?? {} } };
    expect(diagnose(twice).map(({ code, pointer }) => [code, pointer])).toEqual([
      ["unfollowed-keyword", "/schemas/S/not"],
    ]);
  });

  it("refuses a pointer that the response schema can never match", () => {
    const body = {
      type: "object",
      properties: { customer: person, items: { type: "array", items: person } },
    };
    const redact = {
      "/customer/emial": "mask",
      "/items/email": "mask",
      "/items/*/email": "mask",
      "/**/name": "mask",
      "/customer": "mask",
    };
    expect(diagnose(documentWith({ body, redact }))).toEqual([
      {
        code: "unmatched-redaction",
        severity: "error",
        pointer: "/routes/GET ~1/response/redact/~1customer~1emial",
        message: "`/customer/emial` matches nothing that the response schema lets out",
        help: "did you mean `/customer/email`?",
      },
      {
        code: "unmatched-redaction",
        severity: "error",
        pointer: "/routes/GET ~1/response/redact/~1items~1email",
        message: "`/items/email` matches nothing that the response schema lets out",
        help: "did you mean `/items/*/email`?",
      },
    ]);
  });

  it("finds matches in patterns, tuples, branches, whole values and recursion", () => {
    const body = {
      type: "object",
      properties: {
        p: { patternProperties: { "^x": person } },
        t: { prefixItems: [text, person] },
        u: { anyOf: [person, { type: "null" }] },
        w: {},
        r: { $ref: "#" },
      },
    };
    const redact = {
      "/p/x1/name": "mask",
      "/p/*/email": "mask",
      "/t/1/name": "mask",
      "/u/name": "mask",
      "/w/a/b": "mask",
      "/r/r/r/w": "mask",
    };
    expect(diagnose(documentWith({ body, redact }))).toEqual([]);
  });

  it("accepts an inherited pointer that matches nothing, and one that matches for some status", () => {
    expect(
      diagnose(
        documentWith({ body: person }, { defaults: { response: { redact: { "/nothing": "mask" } } } }),
      ),
    ).toEqual([]);
    expect(
      diagnose(
        documentWith({
          bodies: { "200": person, "404": { properties: { id: text } } },
          redact: { "/id": "mask" },
        }),
      ),
    ).toEqual([]);
  });

  it("refuses hash without a key, in pointers and in schemas", () => {
    expect(
      diagnose(
        documentWith({ body: { properties: { a: { redact: "hash" }, b: text } }, redact: { "/b": "hash" } }),
      ).map(({ code, pointer }) => [code, pointer]),
    ).toEqual([
      ["missing-redaction-key", "/routes/GET ~1/response/body/properties/a/redact"],
      ["missing-redaction-key", "/routes/GET ~1/response/redact/~1b"],
    ]);
  });

  it("refuses a condition inside a schema's redact", () => {
    expect(
      diagnose(documentWith({ body: { properties: { a: { redact: { action: "mask", when: "true" } } } } })),
    ).toEqual([
      {
        code: "invalid-redact",
        severity: "error",
        pointer: "/routes/GET ~1/response/body/properties/a/redact",
        message: "the keyword `redact` takes an action alone",
        help: "conditions go into `response.redact` of a route",
      },
    ]);
  });

  it("refuses a pattern that no linear engine takes", () => {
    expect(
      diagnose(documentWith({ body: { patternProperties: { "^(?=a)": true } } })).map(({ code, pointer }) => [
        code,
        pointer,
      ]),
    ).toEqual([["invalid-pattern", "/routes/GET ~1/response/body/patternProperties/^(?=a)"]]);
  });
});

describe("what a handler may hand over (B8.126)", () => {
  const open = { type: "object", additionalProperties: true };
  const closed = { type: "object", properties: { a: true } };

  it("asks toJSON first, and holds what it returns to the schema", async () => {
    expect(await leaves({ body: closed }, { secret: 1, toJSON: () => ({ a: 2, secret: 3 }) })).toEqual({
      a: 2,
    });
    expect(await leaves({ body: { properties: { at: text } } }, { at: new Date(0) })).toEqual({
      at: "1970-01-01T00:00:00.000Z",
    });
    expect(
      await leaves({ body: closed }, { a: { toJSON: () => ({ toJSON: () => "again", b: 1 }) } }),
    ).toEqual({ a: { b: 1 } });
  });

  it("tells toJSON its key", async () => {
    const echo = { toJSON: (key: string) => key };
    expect(await leaves({ body: true }, { a: echo, l: [echo] })).toEqual({ a: "a", l: ["0"] });
    expect(await leaves({ body: true }, echo)).toBe("");
  });

  it("does not call toJSON or getters of what does not leave", async () => {
    const trap = {
      get secret(): never {
        throw new Error("canary");
      },
      a: 1,
    };
    expect(await leaves({ body: closed }, trap)).toEqual({ a: 1 });
  });

  it("reads each getter once", async () => {
    let reads = 0;
    const value = {
      get a() {
        reads += 1;
        return reads;
      },
    };
    expect(await leaves({ body: open, redact: { "/b": "mask" } }, value)).toEqual({ a: 1 });
    expect(reads).toBe(1);
  });

  it("leaves out inherited, hidden and symbolic members", async () => {
    class Row {
      a = 1;
      get computed() {
        return 2;
      }
    }
    const row = Object.defineProperty(new Row(), "hidden", { value: 3, enumerable: false });
    expect(await leaves({ body: open }, Object.assign(row, { [Symbol("s")]: 4 }))).toEqual({ a: 1 });
  });

  it("projects wrapped scalars, maps and buffers as JSON.stringify writes them", async () => {
    const value = {
      a: new Map([["secret", 1]]),
      b: Buffer.from("x"),
      c: Object("text") as unknown,
      d: Object(1) as unknown,
      e: Object(true) as unknown,
    };
    expect(
      await leaves({ body: { additionalProperties: { type: ["string", "number", "boolean"] } } }, value),
    ).toEqual({ c: "text", d: 1, e: true });
    expect(await leaves({ body: open }, value)).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it.each<[string, unknown]>([
    ["a BigInt", { a: 1n }],
    [
      "a throwing getter",
      {
        get a(): never {
          throw new Error("canary");
        },
      },
    ],
    [
      "a throwing toJSON",
      {
        a: {
          toJSON: () => {
            throw new Error("canary");
          },
        },
      },
    ],
    ["a lying tag", { a: { [Symbol.toStringTag]: "Number", valueOf: () => 1, __proto__: { x: 1 } } }],
  ])("withholds %s", async (_, value) => {
    expect(await leaves({ body: open }, value)).toEqual(unreadable("the answer cannot be written as JSON"));
  });

  it("withholds what is no JSON value at all", async () => {
    for (const value of [() => 1, Symbol("s"), undefined]) {
      expect(await leaves({ body: true }, value)).toEqual(unreadable("the answer is no JSON value"));
    }
  });

  it("withholds circles and hostile depth without a crash (B7.115)", async () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle["self"] = [circle, circle];
    const reason = "the answer is nested deeper than 512 levels, or in a circle";
    expect(await leaves({ body: true }, circle)).toEqual(unreadable(reason));
    const deep = JSON.parse(`${'{"n":['.repeat(20_000)}${"]}".repeat(20_000)}`) as unknown;
    const recursive = { type: "object", properties: { n: { type: "array", items: { $ref: "#" } } } };
    for (const response of [{ body: recursive }, { body: true }, { redact: { "/**/x": "mask" } }]) {
      expect(await leaves(response, deep)).toEqual(unreadable(reason));
    }
  });

  it("gives null for items that JSON has no value for", async () => {
    expect(await leaves({ body: { items: true } }, [undefined, () => 1, Symbol("s"), Number.NaN, 1])).toEqual(
      [null, null, null, null, 1],
    );
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
    expect(await leaves({ body: { items: true } }, [1, , 3])).toEqual([1, null, 3]);
  });
});

describe("properties", () => {
  const json = fc.jsonValue({ maxDepth: 4 });

  it("whole_value_leaves_as_stringify_writes_it", async () => {
    const rule = await ruleOf(documentWith({ body: true, redact: { "/never/matched": "mask" } }));
    fc.assert(
      fc.property(json, (value) => {
        const outcome = rule?.apply(value, 200, stateFor());
        expect(outcome?.kind === "json" && JSON.stringify(outcome.value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it("undeclared_never_leaves", async () => {
    const node = {
      type: "object",
      properties: {
        a: text,
        n: { type: "number" },
        child: { $ref: "#" },
        list: { type: "array", items: { $ref: "#" } },
      },
    };
    const rule = await ruleOf(documentWith({ body: node }));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.record(
        {
          a: fc.oneof(fc.string(), fc.constant({ canary: "canary" })),
          n: fc.double(),
          child: tie("tree"),
          list: fc.array(tie("tree"), { maxLength: 3 }),
          canary: fc.constant("canary"),
          extra: fc.constant(["canary"]),
        },
        { requiredKeys: [] },
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const outcome = rule?.apply(value, 200, stateFor());
        expect(outcome?.kind).toBe("json");
        expect(JSON.stringify(outcome)).not.toContain("canary");
      }),
    );
  });

  it("redacted_never_leaves", async () => {
    const rule = await ruleOf(documentWith({ redact: { "/**/secret": "mask" } }));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.record({ secret: fc.oneof(fc.constant("canary"), fc.constant(["canary"])), other: tie("tree") }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(JSON.stringify(rule?.apply(value, 200, stateFor()))).not.toContain("canary");
      }),
    );
  });

  it("order_never_matters", async () => {
    const actions = ["remove", "null", "mask", "last4", { replace: 1 }, { replace: 2 }];
    const pointers = ["/a", "/*", "/**", "/**/a", "/a/b", "/**/b"];
    const entries = fc.uniqueArray(fc.tuple(fc.constantFrom(...pointers), fc.constantFrom(...actions)), {
      selector: ([pointer]) => pointer,
      minLength: 2,
    });
    await fc.assert(
      fc.asyncProperty(entries, json, async (list, value) => {
        const given = await leaves({ redact: Object.fromEntries(list) }, { a: { b: value }, b: value });
        expect(
          await leaves({ redact: Object.fromEntries(list.toReversed()) }, { a: { b: value }, b: value }),
        ).toEqual(given);
      }),
      { numRuns: 60 },
    );
  });
});
