/** The behaviours of real servers, on the guard that owns its server and on one that stands in somebody else's listener. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import compression from "compression";
import { guard, guardUpgrade, ownServer, type Guard, type HandlerContext } from "@gatehouse/node-http";
import { describeServer } from "../servers/behaviours.js";
import type { ServerStart, StartServer, Turn } from "../servers/suite.js";
import { listen, stop } from "./target.js";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

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

const starting =
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

/** As a framework calls its middlewares. */
function behindMiddleware(start: ServerStart, guarded: Listener): Listener {
  if (!start.compress) return (req, res) => guarded(req, res);
  const compress = compression({ threshold: 0 });
  return (req, res) => compress(req, res, () => guarded(req, res));
}

describeServer(
  "node:http, the guard owns the server",
  starting((_start, guarded) => guarded.attach(createServer({ requireHostHeader: false }))),
  { compression: "whoever stands before the guard owns the server" },
);

describeServer(
  "node:http, the guard is a middleware",
  starting((start, guarded) => {
    const server = ownServer(createServer({ requireHostHeader: false }, behindMiddleware(start, guarded)));
    if (start.onUpgrade !== undefined) {
      server.on("upgrade", guardUpgrade(start.engine, start.onUpgrade, { onError: start.onError }));
    }
    return server;
  }),
);
