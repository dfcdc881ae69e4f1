// A free port of the loopback. While the others have their turn a connection waits for longer than Node's timeouts allow,
// those for the first request on it included.
import { once } from "node:events";

export async function listen(server) {
  patient(server).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

export function patient(server) {
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  return server;
}
