/** What is wrong with what a caller proves: each of these is changed before it is signed, but the last, which comes behind everything. */
import type { Sendable } from "../carried.js";
import type { SigningKey, Token } from "../tokens.js";
import type { Draft } from "./message.js";

/** A proof of possession before it is signed. */
export interface ProofDraft {
  readonly token: Token;
  readonly key: SigningKey;
}

export interface Spoil {
  /** @param stranger a key of the same kind that no token is bound to; a text that comes back is sent as it is */
  readonly proof?: (draft: ProofDraft, stranger: SigningKey) => ProofDraft | string;
  readonly signature?: (draft: Draft) => Draft;
  readonly request?: (request: Sendable) => Sendable;
}
