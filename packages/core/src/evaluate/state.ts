/** The one shape of a request on its way; see model/state.ts for what each field means. */
import type { CompiledRoute } from "../model/compiled.js";
import type { ObservedRefusal } from "../model/decision.js";
import type { Identity } from "../model/principal.js";
import type { Cookies, NormalizedRequest, QueryParameters, RawBody, RawRequest } from "../model/request.js";
import type {
  Answers,
  PendingProof,
  RequestState,
  Settlement,
  TraceNote,
  TraceStep,
} from "../model/state.js";
import type { TakeSource } from "../ports/state-store.js";
import type { Recorded } from "./recorded.js";
import type { EventStream } from "./event-stream.js";

/** What a state needs of its engine; one object for all requests. */
export interface StateServices {
  readonly now: () => number;
  readonly monotonic: () => number;
  /** UUIDv7 for an instant in milliseconds since the epoch. */
  newId(now: number): string;
  /** The caller's id when it is well formed, else `id`. */
  correlation(sent: string | undefined, id: string): string;
  parseQuery(text: string): QueryParameters | undefined;
  parseCookies(header: string): Cookies;
  readonly tracing: boolean;
  readonly answers?: Answers;
}

export interface StateStart {
  readonly raw: RawRequest;
  readonly request: NormalizedRequest;
  readonly route: CompiledRoute;
  readonly params: Record<string, unknown>;
  readonly allowedMethods: readonly string[];
  readonly preflight: boolean;
}

const NO_COOKIES: Cookies = { values: new Map(), repeated: new Set() };

export class ExchangeState implements RequestState {
  readonly raw: RawRequest;
  readonly request: NormalizedRequest;
  readonly route: CompiledRoute;
  readonly allowedMethods: readonly string[];
  readonly preflight: boolean;
  readonly now: number;
  readonly monotonicUs: number;
  readonly tracing: boolean;
  /** The clock failed: nothing can be judged. */
  readonly timeless: boolean;

  identity: Identity | undefined = undefined;
  pending: PendingProof | undefined = undefined;
  params: Record<string, unknown>;
  readonly #sentParams: Record<string, unknown>;
  #sentBody: unknown = undefined;
  body: unknown = undefined;
  bodyBytes: Uint8Array | undefined = undefined;
  bodyRead = false;
  bodyComplete = true;
  failedOpen: string[] | undefined = undefined;
  countedBy: TakeSource[] | undefined = undefined;
  settlements: Settlement[] | undefined = undefined;
  limitReport: unknown = undefined;

  /** Refusals that observe mode did not carry out. */
  observed: ObservedRefusal[] | undefined = undefined;
  reports: string[] | undefined = undefined;
  trace: TraceStep[] | undefined;
  /** Notes of the stage that runs now. */
  notes: TraceNote[] | undefined = undefined;
  /** What a fault or a throwing handler carried: for the operator's event alone. */
  error: unknown = undefined;
  /** The caller was shown another refusal than the one that was decided. */
  concealed = false;
  /** What goes out is no answer of the handler's, but the policy's own error. */
  replaced = false;
  /** The handler's answer as it was, kept only where a limit settles by it. */
  answer: unknown = undefined;
  /** The events of the handler's answer, while they go out one by one. */
  stream: EventStream | undefined = undefined;

  /** The exchange's own way to keep its event before the handler runs; only on routes that ask for it. */
  keeper: (() => ReturnType<RequestState["keep"]>) | undefined = undefined;
  /** What goes on the record, read when the decision was made. */
  recorded: Recorded | undefined = undefined;

  queryValidated = false;

  readonly #services: StateServices;
  #id: string | undefined = undefined;
  #correlation: string | undefined = undefined;
  #query: Record<string, unknown> | undefined = undefined;
  #headers: Record<string, unknown> | undefined = undefined;
  #cookies: Record<string, unknown> | undefined = undefined;
  #parameters: QueryParameters | undefined | null = null;
  #sentCookies: Cookies | undefined = undefined;
  #locals: Record<string, unknown> | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #aborted = false;

