/** Throwaway keys and signatures for tests, made by Node's own crypto: the verifiers under test have no part in it. */
import { constants, createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { ecPair, ed25519Pair, rsaPair } from "../node/key-pair.js";
import { JWS_ALGORITHMS, type JwsAlgorithm } from "../lib/jws.js";

export interface TestKeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const pairs = new Map<string, TestKeyPair>();

/** One pair a name for the whole run: making RSA keys is slow. */
export function keyPair(
  kind: "rsa" | "rsa-1024" | "P-256" | "P-384" | "P-521" | "ed25519" | "secp256k1" | "x25519",
  name = "",
): TestKeyPair {
  const known = pairs.get(kind + name);
  if (known !== undefined) return known;
  const made = makePair(kind);
  pairs.set(kind + name, made);
  return made;
}

function makePair(kind: Parameters<typeof keyPair>[0]): TestKeyPair {
  switch (kind) {
    case "rsa":
      return rsaPair();
    case "rsa-1024":
      return rsaPair(1024);
    case "ed25519":
      return ed25519Pair();
    case "x25519":
      return generateKeyPairSync("x25519");
    case "P-256":
    case "P-384":
    case "P-521":
    case "secp256k1":
      return ecPair(kind);
  }
}

export function pairFor(algorithm: JwsAlgorithm, name = ""): TestKeyPair {
  const { kty, curve } = JWS_ALGORITHMS[algorithm];
  if (kty === "RSA") return keyPair("rsa", name);
  return keyPair(kty === "EC" && curve !== undefined && curve !== "Ed25519" ? curve : "ed25519", name);
}

export const pem = (key: KeyObject): string =>
  key.export({ type: key.type === "public" ? "spki" : "pkcs8", format: "pem" }).toString();

export const jwk = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: "jwk" }) });

/** A signature as RFC 7518 wants it. */
export function signatureOf(algorithm: JwsAlgorithm, key: KeyObject | Uint8Array, data: string): Uint8Array {
  const { scheme, hashBytes } = JWS_ALGORITHMS[algorithm];
  const hash = `sha${hashBytes * 8}`;
  if (key instanceof Uint8Array) return createHmac(hash, key).update(data).digest();
  switch (scheme) {
    case "ecdsa":
      return sign(hash, Buffer.from(data), { key, dsaEncoding: "ieee-p1363" });
    case "rsa-pss":
      return sign(hash, Buffer.from(data), {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: hashBytes,
      });
    case "eddsa":
      return sign(null, Buffer.from(data), key);
    case "rsa":
    case "hmac":
      return sign(hash, Buffer.from(data), key);
  }
}
