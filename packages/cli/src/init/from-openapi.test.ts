/** What an OpenAPI document says, what the policy then says, and what a person is told. */
import { checkPolicy, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { runPolicyTests } from "@gatehouse/core/testing";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit } from "../audit/audit.js";
import type { Item } from "../openapi/list.js";
import { policyFromOpenApi } from "./from-openapi.js";

type Document = Readonly<Record<string, unknown>>;

interface Made {
  readonly policy: PolicyDocument;
  readonly text: string;
  readonly items: readonly Item[];
}

async function made(document: Document): Promise<Made> {
  const { text, items } = await policyFromOpenApi(
    JSON.stringify({ openapi: "3.1.0", info: { title: "Pet Shop!", version: "1" }, ...document }),
  );
  const policy = parsePolicy(text);
  expect(checkPolicy(policy).filter(({ severity }) => severity === "error")).toEqual([]);
  return { policy, text, items };
}

/** `kind code` of each item. */
function codes({ items }: Made): readonly string[] {
  return items.map(({ kind, code }) => `${kind} ${code}`);
}

const OK = { responses: { "204": { description: "d" } } };
const BEARER = { securitySchemes: { token: { type: "http", scheme: "bearer" } } };

async function converted(
  schema: unknown,
  openapi = "3.0.3",
): Promise<{ readonly schema: unknown; readonly made: Made }> {
  const result = await made({
    openapi,
    paths: {
      "/a": {
        post: {
          security: [],
          ...OK,
          requestBody: {
            required: true,
            content: { "application/json": { schema: { type: "object", properties: { x: schema } } } },
          },
        },
      },
    },
    components: {
      schemas: { Named: { type: "string", maxLength: 3 }, Cat: tagged("cat"), Dog: tagged("dog") },
    },
  });
  const body = result.policy.routes["POST /a"]?.request?.body as unknown as {
    readonly properties: { readonly x: unknown };
  };
  return { schema: body.properties.x, made: result };
}

const tagged = (name: string): Document => ({
  type: "object",
  properties: { kind: { type: "string" }, [name]: { type: "boolean" } },
});

describe("schemas of OpenAPI 3.0", () => {
  it.each([
    [
      "nullable",
      { type: "string", nullable: true, maxLength: 5 },
      { type: ["string", "null"], maxLength: 5 },
    ],
    [
      "nullable with enum",
      { type: "string", nullable: true, enum: ["a"] },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    ["nullable false", { type: "string", nullable: false }, { type: "string" }],
    [
      "nullable beside allOf",
      { allOf: [{ $ref: "#/components/schemas/Named" }], nullable: true },
      { anyOf: [{ allOf: [{ $ref: "#/schemas/Named" }] }, { type: "null" }] },
    ],
    [
      "exclusive bounds",
      { type: "number", minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: true },
      { type: "number", exclusiveMinimum: 1, exclusiveMaximum: 9 },
    ],
    [
      "bounds that are not exclusive",
      { type: "number", minimum: 1, exclusiveMinimum: false },
      { type: "number", minimum: 1 },
    ],
    ["example", { type: "string", example: "a" }, { type: "string", examples: ["a"] }],
    [
      "int32",
      { type: "integer", format: "int32", minimum: 0 },
      { type: "integer", minimum: 0, maximum: 2147483647 },
    ],
    ["a reference", { $ref: "#/components/schemas/Named", nullable: true }, { $ref: "#/schemas/Named" }],
    [
      "what says nothing",
      { type: "string", xml: { name: "x" }, externalDocs: { url: "x" }, "x-more": 1 },
      { type: "string" },
    ],
  ])("%s", async (_name, written, expected) => {
    expect((await converted(written)).schema).toEqual(expected);
  });

  it("makes constants of a discriminator, so that answers can be projected", async () => {
    const oneOf = [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }];
    const { schema } = await converted({
      oneOf,
      discriminator: { propertyName: "kind", mapping: { kitty: "#/components/schemas/Cat" } },
    });
    expect(schema).toEqual({
      oneOf: [
        {
          type: "object",
          allOf: [{ $ref: "#/schemas/Cat" }],
          required: ["kind"],
          properties: { kind: { enum: ["kitty"] } },
        },
        {
          type: "object",
          allOf: [{ $ref: "#/schemas/Dog" }],
          required: ["kind"],
          properties: { kind: { enum: ["Dog"] } },
        },
      ],
    });
  });

  it.each([
    ["an unknown format", { type: "string", format: "iban" }, { type: "string" }, "lost unknown-format"],
    ["a look-ahead", { type: "string", pattern: "(?=a)b" }, { type: "string" }, "lost keyword"],
    [
      "a keyword that means nothing there",
      { type: "integer", maxLength: 3 },
      { type: "integer" },
      "lost keyword",
    ],
    ["an unknown keyword", { type: "string", maxlength: 3 }, { type: "string" }, "lost unknown-keyword"],
    [
      "a bound beyond 2^53",
      { type: "integer", maximum: 2 ** 63 },
      { type: "integer" },
      "lost bound-out-of-reach",
    ],
    ["a type that there is not", { type: "file" }, false, "lost schema"],
    ["no schema", "string", false, "lost no-schema"],
  ])("lists %s", async (_name, written, expected, code) => {
    const { schema, made: result } = await converted(written);
    expect(schema).toEqual(expected);
    expect(codes(result)).toContain(code);
  });
});

