/** `private_key_jwt` (RFC 7523 section 2.2): a client proves that it has a key, and sends no secret. */
import { encodeBase64Url } from "../../lib/base64url.js";
import { strictText, utf8 } from "../../lib/bytes.js";
import { JWS_ALGORITHMS, jwkFits, type JwsAlgorithm } from "../../lib/jws.js";
import { isObject, parseJson } from "./strict-json.js";

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Long enough for clocks that differ a little. */
const LIFETIME_SECONDS = 60;

export interface AssertionParts {
  readonly clientId: string;
  readonly audience: string;
  readonly algorithm: JwsAlgorithm;
  readonly keyId: string | undefined;
  readonly key: WebKey;
  readonly newId: () => string;
}

/** @param now milliseconds since the epoch */
export async function clientAssertion(parts: AssertionParts, now: number): Promise<string> {
  const { clientId, audience, algorithm, keyId, key, newId } = parts;
  const seconds = Math.floor(now / 1000);
  const header = { alg: algorithm, typ: "JWT", ...(keyId !== undefined && { kid: keyId }) };
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: newId(),
    iat: seconds,
    exp: seconds + LIFETIME_SECONDS,
  };
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = await crypto.subtle.sign(webAlgorithm(algorithm), key, Uint8Array.from(utf8(input)));
  return `${input}.${encodeBase64Url(new Uint8Array(signature))}`;
}

function encode(value: unknown): string {
  return encodeBase64Url(utf8(JSON.stringify(value)));
}

function webAlgorithm(algorithm: JwsAlgorithm) {
  const { scheme, hashBytes, curve } = JWS_ALGORITHMS[algorithm];
  const hash = `SHA-${hashBytes * 8}`;
  switch (scheme) {
    case "rsa":
      return { name: "RSASSA-PKCS1-v1_5", hash };
    case "rsa-pss":
      return { name: "RSA-PSS", hash, saltLength: hashBytes };
    case "ecdsa":
      return { name: "ECDSA", hash, namedCurve: curve ?? "" };
    case "eddsa":
      return { name: "Ed25519" };
    case "hmac":
      throw new Error(`${algorithm} signs with a shared secret, not with a private key`);
  }
}

/** A private JWK, or PKCS#8 in PEM. @throws Error (rejects) saying what is wrong, never what the key is */
export async function importSigningKey(algorithm: JwsAlgorithm, bytes: Uint8Array): Promise<WebKey> {
  const text = (strictText(bytes) ?? "").replace(/^\uFEFF/u, "").trim();
  const jwk = text.startsWith("{") ? parseJson(text) : undefined;
  if (isObject(jwk)) return importJwk(algorithm, jwk);
  const body = /^-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----$/u.exec(text)?.[1];
  if (body === undefined)
    throw new Error("the key is neither a `PRIVATE KEY` in PEM (PKCS#8) nor a private JWK");
  try {
    const der = Uint8Array.from(atob(body.replaceAll(/\s/gu, "")), (character) => character.charCodeAt(0));
    return await crypto.subtle.importKey("pkcs8", der, webAlgorithm(algorithm), false, ["sign"]);
  } catch {
    throw new Error(`the PEM holds no private key that fits ${algorithm}`);
  }
}

async function importJwk(algorithm: JwsAlgorithm, jwk: Readonly<Record<string, unknown>>): Promise<WebKey> {
  // Whether it may verify says nothing of whether it may sign.
  const { key_ops: _, ...members } = jwk;
  if (!jwkFits(algorithm, members) || typeof jwk["d"] !== "string")
    throw new Error(`the JWK is no private key for ${algorithm}`);
  const { kid: _kid, use: _use, alg: _alg, ...material } = members;
  try {
    return await crypto.subtle.importKey("jwk", material, webAlgorithm(algorithm), false, ["sign"]);
  } catch {
    throw new Error(`the JWK holds no private key that fits ${algorithm}`);
  }
}
