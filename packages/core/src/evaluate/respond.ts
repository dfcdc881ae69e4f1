/** The handler's answer on its way out: replaced, projected, redacted, encoded, headed. */
import { TARGETED_CACHE_FIELDS } from "../model/cache-fields.js";
import type { BodyOutcome, BodyRule, WrittenJson } from "../model/compiled.js";
import type { Refusal } from "../model/outcome.js";
import type { HeaderField } from "../model/request.js";
import type { RawResponse, ShapedResponse } from "../model/response.js";
import { eventAnswer, type EventAnswer } from "./event-answer.js";
import { EventStream } from "./event-stream.js";
import { mergeHeaders } from "./header-plan.js";
import { lowerCase } from "./lower-case.js";
import { CONCEALED, shapeRefusal } from "./refuse.js";
import type { ExchangeState } from "./state.js";

/**
 * Fields that speak of the handler's own bytes. Under a body rule they would be wrong, or tell of what was cut
 * (an ETag is a fingerprint of the unredacted text).
 */
const OF_THE_OLD_BODY: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "content-encoding",
  "content-range",
  "accept-ranges",
  "etag",
  "last-modified",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "trailer",
]);
const OF_ANY_OLD_BODY: ReadonlySet<string> = new Set([
  ...OF_THE_OLD_BODY,
  "content-type",
  "content-disposition",
]);
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);
const NOTHING: ReadonlySet<string> = new Set();

type Utf8Length = (text: string) => number;

export function shapeAnswer(
  state: ExchangeState,
  response: RawResponse,
  utf8Length: Utf8Length,
): ShapedResponse {
  const { status } = response;
  state.replaced = false;
  state.stream = undefined;
  if (state.route.observe) return observeAnswer(state, response, utf8Length);
  if (status >= 500) {
    return replaced(
      state,
      response.headers,
      { kind: "refusal", code: "handler-failed", status, reason: "the handler answered with a server error" },
      utf8Length,
    );
  }
  if (status === 404 && state.route.conceal) return replaced(state, [], CONCEALED, utf8Length);
  const events = eventAnswer(response, state.route.response);
  if (events !== undefined) return streamed(state, response, events, utf8Length);
  const rule = state.route.response.body;
  if (rule !== undefined && rule.needsBody(status)) return ruled(state, response, rule, utf8Length);
  return unruled(state, response, utf8Length);
}

/**
 * The handler threw, or its framework ends the request. Its headers are gone with it; the error goes to the operator.
 * @param status what the framework understands by it; any but an error's is 500
 */
export function shapeFailure(
  state: ExchangeState,
  error: unknown,
  utf8Length: Utf8Length,
  status = 500,
): ShapedResponse {
  state.error = error;
  const known = Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
  if (known === 404) return replaced(state, [], UNSERVED, utf8Length);
  const refusal: Refusal =
    known < 500
      ? { kind: "refusal", code: "handler-refused", status: known, reason: "the handler refused by an error" }
      : { kind: "refusal", code: "handler-failed", status: known, reason: "the handler threw" };
  return replaced(state, [], refusal, utf8Length);
}

/**
 * The fields of an answer whose body was shaped before, with what was set beside it since. What the policy owes stands over it once
 * more, and what it drops stays out.
 */
export function reheadAnswer(
  state: ExchangeState,
  shaped: readonly HeaderField[],
  theirs: readonly HeaderField[],
): readonly HeaderField[] {
  if (state.route.observe) return theirs;
  const plan = state.route.response.headers;
  if (!state.replaced) return mergeHeaders(plan, theirs, NOTHING, state);
  const own = new Set(shaped.map(([name]) => lowerCase(name)));
  own.delete("vary");
  const beside = theirs.filter(([name]) => {
    const lower = lowerCase(name);
    return !own.has(lower) && !plan.dropped.has(lower) && !TARGETED_CACHE_FIELDS.has(lower);
  });
  return [...beside, ...shaped.filter(([name]) => own.has(lowerCase(name)))];
}

const UNSERVED: Refusal = { kind: "refusal", code: "not-found", reason: "no handler answered" };

/** More came of a body than the policy allows while the handler was reading it. */
export function shapeOverflow(state: ExchangeState, utf8Length: Utf8Length): ShapedResponse {
  return replaced(state, [], OVERFLOW, utf8Length);
}

const OVERFLOW: Refusal = {
  kind: "refusal",
  code: "body-too-large",
  reason: "the handler was reading a body that is larger than `maxBody`",
  close: true,
};

