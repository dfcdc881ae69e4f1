/** One HTTP exchange from open to end. */
import type { CompiledPolicy } from "./compile/compile.js";
import { Admitted, ownAnswer, routeKey } from "./evaluate/admission.js";
import { eventAnswer } from "./evaluate/event-answer.js";
import { eventOf } from "./evaluate/event.js";
import { alsoNotable, isNotable, keepBy, listenersFor, tell, type Listeners } from "./evaluate/listeners.js";
import { recordedOf, type Mark } from "./evaluate/recorded.js";
import { placeholderRequest } from "./evaluate/placeholder.js";
import { concealed, shapeRefusal } from "./evaluate/refuse.js";
import { reheadAnswer, shapeAnswer, shapeFailure, shapeOverflow } from "./evaluate/respond.js";
import { observe, runStages, type Ending } from "./evaluate/run.js";
import { ExchangeState, type StateServices } from "./evaluate/state.js";
import { watchOf, type AnswerWatch } from "./evaluate/watch.js";
import type { Router } from "./match/router.js";
import type { CompiledRoute } from "./model/compiled.js";
import type { Continue, Decision, DecisionEvent, DecisionOutcome, Rejection } from "./model/decision.js";
import type { Refusal } from "./model/outcome.js";
import type { HeaderField, NormalizedRequest, RawBody, RawRequest } from "./model/request.js";
import type { RawResponse, ShapedResponse } from "./model/response.js";
import type { DecisionSink } from "./ports/decision-sink.js";
import type { StageName } from "./stages.js";

/** What all exchanges of an engine share. */
export interface ExchangeServices extends StateServices {
  readonly utf8Length: (text: string) => number;
  readonly onDecision: ((event: DecisionEvent) => void) | undefined;
  readonly sinks: readonly DecisionSink[];
  readonly mark: Mark;
  readonly paths: boolean;
}

/** One HTTP exchange. `head` first, `body` only after `continue`, `respond` or `fail` after an admission, `end` always. */
export interface Exchange {
  /** Everything that needs no body. A promise only where something outside is asked. */
  head(): Decision | Continue | Promise<Decision | Continue>;
  /** Only after `continue`. @throws Error when it was not asked for */
  body(body: RawBody): Decision | Promise<Decision>;
  /** False: the handler's body may stream through, only its headers are shaped. */
  readonly responseNeedsBody: boolean;
  /**
   * Constant fields that the policy owes on the handler's answers: one list for all answers of a route, whose very pairs stand side by
   * side among the fields of a shaped answer, where none had to give way. For a writer that keeps their text.
   */
  readonly owedFields: readonly HeaderField[];
  /** True: hand a value to `respond` before it is text where you can. A rule reads it, or the engine's own writing (`encode`) is asked for. */
  readonly writesJson: boolean;
  /**
   * True after `respond` was called without a body, where a limit settles by the answer: hand every chunk to `saw` while
   * it streams through.
   */
  readonly watchesAnswer: boolean;
  saw(chunk: Uint8Array): void;
  /**
   * True: the head alone settles what becomes of this answer, which is a stream of events under a rule. Where `responseNeedsBody`
   * makes you keep an answer, ask with each head before the first byte is kept; if so, call `respond` without the body now.
   */
  headSettles(response: RawResponse): boolean;
  /**
   * True after a `respond` without a body where events leave one by one: hand every chunk to `event` and send what that returns.
   * Nothing else of the handler's may go out.
   */
  readonly streamsEvents: boolean;
  /** What may go out now; undefined where that is nothing yet. In observe mode the chunk itself. A chunk may end anywhere. */
  event(chunk: Uint8Array): Uint8Array | undefined;
  /** Set once the stream cannot go on (an event beyond 1 MiB): send what `event` just returned, then cut the connection. */
  readonly brokenStream: Error | undefined;
  /** Observe mode: nothing on the wire is changed. */
  readonly observing: boolean;
  /** Aborted when the exchange ends; what application code should listen to. */
  readonly signal: AbortSignal;
  respond(response: RawResponse): ShapedResponse;
  /**
   * Where something still sets fields between `respond` and the wire: the fields that go out, given all that stand there then. The
   * body stays as it was shaped.
   */
  rehead(headers: readonly HeaderField[]): readonly HeaderField[];
  /**
   * The handler threw, or nobody answered. The error reaches the operator's event alone.
   * @param status default 500; of the 4xx kind where the framework reads the error as the caller's, such as 404
   */
  fail(error: unknown, status?: number): ShapedResponse;
  /** The handler streams the body, and there is more than `bodyLimit`: the 413 that goes out before the connection is closed. */
  overflow(): ShapedResponse;
  /**
   * Frees slots, settles what was counted, emits the event. Idempotent; called on finish and on close.
   * @param status what went out; 0 when the client was gone before an answer
   */
  end(status: number): void;
}

