/** Stands between a handler and its response until the policy has shaped the answer; then it lets bytes pass untouched. */
import type { ServerResponse } from "node:http";
import type { Exchange, HeaderField, ShapedResponse } from "@gatehouse/core";
import { Collector } from "./collector.js";
import { coded, headersSent } from "./errors.js";
import { HandlerFields, pairsOfArgument, type FieldsArgument } from "./fields.js";
import {
  asText,
  bytesOf,
  declaredTrailers,
  framed,
  isFramed,
  lengthAs,
  lengthOf,
  mayHaveBody,
  NONSENSE,
  promised,
  UNSAID,
  unframed,
  withOwnBytes,
} from "./framing.js";
import { isNodes, setTrailer, trailerOf } from "./inner.js";
import { isPrepared } from "./prepared.js";
import { endWith, nativeOf, sendHead, setTrailers, type Chunk, type Done, type Native } from "./wire.js";

export interface AnswerSettings {
  /** Bytes of an answer that are kept while a rule needs the whole of it. */
  readonly responseLimit: number;
  /** What no decision event can carry. */
  readonly onError: (error: unknown) => void;
}

/**
 * - `open`: nothing left yet
 * - `passing`: the head is out, bytes go straight on
 * - `taken`: the answer is not the handler's any more; what it still writes is dropped
 */
type Phase = "open" | "passing" | "taken";

interface Doubt {
  readonly error: unknown;
  readonly unless: () => boolean;
}

const CHANGED =
  "something changed the answer after it was shaped: let it run before, or leave the body alone and compress it at most";

const MISFRAMED = "Content-Length and Transfer-Encoding of the answer do not say where it ends";
const INTERIM = "a status of 1xx is no answer";
const STRAY =
  "something wrote the answer by a method of Node's prototypes, around the guard: call the methods of the response itself";

export class Interception {
  readonly native: Native;
  phase: Phase = "open";
  /** The handler itself has ended its answer: what it writes now is its own mistake, and Node's to say. */
  ended = false;
  /** True while a native method runs: it, or a wrapper beneath, may call others of the response's methods, and means the native ones. */
  sending = false;
  fields: HandlerFields | undefined = undefined;
  /** True while what wraps `writeHead` is told of a head that nobody wrote by hand: see `announce`. */
  announcing = false;
  /** The guard's own `writeHead`: where another stands on the response, somebody waits for the head. */
  ownWriteHead: unknown = undefined;
  ownEnd: unknown = undefined;
  /** What went out, once it did. */
  sent: readonly HeaderField[] | undefined = undefined;
  private argument: FieldsArgument | undefined = undefined;
  private headed = false;
  private announced = false;
  private collector: Collector | undefined;
  /** Shaped ahead of its bytes: under its status nothing else may leave. */
  private prepared: ShapedResponse | undefined = undefined;
  private doubt: Doubt | undefined = undefined;
  /** Bytes that Content-Length promised and that are still due; -1 where nothing was promised. */
  private due = -1;
  /** A limit settles by what the answer says: it is shown the bytes that pass. */
  private watched = false;
  /** Of a stream of events nothing passes but what its rule leaves of each. */
  private streaming = false;
  private barred = false;
  /** Names and text of trailers that were declared: others are nobody's. */
  trailers: ReadonlySet<string> | undefined = undefined;
  private trailer = "";
  /** The handler's fields, from when it could not set them any more. */
  private theirs: HeaderField[] | undefined = undefined;

  constructor(
    readonly res: ServerResponse,
    readonly exchange: Exchange,
    readonly settings: AnswerSettings,
  ) {
    this.native = nativeOf(res);
    this.collector = exchange.responseNeedsBody ? new Collector(settings.responseLimit) : undefined;
  }

  /** True once the handler may not set fields any more, whether or not they have left. */
  get closedHead(): boolean {
    return this.headed || this.phase !== "open";
  }

