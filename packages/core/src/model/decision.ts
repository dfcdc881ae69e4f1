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

/** Who was let in or refused. */
export interface RecordedPrincipal {
  /** `hmac:` and a keyed hash, where `events.hash` names `principal.id`. */
  readonly id: string;
  readonly authenticator: string;
  /** As declared, with all that they include. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** Milliseconds, to the microsecond. */
export interface DecisionTimings {
  /** From the opening of the exchange to its decision, the reading of a body included. */
  readonly decided: number;
  /** From the opening to the end of the answer. */
  readonly total: number;
}

export type DecisionOutcome = DecisionEvent["outcome"];

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
  readonly principal?: RecordedPrincipal;
  /** The message had content; its bytes are never told. */
  readonly content?: true;
  /** The target had a query; what it says is never told. */
  readonly query?: true;
  /** As sent, without the query. Only where `events.paths` asks for it: a path may hold anything. */
  readonly path?: string;
  /** Facts by the names that conditions use, as far as the decision got to know them. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Facts of the same kind that the request did not have. */
  readonly absent?: readonly string[];
  /** Facts that it had and that are not told: objects, lists and texts that are too long. */
  readonly omitted?: readonly string[];
  /** Absent where the clock failed. */
  readonly timings?: DecisionTimings;
  /** The handler has not run: it was let go on when this was kept. The event of the same `id` says how it ended. */
  readonly pending?: true;
  /** Part of all events of its kind that is told, where it is less than 1. */
  readonly sampled?: number;
  readonly failedOpen?: readonly string[];
  /** Where the counts of its limits came from, each once; absent where this process's own store was all that was asked. */
  readonly countedBy?: readonly TakeSource[];
  readonly observed?: readonly ObservedRefusal[];
  readonly reports?: readonly string[];
  readonly trace?: readonly TraceStep[];
  /** Only for the operator: what a fault or a throwing handler carried. */
  readonly error?: unknown;
}
