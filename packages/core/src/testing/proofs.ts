/** Proofs of possession (RFC 9449) of a throwaway key, for tokens that the policy wants to be bound to one. */
import { createHash } from "node:crypto";
import { isJwsAlgorithm, type JwsAlgorithm } from "../lib/jws.js";
import type { IntrospectionSettings, JwtSettings } from "../model/policy.js";
import { holderJwk, signature } from "./keys.js";

/** What a proof is for: the request as its client sees it. */
export interface ProofTarget {
  readonly method: string;
  /** Without query. */
  readonly uri: string;
}

/** Of tokens, whoever says what they are bound to. */
export type BoundSettings = Pick<JwtSettings | IntrospectionSettings, "senderConstrained">;

/** With what the proofs of a person are signed; undefined where the policy asks for none. */
export function proofAlgorithm({ senderConstrained }: BoundSettings): JwsAlgorithm | undefined {
  if (senderConstrained === undefined || senderConstrained === "mtls") return undefined;
  const [first] = senderConstrained === "dpop" ? [] : (senderConstrained.algorithms ?? []);
  return first !== undefined && isJwsAlgorithm(first) ? first : "ES256";
}

/** `cnf` of a token that is bound to the key (RFC 7638). */
export function confirmationOf(algorithm: JwsAlgorithm): { readonly jkt: string } {
  const members = Object.entries(holderJwk(algorithm)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { jkt: sha256(JSON.stringify(Object.fromEntries(members))) };
}

let made = 0;

export function proofOf(
  algorithm: JwsAlgorithm,
  token: string,
  { method, uri }: ProofTarget,
  now: number,
): string {
  made += 1;
  const header = { typ: "dpop+jwt", alg: algorithm, jwk: holderJwk(algorithm) };
  const claims = {
    jti: `proof-${made}`,
    htm: method,
    htu: uri,
    iat: Math.floor(now / 1000),
    ath: sha256(token),
  };
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${input}.${signature(algorithm, "holder", input, undefined)}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
