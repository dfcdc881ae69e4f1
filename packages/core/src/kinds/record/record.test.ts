/** What is said of a `record` that no request could fill, or that would hold what nobody must keep. */
import { describe, expect, it } from "vitest";
import { checkPolicy, createEngine, PolicyError, type Diagnostic, type PolicyDocument } from "../../index.js";

type Record_ = NonNullable<PolicyDocument["routes"][string]["record"]>;

function policyOf(record: Record_, rest: Partial<PolicyDocument> = {}): PolicyDocument {
  return {
    gatehouse: 1,
    name: "recorded",
    transport: { https: "off" },
    authenticators: {
      key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } },
      sid: { type: "api-key", in: "cookie", name: "sid", keys: { lookup: "find" } },
      link: { type: "api-key", in: "query", name: "access", keys: { lookup: "find" } },
    },
    routes: {
      "POST /orders/:id": {
        authenticate: ["key"],
        authorize: "authenticated",
        record,
        request: {
          query: { page: { type: "integer" } },
          body: {
            type: "object",
            properties: {
              sku: { type: "string" },
              tags: { type: "array", items: { type: "string" } },
              by: { type: "object", properties: { name: { type: "string" } } },
            },
          },
        },
      },
    },
    ...rest,
  };
}

const POINTER = "/routes/POST ~1orders~1:id/record";

function problems(policy: PolicyDocument): Partial<Diagnostic>[] {
  return checkPolicy(policy)
    .filter(({ severity }) => severity === "error")
    .map(({ code, pointer, message, help }) => ({
      code,
      pointer,
      message,
      ...(help === undefined ? {} : { help }),
    }));
}

describe("facts", () => {
  it("may be whatever the route has, as one value or a list", () => {
    const facts = [
      "params.id",
      "query.page",
      "query.other",
      "headers.x-purpose",
      "cookies.theme",
      "body.sku",
      "body.tags",
      "body.by.name",
      "principal.tenant",
      "principal.id",
      "principal.roles",
      "principal.claims.org.unit",
      "client.ip",
      "request.host",
      "request.path",
      "request.tls.protocol",
    ];
    expect(problems(policyOf({ facts }))).toEqual([]);
  });

  it.each<[string, string]>([
    ["params.idd", "did you mean `params.id`?"],
    ["body.by", "the schema of `request.body` must declare it, as one value or a list"],
    ["body.none", "the schema of `request.body` must declare it, as one value or a list"],
    ["headers.X-Purpose", "header names are lower case here: `headers.x-purpose`"],
    ["client.ipp", "did you mean `client.ip`?"],
  ])("%s is none", (fact, help) => {
    expect(problems(policyOf({ facts: ["params.id", fact] }))).toEqual([
      {
        code: "unknown-fact",
        pointer: `${POINTER}/facts/1`,
        message: `\`${fact}\` is no value that the route has`,
        help,
      },
    ]);
  });

  it.each([
    "principal",
    "body",
    "request.tls",
    "request.tls.clientCertificate",
    "principal.claims",
    "nothing",
    "params.",
  ])("%s is none either", (fact) => {
    expect(problems(policyOf({ facts: [fact] })).map(({ code }) => code)).toEqual(["unknown-fact"]);
  });

  it.each([
    "headers.authorization",
    "headers.cookie",
    "headers.dpop",
    "headers.proxy-authorization",
    "headers.x-api-key",
    "cookies.sid",
    "query.access",
  ])("%s is a credential", (fact) => {
    expect(problems(policyOf({ facts: [fact] }))).toEqual([
      {
        code: "recorded-credential",
        pointer: `${POINTER}/facts/0`,
        message: `\`${fact}\` carries a credential: whoever reads the record could use it`,
        help: "record who called: the principal is in every event",
      },
    ]);
  });

  it("an inherited one is an error where no route has it", () => {
    const policy = policyOf(
      { facts: [] },
      { defaults: { record: { facts: ["params.id", "params.other"] } } },
    );
    const { record: _, ...route } = policy.routes["POST /orders/:id"] ?? {};
    expect(problems({ ...policy, routes: { "POST /orders/:id": route } })).toEqual([
      {
        code: "unknown-fact",
        pointer: "/defaults/record/facts/1",
        message: "`params.other` is no value that the route has",
        help: expect.any(String),
      },
    ]);
  });

  it("of nobody on an open route", () => {
    const policy = policyOf(
      { facts: [] },
      { routes: { "GET /": { authenticate: "none", record: { facts: ["principal.id"] } } } },
    );
    expect(problems(policy).map(({ code }) => code)).toEqual(["unknown-fact"]);
  });
});

it("`closed` needs somebody who says when an event is kept", async () => {
  const lookups = { find: () => undefined };
  const policy = policyOf({ onFailure: "closed" });
  const failed: unknown = await createEngine(policy, { lookups }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(PolicyError);
  expect((failed as PolicyError).diagnostics).toMatchObject([
    {
      code: "unkept-record",
      pointer: POINTER,
      message: "`onFailure` is `closed`, and nobody was given to the engine who says when an event is kept",
      help: "hand createEngine `sinks` with one that has `commit`, such as `jsonLines` of `@gatehouse/core/node`",
    },
  ]);
  // One that only writes does not say so.
  await expect(createEngine(policy, { lookups, sinks: [{ write: () => undefined }] })).rejects.toThrow(
    PolicyError,
  );
  const engine = await createEngine(policy, {
    lookups,
    sinks: [{ write: () => undefined, commit: () => Promise.resolve() }],
  });
  await engine.shadow(policyOf({ onFailure: "closed", facts: [] }), { onDifference: () => undefined });
  await engine.close();
});
