/**
 * Verified tokens, so that a token seen before costs a comparison or a hash, and three comparisons more.
 *
 * What tells them apart is a SHA-256 of the whole token: the token itself is not kept, except where it was used again within a
 * minute. Before a hash is spent, a few bits of the signature tell most of those that were never seen. A cache belongs to one
 * compiled policy, so replacing the policy drops it, and an entry belongs to the authenticator that verified it. Only what holds
 * for good is kept; time is asked again on every use. Negative answers are not kept.
 */
import type { SignatureVerifier } from "../../ports/platform.js";
import type { Credential } from "./credential.js";
import type { HeaderRules } from "./jose-header.js";
import type { Accepted } from "./judgement.js";
import { MarkTable } from "./mark-table.js";
import { RecentTokens } from "./recent-tokens.js";

/** What one authenticator made of a token; what others made of the same token hangs on it. */
export interface VerifiedToken {
  /** SHA-256 of the whole token. */
  readonly digest: string;
  /** Number of the authenticator. */
  readonly by: number;
  /** What verified it: once the key has left the set, or its `kid` names another, nothing is known of the token any more. */
  readonly key: SignatureVerifier;
  /** What chose the key; as long as it is the same it would choose the same. */
  readonly chosenBy: HeaderRules;
  /** `iss`, under a verified signature. */
  readonly issuer: unknown;
  readonly accepted: Accepted;
  /** Thumbprint of what the sender must show, lower-case hex; undefined where nothing is asked for. */
  readonly binding: string | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly next: VerifiedToken | undefined;
}

/**
 * Two generations, some 1 kB a token: what was not used while the younger one filled up goes with the older one, all at once. That
 * costs less than an order of use, which every new token would rearrange.
 */
export class TokenCache {
  /** Each is made when the first token comes that it has to hold. */
  #young: MarkTable | undefined = undefined;
  #old: MarkTable | undefined = undefined;
  readonly #recent = new RecentTokens();

  /** Of any authenticator, where the text is at hand: for less than a hash. */
  recent(credential: Credential, now: number): VerifiedToken | undefined {
    return this.#recent.empty ? undefined : this.#recent.get(credential, now);
  }

  /** Of any authenticator. */
  get(credential: Credential): VerifiedToken | undefined {
    const { mark } = credential;
    const token = this.#young?.get(mark) ?? this.#old?.get(mark);
    return token !== undefined && token.digest === credential.digest ? token : undefined;
  }

  /** Seen for the first time, or by another authenticator. */
  add({ mark }: Credential, token: VerifiedToken): void {
    if (this.#young?.full === true) this.#age();
    (this.#young ??= new MarkTable()).set(mark, token);
  }

  #age(): void {
    const oldest = this.#old;
    oldest?.clear();
    this.#old = this.#young;
    this.#young = oldest;
  }

  /** Seen again: that is how it stays. */
  keep(credential: Credential, token: VerifiedToken, now: number): void {
    this.add(credential, token);
    this.#recent.set(credential, token, now);
  }
}

/** `mine`, one of `known`, whose key was chosen once more. */
export function renewed(known: VerifiedToken, mine: VerifiedToken, chosenBy: HeaderRules): VerifiedToken {
  return mine.chosenBy === chosenBy ? known : { ...mine, chosenBy, next: without(known, mine.by) };
}

/** What the others made of it. */
export function without(token: VerifiedToken | undefined, authenticator: number): VerifiedToken | undefined {
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
