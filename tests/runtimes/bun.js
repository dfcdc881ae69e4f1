import { make } from "./app.js";

const facts = { remoteAddress: (request, server) => server.requestIP(request)?.address };
const upgrade = (request, server) => {
  if (!server.upgrade(request)) throw new Error("no upgrade");
};

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: await make(process.env.MODE, facts, upgrade),
  websocket: { message: (socket, text) => void socket.send(text) },
});
console.log(`port ${server.port}`);
