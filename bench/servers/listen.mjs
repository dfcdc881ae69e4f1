// A free port of the loopback. While the others have their turn a connection may wait for longer than Node would keep it.
import { once } from "node:events";

export async function listen(server) {
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
