/** Throwaway keys of one run: nothing that signs is ever written down. */
import { createHash, randomBytes, createHmac, scryptSync, sign, type KeyObject } from "node:crypto";
import { ecPair, ed25519Pair, rsaPair } from "../node/key-pair.js";

interface SigningKey {
  readonly alg: string;
  readonly jwk: Readonly<Record<string, unknown>> | undefined;
  sign(data: Buffer): Buffer;
}

const made = new Map<string, SigningKey>();
const secrets = new Map<string, Buffer>();

/** 64 random bytes by name, as text: tokens of the key of the same name are signed with them. */
export function secretText(name: string): string {
  return secretBytes(name).toString("latin1");
}

function secretBytes(name: string): Buffer {
  let bytes = secrets.get(name);
  if (bytes === undefined) {
    // Hex: the same octets whether the secret is read as text or as bytes.
    bytes = Buffer.from(randomBytes(32).toString("hex"));
    secrets.set(name, bytes);
  }
  return bytes;
}

/** `es-*` is P-256, `rs-*` RSA 2048, `ed-*` Ed25519, `hs-*` a secret. */
export function keyNamed(name: string): SigningKey {
  let key = made.get(name);
  if (key === undefined) {
    key = makeKey(name);
    made.set(name, key);
  }
  return key;
}

export function publicJwk(name: string): Readonly<Record<string, unknown>> {
  const { jwk } = keyNamed(name);
  if (jwk === undefined) throw new Error(`key \`${name}\` has no public half`);
  return jwk;
}

/** RFC 7638. */
export function thumbprint(name: string): string {
  const { kid: _kid, alg: _alg, use: _use, ...members } = publicJwk(name);
  const sorted = Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify(Object.fromEntries(sorted)))
    .digest("base64url");
}

const hashes = new Map<string, string>();

/** The least that is accepted, and once for all cases: one is no place to wait. */
export function scryptHash(password: string): string {
  const known = hashes.get(password);
  if (known !== undefined) return known;
  const salt = randomBytes(16);
  const hash = scryptSync(password.normalize("NFC"), salt, 32, { N: 2 ** 14, r: 8, p: 1 });
  const unpadded = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  const text = `$scrypt$ln=14,r=8,p=1$${unpadded(salt)}$${unpadded(hash)}`;
  hashes.set(password, text);
  return text;
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function makeKey(name: string): SigningKey {
  switch (name.slice(0, 3)) {
    case "es-": {
      const pair = ecPair("P-256");
      return asymmetric(name, "ES256", pair.publicKey, (data) =>
        sign("sha256", data, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }),
      );
    }
    case "rs-": {
      const pair = rsaPair();
      return asymmetric(name, "RS256", pair.publicKey, (data) => sign("sha256", data, pair.privateKey));
    }
    case "ed-": {
      const pair = ed25519Pair();
      return asymmetric(name, "EdDSA", pair.publicKey, (data) => sign(null, data, pair.privateKey));
    }
    case "hs-":
      return {
        alg: "HS256",
        jwk: undefined,
        sign: (data) => createHmac("sha256", secretBytes(name)).update(data).digest(),
      };
    default:
      throw new Error(`no key is called \`${name}\`: names begin with es-, rs-, ed- or hs-`);
  }
}

function asymmetric(
  name: string,
  alg: string,
  publicKey: KeyObject,
  signer: (data: Buffer) => Buffer,
): SigningKey {
  return { alg, jwk: { ...publicKey.export({ format: "jwk" }), kid: name, alg, use: "sig" }, sign: signer };
}
