/** An admitted request on its way into express: what was validated is what handlers read. */
import type { HandlerContext } from "@gatehouse/node-http";
import { takeJson } from "./answers.js";
import type { Binding } from "./binding.js";
import type { ExpressRequest, ExpressResponse } from "./express.js";
import { markDecided } from "./passes.js";
import { isTarget, originOf } from "./target.js";

/** Members that body parsers look at before they read: of version 1, of version 2. */
interface Parsed {
  _body?: boolean;
  readable?: boolean;
}

export function handOn(
  req: ExpressRequest,
  res: ExpressResponse,
  context: HandlerContext,
  binding: Binding,
): void {
  req.gatehouse = context;
  req.principal = context.principal;
  if (context.exchange.observing) return;
  const { decision, bodyRead, exchange } = context;
  // Express 5 has a getter there, which parses again with each read.
  if (decision.queryValidated) define(req, "query", decision.query);
  if (bodyRead) Object.assign(req as Parsed, { _body: true, readable: false });
  if (exchange.writesJson) takeJson(res, context);
  markDecided(req, binding.decided(req, context));
}

function define(req: ExpressRequest, name: string, value: unknown): void {
  Object.defineProperty(req, name, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * Something in front of the guard changed what express will route: the policy would decide another request than the handler gets.
 * @throws Error for the operator
 */
export function refuseRewritten(req: ExpressRequest): void {
  const { originalUrl = "", method } = req;
  const { originalMethod = method } = req as { originalMethod?: string };
  if (originalMethod === method && isTarget(req, originalUrl, originOf(originalUrl))) return;
  throw new Error(
    "`req.url` or `req.method` was changed in front of the guard, which decides the request as it was sent: " +
      "put the guard first, and redirect instead of rewriting",
  );
}