  /**
   * Reads the clock, once, so that one exchange happens at one instant. Without a time nothing can be judged (an expired token
   * would pass every comparison with NaN): the exchange begins at 0 and is refused before its first stage.
   */
  constructor(start: StateStart, services: StateServices) {
    this.raw = start.raw;
    this.request = start.request;
    this.route = start.route;
    this.params = start.params;
    this.#sentParams = start.params;
    this.allowedMethods = start.allowedMethods;
    this.preflight = start.preflight;
    let now = Number.NaN;
    let monotonic = Number.NaN;
    try {
      now = services.now();
      monotonic = services.monotonic();
    } catch {
      // A clock that throws tells as little as one that says NaN.
    }
    // Number.isFinite, unlike arithmetic, takes nothing for a number that is none.
    this.timeless = !Number.isFinite(now) || !Number.isFinite(monotonic);
    this.now = this.timeless ? 0 : now;
    this.monotonicUs = this.timeless ? 0 : Math.floor(monotonic * 1000);
    this.tracing = services.tracing;
    this.trace = services.tracing ? [] : undefined;
    this.#services = services;
  }

  get answers(): Answers | undefined {
    return this.#services.answers;
  }

  get id(): string {
    return (this.#id ??= this.#services.newId(this.now));
  }

  get correlation(): string {
    const name = this.route.correlationField;
    return (this.#correlation ??= this.#services.correlation(
      name === undefined ? undefined : this.request.headers.get(name),
      this.id,
    ));
  }

  get queryParameters(): QueryParameters | undefined {
    if (this.#parameters === null) this.#parameters = this.#services.parseQuery(this.request.queryText);
    return this.#parameters;
  }

  get sentCookies(): Cookies {
    if (this.#sentCookies === undefined) {
      const field = this.request.headers.get("cookie");
      this.#sentCookies = field === undefined ? NO_COOKIES : this.#services.parseCookies(field);
    }
    return this.#sentCookies;
  }

  // Most routes never look at these as objects: they are made from the raw text when somebody does.
  get query(): Record<string, unknown> {
    return (this.#query ??= recordOf(this.queryParameters));
  }
  set query(typed: Record<string, unknown>) {
    this.queryValidated = true;
    this.#query = typed;
  }

  get headers(): Record<string, unknown> {
    return (this.#headers ??= recordOf(this.request.headers));
  }
  set headers(typed: Record<string, unknown>) {
    this.#headers = typed;
  }

  get cookies(): Record<string, unknown> {
    return (this.#cookies ??= recordOf(this.sentCookies.values));
  }
  set cookies(typed: Record<string, unknown>) {
    this.#cookies = typed;
  }

  /** The input before anything was coerced, defaulted or cut: what observe mode hands on. */
  get sent(): SentInput {
    return {
      params: this.#sentParams,
      query: recordOf(this.queryParameters),
      headers: recordOf(this.request.headers),
      cookies: recordOf(this.sentCookies.values),
      body: this.bodyBytes === undefined ? this.#sentBody : parsedOrUndefined(this.bodyBytes),
    };
  }

  get locals(): Record<string, unknown> {
    return (this.#locals ??= {});
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Whoever asks only after the end must not wait for an abort that was.
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** The caller's body, as bytes or (in tests) as a value already parsed. */
  receive(body: Exclude<RawBody, { readonly taken: true }>): void {
    this.bodyRead = true;
    if ("bytes" in body) {
      this.bodyBytes = body.bytes;
      this.bodyComplete = body.complete;
    } else {
      this.body = body.value;
      this.#sentBody = body.value;
    }
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  keep(): ReturnType<RequestState["keep"]> {
    return this.keeper?.();
  }

  note(note: TraceNote): void {
    (this.notes ??= []).push(note);
  }

  /** Each message once: a stream may have endless reason to say the same. */
  report(message: string): void {
    if (this.reports?.includes(message) !== true) (this.reports ??= []).push(message);
  }
}

export interface SentInput {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, unknown>;
  readonly cookies: Record<string, unknown>;
  readonly body: unknown;
}

function parsedOrUndefined(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** Names are the caller's: the object has no prototype. */
function recordOf(values: ReadonlyMap<string, unknown> | undefined): Record<string, unknown> {
  const record = Object.create(null) as Record<string, unknown>;
  if (values !== undefined) for (const [name, value] of values) record[name] = value;
  return record;
}
