/**
 * Every policy of the conformance cases, described: valid OpenAPI by the official schema, no drift from itself, and a policy again
 * with the same routes, parameters and schemas.
 */
import { Validator } from "@seriousme/openapi-schema-validator";
import { checkPolicy, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { caseFiles } from "@gatehouse/core/conformance";
import { describe, expect, it } from "vitest";
import { policyFromOpenApi } from "../init/from-openapi.js";
import { describePolicy } from "./describe.js";
import { driftOf } from "./drift.js";

interface Known {
  readonly name: string;
  readonly policy: PolicyDocument;
}

function servable(policy: PolicyDocument): boolean {
  return checkPolicy(policy).every(({ severity }) => severity !== "error");
}

const POLICIES: readonly Known[] = [
  ...new Map(
    caseFiles().flatMap(({ path, file }) =>
      Object.entries(file.policies).map(([name, written]) => {
        const policy = written as PolicyDocument;
        return [JSON.stringify(policy), { name: `${path}: ${name}`, policy }] as const;
      }),
    ),
  ).values(),
].filter(({ policy }) => servable(policy));

const EVERY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

function routesOf(policy: PolicyDocument): readonly string[] {
  const all = Object.keys(policy.routes).flatMap((key) => {
    const [, methods = "", path = ""] = /^(\S+) (.*)$/u.exec(key) ?? [];
    return (methods === "*" ? EVERY : methods.split("|")).map((method) => `${method} ${path}`);
  });
  return [...new Set(all)].sort();
}

/** The official schema is compiled once. */
const official = new Validator();

it("knows many policies", () => {
  expect(POLICIES.length).toBeGreaterThan(40);
});

describe.each(POLICIES)("$name", ({ policy }) => {
  it("is described, without drift, and comes back", async () => {
    const description = describePolicy(policy);
    const text = JSON.stringify(description);
    expect(await official.validate(description)).toMatchObject({ valid: true });
    expect((await driftOf(policy, text)).drifts).toEqual([]);
    const made = await policyFromOpenApi(text);
    const again = parsePolicy(made.text);
    expect(servable(again)).toBe(true);
    // Names of parameters are one for all methods of a path there.
    const shape = (keys: readonly string[]): readonly string[] =>
      keys.map((key) => key.replaceAll(/:\w+/gu, ":"));
    expect(shape(routesOf(again))).toEqual(shape(routesOf(policy)));
    const { drifts } = await driftOf(again, text);
    // Names of operators are let in by `operators`, which OpenAPI cannot say: the policy that comes back refuses them.
    const others = drifts.filter(({ aspect, message }) => aspect !== "security" && !message.includes("`$"));
    expect(others).toEqual([]);
  });

  it("is described for strangers too", async () => {
    const plain = describePolicy(policy, { plain: true });
    expect(JSON.stringify(plain)).not.toContain("x-gatehouse");
    expect(await official.validate(plain)).toMatchObject({ valid: true });
  });
});

it("tells each authenticator by where its credential travels", () => {
  const secret = { secret: "env:S" } as const;
  const described = describePolicy({
    gatehouse: 1,
    name: "all",
    authenticators: {
      basic: { type: "basic", users: secret },
      cert: { type: "mtls", match: [{ subject: "CN=ann", id: "ann" }] },
      hook: { type: "signature", preset: "stripe", secrets: [secret] },
      message: {
        type: "http-signature",
        keys: [{ keyid: "k", algorithm: "hmac-sha256", key: secret, id: "peer" }],
      },
      opaque: {
        type: "introspection",
        url: "https://id.test/i",
        client: { id: "a", secret },
        issuer: "https://id.test/",
        audience: "all",
        in: "header",
      },
      bound: {
        type: "jwt",
        issuer: "https://id.test/",
        audience: "all",
        algorithms: ["ES256"],
        keys: { jwks: "k.json" },
        senderConstrained: "dpop",
      },
    },
    routes: { "GET /a": { authenticate: "none" } },
  });
  expect(described).toMatchObject({
    components: {
      securitySchemes: {
        basic: { type: "http", scheme: "basic" },
        cert: { type: "mutualTLS" },
        hook: { type: "apiKey", in: "header", name: "stripe-signature" },
        message: { type: "apiKey", in: "header", name: "signature-input" },
        opaque: { type: "http", scheme: "bearer" },
        bound: { type: "http", scheme: "dpop" },
      },
    },
  });
});

it("bites: what is no OpenAPI is found", async () => {
  const wrong = { ...describePolicy(POLICIES[0]?.policy as PolicyDocument), paths: [] };
  expect(await official.validate(wrong)).toMatchObject({ valid: false });
});
