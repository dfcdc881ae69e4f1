/** Tokens from recipes, good and spoilt. */
import { createHash } from "node:crypto";
import type { ProofRecipe, TokenRecipe } from "./case.js";
import { certificateThumbprint } from "./certificate.js";
import { keyNamed, publicJwk, thumbprint } from "./keys.js";

/** @param now milliseconds since the epoch: the virtual clock */
export function mintToken(recipe: TokenRecipe, now: number): string {
  if (recipe.raw !== undefined) return recipe.raw;
  const name = recipe.key ?? "es-1";
  const key = keyNamed(name);
  const seconds = Math.floor(now / 1000);
  const header = merge({ alg: key.alg, kid: name, typ: "at+jwt" }, recipe.header, seconds);
  const standard = {
    iss: "https://id.example.test/",
    aud: "api",
    sub: "ann",
    iat: seconds,
    exp: seconds + 300,
  };
  const claims = merge(standard, recipe.claims, seconds);
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
  const signature = key.sign(Buffer.from(input)).toString("base64url");
  return spoil(input, signature, recipe.spoil);
}

function merge(
  standard: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>> | undefined,
  seconds: number,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...standard };
  for (const [name, value] of Object.entries(changes ?? {})) {
    if (value === null) delete merged[name];
    else merged[name] = filled(value, seconds);
  }
  return merged;
}

/** Placeholders of a recipe, also inside of `cnf`. */
function filled(value: unknown, seconds: number): unknown {
  if (isInstant(value)) return seconds + value.$now;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { $jkt, $x5t } = value as Readonly<Record<string, unknown>>;
  if (typeof $jkt === "string") return thumbprint($jkt);
  if (typeof $x5t === "string") return certificateThumbprint($x5t);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner, seconds)]));
}

let proofs = 0;

/** @param target scheme, host and path of the request that the proof is for */
export function mintProof(
  recipe: ProofRecipe,
  token: string,
  method: string,
  target: string,
  now: number,
): string {
  const name = recipe.key ?? "es-2";
  const key = keyNamed(name);
  const { kid: _kid, alg: _alg, use: _use, ...jwk } = publicJwk(name);
  const seconds = Math.floor(now / 1000);
  const header = merge({ typ: "dpop+jwt", alg: key.alg, jwk }, recipe.header, seconds);
  proofs += 1;
  const standard = {
    jti: `proof-${proofs}`,
    htm: method,
    htu: target,
    iat: seconds,
    ath: createHash("sha256").update(token).digest("base64url"),
  };
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(merge(standard, recipe.claims, seconds)))}`;
  return `${input}.${key.sign(Buffer.from(input)).toString("base64url")}`;
}

function isInstant(value: unknown): value is { readonly $now: number } {
  return typeof value === "object" && value !== null && "$now" in value && typeof value.$now === "number";
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function spoil(input: string, signature: string, how: TokenRecipe["spoil"]): string {
  switch (how) {
    case undefined:
      return `${input}.${signature}`;
    case "signature": {
      const bytes = Buffer.from(signature, "base64url");
      bytes[4] = (bytes[4] ?? 0) ^ 1;
      return `${input}.${bytes.toString("base64url")}`;
    }
    case "padding":
      return `${input}.${signature}==`;
    case "blank":
      return `${input}.${signature.slice(0, 8)} ${signature.slice(8)}`;
    case "spare-bits": {
      // 64 octets end in a character of which 4 bits mean nothing: another character, the same octets.
      const last = ALPHABET.indexOf(signature.slice(-1));
      return `${input}.${signature.slice(0, -1)}${ALPHABET[last ^ 1] ?? ""}`;
    }
    case "truncate":
      return input;
    case "unsigned":
      return `${input}.`;
  }
}
