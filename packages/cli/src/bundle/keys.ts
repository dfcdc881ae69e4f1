/** Keys for bundles, from PEM, JSON Web Keys and sets of them. No message holds anything of a key. */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import type { BundleKey } from "@gatehouse/core";
import type { SigningKey } from "@gatehouse/core/node";
import { UsageError } from "../cli/io.js";
import { ALGORITHMS, type BundleAlgorithm } from "./choices.js";

/** What the command line says of the key. */
export interface Said {
  readonly kid: string | undefined;
  readonly alg: BundleAlgorithm | undefined;
}

export function signingKey(text: string, said: Said): SigningKey {
  const [jwk, ...more] = jwksIn(text);
  if (more.length > 0) throw new UsageError("there are several keys in the file", "sign with one");
  const privateKey = read(() =>
    jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: "jwk" }),
  );
  return { kid: kidOf(said, jwk), algorithm: algorithmOf(said, jwk, privateKey), privateKey };
}

/** A set holds all that is pinned; `--kid` picks one of them. */
export function pinnedKeys(text: string, said: Said): readonly BundleKey[] {
  const jwks = jwksIn(text);
  if (jwks.length === 0) {
    const key = read(() => createPublicKey(text));
    return [pinned(key, kidOf(said, undefined), algorithmOf(said, undefined, key))];
  }
  const named = jwks.filter((jwk) => jwks.length === 1 || said.kid === undefined || jwk["kid"] === said.kid);
  if (named.length === 0) throw new UsageError(`the set has no key \`${said.kid ?? ""}\``);
  return named.map((jwk) => {
    const key = read(() => createPublicKey({ key: jwk, format: "jwk" }));
    return pinned(key, kidOf(said, jwk), algorithmOf(said, jwk, key));
  });
}

function pinned(key: KeyObject, kid: string, algorithm: BundleAlgorithm): BundleKey {
  return { kid, algorithm, pem: key.export({ type: "spki", format: "pem" }).toString() };
}

function jwksIn(text: string): readonly JsonWebKey[] {
  if (!text.trimStart().startsWith("{")) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError("the key is neither PEM nor JSON");
  }
  const keys = isObject(value) && Array.isArray(value["keys"]) ? (value["keys"] as unknown[]) : [value];
  return keys.filter(isObject);
}

function isObject(value: unknown): value is JsonWebKey {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch {
    // OpenSSL's own message may describe the key.
    throw new UsageError("the file holds no key of the kind that is needed here");
  }
}

function kidOf(said: Said, jwk: JsonWebKey | undefined): string {
  const kid = said.kid ?? jwk?.["kid"];
  if (typeof kid === "string" && kid !== "") return kid;
  throw new UsageError("the key has no name", "say which it is with `--kid`");
}

const BY_TYPE: Readonly<Record<string, BundleAlgorithm>> = {
  ed25519: "EdDSA",
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
  rsa: "PS256",
};

function algorithmOf(said: Said, jwk: JsonWebKey | undefined, key: KeyObject): BundleAlgorithm {
  if (said.alg !== undefined) return said.alg;
  const named = ALGORITHMS.find((algorithm) => algorithm === jwk?.["alg"]);
  const type = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "";
  const algorithm = named ?? BY_TYPE[type];
  if (algorithm !== undefined) return algorithm;
  throw new UsageError("no algorithm is known for a key of this type");
}
