/**
 * All the ways in which a handler can write, led to one place. The functions are shared by all responses and stand on the response
 * itself: a wrapper's own methods, set before, would hide anything that stood on the prototype.
 */
import { ServerResponse, type OutgoingHttpHeaders } from "node:http";
import { isUint8Array } from "node:util/types";
import type { Exchange } from "@gatehouse/core";
import { bar } from "./bar.js";
import { HandlerFields, type FieldsArgument, type FieldValue } from "./fields.js";
import { coded, headersSent } from "./errors.js";
import { ANSWER, answerOf } from "./guarded.js";
import { Interception, type AnswerSettings } from "./interception.js";
import type { Chunk, Done } from "./wire.js";

interface Guarded extends ServerResponse {
  [ANSWER]?: Interception | undefined;
}

/** From here on the handler's answer is the policy's to shape. Not in observe mode, where nothing on the wire may change. */
export function interceptResponse(
  res: ServerResponse,
  exchange: Exchange,
  settings: AnswerSettings,
): Interception {
  const interception = new Interception(res, exchange, settings);
  interception.ownWriteHead = writeHead;
  interception.ownEnd = end;
  (res as Guarded)[ANSWER] = interception;
  takeOver(res, interception);
  const target = res as unknown as Record<string, unknown>;
  target["writeHead"] = writeHead;
  target["writeHeader"] = writeHead;
  target["_implicitHeader"] = implicitHeader;
  target["flushHeaders"] = flushHeaders;
  target["write"] = write;
  target["end"] = end;
  target["setHeader"] = setHeader;
  target["setHeaders"] = setHeaders;
  target["appendHeader"] = appendHeader;
  target["removeHeader"] = removeHeader;
  target["getHeader"] = getHeader;
  target["getHeaders"] = getHeaders;
  target["getHeaderNames"] = getHeaderNames;
  target["getRawHeaderNames"] = getRawHeaderNames;
  target["hasHeader"] = hasHeader;
  target["addTrailers"] = addTrailers;
  target["writeContinue"] = writeInformation;
  target["writeProcessing"] = writeInformation;
  target["writeEarlyHints"] = writeInformation;
  bar(res, interception);
  // Not every response has these: HTTP/1 knows two of them in newer versions of Node alone.
  if (target["setTrailer"] !== undefined) target["setTrailer"] = setTrailer;
  if (target["writeInformation"] !== undefined) target["writeInformation"] = writeInformation;
  if (target["createPushResponse"] !== undefined) target["createPushResponse"] = createPushResponse;
  return interception;
}

const NODE = ServerResponse.prototype as unknown as Readonly<Record<string, unknown>>;

/**
 * Gives a response of HTTP/1 room for the guard's methods, with the methods in it that it has without a guard. To be called before a
 * framework changes the prototype: behind that, V8 makes a new hidden class for each property that is added to each response.
 * @param from the prototype that the framework will give to the response
 */
export function reserveMethods(res: ServerResponse, from: object): void {
  const target = res as unknown as Record<string, unknown>;
  const methods = from as Readonly<Record<string, unknown>>;
  (res as Guarded)[ANSWER] = undefined;
  // What somebody has put on the response itself stays in front. Written out: a loop's keyed stores would make a dictionary of it.
  if (target["writeHead"] === NODE["writeHead"]) target["writeHead"] = methods["writeHead"];
  if (target["writeHeader"] === NODE["writeHeader"]) target["writeHeader"] = methods["writeHeader"];
  if (target["_implicitHeader"] === NODE["_implicitHeader"])
    target["_implicitHeader"] = methods["_implicitHeader"];
  if (target["_storeHeader"] === NODE["_storeHeader"]) target["_storeHeader"] = methods["_storeHeader"];
  if (target["_writeRaw"] === NODE["_writeRaw"]) target["_writeRaw"] = methods["_writeRaw"];
  if (target["flushHeaders"] === NODE["flushHeaders"]) target["flushHeaders"] = methods["flushHeaders"];
  if (target["write"] === NODE["write"]) target["write"] = methods["write"];
  if (target["end"] === NODE["end"]) target["end"] = methods["end"];
  if (target["setHeader"] === NODE["setHeader"]) target["setHeader"] = methods["setHeader"];
  if (target["setHeaders"] === NODE["setHeaders"]) target["setHeaders"] = methods["setHeaders"];
  if (target["appendHeader"] === NODE["appendHeader"]) target["appendHeader"] = methods["appendHeader"];
  if (target["removeHeader"] === NODE["removeHeader"]) target["removeHeader"] = methods["removeHeader"];
  if (target["getHeader"] === NODE["getHeader"]) target["getHeader"] = methods["getHeader"];
  if (target["getHeaders"] === NODE["getHeaders"]) target["getHeaders"] = methods["getHeaders"];
  if (target["getHeaderNames"] === NODE["getHeaderNames"])
    target["getHeaderNames"] = methods["getHeaderNames"];
  if (target["getRawHeaderNames"] === NODE["getRawHeaderNames"])
    target["getRawHeaderNames"] = methods["getRawHeaderNames"];
  if (target["hasHeader"] === NODE["hasHeader"]) target["hasHeader"] = methods["hasHeader"];
  if (target["addTrailers"] === NODE["addTrailers"]) target["addTrailers"] = methods["addTrailers"];
  if (target["writeContinue"] === NODE["writeContinue"]) target["writeContinue"] = methods["writeContinue"];
  if (target["writeProcessing"] === NODE["writeProcessing"])
    target["writeProcessing"] = methods["writeProcessing"];
  if (target["writeEarlyHints"] === NODE["writeEarlyHints"])
    target["writeEarlyHints"] = methods["writeEarlyHints"];
}