  /**
   * True once Node knows of the end, and has a word for what comes behind it. What it is told before, it sends: without a head, or behind an
   * answer that is not the handler's and waits for its own end.
   */
  get isOver(): boolean {
    return this.ended && (this.phase === "passing" || (this.phase === "taken" && this.res.writableEnded));
  }

  /** True where a body rule has to see all of the answer. */
  get ruled(): boolean {
    return this.collector !== undefined;
  }

  /** False where something behind the guard waits for the handler to write: a session, a compressor. */
  get isUnwrapped(): boolean {
    const { res } = this;
    return res.writeHead === this.ownWriteHead && res.end === this.ownEnd;
  }

  writeHead(status: number, fields: FieldsArgument | undefined): void {
    if (this.phase === "taken") return;
    if (this.closedHead) throw headersSent("write");
    this.announced = true;
    this.checkStatus(status);
    this.res.statusCode = status;
    if (fields !== undefined) this.addFields(fields);
    if (this.collector === undefined || this.headSettles()) this.start(undefined);
    else this.markHeaded();
  }

  /** What wrapped `writeHead` says, once it was told. */
  heard(status: number, fields: FieldsArgument | undefined): void {
    this.checkStatus(status);
    this.res.statusCode = status;
    if (fields !== undefined) (this.fields ??= new HandlerFields()).merge(fields);
  }

  flushHeaders(): void {
    if (this.phase !== "open" || this.headed) return;
    if (this.collector === undefined || this.headSettles()) {
      this.start(undefined);
      this.flush();
    } else this.markHeaded();
  }

  write(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    if (this.phase === "open") {
      const { collector } = this;
      if (collector !== undefined && (this.headed || !this.headSettles())) {
        return this.collect(collector, chunk, encoding, done);
      }
      this.start(undefined);
    }
    return this.pass(chunk, encoding, done);
  }

  end(chunk: Chunk | undefined, encoding: BufferEncoding | undefined, done: Done | undefined): void {
    this.ended = true;
    try {
      this.conclude(chunk, encoding, done);
    } catch (error) {
      if (this.phase === "open") this.reopen();
      throw error;
    }
  }

  private conclude(
    chunk: Chunk | undefined,
    encoding: BufferEncoding | undefined,
    done: Done | undefined,
  ): void {
    if (this.phase === "open") {
      if (this.collector !== undefined) {
        if (chunk !== undefined && !this.collector.add(chunk, encoding)) this.tooLarge();
        else this.finish(this.collector.body());
        this.whenFinished(done);
        return;
      }
      this.start(chunk === undefined ? 0 : lengthOf(chunk, encoding));
    }
    if (this.phase === "taken") this.whenFinished(done);
    else this.close(chunk, encoding, done);
  }

  /** The object before serialization: cheaper than its text, which would have to be read again. */
  send(value: unknown, status: number, fields: FieldsArgument | undefined): void {
    if (this.phase !== "open" || this.headed) throw headersSent("write");
    this.checkStatus(status);
    this.res.statusCode = status;
    const coded = this.fields?.has("Content-Encoding") === true;
    this.announce();
    // Compression now waits for bytes that never come.
    if (!coded) this.fields?.remove("Content-Encoding");
    if (fields !== undefined) this.addFields(fields);
    this.finish(value);
  }

  /** True where what becomes of such an answer need not wait for its end, which may never come: a stream of events. */
  settles(status: number, fields: FieldsArgument): boolean {
    return this.exchange.headSettles({ status, headers: pairsOfArgument(fields) });
  }

  /** True while an answer is on its way that was shaped ahead of its bytes. */
  get isPrepared(): boolean {
    return this.prepared !== undefined;
  }

