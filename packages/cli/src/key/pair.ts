/** A key pair for signing tokens, as JSON Web Keys (RFC 7517). */
import { createHash } from "node:crypto";
import { ecPair, ed25519Pair, rsaPairApart, type KeyPair as MadePair } from "../lib/key-pair.js";
import type { PairAlgorithm } from "./choices.js";

export type Jwk = Readonly<Record<string, unknown>>;

export interface KeyPair {
  /** For whoever signs, and nobody else. */
  readonly privateKey: Jwk;
  /** For `keys.jwks` of an authenticator. */
  readonly publicKeys: { readonly keys: readonly Jwk[] };
}

/** @param kid default: the key's thumbprint (RFC 7638), which no other key has */
export async function makeKeyPair(algorithm: PairAlgorithm, kid?: string): Promise<KeyPair> {
  const { publicKey, privateKey } = await generate(algorithm);
  const members = publicKey.export({ format: "jwk" });
  const named = { kid: kid ?? thumbprint(members), alg: algorithm, use: "sig" };
  return {
    privateKey: { ...privateKey.export({ format: "jwk" }), ...named },
    publicKeys: { keys: [{ ...members, ...named }] },
  };
}

/** Good for signatures beyond 2030 (NIST SP 800-57 part 1). */
const RSA_BITS = 3072;

function generate(algorithm: PairAlgorithm): MadePair | Promise<MadePair> {
  switch (algorithm) {
    case "ES256":
      return ecPair("P-256");
    case "EdDSA":
      return ed25519Pair();
    case "RS256":
      return rsaPairApart(RSA_BITS);
  }
}

/** SHA-256 of the members that make the key, by name (RFC 7638 section 3.2; RFC 8037 section 2). */
function thumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const required = ["crv", "e", "kty", "n", "x", "y"].filter((name) => jwk[name] !== undefined);
  const text = JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]])));
  return createHash("sha256").update(text).digest("base64url");
}
