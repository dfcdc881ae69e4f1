/** What a handler of fetch is to the suites of behaviours, in hono and through the guard alone. */
import type { HttpBindings } from "@hono/node-server";
import { gatehouse, guard, type GatehouseVariables, type HandlerContext } from "@gatehouse/fetch";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { listen, stop } from "../node-http/target.js";
import type { Fields, ServerStart, StartServer, Turn } from "../servers/suite.js";
import { serve, type FetchHandler } from "./target.js";

function turnOf(request: Request, context: HandlerContext): Turn {
  return {
    method: request.method,
    target: request.url,
    field: (name) => request.headers.get(name) ?? undefined,
    body: context.body,
    read: () => request.text(),
    answer: (status, fields, body) => {
      const headers = headersOf(fields);
      if (typeof body === "object" && !(body instanceof Uint8Array))
        return context.send(body, { status, headers });
      return new Response(body as string | undefined, { status, headers });
    },
    stream: (status, fields, chunks) =>
      new Response(streamOf(chunks), { status, headers: headersOf(fields) }),
    signal: context.signal,
    raw: () => {
      throw new Error("a fetch handler has no way to the server's own response");
    },
  };
}

function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields))
    for (const one of [value].flat()) headers.append(name, one);
  return headers;
}

function streamOf(chunks: AsyncIterable<string | Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else
        controller.enqueue(
          typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value),
        );
    },
  });
}

const starting =
  (make: (start: ServerStart) => FetchHandler): StartServer =>
  async (start) => {
    const server = serve(make(start), undefined);
    return { port: await listen(server), close: () => stop(server) };
  };

export const inHono = starting(({ engine, handler, onError, compress: compressing }) => {
  const app = new Hono<{ Bindings: HttpBindings; Variables: GatehouseVariables }>();
  if (compressing) app.use(compress({ threshold: 0 }));
  app.use(gatehouse(engine, { onError }));
  app.all("*", async (c) => (await handler(turnOf(c.req.raw, c.get("gatehouse")))) as Response);
  return (request, env) => app.fetch(request, env);
});

export const alone = starting(({ engine, handler, onError }) =>
  guard(engine, async (request, context) => (await handler(turnOf(request, context))) as Response, {
    onError,
  }),
);
