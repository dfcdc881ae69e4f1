/** To whom it connects. */
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Client, GoneError } from "./client.js";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function serve(address: string, name: string, port = 0): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${name}`);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return (server.address() as AddressInfo).port;
}

const clientOf = (port: number, addresses: readonly string[]): Client =>
  new Client(
    { https: false, name: "localhost", addresses, port, authority: `localhost:${port}` },
    { deadline: 5000 },
  );

async function ask(client: Client): Promise<string | undefined> {
  const reply = await client.send({ method: "GET", target: "/", headers: [], content: undefined });
  return reply.kind === "answer" ? Buffer.from(reply.answer.body).toString() : undefined;
}

it("takes the first address at which somebody listens, and stays there", async () => {
  const port = await serve("127.0.0.2", "b");
  const client = clientOf(port, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
  expect(await ask(client)).toBe("b");
  expect(await client.localAddress()).toMatch(/^127\./u);
  // Another server, which begins to listen at the address before it.
  await serve("127.0.0.1", "a", port);
  expect(await ask(client)).toBe("b");
  expect(await ask(clientOf(port, ["127.0.0.1", "127.0.0.2"]))).toBe("a");
});

it("tells when nobody listens at any", async () => {
  const port = await serve("127.0.0.1", "a");
  await expect(ask(clientOf(port, ["127.0.0.2", "127.0.0.3"]))).rejects.toThrow(GoneError);
});
