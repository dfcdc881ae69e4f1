/** The behaviours of real servers, on the guard that owns its server and on one that stands in somebody else's listener. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import compression from "compression";
import { guardUpgrade, ownServer } from "@gatehouse/node-http";
import { describeServer } from "../servers/behaviours.js";
import type { ServerStart } from "../servers/suite.js";
import { starting } from "./turn.js";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

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
