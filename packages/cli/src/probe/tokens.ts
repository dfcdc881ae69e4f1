/** JSON Web Tokens of our own: good ones under a key that was handed over, and all the others. */
import { constants, createHmac, createPrivateKey, sign, type JsonWebKey, type KeyObject } from "node:crypto";
import { isList, isRecord } from "../lib/json.js";
import { ecPair, ed25519Pair, rsaPair } from "../lib/key-pair.js";
import { UsageError } from "../cli/io.js";

export type Members = Readonly<Record<string, unknown>>;

export type Jwk = Readonly<Record<string, unknown>>;

/** Of a set of JSON Web Keys; none where it is anything else. */
export function keysIn(set: unknown): readonly Jwk[] {
  return isRecord(set) && isList(set["keys"]) ? set["keys"].filter(isRecord) : [];
}

export interface Token {
  readonly header: Members;
  readonly claims: Members;
}

export interface SigningKey {
  readonly alg: string;
  /** Undefined: the tokens name no key. */
  readonly kid: string | undefined;
  /** A secret where the algorithm is HS*. */
  readonly key: KeyObject | Uint8Array;
}

export function readToken(text: string): Token | undefined {
  const [header, claims, ...rest] = text.split(".").map(membersOf);
  return header === undefined || claims === undefined || rest.length !== 1 ? undefined : { header, claims };
}

function membersOf(segment: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, "base64url").toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @param header goes over what the key says */
export function signed({ header, claims }: Token, { alg, kid, key }: SigningKey): string {
  const { kid: _kid, alg: _alg, ...rest } = header;
  const named = kid === undefined ? {} : { kid };
  const input = inputOf({ header: { alg, ...named, ...rest }, claims });
  return `${input}.${signatureOf(alg, key, input).toString("base64url")}`;
}

export function inputOf({ header, claims }: Token): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}

export function signatureOf(alg: string, key: SigningKey["key"], input: string): Buffer {
  const data = Buffer.from(input);
  const hash = `sha${/\d{3}$/u.exec(alg)?.[0] ?? "256"}`;
  if (!(key instanceof Uint8Array)) {
    if (alg.startsWith("RS")) return sign(hash, data, key);
    if (alg.startsWith("PS"))
      return sign(hash, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    if (alg.startsWith("ES")) return sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
    return sign(null, data, key);
  }
  return createHmac(hash, key).update(data).digest();
}

/**
 * @param algorithms of the authenticator: where the key says none, the first of them that fits
 * @throws UsageError without a word about the key itself
 */
export function readSigningKey(text: string, algorithms: readonly string[], file: string): SigningKey {
  const jwk = jwkIn(text, file);
  const kid = typeof jwk?.["kid"] === "string" ? jwk["kid"] : undefined;
  const named = typeof jwk?.["alg"] === "string" ? jwk["alg"] : undefined;
  const key = keyIn(text, jwk, file);
  const fitting = algorithms.filter((alg) => fits(alg, key));
  const alg = named !== undefined && fitting.includes(named) ? named : fitting[0];
  if (alg === undefined)
    throw new UsageError(
      `the key in \`${file}\` signs with none of the authenticator's algorithms`,
      `they are ${algorithms.join(", ")}`,
    );
  return { alg, kid, key };
}

function jwkIn(text: string, file: string): JsonWebKey | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const keys = isRecord(value) && Array.isArray(value["keys"]) ? (value["keys"] as unknown[]) : [value];
    const [only, ...more] = keys;
    if (isRecord(only) && more.length === 0) return only;
  } catch {
    // Told below, without what the parser quotes.
  }
  throw new UsageError(`\`${file}\` holds no one key`, "hand over one private key, as PEM or JSON Web Key");
}

function keyIn(text: string, jwk: JsonWebKey | undefined, file: string): SigningKey["key"] {
  if (jwk?.kty === "oct" && typeof jwk.k === "string") return Buffer.from(jwk.k, "base64url");
  try {
    return jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: "jwk" });
  } catch {
    // OpenSSL's own message may describe the key.
    throw new UsageError(`\`${file}\` holds no private key`);
  }
}

const CURVES: Readonly<Record<string, string>> = {
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
};

function fits(alg: string, key: SigningKey["key"]): boolean {
  if (key instanceof Uint8Array) return alg.startsWith("HS");
  if (alg.startsWith("RS") || alg.startsWith("PS")) return key.asymmetricKeyType === "rsa";
  if (alg.startsWith("ES"))
    return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === CURVES[alg];
  return alg.startsWith("Ed") && key.asymmetricKeyType === "ed25519";
}

/** A key of the same kind that nobody was told of. */
export function strangersKey(alg: string): SigningKey {
  const curve = CURVES[alg];
  if (alg.startsWith("HS")) return { alg, kid: undefined, key: Buffer.alloc(64, "stranger") };
  if (curve !== undefined) return { alg, kid: undefined, key: ecPair(curve).privateKey };
  if (alg.startsWith("Ed")) return { alg, kid: undefined, key: ed25519Pair().privateKey };
  return { alg, kid: undefined, key: rsaPair(2048).privateKey };
}

/** Texts by which a public key is written down: what a careless verifier takes for a shared secret. */
export function publicTexts(key: KeyObject): readonly string[] {
  const pem = key.export({ type: "spki", format: "pem" }).toString();
  return [pem, pem.trimEnd()];
}
