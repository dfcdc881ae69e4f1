/**
 * Verified tokens, so that a token seen before costs a hash and three comparisons.
 *
 * The key is a SHA-256 of the whole token: neither the token nor a part that somebody could choose is kept. A cache
 * belongs to one compiled policy, so replacing the policy drops it, and an entry belongs to the authenticator that
 * verified it. Only what holds for good is kept; time is asked again on every use. Negative answers are not kept.
 */
import { LRUCache } from "lru-cache";
import type { SignatureVerifier } from "../../ports/platform.js";
import type { Accepted } from "./judgement.js";

/** Tokens remembered at most; the one unused for longest goes first. Some 2 kB each. */
export const MAX_TOKENS = 10_000;

/** What one authenticator made of a token; what others made of the same token hangs on it. */
export interface VerifiedToken {
  /** Number of the authenticator. */
  readonly by: number;
  /** What verified it: once the key has left the set, or its `kid` names another, nothing is known of the token any more. */
  readonly key: SignatureVerifier;
  /** `iss`, under a verified signature. */
  readonly issuer: unknown;
  readonly accepted: Accepted;
  /** Thumbprint of what the sender must show, lower-case hex; undefined where nothing is asked for. */
  readonly binding: string | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly next: VerifiedToken | undefined;
}

export class TokenCache {
  /** Made when the first token comes: its tables are as large when they are empty. */
  #tokens: LRUCache<string, VerifiedToken> | undefined = undefined;

  /** Of any authenticator. */
  get(digest: string): VerifiedToken | undefined {
    return this.#tokens?.get(digest);
  }

  add(digest: string, token: Omit<VerifiedToken, "next">): VerifiedToken {
    const { by, key, issuer, accepted, binding, notBefore, notAfter } = token;
    const tokens = (this.#tokens ??= new LRUCache<string, VerifiedToken>({ max: MAX_TOKENS }));
    const next = without(tokens.get(digest), by);
    const added = { by, key, issuer, accepted, binding, notBefore, notAfter, next };
    tokens.set(digest, added);
    return added;
  }
}

/** What the others made of it. */
function without(token: VerifiedToken | undefined, authenticator: number): VerifiedToken | undefined {
  if (token === undefined) return undefined;
  const next = without(token.next, authenticator);
  return token.by === authenticator ? next : { ...token, next };
}

export function verifiedBy(
  token: VerifiedToken | undefined,
  authenticator: number,
): VerifiedToken | undefined {
  let one = token;
  while (one !== undefined && one.by !== authenticator) one = one.next;
  return one;
}
