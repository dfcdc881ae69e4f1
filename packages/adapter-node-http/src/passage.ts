/** One request's way through the guard: decided, perhaps read, handed to the application, answered, ended. */
import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission, BoundEngine, Continue, Decision, Exchange, RawBody } from "@gatehouse/core";
import { HandlerFields } from "./answer/fields.js";
import type { Interception } from "./answer/interception.js";
import { interceptResponse, reserveMethods } from "./answer/methods.js";
import { nativeOf } from "./answer/wire.js";
import { hideConditions } from "./conditional.js";
import { HandlerContext, type SendOptions } from "./context.js";
import { writeBareError, writeClosing, writeDecision } from "./decision.js";
import { existingIntake, intakeOf } from "./intake.js";
import { observeResponse } from "./observe.js";
import { isExpecting } from "./own-server.js";
import { closesSilently, whenLost } from "./queued.js";
import { asksToUpgrade, hasContent, readRequest, statedLength } from "./request.js";
import { keepTick } from "./tick.js";
import { isHttp2, plainRequest, plainResponse, type NodeRequest, type NodeResponse } from "./types.js";

export interface PassageSettings {
  /** Bytes of an answer that are kept while a response rule needs the whole of it. */
  readonly responseLimit: number;
  /** What no decision event can carry: an answer that was cut off, an error after the end, a fault of the engine's own. */
  readonly onError: (error: unknown) => void;
  /** Where a framework keeps the target as it stood on the request line; default `req.url`. */
  readonly targetOf?: (req: IncomingMessage) => string | undefined;
}

/** Runs once, and only for an admitted request. What it throws, or rejects with, becomes the shaped 500. */
export type Proceed = (req: IncomingMessage, res: ServerResponse, context: HandlerContext) => unknown;

const NO_BYTES = new Uint8Array();
const PASSAGE = Symbol("gatehouse.passage");
const TICKS: object[] = [];
keepTick((tick) => TICKS.push(tick));

interface Passing extends ServerResponse {
  [PASSAGE]?: Passage | undefined;
}

/**
 * Decides a request and hands it on. Synchronous where the decision is: the handler then runs in the same tick.
 * @param expectsContinue the client waits for 100, and nobody has sent it
 */
export function pass(
  engine: BoundEngine,
  req: NodeRequest,
  res: NodeResponse,
  settings: PassageSettings,
  proceed: Proceed,
  expectsContinue = false,
): void {
  const before = (plainResponse(res) as Passing)[PASSAGE];
  if (before !== undefined) return before.again();
  const waits = expectsContinue || isExpecting(req);
  new Passage(engine, plainRequest(req), plainResponse(res), settings, proceed, waits).run();
}

/**
 * Room on a response for all that the guard puts there: to be made before a framework changes its prototype. Of HTTP/1 alone: responses of
 * HTTP/2 have accessors instead.
 * @param from the prototype that the framework will give to it
 */
export function reserveRoom(res: ServerResponse, from: object): void {
  if (isHttp2(res.req)) return;
  (res as Passing)[PASSAGE] = undefined;
  // Node's prototype has them; each answer puts its own in front.
  const { statusCode, statusMessage } = res;
  res.statusCode = statusCode;
  res.statusMessage = statusMessage;
  reserveMethods(res, from);
}

export class Passage {
  private readonly exchange: Exchange;
  private readonly content: boolean;
  /** Somebody in front of the guard has read of the body. */
  private readonly taken: boolean;
  private interception: Interception | undefined = undefined;
  private gone = false;
  private handed = false;
  /** More came of the body than the handler may read. */
  private overrun = false;

  constructor(
    engine: BoundEngine,
    private readonly req: IncomingMessage,
    private readonly res: ServerResponse,
    private readonly settings: PassageSettings,
    private readonly proceed: Proceed,
    private readonly expectsContinue: boolean,
  ) {
    this.exchange = engine.open(readRequest(req, settings.targetOf?.(req)));
    this.content = hasContent(req);
    this.taken = this.content && req.readableDidRead;
    (res as Passing)[PASSAGE] = this;
    res.on("close", closed);
    if (closesSilently(res)) whenLost(res, () => this.closed());
  }

  run(): void {
    try {
      const head = this.exchange.head();
      if (!(head instanceof Promise)) return this.onHead(head);
      // What arrives meanwhile waits in one place, where it can still be counted, collected or replayed.
      if (this.content) intakeOf(this.req);
      head.then((decision) => this.onHead(decision)).catch((error: unknown) => this.broken(error));
    } catch (error) {
      this.broken(error);
    }
  }

  send(value: unknown, { status, headers }: SendOptions): void {
    if (this.interception !== undefined) {
      this.interception.send(value, status ?? this.res.statusCode, headers);
      return;
    }
    const fields = new HandlerFields();
    fields.set("Content-Type", "application/json");
    if (headers !== undefined) fields.merge(headers);
    this.res.writeHead(status ?? this.res.statusCode, fields.record());
    this.res.end(JSON.stringify(value));
  }

  /**
   * Somebody hands in a request that is on its way already: the handler with another target, or a guard around a guard. One
   * response has one policy; two would each take the other's methods for Node's.
   */
  again(): void {
    const error = new Error("a request that a guard has decided was handed to a guard again");
    if (this.handed) this.failed(error);
    else this.settings.onError(error);
  }

