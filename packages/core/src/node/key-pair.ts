/**
 * Key pairs that nothing else holds. In Node 20 the job that made a key shares its lock with it: where the job is collected while the key
 * is exported as a JWK, which allocates, the process waits for itself for ever. What is read from its encoded form is a key of its own.
 * A twin of it is in the command: packages share what they export, and this would be a public name of the core that no user of a policy wants.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const publicKeyEncoding = { type: "spki", format: "der" } as const;
const privateKeyEncoding = { type: "pkcs8", format: "der" } as const;

export function rsaPair(modulusLength = 2048): KeyPair {
  return read(generateKeyPairSync("rsa", { modulusLength, publicKeyEncoding, privateKeyEncoding }));
}

export function ecPair(namedCurve: string): KeyPair {
  return read(generateKeyPairSync("ec", { namedCurve, publicKeyEncoding, privateKeyEncoding }));
}

export function ed25519Pair(): KeyPair {
  return read(generateKeyPairSync("ed25519", { publicKeyEncoding, privateKeyEncoding }));
}

function read(made: { readonly publicKey: Buffer; readonly privateKey: Buffer }): KeyPair {
  return {
    publicKey: createPublicKey({ key: made.publicKey, format: "der", type: "spki" }),
    privateKey: createPrivateKey({ key: made.privateKey, format: "der", type: "pkcs8" }),
  };
}
