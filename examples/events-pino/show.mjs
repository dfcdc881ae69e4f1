// A server whose decisions go to pino, three requests to it, and what pino wrote of them.
import { once } from "node:events";
import { createEngine } from "@gatehouse/core";
import { createServer } from "@gatehouse/node-http";
import pino from "pino";
import { pinoSink } from "./pino-sink.mjs";

const policy = {
  gatehouse: 1,
  name: "notes",
  // For this machine alone.
  transport: { https: "off" },
  limits: { few: { limit: 1, window: "1m", by: "client.ip" } },
  routes: {
    "GET /notes/:id": { authenticate: "none", record: { facts: ["params.id"] } },
    "GET /few": { authenticate: "none", limits: ["few"] },
  },
};

// `base` leaves out process and host, which a container's log says already.
const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
const engine = await createEngine(policy, { sinks: [pinoSink(logger)] });
const server = createServer(engine, (_request, _response, context) => context.send({ ok: true }));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${server.address().port}`;

for (const path of ["/notes/7", "/few", "/few", "/nothing"]) await fetch(origin + path);

server.closeAllConnections();
server.close();
await engine.close();
