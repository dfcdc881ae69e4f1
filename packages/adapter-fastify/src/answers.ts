/**
 * A handler's answer, shaped between fastify's hooks: as a value where it is one, and in any case before hooks that compress it or
 * fingerprint it. Whatever does not come this way meets the policy where bytes leave.
 */
import { STATUS_CODES, type ServerResponse } from "node:http";
import type { ShapedResponse } from "@gatehouse/core";
import { interceptionOf, type Interception } from "@gatehouse/node-http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { collect, isStream } from "./collect.js";
import {
  hasResponseSchema,
  internal,
  isAloneOnTheWay,
  isAloneWithText,
  serializerOf,
  sharedSerializerOf,
  takeFields,
} from "./internals.js";

type Next = (error: Error | null, payload?: unknown) => void;
type Serializer = (value: unknown) => string;

/** An error that fastify caught. */
interface Failure {
  readonly error: unknown;
  /** The text that is on its way was an object: an error handler of the application's made it. */
  ofTheApplication: boolean;
}

const FAILURES = new WeakMap<ServerResponse, Failure>();
const OURS = new WeakSet<object>();

/** Before serialization. Other hooks may still change the value, so it is shaped where it becomes text. */
export function shapeValue(request: FastifyRequest, reply: FastifyReply, value: unknown, next: Next): void {
  const answer = interceptionOf(reply.raw);
  const failure = FAILURES.get(reply.raw);
  if (failure !== undefined) failure.ofTheApplication = true;
  if (answer !== undefined) {
    if (isDefault404(request, value)) {
      serializeBy(reply, () => adopt(reply, answer.prepareFailure(undefined, 404)) as string);
    } else if (answer.exchange.writesJson && isPlain(request, reply)) {
      if (failure === undefined && isAloneOnTheWay(request, reply) && hasPlainHead(reply, answer)) {
        return conclude(reply, answer, valueOf(value));
      }
      serializeBy(reply, (last) => adopt(reply, prepare(reply, answer, valueOf(last))) as string);
    }
  }
  next(null, value);
}

/** Before the wire: what was text from the beginning, or came out of a serializer of the application's. */
export function shapeText(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  next: Next,
): unknown {
  const { raw, statusCode } = reply;
  const answer = interceptionOf(raw);
  const failure = FAILURES.get(raw);
  if (answer === undefined) {
    if (failure !== undefined && statusCode >= 500)
      request.gatehouse?.exchange.fail(failure.error, statusCode);
  } else if (!answer.isPrepared && answer.phase === "open") {
    if (failure !== undefined && (isFallback(reply) || isFrameworks(failure, payload, statusCode))) {
      return next(null, adopt(reply, answer.prepareFailure(failure.error, statusCode)));
    }
    if (failure !== undefined) {
      failure.ofTheApplication = false;
      answer.vouch();
    }
    if (answer.ruled) {
      if (typeof payload === "string" || payload instanceof Uint8Array) {
        if (failure === undefined && isAloneWithText(request, reply) && hasPlainHead(reply, answer)) {
          return conclude(reply, answer, payload);
        }
        return next(null, adopt(reply, prepare(reply, answer, payload)));
      }
      if (
        isStream(payload) &&
        request.raw.method !== "HEAD" &&
        !answer.settles(statusCode, reply.getHeaders())
      ) {
        // fastify waits for a promise where `next` was not called.
        return collect(payload, answer.settings.responseLimit, raw).then((bytes) =>
          adopt(reply, prepare(reply, answer, bytes)),
        );
      }
    }
  }
  return next(null, payload);
}

/** Before any error handler. */
export function noteError(
  _request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  next: () => void,
): void {
  FAILURES.set(reply.raw, { error, ofTheApplication: false });
  interceptionOf(reply.raw)?.distrust(error, () => reply.sent);
  // What the error handler sends is another answer, perhaps text.
  if (OURS.has((serializerOf(reply) as Serializer | null | undefined) ?? NONE))
    reply.serializer(null as unknown as Serializer);
  next();
}

const NONE: Serializer = () => "";
/** Statuses whose answers have no content, or that fastify treats by itself. */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 304]);

/**
 * Where nobody waits for text or fields between here and the wire, an answer with such a head is shaped and sent in one go. Otherwise its
 * fields would go from the policy to fastify, one by one, and back.
 */
function hasPlainHead({ raw }: FastifyReply, answer: Interception): boolean {
  const { statusCode } = raw;
  return (
    answer.isUnwrapped &&
    !answer.closedHead &&
    raw.req.method !== "HEAD" &&
    statusCode >= 200 &&
    !WITHOUT_CONTENT.has(statusCode)
  );
}

/**
 * fastify is not told to go on: it finds the reply sent. The handler's own fields are taken off it, or they would stand over what the
 * response says was sent.
 */
function conclude(reply: FastifyReply, answer: Interception, body: unknown): void {
  answer.send(body, reply.statusCode, takeFields(reply));
}

function prepare(reply: FastifyReply, answer: Interception, body: unknown): ShapedResponse {
  return answer.prepare(body, reply.statusCode, reply.getHeaders());
}

/** From here on the reply says what was shaped: hooks that ask it for fields or status see that. */
function adopt(reply: FastifyReply, { status, headers, body }: ShapedResponse): string | Buffer {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), value]);
  for (const [name, all] of values) {
    // fastify counts by itself, after the hooks that are still to come.
    if (name.toLowerCase() !== "content-length") reply.header(name, all.length === 1 ? all[0] : all);
  }
  reply.code(status);
  if (body === undefined || typeof body === "string") return body ?? "";
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function serializeBy(reply: FastifyReply, serializer: Serializer): void {
  OURS.add(serializer);
  reply.serializer(serializer);
}

/** `JSON.stringify` would write it: no serializer of the application's, which may cut too, has a say. */
function isPlain(request: FastifyRequest, reply: FastifyReply): boolean {
  const own = serializerOf(reply) as Serializer | null | undefined;
  if (own !== undefined && own !== null) return OURS.has(own);
  const shared = sharedSerializerOf(reply.server);
  if (shared !== undefined && shared !== null) return false;
  return !hasResponseSchema(request);
}

/** Text and bytes stand for themselves where the policy reads them; here they are values like any other. */
function valueOf(value: unknown): unknown {
  return typeof value === "string" || value instanceof Uint8Array ? JSON.stringify(value) : value;
}

/** It repeats the path that was asked for. */
function isDefault404(request: FastifyRequest, value: unknown): boolean {
  if (!request.is404 || typeof value !== "object" || value === null) return false;
  const { message } = value as { readonly message?: unknown };
  return message === `Route ${request.raw.method ?? ""}:${request.raw.url ?? ""} not found`;
}

/** No error handler is left: fastify itself made this text, also behind an object of the application's that did not get through. */
function isFallback(reply: FastifyReply): boolean {
  return internal(reply, "fastify.reply.nextErrorHandler") === false;
}

const MEMBERS: readonly string[] = ["statusCode", "code", "error", "message"];

/** A 5xx, whoever wrote it, or what fastify itself makes of an error: it repeats the error's message. */
function isFrameworks({ ofTheApplication }: Failure, payload: unknown, status: number): boolean {
  if (status >= 500) return true;
  if (ofTheApplication || typeof payload !== "string" || status < 400) return false;
  try {
    const body = JSON.parse(payload) as Readonly<Record<string, unknown>> | null;
    if (body?.["statusCode"] !== status || body["error"] !== STATUS_CODES[status]) return false;
    return Object.keys(body).every((name) => MEMBERS.includes(name));
  } catch {
    return false;
  }
}