function replaced(
  state: ExchangeState,
  theirs: readonly HeaderField[],
  refusal: Refusal,
  utf8Length: Utf8Length,
): ShapedResponse {
  state.replaced = true;
  const shaped = shapeRefusal(state, refusal, utf8Length);
  const own = new Set(shaped.headers.map(([name]) => lowerCase(name)));
  const kept = theirs.filter(([name]) => {
    const lower = lowerCase(name);
    return (
      lower !== "vary" &&
      !own.has(lower) &&
      !OF_ANY_OLD_BODY.has(lower) &&
      !TARGETED_CACHE_FIELDS.has(lower) &&
      !state.route.response.headers.dropped.has(lower)
    );
  });
  return { status: shaped.status, headers: [...kept, ...shaped.headers], body: shaped.body };
}

function unruled(state: ExchangeState, response: RawResponse, utf8Length: Utf8Length): ShapedResponse {
  const plan = state.route.response.headers;
  const { body, status } = response;
  if (body === undefined || isText(body)) {
    if (state.route.response.readsAnswer && body !== undefined)
      state.answer = valueOf(textOf(body, response.headers));
    return { status, headers: mergeHeaders(plan, response.headers, NOTHING, state), body };
  }
  state.answer = body;
  try {
    return json(state, response, JSON.stringify(body), FRAMING, utf8Length);
  } catch (error) {
    // A cycle, a BigInt, a `toJSON` that throws: the handler's own mistake.
    return shapeFailure(state, error, utf8Length);
  }
}

function ruled(
  state: ExchangeState,
  response: RawResponse,
  rule: BodyRule,
  utf8Length: Utf8Length,
): ShapedResponse {
  const { status, body } = response;
  const bodyless = status === 204 || status === 304;
  if (bodyless || body === undefined || (isText(body) && body.length === 0)) {
    const headers = mergeHeaders(state.route.response.headers, response.headers, OF_THE_OLD_BODY, state);
    // An answer to HEAD without a body says nothing of the one that GET would get.
    if (!bodyless && state.request.method !== "HEAD") headers.push(["Content-Length", "0"]);
    return { status, headers };
  }
  const left = leftOfText(state, rule, response);
  if (left !== undefined) return written(state, response, left, utf8Length);
  const value = judgedOf(response);
  if (value === undefined && rule.readsBody) {
    return withheld(
      state,
      {
        kind: "withheld",
        code: "unreadable-response",
        reason: "a body rule applies and the body cannot be read as JSON",
      },
      utf8Length,
    );
  }
  state.answer = value;
  // What is encoded has to be text once more.
  const whole = state.route.response.encode === undefined ? rule.write?.(value, status, state) : undefined;
  const outcome = whole ?? rule.apply(value, status, state);
  switch (outcome.kind) {
    case "withheld":
      return withheld(state, outcome, utf8Length);
    case "empty": {
      const headers = mergeHeaders(state.route.response.headers, response.headers, OF_ANY_OLD_BODY, state);
      headers.push(["Content-Length", "0"]);
      return { status, headers };
    }
    case "written":
      return written(state, response, outcome.json, utf8Length);
    case "json":
      return json(state, response, JSON.stringify(outcome.value), OF_THE_OLD_BODY, utf8Length);
  }
}

/** The head of a stream whose events leave one by one, or all of one that is there as a whole. */
function streamed(
  state: ExchangeState,
  response: RawResponse,
  events: EventAnswer,
  utf8Length: Utf8Length,
): ShapedResponse {
  const { status, body } = response;
  if (events.kind === "withheld") {
    return withheld(state, { ...events, code: "unreadable-response" }, utf8Length);
  }
  const headers = mergeHeaders(state.route.response.headers, response.headers, OF_THE_OLD_BODY, state);
  const stream = new EventStream(events.rule, status, state);
  if (!isText(body)) {
    state.stream = stream;
    return { status, headers };
  }
  const left = stream.pass(typeof body === "string" ? ENCODER.encode(body) : body) ?? NO_BYTES;
  stream.tell();
  if (stream.broken !== undefined) {
    const reason = stream.broken.message;
    return withheld(state, { kind: "withheld", code: "unreadable-response", reason }, utf8Length);
  }
  headers.push(["Content-Length", String(left.length)]);
  return { status, headers, body: state.request.method === "HEAD" ? undefined : left };
}

const ENCODER = new TextEncoder();
const NO_BYTES = new Uint8Array();

function json(
  state: ExchangeState,
  response: RawResponse,
  text: string | undefined,
  stripped: ReadonlySet<string>,
  utf8Length: Utf8Length,
): ShapedResponse {
  const { encode } = state.route.response;
  // JSON.stringify gives undefined for a function or a symbol: there is nothing to send.
  const written = text ?? "";
  const body = encode === undefined ? written : encode(written);
  return sized(state, response, body, utf8Length(body), stripped, false);
}