describe("schemas of OpenAPI 3.1", () => {
  it.each([
    [
      "beside a reference",
      { $ref: "#/components/schemas/Named", maxLength: 2 },
      { $ref: "#/schemas/Named", maxLength: 2 },
    ],
    [
      "definitions of its own",
      {
        $ref: "#/paths/~1a/post/requestBody/content/application~1json/schema/properties/x/$defs/Y",
        $defs: { Y: { type: "null" } },
      },
      { $ref: "#/schemas/Y" },
    ],
    ["true", true, true],
  ])("%s", async (_name, written, expected) => {
    expect((await converted(written, "3.1.0")).schema).toEqual(expected);
  });
});

it("gives requests no members that only answers have, and answers none of requests", async () => {
  const User = {
    type: "object",
    required: ["id", "name", "password"],
    properties: {
      id: { type: "string", readOnly: true },
      name: { type: "string" },
      password: { type: "string", writeOnly: true },
    },
  };
  const json = { content: { "application/json": { schema: { $ref: "#/components/schemas/User" } } } };
  const { policy } = await made({
    paths: {
      "/u": {
        post: {
          security: [],
          requestBody: { required: true, ...json },
          responses: { "201": { description: "d", ...json } },
        },
      },
    },
    components: { schemas: { User } },
  });
  expect(policy.routes["POST /u"]).toMatchObject({
    request: { body: { $ref: "#/schemas/UserInput" } },
    response: { body: { $ref: "#/schemas/User" } },
  });
  expect(policy.schemas?.["UserInput"]).toEqual({
    type: "object",
    required: ["name", "password"],
    properties: { name: { type: "string" }, password: { type: "string", writeOnly: true } },
  });
});

