/** Algorithms of HTTP Message Signatures by their registered names (RFC 9421 section 6.2.2) → what JSON Web Signature calls the same. */
import type { JwsAlgorithm } from "./jws.js";

export type MessageAlgorithm =
  | "rsa-pss-sha512"
  | "rsa-v1_5-sha256"
  | "ecdsa-p256-sha256"
  | "ecdsa-p384-sha384"
  | "ed25519"
  | "hmac-sha256";

export const MESSAGE_ALGORITHMS: Readonly<Record<MessageAlgorithm, JwsAlgorithm>> = {
  "rsa-pss-sha512": "PS512",
  "rsa-v1_5-sha256": "RS256",
  "ecdsa-p256-sha256": "ES256",
  "ecdsa-p384-sha384": "ES384",
  ed25519: "Ed25519",
  "hmac-sha256": "HS256",
};

/** Ed25519 has two names in JSON Web Keys (RFC 8037, RFC 9864). */
export function jwsAlgorithmFor(
  algorithm: MessageAlgorithm,
  jwk: Readonly<Record<string, unknown>> | undefined,
): JwsAlgorithm {
  return algorithm === "ed25519" && jwk?.["alg"] === "EdDSA" ? "EdDSA" : MESSAGE_ALGORITHMS[algorithm];
}
