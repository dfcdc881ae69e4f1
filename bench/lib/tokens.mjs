// Keys and tokens of the benchmark's own.
import { createSecretKey, generateKeyPairSync, sign, createHmac } from "node:crypto";
import { flat } from "./requests.mjs";

export const ISSUER = "https://id.example.com/";
export const AUDIENCE = "bench";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const now = Math.floor(Date.now() / 1000);

export const claimsOf = (more = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "ann",
  roles: ["customer"],
  tenant: "acme",
  scope: "orders:read orders:write",
  iat: now - 5,
  exp: now + 7200,
  ...more,
});

/** One key of an algorithm, in the forms that libraries want, and what signs with it. */
export function keyFor(algorithm) {
  return algorithm === "HS256" ? secretKey() : keyPair(algorithm);
}

function secretKey() {
  const secret = "a-secret-of-more-than-thirty-two-bytes!!";
  const key = createSecretKey(Buffer.from(secret));
  const mint = (claims = claimsOf(), header = {}) => {
    const input = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(claims)}`;
    return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
  };
  return { algorithm: "HS256", secret, key, mint, keys: { secret: "env:BENCH_JWT_SECRET" } };
}

function keyPair(algorithm) {
  const elliptic = algorithm === "ES256";
  const { publicKey, privateKey } = elliptic
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "1", alg: algorithm, use: "sig" };
  const pem = publicKey.export({ format: "pem", type: "spki" });
  const mint = (claims = claimsOf(), header = {}) => {
    const input = `${encode({ alg: algorithm, kid: "1", typ: "JWT", ...header })}.${encode(claims)}`;
    const how = elliptic ? { key: privateKey, dsaEncoding: "ieee-p1363" } : privateKey;
    return `${input}.${sign("sha256", Buffer.from(input), how).toString("base64url")}`;
  };
  return { algorithm, key: publicKey, pem, mint, keys: { jwks: { keys: [jwk] } } };
}

/** Tokens that differ in their id alone. */
export const manyTokens = (mint, count) =>
  Array.from({ length: count }, (_, index) => flat(mint(claimsOf({ jti: `t${index}` }))));

/** The secret of `HS256`, wherever a policy asks for it. */
export const SECRETS = { get: async () => "a-secret-of-more-than-thirty-two-bytes!!" };

export const authenticator = ({ algorithm, keys }) => ({
  type: "jwt",
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithms: [algorithm],
  keys,
  principal: { id: "sub", roles: "roles", tenant: "tenant" },
});
