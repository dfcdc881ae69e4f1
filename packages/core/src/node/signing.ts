/** Signatures by private keys: for what publishes or writes, never for what reads. */
import { constants, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import type { BundleKey } from "../change/bundle.js";
import { JWS_ALGORITHMS } from "../lib/jws.js";

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: BundleKey["algorithm"];
  /** PEM, or a key that was read before. */
  readonly privateKey: string | KeyObject;
}

/** @throws Error that holds nothing of the key */
export function privateOf({ kid, privateKey }: SigningKey): KeyObject {
  if (typeof privateKey !== "string") return privateKey;
  try {
    return createPrivateKey(privateKey);
  } catch {
    // OpenSSL's own message may describe the key.
    throw new Error(`the key \`${kid}\` holds no private key that can be read`);
  }
}

export function publicOf(key: SigningKey): BundleKey {
  const pem = createPublicKey(privateOf(key)).export({ type: "spki", format: "pem" }).toString();
  return { kid: key.kid, algorithm: key.algorithm, pem };
}

/**
 * A signature in compact form (RFC 7515 section 7.1).
 * @param typ what it is made for: a signature that was made for anything else is none there
 * @param encoded base64url of what is signed
 */
export function signJws(
  encoded: string,
  key: SigningKey,
  typ: string,
): { readonly header: string; readonly signature: string } {
  const { kid, algorithm } = key;
  const facts = JWS_ALGORITHMS[algorithm];
  const header = Buffer.from(JSON.stringify({ alg: algorithm, kid, typ })).toString("base64url");
  const input = Buffer.from(`${header}.${encoded}`);
  const hash = facts.scheme === "eddsa" ? null : `sha${facts.hashBytes * 8}`;
  const signature = sign(hash, input, {
    key: privateOf(key),
    ...(facts.scheme === "ecdsa" && { dsaEncoding: "ieee-p1363" as const }),
    ...(facts.scheme === "rsa-pss" && {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  });
  return { header, signature: signature.toString("base64url") };
}