  /**
   * For a framework that has hooks between a handler's answer and the wire: shapes the answer before they run. What then arrives must be
   * this very body, or a content coding of it; fields that were set meanwhile are put under the policy's once more.
   * @returns what the framework should go on with: text, unless bytes were given. Hooks expect what they would find without a guard.
   */
  prepare(body: unknown, status: number, fields: FieldsArgument): ShapedResponse {
    const shaped = this.shape({ status, headers: pairsOfArgument(fields), body });
    if (!(body instanceof Uint8Array)) return this.expect(asText(shaped));
    this.expect(shaped);
    return withOwnBytes(shaped);
  }

  /** As `prepare`, where the framework gave up on the request. @param status that it gives to the error */
  prepareFailure(error: unknown, status: number): ShapedResponse {
    return this.expect(this.exchange.fail(error, status));
  }

  /**
   * The framework caught an error, and what arrives next may be its own words for it: until somebody prepares an answer or vouches for
   * one, the policy's 500 goes out in its place.
   * @param unless asked when something arrives: true where it is no doing of the framework's
   */
  distrust(error: unknown, unless: () => boolean): void {
    this.prepared = undefined;
    this.doubt = { error, unless };
  }

  /** What arrives next is an answer like any other. */
  vouch(): void {
    this.prepared = undefined;
    this.doubt = undefined;
  }

  /** The handler threw or rejected. */
  fail(error: unknown, status?: number): void {
    const open = this.phase === "open";
    // Also when it is too late for an answer: the error belongs in the event.
    const shaped = this.exchange.fail(error, status);
    if (open) this.replace(shaped);
    else if (this.phase === "passing" && !this.res.writableEnded) this.cut(error);
    else this.settings.onError(error);
  }

  /** Sends an answer that is not the handler's; whatever it writes from now on is dropped. */
  replace(shaped: ShapedResponse): void {
    this.sendWhole(shaped);
  }

  /** Somebody else answers, and may end that later; what the handler still writes is dropped. */
  take(answer: (native: Native) => void): void {
    this.phase = "taken";
    const end: Native["end"] = (chunk, encoding, done) =>
      this.endNatively(chunk as Chunk | undefined, encoding ?? "utf8", done);
    this.sending = true;
    try {
      answer({ ...this.native, end });
    } finally {
      this.sending = false;
    }
  }

  /**
   * Asked by Node's innermost methods: is it the guard that writes, or what it has let go? Where something stood in front of the guard, it
   * may write later what it was given, and nobody can tell that from what others write.
   * @returns false: nothing is written, and where that was to be the answer the connection ends
   */
  lets(): boolean {
    if (this.sending) return true;
    if (this.barred) return false;
    // What still comes is dropped, as it is where the response's own methods are called.
    if (this.phase === "taken") return !this.isFirst;
    if (this.phase === "passing" && !(this.streaming && this.isFirst)) return true;
    this.barred = true;
    const error = new Error(STRAY);
    // It belongs in the event.
    const { status } = this.exchange.fail(error);
    if (this.phase === "open") this.res.statusCode = status;
    this.cut(error);
    return false;
  }

  /** Nothing stood in front of the guard: its methods were those of the prototype. */
  private get isFirst(): boolean {
    const { write, end } = Object.getPrototypeOf(this.res) as Native;
    return this.native.end === end && this.native.write === write;
  }

  addTrailers(fields: FieldsArgument): void {
    if (this.ruled) return;
    // Trailers need a chunked answer: its head may as well go out.
    if (this.phase === "open") this.start(undefined);
    if (this.phase !== "passing") return;
    const declared = declaredTrailers(this.sent ?? []);
    const pairs = pairsOfArgument(fields).filter(([name]) => declared.has(name.toLowerCase()));
    this.sending = true;
    try {
      setTrailers(this.res, this.native, pairs);
    } finally {
      this.sending = false;
    }
    this.trailers = declared;
    this.trailer = trailerOf(this.res);
  }

