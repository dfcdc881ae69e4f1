/**
 * Throwaway keys, made once in a process. Nothing that signs is ever written down, and no decision depends on
 * which key it is.
 */
import { constants, createHmac, sign } from "node:crypto";
import { JWS_ALGORITHMS, type JwsAlgorithm, type JwsFacts } from "../lib/jws.js";
import { ecPair, ed25519Pair, rsaPair, type KeyPair } from "../node/key-pair.js";

/** `stranger`: a key of the same kind that no policy is told of; `holder`: one that tokens are bound to. */
export type KeyHolder = "issuer" | "stranger" | "holder";

const made = new Map<string, KeyPair>();

function pairFor(algorithm: JwsAlgorithm, holder: KeyHolder): KeyPair {
  const facts = JWS_ALGORITHMS[algorithm];
  // One for all algorithms of a type: an RSA key takes a while to make.
  const name = `${facts.kty} ${facts.curve ?? ""} ${holder}`;
  let pair = made.get(name);
  if (pair === undefined) made.set(name, (pair = makePair(facts)));
  return pair;
}

function makePair({ kty, curve }: JwsFacts): KeyPair {
  switch (kty) {
    case "RSA":
      return rsaPair();
    case "EC":
      return ecPair(curve ?? "P-256");
    case "OKP":
      return ed25519Pair();
    case "oct":
      throw new Error("a shared secret is no key pair");
  }
}

/** Name of the key in the set that a policy is given. */
export function keyId(algorithm: JwsAlgorithm): string {
  return `throwaway-${algorithm}`;
}

/** What verifies the tokens of `signToken`, for one algorithm. */
export function publicJwk(algorithm: JwsAlgorithm): Readonly<Record<string, unknown>> {
  const jwk = pairFor(algorithm, "issuer").publicKey.export({ format: "jwk" });
  return { ...jwk, kid: keyId(algorithm), alg: algorithm, use: "sig" };
}

/** What a proof of possession brings along. */
export function holderJwk(algorithm: JwsAlgorithm): Readonly<Record<string, unknown>> {
  return { ...pairFor(algorithm, "holder").publicKey.export({ format: "jwk" }) };
}

/** @param secret for HS*: what the policy's secret stands for */
export function signature(
  algorithm: JwsAlgorithm,
  holder: KeyHolder,
  input: string,
  secret: Uint8Array | undefined,
): string {
  const data = Buffer.from(input);
  const { scheme, hashBytes } = JWS_ALGORITHMS[algorithm];
  const hash = `sha${hashBytes * 8}`;
  if (scheme === "hmac")
    return createHmac(hash, secret ?? "")
      .update(data)
      .digest("base64url");
  const key = pairFor(algorithm, holder).privateKey;
  switch (scheme) {
    case "rsa":
      return sign(hash, data, key).toString("base64url");
    case "rsa-pss": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign(hash, data, { key, padding, saltLength: hashBytes }).toString("base64url");
    }
    case "ecdsa":
      return sign(hash, data, { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
    case "eddsa":
      return sign(null, data, key).toString("base64url");
  }
}
