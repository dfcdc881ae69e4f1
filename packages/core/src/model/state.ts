import type { TakeSource } from "../ports/state-store.js";
import type { StageName } from "../stages.js";
import type { CompiledRoute } from "./compiled.js";
import type { InputProblem, Verdict } from "./outcome.js";
import type { Identity } from "./principal.js";
import type { Cookies, NormalizedRequest, QueryParameters, RawRequest } from "./request.js";

/** One fact that a decision read; `value` is left out where it is a credential or marked sensitive. */
export interface ReadFact {
  readonly fact: string;
  readonly value?: unknown;
}

/** A rule, or a part of one, that had its say, and what it said. */
export interface ReachedRule {
  /** JSON Pointer into the policy. */
  readonly rule: string;
  /**
   * `held`, `missed`: a part of an entry, or the entry. `true`, `false`: a part of a condition; `error`: it could not be evaluated, or a
   * check failed. `admitted`, `refused`: a limit.
   * `applied`, `exempted`: a redaction. `accepted`: an authenticator. `cleaned`, `kept`: a rule that sanitizes, of a text that it changed or not.
   */
  readonly came:
    | "held"
    | "missed"
    | "true"
    | "false"
    | "error"
    | "admitted"
    | "refused"
    | "applied"
    | "exempted"
    | "accepted"
    | "cleaned"
    | "kept";
  /** Of a condition: which part of its text, from and up to which character. */
  readonly part?: readonly [from: number, to: number];
}

/** What one stage said. */
export interface TraceStep {
  readonly stage: StageName;
  readonly outcome: "pass" | "refuse" | "fault" | "answer" | "observe";
  readonly code?: string;
  /** JSON Pointer of the rule that decided. */
  readonly rule?: string;
  /** In words: which part of which rule. */
  readonly reason?: string;
  readonly read?: readonly ReadFact[];
  /** Every rule that was asked, in order, and not only the one that decided: for coverage. */
  readonly reached?: readonly ReachedRule[];
  /** Of a refusal: what is wrong with the input, places and rules alone. */
  readonly errors?: readonly InputProblem[];
}

/** What a stage adds to its own step while it runs; collected only when tracing. */
export interface TraceNote {
  readonly rule?: string;
  readonly reason?: string;
  readonly read?: readonly ReadFact[];
  readonly reached?: readonly ReachedRule[];
}

/** An identity that somebody claims, and whose proof needs the body. Nobody may read who it would be. */
export interface PendingProof {
  /** JSON Pointer of what asked for it. */
  readonly rule: string;
  /** Once, with the whole body at hand: fills in `identity`, or says why not. */
  prove(state: RequestState): Verdict | Promise<Verdict>;
}

/** What is known when an exchange ends. */
export interface ExchangeEnd {
  /** Status that went out; 0 when the client left before an answer. */
  readonly status: number;
  /** The stage that refused, or undefined when the handler answered. */
  readonly refusedAt: StageName | undefined;
  /** The handler's answer before projection, where a limit settles by a pointer into it; else undefined. */
  readonly answer: unknown;
}

/** Something that must be put right when the exchange ends: a slot, a reservation. */
export interface Settlement {
  settle(end: ExchangeEnd, state: RequestState): void;
  /** One JSON event of an event stream, as it passes; the last that has what is looked for counts. */
  sees?(event: unknown): void;
}

/** Stands between the stages and the application's code where its answers are written down, or given again. */
export interface Answers {
  /**
   * @param what which code, such as `check ownsOrder`
   * @param input all that its answer may depend on
   */
  ask(what: string, input: unknown, call: () => unknown): unknown;
}

/**
 * One request on its way. Stages read it and fill in what they establish; one object of one shape, so that the
 * engine's property reads stay fast.
 */
export interface RequestState {
  readonly raw: RawRequest;
  readonly request: NormalizedRequest;
  /** The document's own pseudo-route where nothing matched. */
  readonly route: CompiledRoute;
  /** Methods that routes know at this path, when none matched or the request is a preflight; sorted. */
  readonly allowedMethods: readonly string[];
  /** The request is a CORS preflight and `route` is where it leads (Fetch, CORS-preflight request). */
  readonly preflight: boolean;
  /** Milliseconds since the epoch, read once when the exchange opened. */
  readonly now: number;
  /** Microseconds on the monotonic clock, read once. */
  readonly monotonicUs: number;
  /** UUIDv7 of this decision (RFC 9562), made when first asked for. */
  readonly id: string;
  /** Correlation id: taken over from the caller when it is well formed, else `id`. */
  readonly correlation: string;

  identity: Identity | undefined;
  /** Set by `authenticate` where the stage `signature` must still prove the caller; `identity` is undefined until it has. */
  pending: PendingProof | undefined;
  /** Raw strings until the stage `parameters`, typed after it; objects without a prototype. */
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  cookies: Record<string, unknown>;
  /** Undefined until validated. */
  body: unknown;
  /** The caller's bytes while body stages run; undefined where there are none or a test handed in a value. */
  bodyBytes: Uint8Array | undefined;
  /** True once `body(...)` was called. */
  bodyRead: boolean;
  /** False when the adapter found more bytes than the limit. */
  bodyComplete: boolean;
  readonly locals: Record<string, unknown>;
  /** Names of limits that were passed because their store failed and the author chose so. */
  failedOpen: string[] | undefined;
  /** Where the counts of the limits came from; undefined: from this process's own store alone, or there were none. */
  countedBy: TakeSource[] | undefined;
  settlements: Settlement[] | undefined;
  /** What limits have to say in `RateLimit` and `RateLimit-Policy`: the limit kind's own, undefined where none has. */
  limitReport: unknown;
  /** Aborted when the client is gone. Made when first asked for. */
  readonly signal: AbortSignal;

  /** All query parameters, decoded at first use. Refusals of a malformed query come from the stage `parameters`; until then they read as absent. */
  readonly queryParameters: QueryParameters | undefined;
  /** All cookies, parsed at first use. */
  readonly sentCookies: Cookies;

  /**
   * Keeps the event of this decision before the handler runs. Undefined: nobody keeps events. It resolves, with what went wrong, in
   * bounded time.
   */
  keep(): Promise<{ readonly problem: string | undefined }> | undefined;
  /** Undefined, as it mostly is: the application's code is called directly. */
  readonly answers?: Answers | undefined;
  /** True when somebody wants to know why. Test it before building a note. */
  readonly tracing: boolean;
  note(note: TraceNote): void;
  /** For the operator, on the decision event: a role that was dropped, a body that did not fit. Never a caller's value. */
  report(message: string): void;
}
