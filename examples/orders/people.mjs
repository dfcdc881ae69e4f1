// Keys, tokens and API keys for a run on one machine. A real API has an issuer for this.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const kid = "demo";
// Read from its encoded form: in Node 20 a key that is exported as a JWK while the job that made it is collected never comes back.
const made = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const [publicKey, privateKey] = [createPublicKey(made.publicKey), createPrivateKey(made.privateKey)];

const people = {
  ann: {
    about: "a customer of acme",
    claims: { org_id: "acme", scope: "orders:write", realm_access: { roles: ["customer"] } },
  },
  bob: {
    about: "a clerk of acme, without the scope orders:write",
    claims: { org_id: "acme", scope: "", realm_access: { roles: ["clerk"] } },
  },
  cleo: {
    about: "an admin",
    claims: { org_id: "acme", scope: "orders:write", realm_access: { roles: ["admin"] } },
  },
};

/** A signed access token (RFC 9068) for one of the people; `changes` go over its claims. */
export function tokenFor(name, changes = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://id.example.com/",
    aud: "orders-api",
    sub: name,
    iat: now,
    exp: now + 3600,
    ...people[name].claims,
    ...changes,
  };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: "ES256", kid, typ: "at+jwt" })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

/**
 * Writes what the policy refers to (the issuer's public keys, the partner's hashed key) and, for curl, one file of
 * header fields a person. Curl stands where the proxy that ends TLS would: it says `X-Forwarded-Proto: https`.
 */
export function prepareKeys(folder) {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const put = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
  put("jwks.json", JSON.stringify({ keys: [jwk] }));

  const apiKey = randomBytes(32).toString("base64url");
  const sha256 = createHash("sha256").update(apiKey).digest("hex");
  const partner = { id: "globex", sha256, roles: ["customer"], attributes: { tenant: "globex" } };
  put("partner-keys.json", JSON.stringify([partner]));

  const proxied = "X-Forwarded-Proto: https\n";
  const fields = {
    nobody: put("nobody.txt", proxied),
    partner: put("partner.txt", `${proxied}X-API-Key: ${apiKey}\n`),
  };
  const tokens = {};
  for (const name of Object.keys(people)) {
    tokens[name] = tokenFor(name);
    fields[name] = put(`${name}.txt`, `${proxied}Authorization: Bearer ${tokens[name]}\n`);
  }
  const expired = tokenFor("ann", { exp: Math.floor(Date.now() / 1000) - 3600 });
  fields.expired = put("expired.txt", `${proxied}Authorization: Bearer ${expired}\n`);
  return {
    fields,
    tokens,
    about: Object.fromEntries(Object.entries(people).map(([name, { about }]) => [name, about])),
  };
}
