/** Where the engine has read the body, its parse is the handler's: fastify's parsers, which stay as they are, do not run. */
import type { HandlerContext } from "@gatehouse/node-http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** True while the parsers' turn passes. A member that every request is made with: one that comes and goes makes each request a slow one. */
const SKIPPING = Symbol("gatehouse.skipping");

interface Skipping extends FastifyRequest {
  [SKIPPING]?: boolean;
}

/** fastify parses by the method, and leaves the content of one that it does not know alone. */
export function hideMethods(app: FastifyInstance): void {
  app.decorateRequest(SKIPPING, false);
  app.decorateRequest("method", {
    getter(this: Skipping) {
      return this[SKIPPING] === true ? "" : (this.raw.method as string);
    },
  });
}

export function skipParsers(
  request: FastifyRequest,
  _reply: FastifyReply,
  _payload: unknown,
  next: () => void,
): void {
  if (wasRead(request)) (request as Skipping)[SKIPPING] = true;
  next();
}

/** Before fastify's own validation, which sees the engine's parse as it would see its own parser's. */
export function giveBody(request: FastifyRequest, _reply: FastifyReply, next: () => void): void {
  if (wasRead(request)) {
    (request as Skipping)[SKIPPING] = false;
    request.body = request.gatehouse.body;
  }
  next();
}

/** For what answers before the parsers' turn has passed. */
export function restoreMethod(request: FastifyRequest): void {
  if ((request as Skipping)[SKIPPING] === true) (request as Skipping)[SKIPPING] = false;
}

function wasRead({ gatehouse }: { readonly gatehouse: HandlerContext }): boolean {
  return gatehouse.bodyRead && !gatehouse.exchange.observing;
}