/** Fields that something set before the guard go the same way as the handler's. */
function takeOver(res: ServerResponse, interception: Interception): void {
  const names = res.getHeaderNames();
  if (names.length === 0) return;
  const fields = new HandlerFields();
  for (const name of names) {
    const value = res.getHeader(name);
    if (value !== undefined) fields.set(name, value);
    res.removeHeader(name);
  }
  interception.fields = fields;
}

/** Undefined where the answer is not the policy's to shape: before a decision, and in observe mode. */
export function interceptionOf(res: ServerResponse): Interception | undefined {
  return (res as Guarded)[ANSWER];
}

function settable(answer: Interception, verb: string): HandlerFields {
  if (answer.closedHead) throw headersSent(verb);
  return (answer.fields ??= new HandlerFields());
}

function writeHead(
  this: Guarded,
  status: number,
  reason?: string | FieldsArgument,
  fields?: FieldsArgument,
): Guarded {
  const given = fields ?? (typeof reason === "string" ? undefined : reason) ?? undefined;
  const answer = answerOf(this);
  if (answer.sending) answer.native.writeHead.call(this, status, (given ?? {}) as OutgoingHttpHeaders);
  else if (answer.announcing) answer.heard(status, given);
  else answer.writeHead(status, given);
  return this;
}

/** Not public, but what compression and sessions call where no head has left: under a response rule none has left until the end. */
function implicitHeader(this: Guarded): void {
  const answer = answerOf(this);
  if (answer.sending || !answer.closedHead) this.writeHead(this.statusCode);
}

function flushHeaders(this: Guarded): void {
  answerOf(this).flushHeaders();
}

function write(
  this: Guarded,
  chunk: unknown,
  encoding?: BufferEncoding | Done | null,
  done?: Done | null,
): boolean {
  const callback = typeof encoding === "function" ? encoding : (done ?? undefined);
  const answer = answerOf(this);
  // Node's own method knows what to say of a write after the end.
  if (answer.isOver || answer.sending) {
    return answer.native.write.call(this, chunk, encodingOf(encoding) ?? "utf8", callback);
  }
  return answer.write(chunkOf(chunk), encodingOf(encoding), callback);
}

function end(
  this: Guarded,
  chunk?: unknown,
  encoding?: BufferEncoding | Done | null,
  done?: Done | null,
): Guarded {
  const answer = answerOf(this);
  if (typeof chunk === "function") {
    answer.end(undefined, undefined, chunk as Done);
    return this;
  }
  const callback = typeof encoding === "function" ? encoding : (done ?? undefined);
  if (answer.isOver || answer.sending) {
    answer.native.end.call(this, chunk ?? undefined, encodingOf(encoding), callback);
    return this;
  }
  const last = chunk === undefined || chunk === null ? undefined : chunkOf(chunk);
  answer.end(last, encodingOf(encoding), callback);
  return this;
}

function setHeader(this: Guarded, name: string, value: FieldValue): Guarded {
  const answer = answerOf(this);
  if (answer.sending) answer.native.setHeader.call(this, name, value as string);
  else settable(answer, "set").set(name, value);
  return this;
}

