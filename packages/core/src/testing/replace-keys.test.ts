/** The kit weakens nothing: of a policy it replaces `keys`, and what remembers from one test to the next. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { caseFiles, prepareCase } from "../conformance/index.js";
import { definePolicy, type PolicyDocument } from "../index.js";
import { replaceKeys } from "./replace-keys.js";
import { throwawaySecret } from "./secrets.js";

/** Pointers at which two documents differ. */
function differences(a: unknown, b: unknown, pointer = ""): string[] {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return Object.is(a, b) ? [] : [pointer];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) =>
    differences(
      (a as Record<string, unknown>)[name],
      (b as Record<string, unknown>)[name],
      `${pointer}/${name}`,
    ),
  );
}

const digest = createHash("sha256").update("k").digest("hex");
const policy = definePolicy({
  gatehouse: 1,
  name: "keys",
  authenticators: {
    set: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: ["a", "b"],
      algorithms: ["RS256", "ES256"],
      keys: { jwks: "keys/jwks.json" },
      typ: ["at+jwt"],
      clockTolerance: "30s",
      maxAge: "1h",
      principal: { id: "sub", roles: { value: ["clerk"] } },
      confers: ["clerk"],
    },
    pem: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "a",
      algorithms: ["EdDSA"],
      keys: { pem: { secret: "file:key.pem" } },
    },
    shared: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "a",
      algorithms: ["HS512"],
      keys: { secret: "env:HMAC" },
    },
    partner: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "file:keys.json" } },
    listed: { type: "api-key", in: "query", name: "key", keys: [{ id: "x", sha256: digest }] },
    found: { type: "api-key", in: "cookie", name: "key", keys: { lookup: "byHash" } },
    opaque: {
      type: "introspection",
      url: "https://id.test/introspect",
      client: { id: "api", key: { secret: "file:key.pem" }, algorithm: "ES256" },
      issuer: "https://id.test/",
      audience: "a",
      in: "header",
    },
    own: { type: "custom", use: "own", in: "header", name: "X-Own" },
  },
  roles: { clerk: [] },
  routes: { "GET /": { authorize: "authenticated" } },
});

describe("a policy with the kit's keys", () => {
  it("differs from the policy in keys, and in what would outlive a test", () => {
    const replaced = replaceKeys(policy);
    const places = differences(policy, replaced).map((pointer) => pointer.split("/").slice(0, 4).join("/"));
    expect([...new Set(places)].sort()).toEqual(
      [
        ...["found", "listed", "partner", "pem", "set"].map((name) => `/authenticators/${name}/keys`),
        ...["found", "listed", "opaque", "partner"].map((name) => `/authenticators/${name}/failures`),
        ...["cache", "cacheInactive", "client"].map((name) => `/authenticators/opaque/${name}`),
      ].sort(),
    );
  });

  it("has one public key for each algorithm that the policy allows, and for no other", () => {
    const keys = (name: string): unknown => replaceKeys(policy).authenticators?.[name];
    expect(keys("set")).toMatchObject({
      keys: {
        jwks: {
          keys: [
            { kty: "RSA", alg: "RS256" },
            { kty: "EC", crv: "P-256", alg: "ES256" },
          ],
        },
      },
    });
    expect(keys("pem")).toMatchObject({ keys: { jwks: { keys: [{ kty: "OKP", alg: "EdDSA" }] } } });
    expect(JSON.stringify(replaceKeys(policy))).not.toMatch(/"d":/u);
    expect(keys("shared")).toMatchObject({ keys: { secret: "env:HMAC" } });
  });

  it("leaves the policy itself as it was", () => {
    const before = structuredClone(policy);
    replaceKeys(policy);
    expect(policy).toEqual(before);
  });

  it("differs in these alone, for every policy of the cases", () => {
    const strange: string[] = [];
    let seen = 0;
    for (const { file } of caseFiles()) {
      for (const one of file.cases) {
        const document = prepareCase(file, one).policy as PolicyDocument;
        const written: unknown = document.authenticators;
        if (typeof written !== "object" || written === null) continue;
        seen += 1;
        strange.push(
          ...differences(document, replaceKeys(document)).filter(
            (pointer) =>
              !/^\/authenticators\/[^/]+\/(?:(?:keys|failures|client|cache|cacheInactive)\b|senderConstrained\/nonce)/u.test(
                pointer,
              ),
          ),
        );
      }
    }
    expect(strange).toEqual([]);
    expect(seen).toBeGreaterThan(100);
  });

  it("has secrets that are long enough for every algorithm, and another for each reference", () => {
    expect(throwawaySecret("env:A")).toMatch(/^[0-9a-f]{128}$/u);
    expect(throwawaySecret("env:A")).toBe(throwawaySecret("env:A"));
    expect(throwawaySecret("env:A")).not.toBe(throwawaySecret("env:B"));
  });
});
