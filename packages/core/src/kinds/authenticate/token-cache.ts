/**
 * Verified tokens, so that a token seen before costs a hash and three comparisons.
 *
 * The key is a SHA-256 of the whole token: neither the token nor a part that somebody could choose is kept. A cache
 * belongs to one compiled policy, so replacing the policy drops it, and an entry belongs to the authenticator that
 * verified it. Only what holds for good is kept; time is asked again on every use. Negative answers are not kept.
 */
import { LRUCache } from "lru-cache";
import type { Accepted } from "./judgement.js";

/** Tokens remembered at most; the one unused for longest goes first. Some 2 kB each. */
export const MAX_TOKENS = 10_000;

export interface VerifiedToken extends Accepted {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface TokenRecord {
  /** `iss`, under a verified signature. */
  readonly issuer: unknown;
  /** By the number of the authenticator: what it made of the token. */
  readonly verified: (VerifiedToken | undefined)[];
}

export class TokenCache {
  readonly #records = new LRUCache<string, TokenRecord>({ max: MAX_TOKENS });

  get(digest: string): TokenRecord | undefined {
    return this.#records.get(digest);
  }

  add(digest: string, issuer: unknown, authenticator: number, token: VerifiedToken): void {
    const record = this.#records.get(digest) ?? { issuer, verified: [] };
    record.verified[authenticator] = token;
    this.#records.set(digest, record);
  }
}
