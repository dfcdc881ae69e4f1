/** Signature algorithms of JSON Web Signature and the keys that fit them. One table: nobody below asks an algorithm's name. */

/** What the engine verifies (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export type JwsAlgorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519";

export type JwsScheme = "hmac" | "rsa" | "rsa-pss" | "ecdsa" | "eddsa";

export interface JwsFacts {
  readonly scheme: JwsScheme;
  /** `kty` of a key that fits (RFC 7517 section 4.1). */
  readonly kty: "oct" | "RSA" | "EC" | "OKP";
  /** `crv` of a key that fits; undefined where the type has none. */
  readonly curve: "P-256" | "P-384" | "P-521" | "Ed25519" | undefined;
  /** Bytes of the hash; HS*: also the shortest key (RFC 7518 section 3.2). */
  readonly hashBytes: 32 | 48 | 64;
  /** Bytes of a signature where the algorithm fixes them (ES*: R and S side by side, never DER); 0 where the key does. */
  readonly signatureBytes: number;
}

function facts(
  scheme: JwsScheme,
  kty: JwsFacts["kty"],
  hashBytes: JwsFacts["hashBytes"],
  signatureBytes = 0,
  curve?: JwsFacts["curve"],
): JwsFacts {
  return Object.freeze({ scheme, kty, curve, hashBytes, signatureBytes });
}

export const JWS_ALGORITHMS: Readonly<Record<JwsAlgorithm, JwsFacts>> = Object.freeze({
  HS256: facts("hmac", "oct", 32, 32),
  HS384: facts("hmac", "oct", 48, 48),
  HS512: facts("hmac", "oct", 64, 64),
  RS256: facts("rsa", "RSA", 32),
  RS384: facts("rsa", "RSA", 48),
  RS512: facts("rsa", "RSA", 64),
  PS256: facts("rsa-pss", "RSA", 32),
  PS384: facts("rsa-pss", "RSA", 48),
  PS512: facts("rsa-pss", "RSA", 64),
  ES256: facts("ecdsa", "EC", 32, 64, "P-256"),
  ES384: facts("ecdsa", "EC", 48, 96, "P-384"),
  ES512: facts("ecdsa", "EC", 64, 132, "P-521"),
  EdDSA: facts("eddsa", "OKP", 64, 64, "Ed25519"),
  Ed25519: facts("eddsa", "OKP", 64, 64, "Ed25519"),
});

export function isJwsAlgorithm(name: string): name is JwsAlgorithm {
  return Object.hasOwn(JWS_ALGORITHMS, name);
}

/** Smallest RSA modulus (RFC 7518 section 3.3). */
export const MIN_RSA_BITS = 2048;

type Jwk = Readonly<Record<string, unknown>>;

/** Members that only a private or a symmetric key has (RFC 7518 section 6). */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] as const;

export function holdsSecret(jwk: Jwk): boolean {
  return SECRET_MEMBERS.some((member) => Object.hasOwn(jwk, member));
}

/** Does the key say of itself that it may verify signatures at all (`use`, `key_ops`)? */
export function mayVerify(jwk: Jwk): boolean {
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return false;
  const operations = jwk["key_ops"];
  return operations === undefined || (Array.isArray(operations) && operations.includes("verify"));
}

/** True when the key's type, curve and own restrictions admit the algorithm. The token has no say in it. */
export function jwkFits(algorithm: JwsAlgorithm, jwk: Jwk): boolean {
  const { kty, curve } = JWS_ALGORITHMS[algorithm];
  if (jwk["kty"] !== kty || (curve !== undefined && jwk["crv"] !== curve)) return false;
  return mayVerify(jwk) && (jwk["alg"] === undefined || jwk["alg"] === algorithm);
}