describe("who may call", () => {
  const schemes = {
    token: { type: "http", scheme: "bearer" },
    oidc: {
      type: "openIdConnect",
      openIdConnectUrl: "https://id.example.com/realm/.well-known/openid-configuration",
    },
    key: { type: "apiKey", in: "header", name: "X-Key" },
    basic: { type: "http", scheme: "basic" },
    digest: { type: "http", scheme: "digest" },
    cert: { type: "mutualTLS" },
    odd: { type: "kerberos" },
  };

  it.each([
    ["nobody, where nothing is said", undefined, { authorize: { when: "false" } }, "decide no-security"],
    ["everybody, where that is said", [], { authenticate: "none" }, "decide open-route"],
    ["everybody, where nothing is asked", [{}], { authenticate: "none" }, "decide open-route"],
    [
      "whoever is known",
      [{ token: [] }],
      { authenticate: ["token"], authorize: "authenticated" },
      "decide authenticated-is-enough",
    ],
    [
      "whoever has the scopes",
      [{ oidc: ["read"] }],
      { authenticate: ["oidc"], authorize: { scopes: ["read"] } },
      "decide token-audience",
    ],
    [
      "either",
      [{ token: [] }, { key: [] }],
      { authenticate: ["token", "key"], authorize: "authenticated" },
      "decide api-keys",
    ],
    [
      "either, each with its own scopes",
      [{ token: ["a"] }, { key: [] }],
      {
        authenticate: ["token", "key"],
        authorize: [
          { scopes: ["a"], when: 'principal.authenticator == "token"' },
          { when: 'principal.authenticator == "key"' },
        ],
      },
      "decide api-keys",
    ],
    [
      "both together",
      [{ token: ["a"], key: [] }],
      { authenticate: [["token", "key"]], authorize: { when: '"a" in principal.with.token.scopes' } },
      "decide api-keys",
    ],
    [
      "anonymous callers too",
      [{}, { key: [] }],
      { authenticate: ["optional", "key"], authorize: "anyone" },
      "decide optional",
    ],
    [
      "by code of one's own",
      [{ digest: [] }],
      { authenticate: ["digest"], authorize: "authenticated" },
      "decide custom-scheme",
    ],
    [
      "by a password",
      [{ basic: [] }],
      { authenticate: ["basic"], authorize: "authenticated" },
      "decide users",
    ],
    [
      "by a certificate",
      [{ cert: [] }],
      { authenticate: ["cert"], authorize: "authenticated" },
      "decide certificates",
    ],
    ["nobody, by no scheme", [{ odd: [] }], { authorize: { when: "false" } }, "decide closed"],
    [
      "the others, beside a scheme that there is not",
      [{ odd: [] }, { key: [] }],
      { authenticate: ["key"], authorize: "authenticated" },
      "lost scheme-not-carried",
    ],
    [
      "nobody, by a scheme that there is not",
      [{ nothing: [] }],
      { authorize: { when: "false" } },
      "lost scheme-not-carried",
    ],
    [
      "nobody, by a scheme of a prototype",
      [{ constructor: [] }],
      { authorize: { when: "false" } },
      "lost scheme-not-carried",
    ],
    [
      "nobody, where anonymous callers stand beside what cannot be known",
      [{}, { odd: [] }],
      { authorize: { when: "false" } },
      "decide closed",
    ],
  ])("%s", async (_name, security, expected, code) => {
    const result = await made({
      paths: { "/a": { get: { ...OK, ...(security === undefined ? {} : { security }) } } },
      components: { securitySchemes: schemes },
    });
    expect(result.policy.routes["GET /a"]).toEqual({ ...expected, response: false });
    expect(codes(result)).toContain(code);
  });

  it("takes the document's security where an operation says nothing, and the operation's where it does", async () => {
    const { policy } = await made({
      security: [{ token: [] }],
      paths: { "/a": { get: OK, post: { ...OK, security: [] } } },
      components: BEARER,
    });
    expect(policy.routes["GET /a"]?.authenticate).toEqual(["token"]);
    expect(policy.routes["POST /a"]?.authenticate).toBe("none");
  });

  it("takes the issuer that the document names, and no key that anybody has", async () => {
    const { policy } = await made({
      paths: { "/a": { get: { ...OK, security: [{ oidc: [] }] } } },
      components: { securitySchemes: schemes },
    });
    expect(policy.authenticators).toEqual({
      oidc: {
        type: "jwt",
        issuer: "https://id.example.com/realm",
        audience: "pet-shop",
        algorithms: ["ES256"],
        keys: { pem: { secret: "env:OIDC_PUBLIC_KEY" } },
        maxAge: "1h",
      },
    });
  });
});

describe("routes", () => {
  it("begin at the path of the server, under its hosts", async () => {
    const result = await made({
      servers: [
        { url: "https://{env}.example.com/v1/", variables: { env: { default: "api" } } },
        { url: "http://old.example.com/v0" },
      ],
      paths: { "/pets/{pet-id}": { get: { ...OK, security: [] } } },
    });
    expect(Object.keys(result.policy.routes)).toEqual(["GET /v1/pets/:pet_id"]);
    expect(result.policy.transport).toEqual({ https: "require", hosts: ["api.example.com"] });
    expect(codes(result)).toEqual(
      expect.arrayContaining(["decide plain-http", "decide several-base-paths", "note renamed-parameter"]),
    );
  });

  it.each(["/a/{id}.json", "/a/b{c}", "/a/*", "/a?b=1", "/a%2Fb", "/a;b", "a"])(
    "that the language cannot say are refused and listed: %s",
    async (path) => {
      const result = await made({ paths: { [path]: { get: { ...OK, security: [] } } } });
      expect(result.policy.routes).toEqual({});
      expect(codes(result)).toContain("lost path");
    },
  );

  it("lists what no route can be: TRACE, callbacks, webhooks, servers of an operation", async () => {
    const result = await made({
      paths: {
        "/a": { trace: OK, get: { ...OK, security: [], callbacks: { c: {} }, servers: [{ url: "/" }] } },
      },
      webhooks: { w: { post: OK } },
    });
    expect(Object.keys(result.policy.routes)).toEqual(["GET /a"]);
    expect(codes(result)).toEqual(
      expect.arrayContaining(["lost trace", "lost callbacks", "lost webhooks", "lost servers"]),
    );
  });

  it("have a limit for guessing where passwords are tried", async () => {
    const { policy } = await made({ paths: { "/login": { post: { ...OK, security: [] } } } });
    expect(policy.routes["POST /login"]?.limits).toEqual(["inherited", "guessing"]);
    expect(audit(policy).filter(({ severity }) => severity === "high")).toEqual([]);
  });
});