  /** The response closed: everything went out, or the client left. */
  closed(): void {
    if (this.gone) return;
    this.gone = true;
    const begun = this.interception === undefined ? this.res.headersSent : this.interception.phase !== "open";
    this.exchange.end(begun ? this.res.statusCode : 0);
    release(this.req);
  }

  private onHead(head: Decision | Continue): void {
    if (this.gone) return;
    if (head.outcome === "continue") this.read(head);
    else this.onDecision(head, false);
  }

  private read({ bodyLimit }: Continue): void {
    const length = this.content ? statedLength(this.req) : 0;
    if (length === 0) return this.onBody({ bytes: NO_BYTES, complete: true });
    if (this.taken) return this.onBody({ taken: true });
    if (this.expectsContinue) this.res.writeContinue();
    // Bytes come from the parser, outside of what an AsyncLocalStorage (a tracer, for one) holds for this request. Not by
    // `AsyncResource.bind`, which gives each function that it makes properties of its own.
    const scope = new AsyncResource("GatehouseBody");
    intakeOf(this.req).collect(bodyLimit, (body) => {
      if (body !== undefined && !this.gone) scope.runInAsyncScope(() => this.onBody(body));
    });
  }

  private onBody(body: RawBody): void {
    try {
      const decision = this.exchange.body(body);
      if (decision instanceof Promise) {
        decision
          .then((settled) => {
            if (!this.gone) this.onDecision(settled, true);
          })
          .catch((error: unknown) => this.broken(error));
      } else this.onDecision(decision, true);
    } catch (error) {
      this.broken(error);
    }
  }

  private onDecision(decision: Decision, bodyRead: boolean): void {
    if (decision.outcome === "admit") return this.admitted(decision, bodyRead);
    writeDecision(this.res, decision);
    this.exchange.end(decision.status);
  }

  private admitted(decision: Admission, bodyRead: boolean): void {
    const { req, res, exchange } = this;
    const streams = this.content && !bodyRead;
    if (streams && this.expectsContinue) res.writeContinue();
    if (exchange.observing) {
      existingIntake(req)?.replay();
      observeResponse(res, exchange, this.settings);
    } else {
      this.interception = interceptResponse(res, exchange, this.settings);
      if (asksToUpgrade(req))
        return this.interception.replace(exchange.respond({ status: 501, headers: [] }));
      if (exchange.responseNeedsBody) hideConditions(req);
      if (streams) {
        if (!this.bounded(decision.bodyLimit)) return;
      } else if (bodyRead && decision.streamsBody) {
        existingIntake(req)?.replay();
      } else if (bodyRead) {
        existingIntake(req)?.keep();
        (req as { body?: unknown }).body = decision.body;
      }
    }
    const parsed = bodyRead && !decision.streamsBody && !this.taken;
    this.handle(new HandlerContext(this, exchange, decision, parsed));
  }

  /** False: it is known already that there is too much. */
  private bounded(limit: number): boolean {
    const length = statedLength(this.req);
    if (length === undefined && limit !== Infinity) {
      intakeOf(this.req).count(limit, () => this.overflow());
      return true;
    }
    if (length !== undefined && length > limit) {
      this.overflow();
      return false;
    }
    // Node's own parser holds a body to its stated length.
    existingIntake(this.req)?.replay();
    return true;
  }

  /** The handler streams, and there is more than the policy allows. */
  private overflow(): void {
    const { interception, res } = this;
    this.overrun = true;
    if (interception === undefined || interception.phase !== "open") {
      this.req.destroy();
      return;
    }
    try {
      const { status, headers, body } = this.exchange.overflow();
      interception.take((native) => writeClosing(res, native, status, headers, body ?? "", true));
    } catch (error) {
      this.broken(error);
    }
  }

  private handle(context: HandlerContext): void {
    this.handed = true;
    try {
      const running = this.proceed(this.req, this.res, context);
      if (isPromise(running)) running.then(undefined, (error: unknown) => this.failed(error));
    } catch (error) {
      this.failed(error);
    }
  }

  /** @param status what a framework understands by the error; default 500 */
  failed(error: unknown, status?: number): void {
    // The answer is 413 already, and a reader whose body ends nowhere has nothing else to say.
    if (this.overrun) return;
    // Nobody is there to answer, and that is most often what it stumbled over. After a whole answer it is news.
    if (this.gone && !this.res.writableFinished) return;
    try {
      if (this.interception !== undefined) return this.interception.fail(error, status);
      const shaped = this.exchange.fail(error, status);
      if (this.res.headersSent) this.res.destroy();
      else
        writeClosing(this.res, nativeOf(this.res), shaped.status, shaped.headers, shaped.body ?? "", false);
    } catch (second) {
      this.broken(second);
    }
  }

  /** A fault of the engine's own, or of this adapter: the caller learns nothing, and is never let through. */
  private broken(error: unknown): void {
    this.settings.onError(error);
    if (this.gone) return;
    if (this.interception === undefined ? this.res.headersSent : this.interception.phase !== "open") {
      this.res.destroy();
      return;
    }
    if (this.interception === undefined) writeBareError(this.res);
    else this.interception.take((native) => writeBareError(this.res, native));
    this.exchange.end(500);
  }
}

function closed(this: Passing): void {
  this[PASSAGE]?.closed();
}

/** What nobody read must still be read to its end, or the connection keeps the request. */
function release(req: IncomingMessage): void {
  if (isHttp2(req) || req.readableEnded || req.destroyed) return;
  const intake = existingIntake(req);
  if (intake === undefined) req.resume();
  else intake.release();
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
