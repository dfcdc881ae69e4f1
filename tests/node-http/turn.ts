/** What a handler of node:http is to the suites of behaviours. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { guard, type Guard, type HandlerContext } from "@gatehouse/node-http";
import type { ServerStart, StartServer, Turn } from "../servers/suite.js";
import { listen, stop } from "./target.js";

function turnOf(req: IncomingMessage, res: ServerResponse, context: HandlerContext): Turn {
  return {
    method: req.method ?? "",
    target: req.url ?? "",
    field: (name) => req.headers[name]?.toString(),
    body: context.body,
    read: () => text(req),
    answer: (status, fields, body) => {
      for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
      if (typeof body === "object" && !(body instanceof Uint8Array)) context.send(body, { status });
      else res.writeHead(status).end(body);
    },
    stream: (status, fields, chunks) =>
      pipeline(Readable.from(chunks), res.writeHead(status, fields as Record<string, string>)),
    signal: context.signal,
    raw: () => ({ req, res }),
  };
}

export const starting =
  (make: (start: ServerStart, guarded: Guard<IncomingMessage, ServerResponse>) => Server): StartServer =>
  async (start) => {
    const { engine, handler, onError } = start;
    const guarded = guard(engine, (req, res, context) => handler(turnOf(req, res, context)), {
      onError,
      ...(start.onUpgrade === undefined ? {} : { onUpgrade: start.onUpgrade }),
    });
    const server = make(start, guarded);
    return { port: await listen(server), close: () => stop(server) };
  };