describe("parameters", () => {
  async function request(
    parameters: readonly Document[],
    path = "/a",
  ): Promise<{ readonly request: unknown; readonly result: Made }> {
    const result = await made({ paths: { [path]: { get: { ...OK, security: [], parameters } } } });
    return { request: Object.values(result.policy.routes)[0]?.request, result };
  }

  it.each([
    [
      "a query parameter",
      [{ name: "q", in: "query", schema: { type: "integer" } }],
      { query: { q: { type: "integer" } } },
    ],
    [
      "a required one",
      [{ name: "q", in: "query", required: true, schema: { type: "integer" } }],
      { query: { q: { type: "integer", required: true } } },
    ],
    [
      "a repeated one",
      [{ name: "q", in: "query", schema: { type: "array", items: { type: "integer" } } }],
      { query: { q: { type: "array", items: { type: "integer" } } } },
    ],
    [
      "a list in one text",
      [{ name: "q", in: "query", explode: false, schema: { type: "array", items: { type: "integer" } } }],
      { query: { q: { type: "string" } } },
    ],
    [
      "a header and a cookie",
      [
        { name: "X-A", in: "header", schema: { type: "string" } },
        { name: "c", in: "cookie", schema: { type: "string" } },
      ],
      { headers: { "X-A": { type: "string" } }, cookies: { c: { type: "string" } } },
    ],
    [
      "headers that OpenAPI ignores",
      [{ name: "Authorization", in: "header", schema: { type: "string" } }],
      undefined,
    ],
    [
      "an object in brackets",
      [
        {
          name: "f",
          in: "query",
          style: "deepObject",
          required: true,
          schema: {
            type: "object",
            required: ["a"],
            properties: { a: { type: "string" }, b: { type: "integer" } },
          },
        },
      ],
      { query: { "f[a]": { type: "string", required: true }, "f[b]": { type: "integer" } } },
    ],
    [
      "a document in a parameter",
      [{ name: "q", in: "query", content: { "application/json": { schema: { type: "object" } } } }],
      { query: { q: { type: "string" } } },
    ],
    [
      "a name that guards refuse",
      [{ name: "$top", in: "query", schema: { type: "integer" } }],
      { query: {} },
    ],
  ])("%s", async (_name, parameters, expected) => {
    expect((await request(parameters)).request).toEqual(expected);
  });

  it("of the operation go over those of the path", async () => {
    const { policy } = await made({
      paths: {
        "/a/{id}": {
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
          get: {
            ...OK,
            security: [],
            parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
          },
        },
      },
    });
    expect(policy.routes["GET /a/:id"]?.request?.params).toEqual({ id: { type: "integer" } });
  });

  it("lists names of prototypes, and keeps them out", async () => {
    const { request: found, result } = await request([
      { name: "constructor", in: "query", schema: { type: "string" } },
    ]);
    expect(found).toBeUndefined();
    expect(codes(result)).toContain("lost parameter");
  });

  it("that nobody described are refused", async () => {
    expect((await made({ paths: {} })).policy.defaults?.request).toEqual({ query: {} });
  });
});

