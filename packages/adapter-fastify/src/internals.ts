/** What fastify keeps under symbols of its own. Each copy of fastify has its own symbols, so they are found by their descriptions. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Undefined where this fastify keeps no such thing. @param owner whose own property it is, or that of a prototype */
export function internal(owner: object, description: string): unknown {
  for (let one: object | null = owner; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const symbol = symbolOf(one, description);
    if (symbol !== undefined) return (one as Record<symbol, unknown>)[symbol];
  }
  return undefined;
}

/**
 * The same for what each request is asked: the symbol is looked for on the first object, and once more where another copy of fastify made
 * the object.
 */
function reader(description: string): (owner: object) => unknown {
  const symbolFor = finder(description);
  return (owner) => {
    const symbol = symbolFor(owner);
    return symbol === undefined ? undefined : (owner as Record<symbol, unknown>)[symbol];
  };
}

function finder(description: string): (owner: object) => symbol | undefined {
  let symbol: symbol | undefined;
  return (owner) => {
    if (symbol === undefined || !(symbol in owner)) symbol = symbolIn(owner, description) ?? symbol;
    return symbol;
  };
}

function symbolIn(owner: object, description: string): symbol | undefined {
  for (let one: object | null = owner; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const symbol = symbolOf(one, description);
    if (symbol !== undefined) return symbol;
  }
  return undefined;
}

/** A route as fastify keeps it; its hooks are bound copies, and all that there are once the application is ready. */
interface RouteContext {
  readonly config?: { readonly url?: string };
  readonly schema?: { readonly response?: unknown };
  preParsing?: readonly unknown[] | null;
  readonly preSerialization?: readonly unknown[] | null;
  readonly onSend?: readonly unknown[] | null;
}

export const contextOf = reader("fastify.context") as (request: FastifyRequest) => RouteContext | undefined;
const trailersOf = reader("fastify.reply.trailers");
const fieldsFor = finder("fastify.reply.headers");

/** The route's own serializer of this reply, or one that was set for it. */
export const serializerOf = reader("fastify.reply.serializer");
/** That of the whole application. */
export const sharedSerializerOf = reader("fastify.replySerializerDefault");

/** Not by `request.routeOptions`, which makes an object of twelve members with each read. */
export function routeUrlOf(request: FastifyRequest): string | undefined {
  const context = contextOf(request);
  return context === undefined ? request.routeOptions.url : context.config?.url;
}

export function hasResponseSchema(request: FastifyRequest): boolean {
  const { schema }: RouteContext = contextOf(request) ?? request.routeOptions;
  return schema?.response !== undefined;
}

/**
 * True where a plugin that has one hook for each of the two is alone on the way from a handler's value to the wire: nobody else changes
 * the value, sees the text, or adds a trailer to it.
 */
export function isAloneOnTheWay(request: FastifyRequest, reply: FastifyReply): boolean {
  return contextOf(request)?.preSerialization?.length === 1 && isAloneWithText(request, reply);
}

/** The same for what is text already. */
export function isAloneWithText(request: FastifyRequest, reply: FastifyReply): boolean {
  return contextOf(request)?.onSend?.length === 1 && trailersOf(reply) === null;
}

type Fields = Readonly<Record<string, number | string | string[] | undefined>>;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/** The router of fastify's 404, where requests end up that no other knows. */
interface LastRouter {
  defaultRoute: Listener;
  onBadUrl?: unknown;
}

/** @throws Error where this fastify does not show it */
export function lastRouterOf(app: FastifyInstance): LastRouter {
  const { router } = (internal(app, "fastify.404") ?? {}) as { readonly router?: Partial<LastRouter> };
  if (typeof router?.defaultRoute === "function") return router as LastRouter;
  throw new Error("this fastify does not show the router of its 404; use fastify 5.9 or later");
}

/** All fields that were set on a reply and its response. None is left there. */
export function takeFields(reply: FastifyReply): Fields {
  const symbol = fieldsFor(reply);
  if (symbol !== undefined && reply.raw.getHeaderNames().length === 0) {
    const held = reply as unknown as Record<symbol, Fields | undefined>;
    const fields = held[symbol];
    if (fields !== undefined) {
      held[symbol] = {};
      return fields;
    }
  }
  const fields = reply.getHeaders();
  for (const name of Object.keys(fields)) reply.removeHeader(name);
  return fields;
}

function symbolOf(owner: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
}
