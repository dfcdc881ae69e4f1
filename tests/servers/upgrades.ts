/** A request to upgrade is decided before anybody can honour it, whether or not somebody listens for upgrades. */
import type { UpgradeHandler } from "@gatehouse/node-http";
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf } from "./wire.js";

const POLICY = policyOf({ "GET /open": {}, "GET /socket": { upgrade: "websocket" } });
const HANDSHAKE = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13";
const ok = (turn: Turn): unknown => turn.answer(200, {}, "ok");
const accept: UpgradeHandler = (_req, socket, head, context) => {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n${String(context.route)}${head.toString()}`,
  );
  socket.on("data", (bytes: Buffer) => void socket.write(bytes)).on("end", () => void socket.end());
};

export function describeUpgrades({ serve, it }: Suite): void {
  for (const { listener, options } of [
    { listener: "nobody listens", options: {} },
    { listener: "somebody listens", options: { onUpgrade: accept } },
  ]) {
    it(
      `B2.34: one that no route allows is refused: ${listener}`,
      async () => {
        const ran: string[] = [];
        const served = await serve(POLICY, (turn) => void ran.push(turn.target), options);
        const answer = await ask(served, `GET /open HTTP/1.1\n${HANDSHAKE}`);
        expect([answer.status, JSON.parse(answer.text).code, ran]).toEqual([403, "upgrade-refused", []]);
        expect(await served.event()).toMatchObject({ outcome: "refuse", status: 403 });
      },
      listener === "somebody listens" ? "upgrade" : undefined,
    );
  }

  it("an allowed one that nobody takes is 501, and no handler answers it as a GET", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn) => {
      ran.push(turn.target);
      return ok(turn);
    });
    expect((await ask(served, `GET /socket HTTP/1.1\n${HANDSHAKE}`)).status).toBe(501);
    expect(ran).toEqual([]);
  });

  it(
    "an allowed one is handed on, and its exchange lasts as long as the connection",
    async () => {
      const served = await serve(POLICY, ok, { onUpgrade: accept });
      const wire = await served.connect();
      wire.send(`GET /socket HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\n`);
      await wire.until("GET /socket");
      wire.send("ping");
      await wire.until("ping");
      expect(served.events).toEqual([]);
      wire.socket.destroy();
      expect(await served.event()).toMatchObject({ outcome: "admit", route: "GET /socket", status: 101 });
    },
    "upgrade",
  );

  it(
    "B2.35: h2c is never honoured, and content never becomes the socket's",
    async () => {
      const served = await serve(POLICY, ok, { onUpgrade: accept });
      const h2c = "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__";
      expect((await ask(served, `GET /socket HTTP/1.1\n${h2c}`)).status).toBe(403);
      const content = await ask(served, `GET /socket HTTP/1.1\n${HANDSHAKE}\nContent-Length: 5`, "hello");
      expect([content.status, JSON.parse(content.text).code]).toEqual([400, "unexpected-body"]);
    },
    "upgrade",
  );
}