describe("bodies and answers", () => {
  const json = (schema: unknown, type = "application/json"): Document => ({
    content: { [type]: { schema } },
  });
  const route = async (operation: Document): Promise<{ readonly route: unknown; readonly result: Made }> => {
    const result = await made({ paths: { "/a": { post: { security: [], ...OK, ...operation } } } });
    return { route: result.policy.routes["POST /a"], result };
  };
  const T = { type: "string", maxLength: 9 };

  it.each([
    ["optional content", { requestBody: json(T) }, { request: { body: T, bodyOptional: true } }, undefined],
    [
      "JSON of a vendor",
      { requestBody: { required: true, ...json(T, "application/vnd.a+json; v=1") } },
      { request: { body: T, types: ["application/vnd.a+json"] } },
      undefined,
    ],
    [
      "a form",
      { requestBody: json(T, "multipart/form-data") },
      { request: { types: ["multipart/form-data"] } },
      "decide unread-body",
    ],
    [
      "a form beside JSON",
      { requestBody: { required: true, content: { "application/json": { schema: T }, "text/csv": {} } } },
      { request: { body: T } },
      "lost media-type",
    ],
  ])("%s", async (_name, operation, expected, code) => {
    const { route: found, result } = await route(operation);
    expect(found).toEqual({ authenticate: "none", ...expected, response: false });
    if (code !== undefined) expect(codes(result)).toContain(code);
  });

  const d = { description: "d" };
  it.each([
    ["one schema", { "200": { ...d, ...json(T) } }, { body: T }],
    [
      "several",
      { "200": { ...d, ...json(T) }, "404": { ...d, ...json({ type: "null" }) } },
      { bodies: { "200": T, "404": { type: "null" } } },
    ],
    ["a class", { "2XX": { ...d, ...json(T) } }, { body: T }],
    ["none", { "204": d }, false],
    ["nothing said", { "200": d }, undefined],
    ["another type", { "200": { ...d, ...json(T, "text/csv") } }, undefined],
    [
      "problems, which are the policy's",
      {
        "200": { ...d, ...json(T) },
        "400": { ...d, ...json({ type: "object" }, "application/problem+json") },
      },
      { body: T },
    ],
    [
      "a schema that cannot be projected",
      {
        "200": {
          ...d,
          ...json({ type: "object", properties: { a: { type: "string" } }, not: { type: "null" } }),
        },
      },
      false,
    ],
    [
      "branches that cannot be told apart",
      { "200": { ...d, ...json({ oneOf: [{ type: "object" }, { type: "object" }] }) } },
      false,
    ],
  ])("answers: %s", async (_name, responses, expected) => {
    const { route: found } = await route({ responses });
    expect(found).toEqual({
      authenticate: "none",
      ...(expected === undefined ? {} : { response: expected }),
    });
  });
});

describe("the text", () => {
  it("lets no word of the document become policy", async () => {
    const nasty = 'x\n"routes": {}, // \u2028"authenticate": "none", */ \u202E';
    const { text, policy } = await made({
      info: { title: nasty, version: "1" },
      paths: {
        "/a": {
          get: {
            summary: nasty,
            ...OK,
            security: [{ [nasty]: [] }],
            parameters: [{ name: nasty, in: "query", schema: { type: "string", format: nasty, [nasty]: 1 } }],
          },
        },
      },
      components: { securitySchemes: { [nasty]: { type: "http", scheme: "bearer" } } },
    });
    expect(text).not.toMatch(/[\u2028\u202E]/u);
    expect(text).not.toMatch(/^\s*"routes": \{\}/mu);
    expect(Object.keys(policy.routes)).toEqual(["GET /a"]);
    expect(policy.routes["GET /a"]?.description).toBe(nasty);
    expect(policy.routes["GET /a"]?.authenticate).not.toBe("none");
  });

  it("has each decision above its place", async () => {
    const { text } = await made({
      paths: { "/a/{id}": { get: { ...OK, security: [{ token: [] }] } } },
      components: BEARER,
    });
    expect(text).toMatch(/\/\/ decide: who issues the tokens: the value of `iss`\n\s*"issuer"/u);
    expect(text).toMatch(
      /\/\/ decide: no condition and no check looks at the object[^\n]*\n\s*(\/\/[^\n]*\n\s*)*"GET \/a\/:id"/u,
    );
  });
});

it("writes tests that pass, and that fail where a route is opened", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-init-"));
  try {
    const { text, tests } = await policyFromOpenApi(
      JSON.stringify({
        openapi: "3.0.0",
        info: { title: "t", version: "1" },
        security: [{ token: [] }],
        paths: { "/a/{id}": { get: OK }, "/a/x1": { get: OK }, "/b c": { post: OK } },
        components: BEARER,
      }),
    );
    const file = join(folder, "gatehouse.policy-test.json");
    writeFileSync(file, tests);
    writeFileSync(join(folder, "gatehouse.policy.jsonc"), text);
    expect(await runPolicyTests(file)).toMatchObject({ passed: 4, failed: 0 });
    writeFileSync(
      join(folder, "gatehouse.policy.jsonc"),
      text.replace('"authenticate": ["token"], "authorize": "authenticated"', '"authenticate": "none"'),
    );
    expect((await runPolicyTests(file)).failed).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
