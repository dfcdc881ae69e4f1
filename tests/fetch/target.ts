/** Fetch servers as the conformance cases meet them: hono, and the guard alone, on Node's own server. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { Server } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { createEngine } from "@gatehouse/core";
import { rawAnswer, type CaseAnswer, type SocketTarget, type TargetStart } from "@gatehouse/core/conformance";
import {
  gatehouse,
  guard,
  type GatehouseVariables,
  type GuardOptions,
  type HandlerContext,
} from "@gatehouse/fetch";
import { Hono } from "hono";
import { listen, stop } from "../node-http/target.js";

export type FetchHandler = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** What Node's server can tell beside the Request. */
export const NODE: GuardOptions<[env: HttpBindings]> = {
  remoteAddress: (_request, { incoming }) => incoming.socket.remoteAddress,
  encrypted: (_request, { incoming }) => (incoming.socket as { encrypted?: boolean }).encrypted === true,
};

/** How a handler may write the same answer. */
export type Way = "send" | "json" | "pieces";
/**
 * Who stands between the server and the handler: the guard alone or in hono on hono's own server for Node, or the guard on a server
 * that tells it the target as it was sent.
 */
export type Door = "guard" | "hono" | "told";

export function fetchTarget(door: Door, way: Way): SocketTarget {
  return {
    name: `fetch: ${door}, answered by ${way}`,
    lacks: [
      ...(door === "told" ? [] : (["target", "hosts", "expectations"] as const)),
      "duplicates",
      "client-certificates",
      "http1.0",
      ...(way === "send" ? [] : (["objects"] as const)),
    ],
    start: (options) => start(options, door, way),
  };
}

type Serving = Awaited<ReturnType<SocketTarget["start"]>>;

async function start(
  { policy, engineOptions, answer, tls }: TargetStart,
  door: Door,
  way: Way,
): Promise<Serving> {
  const engine = await createEngine(policy, engineOptions);
  const respond = (context: HandlerContext): Response => write(context, answer(context.decision), way);
  let fetch: FetchHandler;
  if (door === "hono") {
    const app = new Hono<{ Bindings: HttpBindings; Variables: GatehouseVariables }>();
    app.use(
      gatehouse(engine, {
        remoteAddress: (_request, c) => (c.env as HttpBindings).incoming.socket.remoteAddress,
        encrypted: (_request, c) =>
          ((c.env as HttpBindings).incoming.socket as { encrypted?: boolean }).encrypted === true,
      }),
    );
    app.all("*", (c) => respond(c.get("gatehouse")));
    app.onError((error, c) => c.text(error.message, 500));
    fetch = (request, env) => app.fetch(request, env);
  } else {
    const target = (_request: Request, env: HttpBindings): string => env.incoming.url ?? "";
    fetch = guard(
      engine,
      (_request, context) => respond(context),
      door === "told" ? { ...NODE, target } : NODE,
    );
  }
  const open = door === "told" ? bridged : serve;
  const plain = open(fetch, undefined);
  const secure = tls === undefined ? undefined : open(fetch, tls);
  const port = await listen(plain);
  const tlsPort = secure === undefined ? undefined : await listen(secure);
  return {
    port,
    ...(tlsPort === undefined ? {} : { tlsPort }),
    close: async () => {
      await Promise.all([stop(plain), ...(secure === undefined ? [] : [stop(secure)])]);
      await engine.close();
    },
  };
}

export function serve(fetch: FetchHandler, tls: TargetStart["tls"]): Server {
  const handler = (request: Request, env: unknown): Response | Promise<Response> =>
    fetch(request, env as HttpBindings);
  return createAdaptorServer(
    tls === undefined
      ? { fetch: handler, createServer }
      : { fetch: handler, createServer: createHttps, serverOptions: { ...tls } },
  );
}

/**
 * A server of one origin, as many are behind a proxy: Host is in the fields alone. What Node would answer by itself is handed on.
 */
function bridged(fetch: FetchHandler, tls: TargetStart["tls"]): Server {
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    void Promise.resolve(fetch(requestOf(incoming, outgoing), { incoming, outgoing })).then((response) =>
      sendNatively(response, outgoing),
    );
  };
  const server =
    tls === undefined
      ? createServer({ requireHostHeader: false }, listener)
      : createHttps({ ...tls, requireHostHeader: false }, listener);
  return server.on("checkExpectation", listener);
}

function requestOf(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  for (let at = 0; at < raw.length; at += 2) headers.append(raw[at] ?? "", raw[at + 1] ?? "");
  const { method = "GET", url = "" } = incoming;
  const left = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) left.abort();
  });
  const path = /^https?:\/\//i.test(url) ? new URL(url).pathname + new URL(url).search : url;
  const bodyless = method === "GET" || method === "HEAD" || method === "TRACE";
  const init: RequestInit & { duplex: "half" } = {
    // No Request can be made with TRACE.
    method: method === "TRACE" ? "GET" : method,
    headers,
    body: bodyless ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>),
    duplex: "half",
    signal: left.signal,
  };
  const request = new Request(`http://origin.invalid${path.startsWith("/") ? path : "/"}`, init);
  return method === "TRACE" ? Object.defineProperty(request, "method", { value: method }) : request;
}

async function sendNatively(response: Response, outgoing: ServerResponse): Promise<void> {
  const { status, headers, body } = response;
  const fields: [string, string][] = [];
  headers.forEach((value, name) => fields.push([name, value]));
  outgoing.writeHead(status, fields.flat());
  if (body === null) outgoing.end();
  else await pipeline(body as unknown as AsyncIterable<Uint8Array>, outgoing).catch(() => undefined);
}

function write(context: HandlerContext, answer: CaseAnswer, way: Way): Response {
  if (answer.throws !== undefined) throw new Error(answer.throws);
  const { status, headers, body } = rawAnswer(answer);
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  if (way === "send" && body !== undefined && typeof body !== "string") {
    return context.send(body, { status, headers: fields });
  }
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const empty = text === undefined || [204, 205, 304].includes(status);
  return new Response(empty ? null : way === "pieces" ? inPieces(text) : text, { status, headers: fields });
}

function inPieces(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += 7)));
      else controller.close();
    },
  });
}
