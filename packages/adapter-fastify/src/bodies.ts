/** Where the engine has read the body, its parse is the handler's: fastify's parsers, which stay as they are, do not run. */
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Requests whose body the engine has read. */
const READ = new WeakSet<IncomingMessage>();

export function markRead(req: IncomingMessage): void {
  READ.add(req);
}

/** fastify parses by the method, and leaves the content of one that it does not know alone. */
export function skipParsers(
  request: FastifyRequest,
  _reply: FastifyReply,
  _payload: unknown,
  next: () => void,
): void {
  if (READ.has(request.raw)) Object.defineProperty(request, "method", { value: "", configurable: true });
  next();
}

/** Before fastify's own validation, which sees the parse as it would see its own parser's. */
export function giveBody(request: FastifyRequest, _reply: FastifyReply, next: () => void): void {
  if (READ.has(request.raw)) {
    Reflect.deleteProperty(request, "method");
    request.body = request.gatehouse.body;
  }
  next();
}