function written(
  state: ExchangeState,
  response: RawResponse,
  left: WrittenJson,
  utf8Length: Utf8Length,
): ShapedResponse {
  const ascii = typeof left === "string";
  if (state.route.response.encode === undefined)
    return sized(state, response, left, left.length, OF_THE_OLD_BODY, ascii);
  return json(state, response, ascii ? left : UTF8.decode(left), OF_THE_OLD_BODY, utf8Length);
}

/** @param length of the body, in bytes */
function sized(
  state: ExchangeState,
  response: RawResponse,
  body: string | Uint8Array,
  length: number,
  stripped: ReadonlySet<string>,
  ascii: boolean,
): ShapedResponse {
  const headers = mergeHeaders(state.route.response.headers, response.headers, stripped, state, length);
  const { status } = response;
  if (state.request.method === "HEAD") return { status, headers };
  return { status, headers, body, framed: stripped === OF_THE_OLD_BODY && length !== 0, ascii };
}

function withheld(
  state: ExchangeState,
  outcome: Extract<BodyOutcome, { kind: "withheld" }>,
  utf8Length: Utf8Length,
): ShapedResponse {
  state.report(`response withheld: ${outcome.reason}`);
  return replaced(state, [], { kind: "refusal", code: outcome.code, reason: outcome.reason }, utf8Length);
}

/** Leaves as the handler wrote it; what would have been cut is reported. */
function observeAnswer(state: ExchangeState, response: RawResponse, utf8Length: Utf8Length): ShapedResponse {
  const { status, headers, body } = response;
  const events = eventAnswer(response, state.route.response);
  if (events !== undefined) observeEvents(state, response, events);
  // Of a stream of events the body's own rule has nothing more to say.
  const rule = events === undefined ? state.route.response.body : undefined;
  const text = body === undefined || isText(body);
  const value = judgedOf(response);
  state.answer = value;
  if (rule !== undefined && body !== undefined && rule.needsBody(status)) {
    if (value === undefined && rule.readsBody)
      state.report("the response rule would have withheld a body that is not JSON");
    else {
      const outcome = rule.apply(value, status, state);
      if (outcome.kind === "withheld")
        state.report(`the response rule would have withheld the body: ${outcome.reason}`);
      else if (outcome.kind === "empty" || JSON.stringify(outcome.value) !== JSON.stringify(value)) {
        state.report("the response rule would have cut the body");
      }
    }
  }
  if (text) return { status, headers, body };
  try {
    return { status, headers, body: JSON.stringify(body) };
  } catch (error) {
    return shapeFailure(state, error, utf8Length);
  }
}

function observeEvents(state: ExchangeState, { status, body }: RawResponse, events: EventAnswer): void {
  if (events.kind === "withheld") {
    return state.report(`the response rule would have withheld the body: ${events.reason}`);
  }
  const stream = new EventStream(events.rule, status, state);
  if (!isText(body)) state.stream = stream;
  else {
    stream.pass(typeof body === "string" ? ENCODER.encode(body) : body);
    stream.tell();
  }
}

function isText(body: unknown): body is string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Text that is JSON by its type; undefined when it is another type, compressed, or no text at all. Of a part (206) nothing can be told:
 * what stands in the cut, the digits of a number or one text of a list, would be held to the schema of the whole.
 */
function jsonOf({ status, headers, body }: RawResponse): string | undefined {
  return status === 206 || !isText(body) ? undefined : textOf(body, headers);
}

function textOf(body: string | Uint8Array, headers: readonly HeaderField[]): string | undefined {
  if (!areOfJson(headers)) return undefined;
  if (typeof body === "string") return body;
  try {
    return UTF8.decode(body);
  } catch {
    return undefined;
  }
}

function areOfJson(headers: readonly HeaderField[]): boolean {
  for (const [name, value] of headers) {
    const lower = lowerCase(name);
    if (lower === "content-encoding" && value.toLowerCase() !== "identity") return false;
    if (lower === "content-type" && !isJson(value)) return false;
  }
  return true;
}

/** What a body rule judges; undefined when it cannot be told. */
function judgedOf(response: RawResponse): unknown {
  return isText(response.body) || response.status === 206 ? valueOf(jsonOf(response)) : response.body;
}

/** The value that JSON text stands for; undefined when it is none. */
function valueOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A settlement that reads the answer needs its value, so the text is parsed anyway. */
function leftOfText(
  state: ExchangeState,
  rule: BodyRule,
  { status, headers, body }: RawResponse,
): WrittenJson | undefined {
  if (status === 206 || !isText(body) || rule.applyToText === undefined) return undefined;
  if (state.route.response.readsAnswer || !areOfJson(headers)) return undefined;
  return rule.applyToText(body, status, state);
}

function isJson(contentType: string): boolean {
  const semicolon = contentType.indexOf(";");
  const essence = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return essence === "application/json" || essence.endsWith("+json");
}
