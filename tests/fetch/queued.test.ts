/** Requests that wait behind another on their connection, on hono's server for Node: it tells of their client's end by nothing at all. */
import { once } from "node:events";
import { describe, expect } from "vitest";
import { suiteOf } from "../servers/suite.js";
import { ask, policyOf } from "../servers/wire.js";
import { alone, inHono } from "./turn.js";

const POLICY = policyOf(
  { "GET /slow": {}, "GET /": { limits: ["slots"] } },
  { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
);
const QUICK = "GET / HTTP/1.1\nX-Quick: yes";

for (const { name, start } of [
  { name: "hono", start: inHono },
  { name: "the guard alone", start: alone },
]) {
  describe(`${name}: a request that waits behind another loses its slot with the client`, () => {
    const { serve, it } = suiteOf(start, {});
    for (const { moment, target } of [
      { moment: "while its handler works", target: "/" },
      { moment: "while its answer streams", target: "/?stream" },
    ]) {
      it(moment, async () => {
        let ended = 0;
        const served = await serve(POLICY, async (turn) => {
          if (turn.field("x-quick") !== undefined) return turn.answer(200, {}, "ok");
          const gone = once(turn.signal, "abort").then(() => (ended += 1));
          if (turn.target.endsWith("?stream")) return turn.stream(200, {}, endless());
          await gone;
          return undefined;
        });
        const wire = await served.connect();
        for (const path of ["/slow", target]) wire.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        await expect.poll(async () => (await ask(served, QUICK)).status).toBe(429);
        wire.socket.destroy();
        await expect.poll(async () => (await ask(served, QUICK)).status).toBe(200);
        expect(ended).toBe(2);
      });
    }
  });
}

/** More than a response that waits takes in. */
async function* endless(): AsyncGenerator<string> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    yield "a".repeat(10_000);
  }
}
