import { make } from "./app.js";

// On the edge it is Cloudflare that writes this field, and takes out a caller's.
const facts = { remoteAddress: (request) => request.headers.get("CF-Connecting-IP") ?? "127.0.0.1" };
const upgrade = () => {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.addEventListener("message", ({ data }) => server.send(data));
  return new Response(null, { status: 101, webSocket: client });
};

// Nothing random and no timer may be had before the first request.
let ready;

export default {
  async fetch(request, env, context) {
    ready ??= make(env.MODE, facts, upgrade);
    return (await ready)(request, env, context);
  },
};
