/** Keys where there is no Node: shared secrets synchronously, signatures through WebCrypto and so as promises. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { utf8 } from "../lib/bytes.js";
import { JWS_ALGORITHMS, MIN_RSA_BITS, type JwsAlgorithm, type JwsFacts } from "../lib/jws.js";
import type { KeyMaterial, SignatureVerifier } from "../ports/platform.js";
import {
  plainPem,
  problemOfSecret,
  publicMembers,
  requirePublicJwk,
  requireSecret,
  requireStrongRsa,
  signatureLength,
} from "./key-rules.js";
import { equalBytes } from "./portable-hash.js";

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type WebAlgorithm = { name: string; hash?: string; namedCurve?: string; saltLength?: number };

/** @throws Error (or rejects with it) see `Platform.prepareKey` */
export function preparePortableKey(
  algorithm: JwsAlgorithm,
  material: KeyMaterial,
): SignatureVerifier | Promise<SignatureVerifier> {
  if ("secret" in material) return hmacVerifier(algorithm, material.secret);
  return publicKeyVerifier(algorithm, material);
}

function hmacVerifier(algorithm: JwsAlgorithm, secret: Uint8Array): SignatureVerifier {
  requireSecret(algorithm, secret, portableSecretProblem);
  const key = Uint8Array.from(secret);
  const digest = { 32: sha256, 48: sha384, 64: sha512 }[JWS_ALGORITHMS[algorithm].hashBytes];
  return Object.freeze({
    algorithm,
    verify: (data: Uint8Array | string, signature: Uint8Array): boolean =>
      equalBytes(hmac(digest, key, bytesOf(data)), signature),
  });
}

/** See `Platform.secretProblem`. */
export function portableSecretProblem(secret: Uint8Array, leastBytes: number): string | undefined {
  return problemOfSecret(secret, leastBytes);
}

async function publicKeyVerifier(
  algorithm: JwsAlgorithm,
  material: Exclude<KeyMaterial, { readonly secret: Uint8Array }>,
): Promise<SignatureVerifier> {
  const facts = JWS_ALGORITHMS[algorithm];
  const parameters = webAlgorithm(algorithm, facts);
  const key =
    "pem" in material
      ? await importPem(algorithm, material.pem, parameters)
      : await importJwk(algorithm, material.jwk, parameters);
  await requireStrongKey(key);
  const { modulusLength = 0 } = key.algorithm as { modulusLength?: number };
  const length = signatureLength(facts, modulusLength);
  return Object.freeze({
    algorithm,
    verify(data: Uint8Array | string, signature: Uint8Array): boolean | Promise<boolean> {
      if (signature.length !== length) return false;
      return crypto.subtle.verify(
        parameters,
        key,
        Uint8Array.from(signature),
        Uint8Array.from(bytesOf(data)),
      );
    },
  });
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? utf8(data) : data;
}

function webAlgorithm(algorithm: JwsAlgorithm, facts: JwsFacts): WebAlgorithm {
  const hash = `SHA-${facts.hashBytes * 8}`;
  switch (facts.scheme) {
    case "rsa":
      return { name: "RSASSA-PKCS1-v1_5", hash };
    case "rsa-pss":
      return { name: "RSA-PSS", hash, saltLength: facts.hashBytes };
    case "ecdsa":
      return { name: "ECDSA", hash, namedCurve: facts.curve ?? "" };
    case "eddsa":
      return { name: "Ed25519" };
    case "hmac":
      throw new Error(`${algorithm} is verified with a shared secret, not with a public key`);
  }
}

async function importJwk(
  algorithm: JwsAlgorithm,
  jwk: Readonly<Record<string, unknown>>,
  parameters: WebAlgorithm,
): Promise<WebKey> {
  requirePublicJwk(algorithm, jwk);
  try {
    return await crypto.subtle.importKey("jwk", publicMembers(jwk), parameters, true, ["verify"]);
  } catch {
    throw new Error("the JWK holds no public key that could be read");
  }
}

async function importPem(algorithm: JwsAlgorithm, text: string, parameters: WebAlgorithm): Promise<WebKey> {
  const pem = plainPem(text);
  const body = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END PUBLIC KEY-----\n$/u.exec(
    pem,
  )?.[1];
  if (body === undefined)
    throw new Error("the PEM holds no `PUBLIC KEY` block, the one kind that this platform reads");
  try {
    const der = Uint8Array.from(atob(body.replaceAll("\n", "")), (character) => character.charCodeAt(0));
    return await crypto.subtle.importKey("spki", der, parameters, true, ["verify"]);
  } catch {
    throw new Error(`the PEM holds no public key that fits ${algorithm}`);
  }
}

async function requireStrongKey(key: WebKey): Promise<void> {
  const { modulusLength, publicExponent } = key.algorithm as {
    modulusLength?: number;
    publicExponent?: Uint8Array;
  };
  if (modulusLength === undefined) return;
  const exponent = (publicExponent ?? new Uint8Array(0)).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const { n: modulus = "" } = await crypto.subtle.exportKey("jwk", key);
  requireStrongRsa({ bits: modulusLength, exponent, modulus }, MIN_RSA_BITS);
}