  private expect(shaped: ShapedResponse): ShapedResponse {
    this.prepared = shaped;
    this.doubt = undefined;
    this.fields = undefined;
    this.collector ??= new Collector(this.settings.responseLimit);
    return shaped;
  }

  /** Nothing left of a refused end, a status or a field that is none: what ends the answer then is no mistake, and the rule's to see. */
  private reopen(): void {
    this.ended = false;
    if (!this.headed && this.collector !== undefined)
      this.collector = new Collector(this.settings.responseLimit);
  }

  private addFields(fields: FieldsArgument): void {
    if (this.fields === undefined) this.argument = fields;
    else this.fields.merge(fields);
  }

  /**
   * Node calls `writeHead` by itself where a handler did not, and middleware behind the guard counts on that: sessions and timers wrap it
   * to set their fields at the last moment.
   */
  private announce(): void {
    const { res } = this;
    if (this.announced) return;
    this.announced = true;
    if (res.writeHead === this.ownWriteHead) return;
    this.announcing = true;
    try {
      res.writeHead(res.statusCode);
    } finally {
      this.announcing = false;
    }
  }

  /** The handler believes that the head is out; frameworks ask before they answer a second time. */
  private markHeaded(): void {
    this.announce();
    this.headed = true;
    Object.defineProperty(this.res, "headersSent", { value: true, configurable: true });
  }

  private headSettles(): boolean {
    // What was shaped ahead of its bytes is not shaped again.
    if (this.prepared !== undefined) return false;
    this.announce();
    this.theirs = this.pairs();
    return this.exchange.headSettles({ status: this.res.statusCode, headers: this.theirs });
  }

  /** Libraries that call `OutgoingMessage.prototype.setHeader` go around the guard's own: what they set is the handler's like any other. */
  private adopt(): void {
    const { res, native } = this;
    const names = native.getHeaderNames.call(res);
    if (names.length === 0) return;
    const { argument } = this;
    const fields = (this.fields ??= new HandlerFields());
    for (const name of names) {
      const value = native.getHeader.call(res, name);
      if (value !== undefined) fields.set(name, value);
      native.removeHeader.call(res, name);
    }
    this.argument = undefined;
    if (argument !== undefined) fields.merge(argument);
  }

  private pairs(): HeaderField[] {
    this.adopt();
    if (this.headed && this.theirs !== undefined) return this.theirs;
    if (this.fields !== undefined) return this.fields.pairs();
    return this.argument === undefined ? [] : pairsOfArgument(this.argument);
  }

