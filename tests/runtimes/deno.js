import { make } from "./app.js";

const facts = { remoteAddress: (_request, info) => info.remoteAddr.hostname };
const upgrade = (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
};

Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(`port ${port}`) },
  await make(Deno.env.get("MODE"), facts, upgrade),
);
