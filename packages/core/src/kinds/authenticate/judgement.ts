/** What an authenticator says of one credential. Values; nothing is thrown. */
import type { Identity } from "../../model/principal.js";
import type { Fault, Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";

/** Vouched for. Shared by all requests that carry the same credential. */
export interface Accepted {
  readonly kind: "accepted";
  readonly identity: Identity;
  /** For the decision event, on every use: roles that were dropped. */
  readonly reports: readonly string[];
}

/** What a challenge calls it where that is not `invalid_token` (RFC 9449 sections 7.1 and 9). */
export type ChallengeError = "invalid_dpop_proof" | "use_dpop_nonce";

/** Presented, and not good. Made once per reason: refusing costs no more than handing over a constant. */
export interface Bad {
  readonly kind: "bad";
  /** For the operator; never a value of the caller's. */
  readonly reason: string;
  readonly error: ChallengeError | undefined;
}

/** Application code says that what is there is no credential of its kind. */
export interface Absent {
  readonly kind: "absent";
}

/** A signature over the body: form and time are good, and nobody is vouched for before the body is there. */
export interface Pending {
  readonly kind: "pending";
  /** Who it is once `prove` passes; nothing may act on it before. */
  readonly claimed: Accepted;
  /** Undefined: proved. Called once, with the whole body at hand. */
  readonly prove: (state: RequestState) => Proof | Promise<Proof>;
}

export type Proof = Bad | Fault | undefined;

/** A refusal says something else than that the credential is bad: that this caller may not try any more. */
export type Judgement = Accepted | Bad | Absent | Pending | Fault | Refusal;

export const ABSENT: Absent = Object.freeze({ kind: "absent" });

export function bad(reason: string, error?: ChallengeError): Bad {
  return Object.freeze({ kind: "bad", reason, error });
}
