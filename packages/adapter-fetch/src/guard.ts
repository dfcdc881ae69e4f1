/** The guard of a server that turns a Request into a Response. */
import type { Engine } from "@gatehouse/core";
import type { HandlerContext } from "./context.js";
import { Doors } from "./doors.js";
import type { GuardOptions } from "./options.js";

/**
 * Runs only for requests that the policy admits. A throw or a rejection becomes the shaped 500.
 * Where the request asks for an upgrade it may return nothing, as Bun's handlers do after `server.upgrade(request)`.
 */
export type Handler<Rest extends readonly unknown[]> = (
  request: Request,
  context: HandlerContext,
  ...rest: Rest
) => Response | undefined | Promise<Response | undefined>;

/**
 * Guards a fetch handler: `Bun.serve({ fetch: guard(engine, handler) })`, `Deno.serve(guard(engine, handler))`,
 * `export default { fetch: guard(engine, handler) }`. What the server hands over beside the Request reaches handler and options.
 * @throws TypeError for a wrong option
 * @throws PolicyError when the policy reads the peer's address and `remoteAddress` is missing
 */
export function guard<Rest extends readonly unknown[] = readonly unknown[]>(
  engine: Engine,
  handler: Handler<Rest>,
  options: GuardOptions<Rest> = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const doors = new Doors(engine, options);
  return (request, ...rest) =>
    doors.pass(request, rest, (handed, context) => handler(handed, context, ...rest));
}
