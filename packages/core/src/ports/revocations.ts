/** Credentials that are refused before their time. */
import type { Lifetime } from "./lifetime.js";

/** What is revoked, of one authenticator: ids are unique only within it. */
export type Revocation = {
  /** Name of the authenticator, as the policy has it: of another it is refused. */
  readonly authenticator: string;
  /** Until when the entry is kept: at least the end of what it revokes. Default: `keepFor` of the policy's `revocation` from now. */
  readonly until?: Date;
} & (
  | { /** One token, by its claim `jti`. */ readonly jti: string }
  | { /** All tokens of a session, by their claim `sid`. */ readonly sid: string }
  | {
      /** Everything of a principal: tokens by their `iat`, credentials without one (API keys, passwords, certificates) altogether. */
      readonly id: string;
      /** Tokens that were issued before it are refused. Default: now. */
      readonly before?: Date;
    }
);

/** Types of authenticators whose credentials are tokens, signed or asked about: `jti`, `sid` and `iat` mean what they say. */
export const TOKEN_TYPES: ReadonlySet<string> = new Set(["jwt", "introspection"]);

/** What is known of an accepted credential. */
export interface RevocationFacts {
  readonly authenticator: string;
  readonly id: string;
  readonly jti: string | undefined;
  readonly sid: string | undefined;
  /** Milliseconds since the epoch; undefined where the credential does not say. */
  readonly issuedAt: number | undefined;
}

/** `stale`: nobody knows, because the list could not be read for too long, or has no room. */
export type RevocationVerdict = "clear" | "revoked" | "stale";

export interface RevocationTerms {
  readonly refreshMs: number;
  readonly maxStaleMs: number;
  readonly keepForMs: number;
  readonly maxEntries: number;
}

/** One an engine: replacing the policy forgets nobody. */
export interface Revocations {
  /** Milliseconds since all that is revoked was known. */
  readonly behindMs: number;
  /** False: the store has no log, so nothing could be revoked. */
  readonly supported: boolean;
  /** Keeps the copy current until the lifetime ends. Resolves after the first try; never rejects. */
  follow(terms: RevocationTerms, lifetime: Lifetime): Promise<void>;
  /** Waits for nothing. @param now milliseconds since the epoch */
  verdict(facts: RevocationFacts, terms: RevocationTerms, now: number): RevocationVerdict;
}
