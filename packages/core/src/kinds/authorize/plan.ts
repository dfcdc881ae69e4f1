/** The compiled form of what a route asks: clauses that must all hold, each a choice of entries. */
import type { Refusal } from "../../model/outcome.js";
import type { ReachedRule, ReadFact, RequestState } from "../../model/state.js";
import type { Check } from "../../ports/application.js";

/** Why a part does not hold; made while compiling. */
export interface Miss {
  /** Of several entries that all fail, the most helpful reason is told: the highest rank. */
  readonly rank: number;
  readonly refusal: Refusal;
  /** With the challenge of RFC 6750, for callers whose token was a Bearer token. */
  readonly challenging?: Refusal;
  /** The same for callers whose token came with a DPoP proof. */
  readonly proving?: Refusal;
  /** For an anonymous caller on an optional route: known, it might be let in. */
  readonly anonymous?: Refusal;
}

/** One part of an entry: undefined when it holds. */
export interface Test {
  readonly rule: string;
  readonly run: (state: RequestState) => Miss | undefined;
  /** For traces alone. */
  readonly explain: (state: RequestState) => { readonly reason: string; readonly read: readonly ReadFact[] };
  /** Parts of it that had their say, for traces alone. Undefined: it has none. */
  readonly parts?: (state: RequestState) => readonly ReachedRule[];
}

export interface NamedCheck {
  readonly name: string;
  readonly rule: string;
  readonly check: Check;
}

export interface Entry {
  readonly rule: string;
  /** Parts that need no body. */
  readonly head: readonly Test[];
  /** Parts that read the body. */
  readonly body: readonly Test[];
  readonly checks: readonly NamedCheck[];
  /** Given when one of the checks says no. */
  readonly refused: Miss;
}

/** One entry that holds is enough. */
export interface Clause {
  readonly rule: string;
  readonly entries: readonly Entry[];
}

export interface Plan {
  readonly rule: string;
  readonly clauses: readonly Clause[];
  /** `forbid` of every entry of every clause, whichever entry holds. */
  readonly forbidHead: readonly Test[];
  readonly forbidBody: readonly Test[];
  /** Names of authenticators whose credential is a Bearer token. */
  readonly bearers: ReadonlySet<string>;
  /** Of those whose token comes with a DPoP proof. */
  readonly provers: ReadonlySet<string>;
}
