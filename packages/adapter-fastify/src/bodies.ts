/** Where the engine has read the body, its parse is the handler's: fastify's parsers, which stay as they are, do not run. */
import type { HandlerContext } from "@gatehouse/node-http";
import type { FastifyReply, FastifyRequest } from "fastify";

/** fastify parses by the method, and leaves the content of one that it does not know alone. */
export function skipParsers(
  request: FastifyRequest,
  _reply: FastifyReply,
  _payload: unknown,
  next: () => void,
): void {
  if (wasRead(request)) Object.defineProperty(request, "method", { value: "", configurable: true });
  next();
}

/** Before fastify's own validation, which sees the engine's parse as it would see its own parser's. */
export function giveBody(request: FastifyRequest, _reply: FastifyReply, next: () => void): void {
  if (wasRead(request)) {
    Reflect.deleteProperty(request, "method");
    request.body = request.gatehouse.body;
  }
  next();
}

/** For what answers before the parsers' turn has passed. */
export function restoreMethod(request: FastifyRequest): void {
  if (Object.hasOwn(request, "method")) Reflect.deleteProperty(request, "method");
}

function wasRead({ gatehouse }: { readonly gatehouse: HandlerContext }): boolean {
  return gatehouse.bodyRead && !gatehouse.exchange.observing;
}