const NO_PARAMS = Object.freeze(Object.create(null) as Record<string, unknown>);
const NO_METHODS: readonly string[] = [];
const NO_FIELDS: readonly HeaderField[] = [];

export class PolicyExchange implements Exchange {
  #state: ExchangeState | undefined;
  #ending: Ending | undefined;
  #decided: Decision | undefined;
  #watch: AnswerWatch | undefined;
  #shaped: readonly HeaderField[] = [];
  #ended = false;
  /** Who is told of this decision, settled when it is made; undefined: nobody. */
  #listeners: Listeners | undefined;
  #decidedAt: number | undefined;
  #notable = false;

  constructor(
    private readonly policy: CompiledPolicy,
    private readonly router: Router,
    private readonly raw: RawRequest,
    private readonly services: ExchangeServices,
  ) {}

  head(): Decision | Continue | Promise<Decision | Continue> {
    if (this.#state !== undefined) throw new Error("head() was called before");
    const request = this.policy.normalize(this.raw);
    if ("kind" in request) return this.unreadable(placeholderRequest(this.raw), request);
    const own = this.ownRoute(request);
    if (own?.observe === false) return this.run(this.begin(request, own, NO_PARAMS, NO_METHODS, false));
    const preflight = preflightMethod(request);
    if (preflight !== undefined) {
      const matched = this.router.match(preflight, request);
      if (typeof matched === "object") {
        const route = this.policy.route(matched.route);
        if (route?.preflight !== undefined) return this.preflight(request, route, route.preflight);
      }
    }
    const matched = this.router.match(request.method, request);
    if (matched === "ambiguous") return this.unreadable(request, AMBIGUOUS);
    const route = matched === undefined ? undefined : this.policy.route(matched.route);
    if (route !== undefined && matched !== undefined)
      return this.run(this.begin(request, route, matched.params, NO_METHODS, false));
    return this.run(
      this.begin(request, own ?? this.policy.unmatched, NO_PARAMS, this.router.allowed(request), false),
    );
  }

  /** Of a path that the policy answers itself. Observing it answers nothing, so a route with that path must still be asked. */
  private ownRoute({ path }: NormalizedRequest): CompiledRoute | undefined {
    const { metadata } = this.policy;
    return path === metadata?.path ? metadata.route : undefined;
  }

  private run(state: ExchangeState): Decision | Continue | Promise<Decision | Continue> {
    const ending = runStages(state.route.head, state);
    return ending instanceof Promise
      ? ending.then((settled) => this.afterHead(state, settled))
      : this.afterHead(state, ending);
  }

  body(body: RawBody): Decision | Promise<Decision> {
    const state = this.#state;
    if (
      state === undefined ||
      this.#decided !== undefined ||
      state.route.body.length === 0 ||
      state.bodyRead
    ) {
      throw new Error("body() is only for an exchange that said `continue`");
    }
    if ("taken" in body) return this.alreadyRead(state);
    state.receive(body);
    const ending = runStages(state.route.body, state);
    return ending instanceof Promise
      ? ending.then((settled) => this.decide(state, settled))
      : this.decide(state, ending);
  }

  get responseNeedsBody(): boolean {
    return this.#state?.route.response.body !== undefined;
  }

  get owedFields(): readonly HeaderField[] {
    return this.#state?.route.response.headers.constant ?? NO_FIELDS;
  }

  get writesJson(): boolean {
    const response = this.#state?.route.response;
    return response?.body !== undefined || response?.encode !== undefined;
  }

  get watchesAnswer(): boolean {
    return this.#watch !== undefined;
  }

  saw(chunk: Uint8Array): void {
    this.#watch?.saw(chunk);
  }

  headSettles(response: RawResponse): boolean {
    const state = this.#state;
    return state !== undefined && eventAnswer(response, state.route.response) !== undefined;
  }

  get streamsEvents(): boolean {
    return this.#state?.stream !== undefined;
  }

  event(chunk: Uint8Array): Uint8Array | undefined {
    const stream = this.#state?.stream;
    if (stream === undefined) throw new Error("event() is only for an answer whose events leave one by one");
    this.#watch?.saw(chunk);
    return stream.pass(chunk);
  }

  get brokenStream(): Error | undefined {
    return this.#state?.stream?.broken;
  }

  get observing(): boolean {
    return this.#state?.route.observe === true;
  }

  get signal(): AbortSignal {
    return this.admitted().signal;
  }

  respond(response: RawResponse): ShapedResponse {
    const state = this.admitted();
    if (state.route.response.readsAnswer) {
      this.#watch = watchOf(response, state.settlements ?? []);
    }
    const shaped = shapeAnswer(state, response, this.services.utf8Length);
    if (state.tracing) traceAnswer(state);
    return this.shaped(shaped);
  }

  rehead(headers: readonly HeaderField[]): readonly HeaderField[] {
    return reheadAnswer(this.admitted(), this.#shaped, headers);
  }

  fail(error: unknown, status?: number): ShapedResponse {
    return this.shaped(shapeFailure(this.admitted(), error, this.services.utf8Length, status));
  }

  overflow(): ShapedResponse {
    return shapeOverflow(this.admitted(), this.services.utf8Length);
  }

  end(status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const state = this.#state;
    if (state === undefined) return;
    state.abort();
    if (this.#watch !== undefined) state.answer = this.#watch.value();
    state.stream?.tell();
    this.settle(state, status);
    this.emit(state, status);
  }

  private shaped(answer: ShapedResponse): ShapedResponse {
    this.#shaped = answer.headers;
    return answer;
  }

  private settle(state: ExchangeState, status: number): void {
    const { settlements } = state;
    if (settlements === undefined) return;
    const refusedAt = this.#ending?.kind === "refuse" ? this.#ending.stage : undefined;
    state.settlements = undefined;
    for (const settlement of settlements) {
      try {
        settlement.settle({ status, refusedAt, answer: state.answer }, state);
      } catch (error) {
        // One that fails must not keep the others from freeing what they hold.
        state.error ??= error;
        state.report("a settlement failed");
      }
    }
  }

  private begin(
    request: NormalizedRequest,
    route: CompiledRoute,
    params: Record<string, unknown>,
    allowedMethods: readonly string[],
    preflight: boolean,
  ): ExchangeState {
    const start = { raw: this.raw, request, route, params, allowedMethods, preflight };
    const state = new ExchangeState(start, this.services);
    this.#state = state;
    if (route.resolved.record?.value.onFailure === "closed") state.keeper = () => this.keep(state);
    return state;
  }

  /** The head cannot be read one way: refused with the document's own headers and shape, or marked in observe mode. */
  private unreadable(request: NormalizedRequest, refusal: Refusal): Decision {
    const state = this.begin(request, this.policy.unreadable, NO_PARAMS, NO_METHODS, false);
    if (state.tracing) {
      const outcome = state.route.observe ? "observe" : "refuse";
      state.trace?.push({ stage: "normalize", outcome, code: refusal.code, reason: refusal.reason });
    }
    if (!state.route.observe) return this.decide(state, { kind: "refuse", stage: "normalize", refusal });
    observe(state, "normalize", refusal);
    return this.decide(state, undefined);
  }

  /** What somebody else made of the bytes cannot be judged: it may differ from what they say. */
  private alreadyRead(state: ExchangeState): Decision {
    if (!state.route.observe) return this.decide(state, { kind: "refuse", stage: "body", refusal: TAKEN });
    observe(state, "body", TAKEN);
    return this.decide(state, undefined);
  }

  private preflight(
    request: NormalizedRequest,
    route: CompiledRoute,
    stages: CompiledRoute["head"],
  ): Decision | Promise<Decision> {
    const state = this.begin(request, route, NO_PARAMS, this.router.allowed(request), true);
    const ending = runStages(stages, state);
    return ending instanceof Promise
      ? ending.then((settled) => this.decide(state, settled))
      : this.decide(state, ending);
  }

  private afterHead(state: ExchangeState, ending: Ending | undefined): Decision | Continue {
    // The client left while a stage was waiting: what it took meanwhile is nobody's.
    if (this.#ended) this.settle(state, 0);
    const needsBody = state.route.readsBody || state.pending !== undefined;
    if (ending !== undefined || !needsBody) return this.decide(state, ending);
    const { maxBody, types, observe: observing } = state.route;
    return { outcome: "continue", bodyLimit: maxBody, types, observe: observing };
  }

  private decide(state: ExchangeState, ending: Ending | undefined): Decision {
    this.#ending = ending;
    if (this.#ended) this.settle(state, 0);
    const decision =
      ending === undefined
        ? new Admitted(state)
        : ending.kind === "refuse"
          ? this.refuse(state, ending.stage, ending.refusal)
          : ownAnswer(state, ending.answer);
    this.#decided = decision;
    this.listen(state, decision.outcome);
    return decision;
  }

  private refuse(state: ExchangeState, stage: StageName, refusal: Refusal): Rejection {
    const seen = concealed(state, stage, refusal);
    state.concealed = seen !== refusal;
    const shaped = shapeRefusal(state, seen, this.services.utf8Length);
    const rejection: Rejection = {
      outcome: "refuse",
      stage,
      code: seen.code,
      status: shaped.status,
      responseHeaders: shaped.headers,
      body: shaped.body,
      reason: refusal.reason,
      close: refusal.close === true || stage === "normalize",
      route: routeKey(state),
    };
    return state.trace === undefined ? rejection : { ...rejection, trace: state.trace };
  }

  private admitted(): ExchangeState {
    if (this.#state === undefined || this.#decided?.outcome !== "admit") {
      throw new Error("only an admitted exchange has an answer of the handler's");
    }
    return this.#state;
  }

  /** Before the handler runs: what it does to the objects that it is handed is not on the record. */
  private listen(state: ExchangeState, outcome: DecisionOutcome): void {
    const notable = isNotable(state);
    this.#notable = notable;
    this.hear(state, listenersFor(this.services, outcome, notable));
  }

  private hear(state: ExchangeState, listeners: Listeners | undefined): void {
    this.#listeners = listeners;
    if (listeners === undefined) return;
    state.recorded ??= recordedOf(state, this.#ending, this.services.mark);
    this.#decidedAt ??= this.elapsed(state);
  }

  private emit(state: ExchangeState, status: number): void {
    if (this.#decided === undefined) this.listen(state, "aborted");
    // What the handler did may make an event worth telling to who did not want it before.
    else if (!this.#notable && isNotable(state))
      this.hear(state, alsoNotable(this.services, this.#decided.outcome, this.#listeners));
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    tell(listeners, this.told(state, this.#decided, status));
  }

  private told(state: ExchangeState, decided: Decision | undefined, status: number): DecisionEvent {
    const { mark, paths } = this.services;
    const total = this.elapsed(state);
    const timings = total === undefined ? undefined : { decided: this.#decidedAt ?? total, total };
    const told = { recorded: state.recorded, mark, paths, timings };
    return eventOf(this.policy, state, this.#ending, decided, status, told);
  }

  /** Milliseconds since the exchange opened. A clock that fails costs the event its timings, and nobody a decision. */
  private elapsed({ monotonicUs, timeless }: ExchangeState): number | undefined {
    if (timeless) return undefined;
    try {
      const now = this.services.monotonic();
      return Number.isFinite(now) ? Math.max(0, Math.floor(now * 1000) - monotonicUs) / 1000 : undefined;
    } catch {
      return undefined;
    }
  }

  private keep(state: ExchangeState): ReturnType<ExchangeState["keep"]> {
    state.recorded = recordedOf(state, undefined, this.services.mark);
    const event = this.told(state, undefined, 0);
    return keepBy(this.services.sinks, { ...event, outcome: "admit", pending: true });
  }
}

/** What was asked on the way out. Events that leave one by one leave after it. */
function traceAnswer(state: ExchangeState): void {
  const reached = (state.notes ?? []).flatMap((note) => note.reached ?? []);
  state.notes = undefined;
  const [first] = reached;
  if (first !== undefined)
    state.trace?.push({ stage: "respond", outcome: "pass", rule: first.rule, reached });
}

const TAKEN: Refusal = {
  kind: "refusal",
  code: "body-already-read",
  reason: "the body was read before the policy could: put the guard in front of whatever parses bodies",
};

const AMBIGUOUS: Refusal = {
  kind: "refusal",
  code: "ambiguous-path",
  reason: "the path leads to different routes before and after percent-decoding",
};

/** Fetch, "CORS-preflight request": OPTIONS with an Origin and the method that is asked for. */
function preflightMethod(request: NormalizedRequest): string | undefined {
  if (request.method !== "OPTIONS" || !request.headers.has("origin")) return undefined;
  return request.headers.get("access-control-request-method");
}
