/** One request's way through the guard: decided, perhaps read, handed to the application, answered, ended. */
import type {
  Admission,
  BoundEngine,
  Decision,
  Exchange,
  RawResponse,
  ShapedResponse,
} from "@gatehouse/core";
import { bareError, built, discard, framed, isResponse, promisedLength, rawOf } from "./answer.js";
import { HandlerContext } from "./context.js";
import { withoutConditions, withQuery, withStream, withValue } from "./handed.js";
import { collectStream, Intake } from "./intake.js";
import { observed } from "./observe.js";
import { relay, type Watcher } from "./relay.js";
import { asksToUpgrade, readRequest, statedLength, type RequestFacts } from "./request.js";
import { asFailure, isBodyless, valueOf } from "./sent.js";

export interface PassageSettings {
  /** Bytes of an answer that are kept while a response rule needs the whole of it. */
  readonly responseLimit: number;
  /** What no decision event can carry: an answer that was cut off, an error after the end, a fault of the engine's own. */
  readonly onError: (error: unknown) => void;
}

/** Runs once, and only for an admitted request. What it throws, or rejects with, becomes the shaped 500. */
export type Proceed = (request: Request, context: HandlerContext) => unknown;

/** What only the server knows of a request; asked once. */
export type ServerFacts = Omit<RequestFacts, "hasContent">;

/** Nobody is there to read it. */
const CLIENT_LEFT = 499;
const NO_BODY = { bytes: new Uint8Array(), complete: true } as const;
const TOO_LARGE = "the answer is larger than `responseLimit`, and a rule needs the whole of it";

/** Told what to call when the client is lost and the Request's signal does not say so. */
export type Losing = (lost: () => void) => void;

export async function pass(
  engine: BoundEngine,
  request: Request,
  facts: () => ServerFacts,
  settings: PassageSettings,
  proceed: Proceed,
  losing: Losing,
): Promise<Response> {
  return new Passage(request, settings, proceed, losing).run(engine, facts);
}

class Passage {
  private readonly intake: Intake;
  private exchange: Exchange | undefined = undefined;
  /** The client left. */
  private gone = false;
  /** What went out, once something did. */
  private status = 0;
  private begun = false;
  private handedOn = false;
  /** Ends an answer that is on its way. */
  private cut: ((error: unknown) => void) | undefined = undefined;

  constructor(
    private readonly request: Request,
    private readonly settings: PassageSettings,
    private readonly proceed: Proceed,
    private readonly losing: Losing,
  ) {
    this.intake = new Intake(request);
  }

  async run(engine: BoundEngine, facts: () => ServerFacts): Promise<Response> {
    try {
      const hasContent = await this.intake.hasContent();
      const exchange = engine.open(readRequest(this.request, { ...facts(), hasContent }));
      this.exchange = exchange;
      this.listen();
      return await this.decide(exchange, hasContent);
    } catch (error) {
      return this.broken(error);
    }
  }

  private async decide(exchange: Exchange, hasContent: boolean): Promise<Response> {
    const head = await exchange.head();
    if (this.gone) return this.left();
    if (head.outcome !== "continue") return this.onDecision(exchange, head, hasContent, false);
    const body = hasContent ? await this.intake.collect(head.bodyLimit) : NO_BODY;
    if (body === undefined || this.gone) return this.left();
    const decision = await exchange.body(body);
    if (this.gone) return this.left();
    return this.onDecision(exchange, decision, hasContent, true);
  }

  private onDecision(
    exchange: Exchange,
    decision: Decision,
    hasContent: boolean,
    bodyRead: boolean,
  ): Response | Promise<Response> {
    if (decision.outcome === "admit") return this.admitted(exchange, decision, hasContent, bodyRead);
    const { status, responseHeaders: headers } = decision;
    return this.whole({ status, headers, body: decision.body });
  }

  private async admitted(
    exchange: Exchange,
    decision: Admission,
    hasContent: boolean,
    bodyRead: boolean,
  ): Promise<Response> {
    const streams = hasContent && !bodyRead && !exchange.observing;
    if (streams && (statedLength(this.request) ?? 0) > decision.bodyLimit)
      return this.whole(exchange.overflow());
    const { overflow, exceeded } = this.watchOverflow(exchange);
    const request = exchange.observing
      ? this.untouched()
      : this.handed(exchange, decision, bodyRead, streams && !this.request.bodyUsed, exceeded);
    const answer = this.handle(exchange, request, new HandlerContext(exchange, decision));
    return streams ? Promise.race([answer, overflow]) : answer;
  }

  /** Settles when the handler reads more than the policy allows: with the 413, where no answer has begun. */
  private watchOverflow(exchange: Exchange): { overflow: Promise<Response>; exceeded: () => void } {
    let exceeded: () => void = () => undefined;
    const overflow = new Promise<Response>((resolve) => {
      exceeded = () => {
        if (this.begun) this.cut?.(new Error(OVERFLOW));
        else resolve(this.tooLarge(exchange));
      };
    });
    return { overflow, exceeded: () => exceeded() };
  }

