/** What is made is accepted by the engine, and nothing else is. */
import { createHash, createPrivateKey, sign, type JsonWebKey } from "node:crypto";
import { createEngine, type PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { makeApiKey } from "./api-key.js";
import { PAIR_ALGORITHMS, type PairAlgorithm } from "./choices.js";
import { makeKeyPair, type Jwk } from "./pair.js";
import { isPasswordOf, makePasswordRecord } from "./password.js";

const policyWith = (authenticators: PolicyDocument["authenticators"]): PolicyDocument => ({
  gatehouse: 1,
  name: "notes",
  transport: { https: "off" },
  roles: { clerk: [] },
  ...(authenticators === undefined ? {} : { authenticators }),
  routes: {
    "GET /notes": {
      authorize: { roles: ["clerk"], scopes: ["read"], when: "principal.claims.tenant == 'acme'" },
    },
    "GET /other": { authorize: "authenticated" },
  },
});

async function statusOf(
  policy: PolicyDocument,
  target: string,
  header: readonly [string, string],
  keys = "",
): Promise<number> {
  const engine = await createEngine(policy, { secrets: { get: () => keys } });
  const decision = await engine.evaluate({ method: "GET", target, headers: [["Host", "a.test"], header] });
  await engine.close();
  return decision.outcome === "admit" ? 200 : decision.status;
}

describe("an API key", () => {
  const policy = policyWith({
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
  });
  const grant = { id: "acme-1", roles: ["clerk"], scopes: ["read"], attributes: { tenant: "acme" } };

  it("is admitted by its record, with all that it was granted", async () => {
    const { key, record } = makeApiKey({ ...grant, routes: ["GET /notes"], expires: "2999-01-01" });
    const file = JSON.stringify([record]);
    expect(await statusOf(policy, "/notes", ["X-Key", key], file)).toBe(200);
    expect(await statusOf(policy, "/other", ["X-Key", key], file)).toBe(401);
    expect(await statusOf(policy, "/notes", ["X-Key", `${key}x`], file)).toBe(401);
  });

  it("is another each time, and its record does not hold it", () => {
    const one = makeApiKey(grant);
    const other = makeApiKey({ ...grant, prefix: "acme" });
    expect(one.key).toMatch(/^key_[\w-]{43}$/u);
    expect(other.key).toMatch(/^acme_[\w-]{43}$/u);
    expect(one.key.slice(4)).not.toBe(other.key.slice(5));
    expect(JSON.stringify(one.record)).not.toContain(one.key.slice(4));
    expect(one.record).toEqual({ ...grant, sha256: createHash("sha256").update(one.key).digest("hex") });
  });
});

describe("a key pair", () => {
  it.each(PAIR_ALGORITHMS)("%s signs tokens that its public half verifies", async (algorithm) => {
    const { privateKey, publicKeys } = await makeKeyPair(algorithm);
    const policy = policyWith({
      user: {
        type: "jwt",
        issuer: "https://id.example/",
        audience: "notes",
        algorithms: [algorithm],
        keys: { jwks: publicKeys },
        principal: { id: "sub", roles: "roles", scopes: "scope" },
      },
    });
    const token = mint(privateKey, algorithm);
    expect(await statusOf(policy, "/notes", ["Authorization", `Bearer ${token}`])).toBe(200);
    const other = mint((await makeKeyPair(algorithm, String(privateKey["kid"]))).privateKey, algorithm);
    expect(await statusOf(policy, "/notes", ["Authorization", `Bearer ${other}`])).toBe(401);
  });

  it("keeps the private half out of the public one, and is named by its thumbprint", async () => {
    const { privateKey, publicKeys } = await makeKeyPair("ES256");
    const [publicKey = {}] = publicKeys.keys;
    expect(Object.keys(publicKey).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    const members = `{"crv":"P-256","kty":"EC","x":"${String(publicKey["x"])}","y":"${String(publicKey["y"])}"}`;
    expect(publicKey["kid"]).toBe(createHash("sha256").update(members).digest("base64url"));
    expect(privateKey["kid"]).toBe(publicKey["kid"]);
    expect((await makeKeyPair("EdDSA", "2026-a")).privateKey["kid"]).toBe("2026-a");
  });
});

describe("a password", () => {
  it("is told by its record, whichever way it is spelled", async () => {
    const record = await makePasswordRecord("ann", "gr\u00FCner Tee");
    expect(record.scrypt).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/u);
    expect(await isPasswordOf(record, "gru\u0308ner Tee")).toBe(true);
    expect(await isPasswordOf(record, "gr\u00FCner Te")).toBe(false);
  }, 60_000);

  it("is not told by a record of another form, nor by one that would cost too much", async () => {
    expect(await isPasswordOf({ id: "ann", scrypt: "plain" }, "plain")).toBe(false);
    const costly = `$scrypt$ln=40,r=8,p=1$${"A".repeat(22)}$${"A".repeat(43)}`;
    expect(await isPasswordOf({ id: "ann", scrypt: costly }, "x")).toBe(false);
  });
});

function mint(jwk: Jwk, algorithm: PairAlgorithm): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://id.example/",
    aud: "notes",
    sub: "ann",
    exp: now + 60,
    roles: ["clerk"],
    scope: "read",
    tenant: "acme",
  };
  const text = `${part({ alg: algorithm, kid: jwk["kid"] })}.${part(claims)}`;
  const key = createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" });
  const hash = algorithm === "EdDSA" ? null : "sha256";
  const signature = sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
