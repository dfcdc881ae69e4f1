/** What a handler of express is to the suites of behaviours. */
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import compression from "compression";
import type { Request, Response } from "express";
import { gatehouse, guardUpgrade, ownServer } from "@gatehouse/express";
import { listen, stop } from "../node-http/target.js";
import type { StartServer, Turn } from "../servers/suite.js";
import type { Factory } from "./versions.js";

export function starting(express: Factory): StartServer {
  return async ({ engine, handler, onError, onUpgrade, compress }) => {
    const app = express();
    if (compress) app.use(compression({ threshold: 0 }));
    app.use(gatehouse(engine, { onError, inventory: "off" }));
    // Express 4 does not wait for a handler: what it rejects with is handed on by hand.
    app.use((req, res, next) => void run(() => handler(turnOf(req, res)), next));
    const server = ownServer(createServer({ requireHostHeader: false }, app));
    if (onUpgrade !== undefined) server.on("upgrade", guardUpgrade(engine, onUpgrade, { onError }));
    return { port: await listen(server), close: () => stop(server) };
  };
}

async function run(handler: () => unknown, next: (error: unknown) => void): Promise<void> {
  try {
    await handler();
  } catch (error) {
    next(error);
  }
}

function turnOf(req: Request, res: Response): Turn {
  return {
    method: req.method,
    target: req.originalUrl,
    field: (name) => req.get(name),
    body: req.body as unknown,
    read: () => text(req),
    answer: (status, fields, body) => {
      res.status(status).set(fields as Record<string, string>);
      if (typeof body === "object" && !(body instanceof Uint8Array)) res.json(body);
      else if (body === undefined) res.end();
      else res.send(Buffer.from(body as string));
    },
    stream: (status, fields, chunks) => {
      res.status(status).set(fields as Record<string, string>);
      return new Promise((resolve, reject) => {
        const source = Readable.from(chunks);
        source.on("error", reject);
        res.on("close", resolve);
        source.pipe(res, { end: false });
        // What the end throws that a pipe calls by itself can be caught by nobody: trailers announced where there is no body.
        source.on("end", () => void run(() => res.end(), reject));
      });
    },
    signal: req.gatehouse?.signal ?? AbortSignal.abort(),
    raw: () => ({ req, res }),
  };
}