function setHeaders(this: Guarded, fields: Iterable<readonly [string, FieldValue]>): Guarded {
  const cookies: string[] = [];
  for (const [name, value] of fields) {
    // `Headers` gives one entry for each cookie; setting them one by one would keep the last.
    if (name === "set-cookie") cookies.push(...(Array.isArray(value) ? value : [String(value)]));
    else this.setHeader(name, value);
  }
  if (cookies.length > 0) this.setHeader("set-cookie", cookies);
  return this;
}

function appendHeader(this: Guarded, name: string, value: FieldValue): Guarded {
  const answer = answerOf(this);
  if (answer.sending) answer.native.appendHeader.call(this, name, value as string);
  else settable(answer, "append").append(name, value);
  return this;
}

function removeHeader(this: Guarded, name: string): void {
  const answer = answerOf(this);
  if (answer.sending) return answer.native.removeHeader.call(this, name);
  if (answer.closedHead) throw headersSent("remove");
  answer.fields?.remove(name);
  // Node remembers by this that the author does not want the field that it would add by itself.
  answer.native.removeHeader.call(this, name);
}

function getHeader(this: Guarded, name: string): FieldValue | undefined {
  const answer = answerOf(this);
  if (answer.sending) return answer.native.getHeader.call(this, name);
  return fieldsOf(answer)?.get(name);
}

function hasHeader(this: Guarded, name: string): boolean {
  const answer = answerOf(this);
  return answer.sending ? answer.native.hasHeader.call(this, name) : (fieldsOf(answer)?.has(name) ?? false);
}

function getHeaders(this: Guarded): Record<string, FieldValue | undefined> {
  const answer = answerOf(this);
  if (answer.sending) return answer.native.getHeaders.call(this);
  return fieldsOf(answer)?.record() ?? (Object.create(null) as Record<string, FieldValue>);
}

function getHeaderNames(this: Guarded): string[] {
  const answer = answerOf(this);
  return answer.sending ? answer.native.getHeaderNames.call(this) : (fieldsOf(answer)?.names() ?? []);
}

function getRawHeaderNames(this: Guarded): string[] {
  return fieldsOf(answerOf(this))?.rawNames() ?? [];
}

/** Before the head left: the handler's own. After: what went out, which is what a logger wants to see. */
function fieldsOf(answer: Interception): HandlerFields | undefined {
  if (answer.fields !== undefined || answer.sent === undefined) return answer.fields;
  const sent = new HandlerFields();
  for (const [name, value] of answer.sent) sent.append(name, value);
  answer.fields = sent;
  return sent;
}

function addTrailers(this: Guarded, fields: FieldsArgument): void {
  answerOf(this).addTrailers(fields);
}

function setTrailer(this: Guarded, name: string, value: string): void {
  const answer = answerOf(this);
  if (!answer.sending) return answer.addTrailers([[name, value]]);
  // HTTP/2 sets many one by one.
  const { setTrailer: native } = Object.getPrototypeOf(this) as { readonly setTrailer: typeof setTrailer };
  native.call(this, name, value);
}

/** 1xx answers leave before anything was shaped, and early hints carry fields: the guard sends the one that is due, 100, itself. */
function writeInformation(this: Guarded, ...rest: unknown[]): boolean {
  const done = rest.at(-1);
  if (typeof done === "function") process.nextTick(done);
  return false;
}

/** A pushed response would be one that no policy has decided. */
function createPushResponse(this: Guarded, _fields: unknown, done: (error: Error) => void): void {
  process.nextTick(done, new Error("a guarded response pushes no other"));
}

/**
 * Bytes of another realm are bytes to Node too, and HTTP/2's streams take every view: what went to them from here, no rule would have seen.
 * @throws TypeError as Node does
 */
function chunkOf(chunk: unknown): Chunk {
  if (typeof chunk === "string" || isUint8Array(chunk)) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk === null) throw coded(new TypeError("a chunk is null"), "ERR_STREAM_NULL_VALUES");
  throw coded(new TypeError("a chunk is neither text nor bytes"), "ERR_INVALID_ARG_TYPE");
}

function encodingOf(encoding: BufferEncoding | Done | null | undefined): BufferEncoding | undefined {
  return typeof encoding === "string" ? encoding : undefined;
}