  private checkStatus(status: number): void {
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw coded(new RangeError(`invalid status code: ${String(status)}`), "ERR_HTTP_INVALID_STATUS_CODE");
    }
  }

  /**
   * The head goes out, or the answer is replaced as a whole.
   * @param length of the whole body, where it is known already
   */
  private start(length: number | undefined): void {
    const { res } = this;
    if (this.refuses()) return;
    this.announce();
    if (this.isInterim()) return;
    const theirs = this.pairs();
    if (length !== undefined && !isFramed(theirs) && mayHaveBody(res, res.statusCode)) {
      theirs.push(["Content-Length", String(length)]);
    }
    const shaped = this.shape({ status: res.statusCode, headers: theirs });
    if (shaped.body !== undefined) return this.sendWhole(shaped);
    const end = promised(shaped.headers);
    if (end === NONSENSE) return this.replace(this.exchange.fail(new Error(MISFRAMED)));
    this.sendHead(shaped.status, unframed(res, shaped.status, shaped.headers, end));
    this.phase = "passing";
    this.due = mayHaveBody(res, shaped.status) ? end : UNSAID;
    this.watched = this.exchange.watchesAnswer;
    this.streaming = this.exchange.streamsEvents;
    if (!this.streaming) return;
    if (this.isFirst) {
      // A queue that is let go of later would be nobody's; one that has begun would never be let go of.
      while (res.writableCorked > 0) res.uncork();
      Object.assign(res, { cork: nothing, uncork: nothing });
    }
    // Events may come much later, and the first that the handler writes may be one that does not leave.
    this.flush();
  }

  /** Node keeps a head until the first bytes of a body. */
  private flush(): void {
    if (this.phase !== "passing") return;
    this.sending = true;
    try {
      this.native.flushHeaders.call(this.res);
    } finally {
      this.sending = false;
    }
  }

  private collect(
    collector: Collector,
    chunk: Chunk,
    encoding: BufferEncoding | undefined,
    done: Done | undefined,
  ): boolean {
    if (!this.headed) this.markHeaded();
    if (!collector.add(chunk, encoding)) this.tooLarge();
    if (done !== undefined) process.nextTick(done);
    return true;
  }

  private tooLarge(): void {
    const error = new Error("the answer is larger than `responseLimit`, and a rule needs the whole of it");
    this.replace(this.exchange.fail(error));
  }

  private finish(body: unknown): void {
    const { res } = this;
    if (this.refuses()) return;
    this.announce();
    if (this.isInterim()) return;
    const headers = this.pairs();
    if (this.prepared?.status === res.statusCode) {
      return this.sendPrepared(this.prepared, body as Chunk | undefined, headers);
    }
    const status = res.statusCode;
    this.sendWhole(this.shape(body === undefined ? { status, headers } : { status, headers, body }));
  }

  private refuses(): boolean {
    if (this.doubt === undefined || this.doubt.unless()) return false;
    this.replace(this.exchange.fail(this.doubt.error));
    return true;
  }

  /** The client would go on waiting, and take the next answer on this connection for the one to this request. */
  private isInterim(): boolean {
    const { statusCode } = this.res;
    this.checkStatus(statusCode);
    if (statusCode >= 200) return false;
    this.replace(this.exchange.fail(new Error(INTERIM)));
    return true;
  }

  private sendPrepared(shaped: ShapedResponse, body: Chunk | undefined, fields: HeaderField[]): void {
    const silent = this.res.req.method === "HEAD";
    if (!isPrepared(shaped, body, fields, silent)) {
      return this.replace(this.exchange.fail(new Error(CHANGED)));
    }
    const headers = this.exchange.rehead(silent ? lengthAs(shaped.headers, fields) : fields);
    this.sendWhole({ status: shaped.status, headers, body });
  }

  /** A fault of the engine's own never lets the handler's answer out. */
  private shape(response: { status: number; headers: HeaderField[]; body?: unknown }): ShapedResponse {
    try {
      return this.exchange.respond(response);
    } catch (error) {
      this.settings.onError(error);
      return this.exchange.fail(error);
    }
  }

  private sendWhole(shaped: ShapedResponse): void {
    const { res } = this;
    const { status } = shaped;
    let { body } = shaped;
    let silent = false;
    let encoding: BufferEncoding = "utf8";
    if (shaped.framed === true) {
      this.sendHead(status, shaped.headers);
      if (!isNodes(this.native.end)) ({ body } = asText(shaped));
      else if (shaped.ascii === true) encoding = "latin1";
    } else {
      const length = body === undefined ? 0 : lengthOf(body, "utf8");
      silent = length === 0 || res.req.method === "HEAD";
      this.sendHead(status, framed(res, shaped, length));
    }
    this.phase = "taken";
    try {
      this.endNatively(silent ? undefined : body, encoding, undefined);
    } catch (error) {
      // Nobody is left who would end it: what the handler still writes is dropped, and the client would wait for ever.
      this.exchange.fail(error);
      this.cut(error);
    }
  }

  private endNatively(chunk: Chunk | undefined, encoding: BufferEncoding, done: Done | undefined): void {
    setTrailer(this.res, this.trailer);
    this.sending = true;
    try {
      endWith(this.res, this.native, chunk, encoding, done);
    } finally {
      this.sending = false;
    }
    if (this.streaming && this.isFirst) this.letGo();
  }

  /** Node's `end` holds all back that is not yet at its turn, and calls `uncork` for it. What others held back is theirs still. */
  private letGo(): void {
    const { res } = this;
    const { uncork } = Object.getPrototypeOf(res) as { readonly uncork: (this: ServerResponse) => void };
    while (res.writableCorked > 0) uncork.call(res);
  }

  private sendHead(status: number, headers: readonly HeaderField[]): void {
    if (this.headed) delete (this.res as { headersSent?: boolean }).headersSent;
    // An answer that replaces the handler's has none of its fields, whichever way they were set.
    for (const name of this.native.getHeaderNames.call(this.res))
      this.native.removeHeader.call(this.res, name);
    this.sending = true;
    try {
      sendHead(this.res, this.native, status, headers, this.exchange.owedFields);
    } finally {
      this.sending = false;
    }
    this.sent = headers;
    this.fields = undefined;
    this.argument = undefined;
  }

  private pass(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    if (this.phase === "taken") {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    if (this.streaming) return this.passEvents(chunk, encoding, done);
    if (this.due >= 0 && !this.account(lengthOf(chunk, encoding))) return false;
    if (this.watched) this.exchange.saw(bytesOf(chunk, encoding));
    return this.native.write.call(this.res, chunk, encoding ?? "utf8", done);
  }

  private passEvents(chunk: Chunk, encoding: BufferEncoding | undefined, done: Done | undefined): boolean {
    const { res } = this;
    const left = this.exchange.event(bytesOf(chunk, encoding));
    if (this.exchange.brokenStream !== undefined) {
      this.cutBehind(left, this.exchange.brokenStream);
      return false;
    }
    if (left !== undefined) return this.writeNatively(left, done);
    if (done !== undefined) process.nextTick(done);
    return !res.writableNeedDrain;
  }

  /** What left its rule is sent before the connection ends. */
  private cutBehind(left: Uint8Array | undefined, error: Error): void {
    if (left === undefined) return this.cut(error);
    this.phase = "taken";
    this.settings.onError(error);
    this.writeNatively(left, () => this.res.destroy());
  }

  private writeNatively(bytes: Uint8Array, done: Done | undefined): boolean {
    this.sending = true;
    try {
      return this.native.write.call(this.res, bytes, "utf8", done);
    } finally {
      this.sending = false;
    }
  }

  private close(
    chunk: Chunk | undefined,
    encoding: BufferEncoding | undefined,
    done: Done | undefined,
  ): void {
    if (this.due >= 0) {
      if (!this.account(chunk === undefined ? 0 : lengthOf(chunk, encoding))) return;
      if (this.due > 0) return this.cut(new Error("the handler wrote less than its Content-Length"));
    }
    if (this.streaming && chunk !== undefined && chunk.length > 0) {
      this.passEvents(chunk, encoding, undefined);
      // A last event that is not ended is none, to a browser too.
      if (this.exchange.brokenStream === undefined) this.endNatively(undefined, "utf8", done);
      return;
    }
    if (this.watched && chunk !== undefined) this.exchange.saw(bytesOf(chunk, encoding));
    this.endNatively(chunk, encoding ?? "utf8", done);
  }

  /** More than was promised would be read as the beginning of the next answer on this connection. */
  private account(bytes: number): boolean {
    this.due -= bytes;
    if (this.due >= 0) return true;
    this.cut(new Error("the handler wrote more than its Content-Length"));
    return false;
  }

  /** Too late for another answer: only the end of the connection tells the client that this one is not whole. */
  private cut(error: unknown): void {
    this.phase = "taken";
    this.settings.onError(error);
    this.res.destroy();
  }

  private whenFinished(done: Done | undefined): void {
    if (done === undefined) return;
    if (this.res.writableFinished) process.nextTick(done);
    else this.res.once("finish", done);
  }
}

function nothing(): void {}
