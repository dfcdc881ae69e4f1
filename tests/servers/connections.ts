/** Connections that are kept, that are closed, that carry several requests; and clients that leave. */
import { once } from "node:events";
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf, readable } from "./wire.js";

const CLOSED = policyOf({ "POST /a": {}, "GET /": {} });
const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const ok = (turn: Turn): unknown => turn.answer(200, {}, "ok");

export function describeConnections({ serve, it }: Suite): void {
  it("a refusal without a body keeps the connection", async () => {
    const wire = await (await serve(CLOSED, ok)).connect();
    wire.send("GET /nope HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(404);
    wire.send(GET);
    expect((await wire.answer()).body.toString()).toBe("ok");
  });

  it("a refusal with a small unread body keeps it, and the body is no request", async () => {
    const served = await serve(CLOSED, ok);
    const wire = await served.connect();
    wire.send(`POST /nope HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${GET.length}\r\n\r\n${GET}`);
    expect((await wire.answer("POST")).status).toBe(404);
    wire.send("GET /other HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(404);
    expect(served.events.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  it("B2.44: a refusal with 10 MB unread arrives, closes, and nothing of the body is taken for a request", async () => {
    const served = await serve(CLOSED, ok);
    const wire = await served.connect();
    const smuggled = GET.repeat(300_000);
    wire.send(`POST /nope HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${smuggled.length}\r\n\r\n`);
    wire.send(smuggled);
    const answer = readable(await wire.answer("POST"));
    expect([answer.status, answer.header("connection")]).toEqual([404, "close"]);
    await wire.closed();
    expect(wire.text).toBe("");
    expect(served.events.map(({ route }) => route)).toEqual([null]);
  });

  it("a client that goes on writing after a refusal is heard out, and its connection is not reset", async () => {
    const wire = await (await serve(CLOSED, ok)).connect();
    const half = Buffer.alloc(1_000_000);
    wire.send(`POST /nope HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${2 * half.length}\r\n\r\n`).send(half);
    expect((await wire.answer("POST")).status).toBe(404);
    for (let at = 0; at < half.length; at += 50_000) {
      wire.send(half.subarray(at, at + 50_000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await wire.closed();
    expect([wire.text, wire.errors]).toEqual(["", []]);
  });

  it("nothing that was pipelined behind a closing refusal is decided", async () => {
    const ran: string[] = [];
    const served = await serve(CLOSED, (turn) => {
      ran.push(turn.target);
      return turn.answer(200, {}, "ok");
    });
    const wire = await served.connect();
    wire.send(`GET //two HTTP/1.1\r\nHost: a.test\r\n\r\n${GET}`);
    expect((await wire.answer()).status).toBe(400);
    await wire.closed();
    expect([ran, wire.text, served.events.length]).toEqual([[], "", 1]);
  });

  it("pipelined requests are answered in their order", async () => {
    const served = await serve(policyOf({ "GET /:n": {} }), async (turn) => {
      if (turn.target === "/1") await new Promise((resolve) => setTimeout(resolve, 20));
      return turn.answer(200, {}, turn.target);
    });
    const wire = await served.connect();
    wire.send(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(""));
    const bodies = [await wire.answer(), await wire.answer(), await wire.answer()].map(({ body }) =>
      body.toString(),
    );
    expect(bodies).toEqual(["/1", "/2", "/3"]);
  });

  const ONE_AT_A_TIME = policyOf(
    {
      "GET|POST /": { limits: ["slots"], request: { types: ["text/plain"] } },
      "POST /read": { limits: ["slots"], request: { body: {} } },
    },
    { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
  );
  for (const { moment, head, status } of [
    { moment: "while the handler works", head: GET, status: 0 },
    {
      moment: "while the answer streams",
      head: "GET /?stream HTTP/1.1\r\nHost: a.test\r\n\r\n",
      status: 200,
    },
    {
      moment: "while the handler reads the body",
      head: "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n{",
      status: 0,
    },
    {
      moment: "while a rule reads the body",
      head: "POST /read HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
      status: 0,
    },
  ]) {
    it(`a client that leaves frees its slot: ${moment}`, async () => {
      let aborted = 0;
      const served = await serve(ONE_AT_A_TIME, async (turn) => {
        if (turn.field("x-quick") !== undefined) return turn.answer(200, {}, "ok");
        turn.signal.addEventListener("abort", () => aborted++);
        const gone = once(turn.signal, "abort");
        if (turn.target === "/?stream") {
          return turn.stream(200, { "Content-Type": "text/plain" }, begunThen(gone));
        }
        if (turn.method === "POST") await Promise.allSettled([turn.read(), gone]);
        else await gone;
        return undefined;
      });
      const wire = await served.connect();
      wire.send(head);
      // The slot is held: a second caller is refused until the first has left.
      const quick = "GET / HTTP/1.1\nX-Quick: yes";
      await expect.poll(async () => (await ask(served, quick)).status).toBe(429);
      if (status === 200) await wire.until("begun");
      wire.socket.destroy();
      await expect.poll(async () => (await ask(served, quick)).status).toBe(200);
      expect(served.events.filter((event) => event.status === status).length).toBeGreaterThan(0);
      expect(aborted).toBe(head.startsWith("POST /read") ? 0 : 1);
    });
  }

  for (const { name, bytes } of [
    { name: "alone", bytes: "" },
    { name: "with a body that a rule has read", bytes: "{}" },
  ]) {
    it(`a request that waits behind another loses its slot with the client: ${name}`, async () => {
      let aborted = 0;
      const policy = policyOf(
        {
          "GET /slow": {},
          "POST /": { limits: ["slots"], request: { body: {} } },
          "GET /": { limits: ["slots"] },
        },
        { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
      );
      const served = await serve(policy, async (turn) => {
        if (turn.field("x-quick") !== undefined) return turn.answer(200, {}, "ok");
        const gone = once(turn.signal, "abort");
        await gone;
        aborted += 1;
        return undefined;
      });
      const wire = await served.connect();
      const head = bytes === "" ? "GET /" : "POST /";
      const fields =
        bytes === "" ? "" : `Content-Type: application/json\r\nContent-Length: ${bytes.length}\r\n`;
      wire.send("GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
      wire.send(`${head} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n${bytes}`);
      const quick = "GET / HTTP/1.1\nX-Quick: yes";
      await expect.poll(async () => (await ask(served, quick)).status).toBe(429);
      wire.socket.destroy();
      await expect.poll(async () => (await ask(served, quick)).status).toBe(200);
      expect(aborted).toBe(2);
    });
  }

  it(
    "a request that came with one whose handler ends the connection loses its slot",
    async () => {
      const policy = policyOf(
        { "GET /end": {}, "GET /": { limits: ["slots"] } },
        { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
      );
      const served = await serve(policy, (turn) => {
        if (turn.target === "/end") turn.raw().res.destroy();
        else return turn.field("x-quick") === undefined ? undefined : turn.answer(200, {}, "ok");
        return undefined;
      });
      const wire = await served.connect();
      // Node goes on to read what came in one piece.
      wire.send(`GET /end HTTP/1.1\r\nHost: a.test\r\n\r\n${GET}`);
      await wire.closed();
      await expect.poll(async () => (await ask(served, "GET / HTTP/1.1\nX-Quick: yes")).status).toBe(200);
      expect(served.events.map(({ route }) => route)).toContain("GET /end");
    },
    "raw",
  );

  it("B2.50: a client that leaves while a check waits never meets the handler, and its slot is freed", async () => {
    const release: (() => void)[] = [];
    const ran: string[] = [];
    const policy = policyOf(
      { "GET /": { limits: ["slots"], authorize: { check: "slow" } } },
      { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
    );
    const served = await serve(
      policy,
      (turn) => {
        ran.push(String(turn.field("x-who")));
        return turn.answer(200, {}, "ok");
      },
      { engine: { checks: { slow: () => new Promise((resolve) => release.push(() => resolve(true))) } } },
    );
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-Who: first\r\n\r\n");
    await expect.poll(() => release.length).toBe(1);
    wire.socket.destroy();
    expect(await served.event()).toMatchObject({ outcome: "aborted", status: 0 });
    release[0]?.();
    const second = ask(served, "GET / HTTP/1.1\nX-Who: second");
    await expect.poll(() => release.length).toBe(2);
    release[1]?.();
    expect((await second).status).toBe(200);
    expect(ran).toEqual(["second"]);
  });
}

async function* begunThen(gone: Promise<unknown>): AsyncGenerator<string> {
  yield "begun";
  await gone;
}