  private tooLarge(exchange: Exchange): Response {
    try {
      return this.whole(exchange.overflow());
    } catch (error) {
      return this.broken(error);
    }
  }

  private handed(
    exchange: Exchange,
    decision: Admission,
    bodyRead: boolean,
    streams: boolean,
    exceeded: () => void,
  ): Request {
    const { request } = this;
    // Platforms tie the handshake to the very Request that came.
    if (asksToUpgrade(request)) return request;
    const handed = this.withBody(exchange, decision, bodyRead, streams, exceeded);
    return decision.queryValidated ? withQuery(handed, decision.query) : handed;
  }

  private withBody(
    exchange: Exchange,
    decision: Admission,
    bodyRead: boolean,
    streams: boolean,
    exceeded: () => void,
  ): Request {
    const { request } = this;
    if (bodyRead && decision.body !== undefined) return withValue(request, decision.body);
    // What was looked into cannot be read by anybody else.
    if (streams || this.intake.touched) {
      const body = this.intake.stream(decision.bodyLimit, () => {
        exceeded();
        return new Error(OVERFLOW);
      });
      return withStream(request, body);
    }
    return exchange.responseNeedsBody ? withoutConditions(request) : request;
  }

  /** Observe mode: every byte as sent, also beyond the limit. */
  private untouched(): Request {
    if (!this.intake.touched) return this.request;
    return withStream(
      this.request,
      this.intake.stream(Infinity, () => new Error(OVERFLOW)),
    );
  }

  private async handle(exchange: Exchange, request: Request, context: HandlerContext): Promise<Response> {
    let result: unknown;
    this.handedOn = true;
    try {
      result = await this.proceed(request, context);
    } catch (error) {
      // A Response that is thrown is an answer; everything else that is thrown is none.
      if (!isResponse(error)) return this.failed(exchange, error);
      result = error;
    }
    try {
      return await this.answered(exchange, result);
    } catch (error) {
      discard(result);
      return this.broken(error);
    }
  }

  private async answered(exchange: Exchange, result: unknown): Promise<Response> {
    if (this.isHandshake(result)) return this.handshake(result);
    if (this.begun || this.gone) {
      discard(result);
      return this.left();
    }
    if (!isResponse(result)) return this.failed(exchange, new TypeError("the handler returned no Response"));
    if (result.status < 200) return this.failed(exchange, new TypeError(NO_ANSWER));
    const failure = asFailure(result);
    if (failure !== undefined) return this.failed(exchange, failure.error, failure.status, failure.challenge);
    let raw: RawResponse;
    try {
      if (result.bodyUsed || result.body?.locked === true)
        return this.failed(exchange, new TypeError("the handler's answer was read before"));
      raw = rawOf(result);
      if (!exchange.observing) promisedLength(raw.headers);
    } catch (error) {
      // Servers put a Response of their own in the platform's place: that there can be no such one it finds out when it is asked.
      return this.failed(exchange, error);
    }
    if (exchange.observing) return this.observe(exchange, result);
    const sent = valueOf(result);
    if (sent !== undefined) return this.whole(exchange.respond({ ...raw, body: sent.value }));
    // What a server error says is replaced whatever it is, and a stream of events may never end.
    if (exchange.responseNeedsBody && raw.status < 500 && !exchange.headSettles(raw)) {
      return this.collected(exchange, result);
    }
    const shaped = exchange.respond(raw);
    if (shaped.body !== undefined || this.isSilent(shaped.status) || result.body === null) {
      discard(result);
      return this.whole(shaped);
    }
    return this.streamed(exchange, shaped, result.body);
  }

  /** Bun's handler upgrades by a call and returns nothing; Deno and Workers return a Response that only they can make. */
  private isHandshake(result: unknown): boolean {
    if (!asksToUpgrade(this.request)) return false;
    return result === undefined || (isResponse(result) && result.status === 101);
  }

  /** Handed on as it is: the platform recognizes it. The connection is out of sight from here on, so the exchange ends. */
  private handshake(result: unknown): Response {
    this.finish(101);
    return result as Response;
  }

  private async collected(exchange: Exchange, response: Response): Promise<Response> {
    const raw = rawOf(response);
    if (response.body === null) return this.whole(exchange.respond(raw));
    let body: Uint8Array | undefined;
    try {
      body = await collectStream(response.body, this.settings.responseLimit, this.request.signal);
    } catch (error) {
      return this.failed(exchange, error);
    }
    if (this.gone) return this.left();
    if (body === undefined) return this.failed(exchange, new Error(TOO_LARGE));
    return this.whole(exchange.respond({ ...raw, body }));
  }

