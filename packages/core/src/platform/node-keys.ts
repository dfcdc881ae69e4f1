/** Keys on Node: parsed once, verified synchronously by OpenSSL without a trip through the thread pool. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  timingSafeEqual,
  verify as verifySignature,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { writeNodeBase64Url } from "./node-base64url.js";
import { equalTexts, hmacTextOf } from "./node-hmac.js";
import { beginningsOf } from "./node-room.js";
import { rsaCheckOf } from "./node-rsa.js";
import { JWS_ALGORITHMS, MIN_RSA_BITS, type JwsAlgorithm, type JwsFacts } from "../lib/jws.js";
import type { KeyMaterial, SignatureVerifier } from "../ports/platform.js";
import {
  plainPem,
  problemOfSecret,
  publicMembers,
  requireAsymmetric,
  requirePublicJwk,
  requireSecret,
  requireStrongRsa,
  signatureLength,
} from "./key-rules.js";

/** Signing inputs up to here take the short way: as long as the credentials that are read at all. */
const LONGEST_TOKEN = 8192;

/** @throws Error see `Platform.prepareKey` */
export function prepareNodeKey(algorithm: JwsAlgorithm, material: KeyMaterial): SignatureVerifier {
  if ("secret" in material) return hmacVerifier(algorithm, material.secret);
  const key = "pem" in material ? keyOfPem(algorithm, material.pem) : keyOfJwk(algorithm, material.jwk);
  requireType(algorithm, key);
  return publicKeyVerifier(algorithm, key);
}

function hmacVerifier(algorithm: JwsAlgorithm, secret: Uint8Array): SignatureVerifier {
  requireSecret(algorithm, secret, nodeSecretProblem);
  // The caller may wipe or reuse its copy.
  const key = Buffer.from(secret);
  const { hashBytes } = JWS_ALGORITHMS[algorithm];
  const hash = `sha${hashBytes * 8}`;
  const macText = hmacTextOf(hash, hashBytes, key, LONGEST_TOKEN);
  return Object.freeze({
    algorithm,
    verify(data: Uint8Array | string, signature: Uint8Array): boolean {
      if (signature.length !== hashBytes) return false;
      return timingSafeEqual(createHmac(hash, key).update(bytesOf(data)).digest(), signature);
    },
    verifyText: (data: string, signature: string): boolean => equalTexts(macText(data), signature),
  });
}

/** See `Platform.secretProblem`. */
export function nodeSecretProblem(secret: Uint8Array, leastBytes: number): string | undefined {
  return problemOfSecret(secret, leastBytes, holdsKey);
}

/** The first byte of every key and certificate in DER: a SEQUENCE. */
const DER = 0x30;

/**
 * The type comes from parsing: a key amid bytes that are no text, or in DER, is still a key. Only what can be one is parsed: to set up the
 * parsers takes longer than all else that a secret needs.
 */
function holdsKey(reading: Uint8Array): boolean {
  const bytes = Buffer.from(reading.buffer, reading.byteOffset, reading.byteLength);
  if (bytes.includes("-----BEGIN ") && parses(() => createPublicKey(bytes))) return true;
  if (bytes[0] !== DER) return false;
  return (
    parses(() => createPublicKey({ key: bytes, format: "der", type: "spki" })) ||
    parses(() => createPublicKey({ key: bytes, format: "der", type: "pkcs1" })) ||
    parses(() => new X509Certificate(bytes))
  );
}

function publicKeyVerifier(algorithm: JwsAlgorithm, key: KeyObject): SignatureVerifier {
  const facts = JWS_ALGORITHMS[algorithm];
  const hash = facts.scheme === "eddsa" ? null : `sha${facts.hashBytes * 8}`;
  const options = { key, ...parametersOf(facts) };
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const length = signatureLength(facts, modulusLength);
  const signatureRoom = Buffer.alloc(length);
  const slow = (data: Uint8Array, signature: Uint8Array): boolean =>
    verifySignature(hash, data, options, signature);
  const check = facts.scheme === "rsa" && hash !== null ? rsaCheckOf(hash, key, length, slow) : slow;
  return Object.freeze({
    algorithm,
    verify(data: Uint8Array | string, signature: Uint8Array): boolean {
      return signature.length === length && check(bytesOf(data), signature);
    },
    verifyText(data: string, text: string): boolean {
      if (!writeNodeBase64Url(text, signatureRoom)) return false;
      const bytes = data.length > LONGEST_TOKEN ? bytesOf(data) : inRoom(data);
      return check(bytes, signatureRoom);
    },
  });
}

/** Used again and again, as a key's own room for signatures is: nothing is awaited between writing and verifying. */
const room = Buffer.alloc(LONGEST_TOKEN);
const beginningOfRoom = beginningsOf(room);

function inRoom(data: string): Uint8Array {
  return beginningOfRoom(room.write(data, "latin1"));
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? Buffer.from(data, "latin1") : data;
}

function parametersOf(facts: JwsFacts): {
  dsaEncoding?: "ieee-p1363";
  padding?: number;
  saltLength?: number;
} {
  switch (facts.scheme) {
    case "ecdsa":
      return { dsaEncoding: "ieee-p1363" };
    case "rsa":
      return { padding: constants.RSA_PKCS1_PADDING };
    case "rsa-pss":
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    case "eddsa":
    case "hmac":
      return {};
  }
}

function keyOfPem(algorithm: JwsAlgorithm, text: string): KeyObject {
  requireAsymmetric(algorithm);
  const pem = plainPem(text);
  // `createPublicKey` would quietly derive the public half of a private key; the private one must not lie here at all.
  if (parses(() => createPrivateKey(pem)))
    throw new Error("the PEM holds a private key where a public key belongs");
  return parsed(() => createPublicKey(pem), "the PEM holds no public key that could be read");
}

function keyOfJwk(algorithm: JwsAlgorithm, jwk: Readonly<Record<string, unknown>>): KeyObject {
  requirePublicJwk(algorithm, jwk);
  return parsed(
    () => createPublicKey({ key: publicMembers(jwk), format: "jwk" }),
    "the JWK holds no public key that could be read",
  );
}

const NODE_TYPES: Readonly<Record<string, string>> = { RSA: "rsa", EC: "ec", OKP: "ed25519" };
const NODE_CURVES: Readonly<Record<string, string>> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
};

function requireType(algorithm: JwsAlgorithm, key: KeyObject): void {
  const { kty, curve } = JWS_ALGORITHMS[algorithm];
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== NODE_TYPES[kty]) throw new Error(`the key's type does not fit ${algorithm}`);
  if (kty === "RSA") {
    const { n: modulus = "" } = key.export({ format: "jwk" });
    requireStrongRsa({ bits: modulusLength, exponent: publicExponent, modulus }, MIN_RSA_BITS);
  }
  if (kty === "EC" && namedCurve !== NODE_CURVES[curve ?? ""]) {
    throw new Error(`the key's curve does not fit ${algorithm}`);
  }
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

/** OpenSSL's own message is dropped: it may describe the material. */
function parsed(parse: () => KeyObject, message: string): KeyObject {
  try {
    return parse();
  } catch {
    throw new Error(message);
  }
}
