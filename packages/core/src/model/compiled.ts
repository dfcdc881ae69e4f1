import type { RoomyList } from "../lib/roomy-list.js";
import type { StageName } from "../stages.js";
import type { HeaderField } from "./request.js";
import type { ResolvedRoute } from "./resolved.js";
import type { Refusal, Verdict } from "./outcome.js";
import type { RequestState } from "./state.js";

/** One compiled rule at its place in the order. */
export interface Stage {
  readonly at: StageName;
  /** JSON Pointer of what it was compiled from. */
  readonly rule: string;
  /**
   * `head`: runs before the body is asked for. Default: `body` from the stage `body` on where the route reads one, else
   * `head`. The stage `body` has both: type and size are judged by the head alone.
   */
  readonly phase?: "head" | "body";
  /** False: the stage has nothing to do with this request, and no trace mentions it. */
  readonly when?: (state: RequestState) => boolean;
  /** Synchronous wherever no I/O is needed: a promise is made only where something is waited for. */
  run(state: RequestState): Verdict | Promise<Verdict>;
}

/** One fact that goes on the record of a route's decisions. */
export interface RecordedFact {
  readonly fact: string;
  /** Once this stage was passed its value is known; before, neither the value nor that there is none. */
  readonly known: StageName;
  /** Undefined: absent. */
  read(state: RequestState): unknown;
}

/** Fields that the policy owes on every answer of a route, refusals included. */
export interface HeaderContribution {
  /** Constant fields; they replace the handler's own. */
  readonly set?: readonly HeaderField[];
  /** Lower-case names of fields that are taken out of the handler's answer. */
  readonly remove?: readonly string[];
  /** Tokens merged into `Vary`. */
  readonly vary?: readonly string[];
  /** Of the handler's and the policy's `Cache-Control` gives the one that goes out; without it the policy's replaces. */
  readonly mergeCacheControl?: (theirs: string, ours: string) => string;
  /** What depends on the request; runs after the constant part. */
  readonly dynamic?: (state: RequestState, sink: HeaderSink) => void;
}

export interface HeaderSink {
  set(name: string, value: string): void;
  /** One that is there already, for a field that varies little. */
  add(field: HeaderField): void;
}

/** What is left of a handler's body under a rule. */
export type BodyOutcome =
  | { readonly kind: "json"; readonly value: unknown }
  | {
      readonly kind: "withheld";
      readonly code: "unreadable-response" | "response-mismatch";
      readonly reason: string;
    }
  | { readonly kind: "empty" };

/** As `BodyOutcome`, where what is left was written at once. */
export type WrittenOutcome =
  | Exclude<BodyOutcome, { readonly kind: "json" }>
  /** What JSON.stringify would make of what is left. */
  | { readonly kind: "written"; readonly json: WrittenJson };

/** In UTF-8; as text where each character of it is a byte, for which the platform has to allocate less. */
export type WrittenJson = Uint8Array | string;

/** Projection and redaction of a route's answers. */
export interface BodyRule {
  /** True when a body of this status and (lower-case, without parameters) media type cannot stream through. */
  needsBody(status: number): boolean;
  /** False: nothing of it leaves, so a body of any type will do and `apply` is given undefined. */
  readonly readsBody: boolean;
  /** `value` is the object before serialization (never text). */
  apply(value: unknown, status: number, state: RequestState): BodyOutcome;
  /** As `apply`, of which it does not have to be asked then; undefined, before anything was read, where only `apply` can tell. */
  write?(value: unknown, status: number, state: RequestState): WrittenOutcome | undefined;
  /**
   * What JSON.stringify would make of what `apply` lets out of the text's value; undefined where only `apply` can tell, whose answer may be
   * anything then.
   */
  applyToText?(json: string | Uint8Array, status: number, state: RequestState): WrittenJson | undefined;
}

/** A refusal's body. */
export interface ShapedError {
  readonly contentType: string;
  readonly body: string;
  /** Its length in UTF-8, where that is known without looking at it. */
  readonly bytes: number | undefined;
}

/** Turns a refusal into what goes over the wire (RFC 9457). */
export interface ErrorShaper {
  shape(refusal: Refusal, status: number, state: RequestState): ShapedError;
}

/** All contributions of a route, merged when the policy is compiled. */
export interface HeaderPlan {
  readonly constant: readonly HeaderField[];
  /** The same, for lists that begin with them and go on. */
  readonly admission: RoomyList<HeaderField>;
  /** The same for refusals: never stored, whatever else the policy says (RFC 9111 section 5.2.2.5). */
  readonly refusal: RoomyList<HeaderField>;
  /** Lower-case names that the handler cannot send: owned by the policy, or removed by it. */
  readonly dropped: ReadonlySet<string>;
  readonly vary: readonly string[];
  /** The field where nobody else varies by anything; undefined where the policy does not either. */
  readonly varyField: HeaderField | undefined;
  /** What came of the last one list of somebody else's, which is a pure function of it. */
  readonly lastVary: { theirs: string | undefined; field: HeaderField | undefined };
  readonly dynamic: readonly ((state: RequestState, sink: HeaderSink) => void)[];
  readonly mergeCacheControl: ((theirs: string, ours: string) => string) | undefined;
}

export interface CompiledResponse {
  readonly body: BodyRule | undefined;
  /** What each event of a stream of events meets, in place of `body`. */
  readonly events: BodyRule | undefined;
  /** Escapes `<`, `>`, `&`, U+2028 and U+2029 in JSON text that the engine writes. */
  readonly encode: ((json: string) => string) | undefined;
  readonly headers: HeaderPlan;
  readonly errors: ErrorShaper;
  /** A limit settles by a pointer into the answer: the body is read even where no rule shapes it. */
  readonly readsAnswer: boolean;
}

/** Frozen closures and constants: all that a request needs. */
export interface CompiledRoute {
  readonly key: string;
  readonly resolved: ResolvedRoute;
  readonly observe: boolean;
  readonly conceal: boolean;
  /** Lower-case name of the field that carries the correlation id. */
  readonly correlationField: string | undefined;
  /** `WWW-Authenticate` fields for a 401 that a later stage gives an anonymous caller (RFC 9110 section 11.6.1). */
  readonly challenge: readonly HeaderField[];
  /** Everything that needs no body, in order. */
  readonly head: readonly Stage[];
  /** What runs once the body was read; empty when no rule needs it. */
  readonly body: readonly Stage[];
  /** A schema reads the body. Else it is asked for only where a signature over it must be proved, and the handler has the stream. */
  readonly readsBody: boolean;
  /** What a CORS preflight that leads here meets. Undefined: the route has no cors, the preflight is an ordinary OPTIONS. */
  readonly preflight: readonly Stage[] | undefined;
  /** Bytes to be read (`needsBody`) or to be counted while the handler streams. */
  readonly maxBody: number;
  readonly types: readonly string[];
  readonly response: CompiledResponse;
  /** What enters the decision event beside what every event says. */
  readonly recorded: readonly RecordedFact[];
}
