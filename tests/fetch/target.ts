/** Fetch servers as the conformance cases meet them: hono, and the guard alone, on Node's own server. */
import { createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import type { Server } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { createEngine } from "@gatehouse/core";
import { rawAnswer, type CaseAnswer, type SocketTarget, type TargetStart } from "@gatehouse/core/conformance";
import { gatehouse, guard, type GatehouseVariables, type GuardOptions, type HandlerContext } from "@gatehouse/fetch";
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
/** Who stands between the server and the handler. */
export type Door = "guard" | "hono" | "guard, told the target";

export function fetchTarget(door: Door, way: Way): SocketTarget {
  return {
    name: `${door}, answered by ${way}`,
    lacks: [
      ...(door === "guard, told the target" ? [] : (["target"] as const)),
      "duplicates",
      "http1.0",
      ...(way === "send" ? [] : (["objects"] as const)),
    ],
    start: (options) => start(options, door, way),
  };
}

type Serving = Awaited<ReturnType<SocketTarget["start"]>>;

async function start({ policy, engineOptions, answer, tls }: TargetStart, door: Door, way: Way): Promise<Serving> {
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
    const told = door === "guard" ? {} : { target: (_request: Request, env: HttpBindings) => env.incoming.url ?? "" };
    fetch = guard(engine, (_request, context) => respond(context), { ...NODE, ...told });
  }
  const plain = serve(fetch, undefined);
  const secure = tls === undefined ? undefined : serve(fetch, tls);
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
  ) as Server;
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
