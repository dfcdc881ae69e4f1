/** Where the engine has read the body, its parse is the handler's: fastify's parsers, which stay as they are, do not run. */
import type { HandlerContext } from "@gatehouse/node-http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { contextOf } from "./internals.js";

/** True while fastify asks whether to parse. A member that every request is made with: one that comes and goes makes each request a slow one. */
const SKIPPING = Symbol("gatehouse.skipping");

interface Skipping extends FastifyRequest {
  [SKIPPING]?: boolean;
}

/** fastify parses by the method, and leaves the content of one that it does not know alone. That one question gets no answer; all others do. */
export function hideMethods(app: FastifyInstance): void {
  app.decorateRequest(SKIPPING, false);
  app.decorateRequest("method", {
    getter(this: Skipping) {
      if (this[SKIPPING] !== true) return this.raw.method as string;
      this[SKIPPING] = false;
      return "";
    },
  });
}

/**
 * Puts our hook behind all others that come before parsing: what asks for the method next is fastify. Routes of which no body was read are
 * left without one. Hooks that are running go on as they began.
 * @throws Error where this fastify does not show where they stand: its parsers would wait for what has been read
 */
export function skipParsers(request: FastifyRequest): void {
  if (!wasRead(request)) return;
  const context = contextOf(request);
  if (context === undefined)
    throw new Error("this fastify does not show its hooks; use fastify 5.9 or later");
  const { preParsing } = context;
  if (preParsing?.at(-1) !== giveBody) context.preParsing = [...(preParsing ?? []), giveBody];
}

function giveBody(request: Skipping, _reply: FastifyReply, _payload: unknown, next: () => void): void {
  if (!wasRead(request)) return next();
  request.body = request.gatehouse.body;
  request[SKIPPING] = true;
  next();
  // An answer that was sent meanwhile ends it before the question.
  request[SKIPPING] = false;
}

function wasRead({ gatehouse }: { readonly gatehouse: HandlerContext }): boolean {
  return gatehouse.bodyRead && !gatehouse.exchange.observing;
}