  private streamed(exchange: Exchange, shaped: ShapedResponse, body: ReadableStream<unknown>): Response {
    const { streamsEvents, watchesAnswer } = exchange;
    let due = promisedLength(shaped.headers);
    const { stream, cut } = relay(body, {
      ...this.watcher(exchange, shaped.status),
      more: () => {
        if (exchange.brokenStream !== undefined) throw exchange.brokenStream;
      },
      pass: (chunk) => {
        if (!(chunk instanceof Uint8Array)) throw new TypeError("an answer's stream gave no Uint8Array");
        if (streamsEvents) return exchange.event(chunk);
        // More than was promised would be read as the beginning of the next answer on this connection.
        if (due !== undefined && (due -= chunk.length) < 0)
          throw new Error("the answer is longer than its Content-Length");
        if (watchesAnswer) exchange.saw(chunk);
        return chunk;
      },
      ended: () => {
        if (due !== undefined && due > 0) throw new Error("the answer is shorter than its Content-Length");
        this.finish(shaped.status);
      },
    });
    this.begin(shaped.status, cut);
    return built({ ...shaped, headers: framed(shaped.headers) }, stream);
  }

  private observe(exchange: Exchange, response: Response): Response {
    const { status, statusText } = response;
    const eye = observed(exchange, response, this.settings);
    if (response.body === null || this.isSilent(status)) {
      eye.ended();
      this.finish(status);
      return response;
    }
    const { stream, cut } = relay(response.body, {
      ...this.watcher(exchange, status),
      more: () => undefined,
      pass: (chunk) => {
        eye.saw(chunk);
        return chunk;
      },
      ended: () => {
        eye.ended();
        this.finish(status);
      },
    });
    this.begin(status, cut);
    const init = { status, statusText, headers: response.headers };
    return new Response(stream as ReadableStream<Uint8Array>, init);
  }

  private watcher(exchange: Exchange, status: number): Pick<Watcher, "failed" | "left"> {
    return {
      failed: (error) => {
        this.settings.onError(error);
        // Too late for an answer; the error belongs in the event.
        exchange.fail(error);
        this.finish(status);
      },
      left: () => this.finish(status),
    };
  }

  private failed(exchange: Exchange, error: unknown, status?: number, challenge?: string): Response {
    // Nobody is there to answer, or somebody has, and that is most often what it stumbled over.
    if (this.begun || this.gone) return this.left();
    const shaped = exchange.fail(error, status);
    if (challenge === undefined || shaped.status !== 401) return this.whole(shaped);
    return this.whole({ ...shaped, headers: [...shaped.headers, ["WWW-Authenticate", challenge]] });
  }

  /** An answer that is all there: the exchange is over when it is handed to the server. */
  private whole(shaped: ShapedResponse): Response {
    const body = bodyOf(shaped);
    const headers = framed(shaped.headers, this.lengthOf({ ...shaped, body }));
    const response = built({ ...shaped, headers }, this.request.method === "HEAD" ? undefined : body);
    this.begun = true;
    this.finish(shaped.status);
    return response;
  }

  /** A fault of the engine's own, or of this adapter: the caller learns nothing, and is never let through. */
  private broken(error: unknown): Response {
    this.settings.onError(error);
    this.begun = true;
    this.finish(500);
    return bareError(this.request.method);
  }

  private left(): Response {
    this.finish(0);
    return new Response(null, { status: CLIENT_LEFT });
  }

  private begin(status: number, cut: (error: unknown) => void): void {
    this.begun = true;
    this.status = status;
    this.cut = cut;
  }

  /** Undefined: what is stated is the length of another answer, to GET or without the condition. */
  private lengthOf({ status, body = "" }: ShapedResponse): number | undefined {
    if (status === 304) return undefined;
    // Before the method: GET would be told none either, and a 204 must state none at all (RFC 9110 section 8.6).
    if (isBodyless(status)) return NONE;
    if (this.request.method === "HEAD") return undefined;
    return typeof body === "string" ? UTF8.encode(body).length : body.byteLength;
  }

  private isSilent(status: number): boolean {
    return this.request.method === "HEAD" || isBodyless(status);
  }

  private listen(): void {
    const { signal } = this.request;
    // Not ended yet: what has not begun leaves no event.
    if (signal.aborted) this.gone = true;
    else signal.addEventListener("abort", this.aborted, { once: true });
    this.losing(() => {
      this.aborted();
      // Nobody else tells the handler's stream. By this code the server knows that it is no failure, which it would write out.
      this.cut?.(Object.assign(new Error("the client left"), { code: "ERR_STREAM_PREMATURE_CLOSE" }));
    });
  }

  private readonly aborted = (): void => {
    // Deno tells of a handshake in this way too: what came of it, the handler's answer says.
    if (this.handedOn && asksToUpgrade(this.request)) return;
    this.gone = true;
    this.finish(this.status);
  };

  private finish(status: number): void {
    this.request.signal.removeEventListener("abort", this.aborted);
    this.exchange?.end(status);
  }
}

const UTF8 = new TextEncoder();

/** In bytes, whatever is in it: Node writes a head in the encoding of the text behind it, and bytes of the handler's fields would be two. */
function bodyOf({ body, ascii }: ShapedResponse): ShapedResponse["body"] {
  return ascii === true && typeof body === "string" ? UTF8.encode(body) : body;
}

/** Not even zero. */
const NONE = -1;
const OVERFLOW = "the body is larger than `maxBody`";
const NO_ANSWER =
  "the handler returned a Response without an answer: a network error, or a switch of protocols that nobody asked for";
