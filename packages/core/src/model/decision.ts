import type { TakeSource } from "../ports/state-store.js";
import type { StageName } from "../stages.js";
import type { Principal } from "./principal.js";
import type { HeaderField } from "./request.js";
import type { TraceStep } from "./state.js";

/** A refusal that observe mode did not carry out. */
export interface ObservedRefusal {
  readonly stage: StageName;
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  readonly rule?: string;
}

export interface ClientFacts {
  /** Canonical text of the address; undefined where the platform hides it. */
  readonly ip: string | undefined;
  readonly scheme: "http" | "https";
  /** Lower case, without a default port. */
  readonly host: string;
}

export interface Admission {
  readonly outcome: "admit";
  /** Key of the route; null where observe mode let an unmatched request pass. */
  readonly route: string | null;
  readonly principal: Principal | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** True where a map of schemas stands for the query: what the handler reads has to be `query`, not a parse of its framework's. */
  readonly queryValidated: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly cookies: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /**
   * No schema reads the body: the handler has the stream of it, from its first byte and as it was sent, also where a signature over it
   * was proved and the adapter holds its bytes already.
   */
  readonly streamsBody: boolean;
  /** Who called whom, after `trust` had its say: what to read in place of a framework's own view of forwarded fields. */
  readonly client: ClientFacts;
  readonly locals: Record<string, unknown>;
  /** Fields that the policy owes; `respond` puts them on the answer. */
  readonly responseHeaders: readonly HeaderField[];
  /** No rule read the body: the handler streams it, and the adapter holds it to this many bytes (413, then close). */
  readonly bodyLimit: number;
  readonly failedOpen?: readonly string[];
  readonly observed?: readonly ObservedRefusal[];
  readonly trace?: readonly TraceStep[];
}

export interface Rejection {
  readonly outcome: "refuse";
  readonly stage: StageName;
  readonly code: string;
  readonly status: number;
  readonly responseHeaders: readonly HeaderField[];
  readonly body: string;
  /** For the operator only. */
  readonly reason: string;
  /** True: close the connection after this answer. */
  readonly close: boolean;
  readonly route: string | null;
  readonly trace?: readonly TraceStep[];
}

export interface OwnAnswer {
  readonly outcome: "answer";
  readonly status: number;
  readonly responseHeaders: readonly HeaderField[];
  /** Undefined: there is none. Empty for HEAD. */
  readonly body?: string;
  readonly route: string | null;
  readonly trace?: readonly TraceStep[];
}

export type Decision = Admission | Rejection | OwnAnswer;

/** Passed so far; the body is needed. */
export interface Continue {
  readonly outcome: "continue";
  readonly bodyLimit: number;
  readonly types: readonly string[];
  /** Observe mode: the handler must still be able to read the bytes as sent, also when there are more than the limit. */
  readonly observe: boolean;
}

/** What is told to `onDecision`, once per exchange, when it ends. */
export interface DecisionEvent {
  /** UUIDv7. */
  readonly id: string;
  readonly correlation: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly policy: string;
  readonly revision: string;
  readonly mode: "enforce" | "observe";
  readonly route: string | null;
  readonly method: string;
  /** `aborted`: the client left before a decision. */
  readonly outcome: "admit" | "refuse" | "answer" | "aborted";
  readonly stage?: StageName;
  readonly code?: string;
  /** What went out. */
  readonly status: number;
  readonly reason?: string;
  /** `code` tells what was decided; the caller was shown the route's `not-found` (`conceal`). */
  readonly concealed?: true;
  /** JSON Pointer of the rule that refused. */
  readonly rule?: string;
  readonly principal?: { readonly id: string; readonly authenticator: string };
  readonly failedOpen?: readonly string[];
  /** Where the counts of its limits came from, each once; absent where this process's own store was all that was asked. */
  readonly countedBy?: readonly TakeSource[];
  readonly observed?: readonly ObservedRefusal[];
  readonly reports?: readonly string[];
  readonly trace?: readonly TraceStep[];
  /** Only for the operator: what a fault or a throwing handler carried. */
  readonly error?: unknown;
}
