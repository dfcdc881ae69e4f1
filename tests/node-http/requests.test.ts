/** Bodies, aborts, connections that are kept and connections that are closed. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { ask, policyOf, readable, serve, type PlainHandler } from "./support.js";

const KB = 1000;
const READ = policyOf({
  "POST /": { request: { body: { type: "object", properties: { a: { type: "string" } } } } },
  "GET /": {},
});
const STREAMED = policyOf({ "POST /": { request: { maxBody: 1000, types: ["text/plain"] } }, "GET /": {} });
const chunked = (...chunks: string[]): string =>
  [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");

describe("a body that a rule reads", () => {
  it("is handed over as validated, in context and request, and the stream is at its end", async () => {
    const seen: unknown[] = [];
    const served = await serve(READ, async (req, res, context) => {
      seen.push(context.body, (req as { body?: unknown }).body, await text(req));
      res.end("done");
    });
    const answer = await ask(
      served,
      "POST / HTTP/1.1\nContent-Type: application/json\nContent-Length: 9",
      '{"a":"b"}',
    );
    expect([answer.status, answer.text]).toEqual([200, "done"]);
    expect(seen).toEqual([{ a: "b" }, { a: "b" }, ""]);
  });

  it("not even a request to upgrade", async () => {
    const ran: string[] = [];
    const served = await serve(
      policyOf({ "GET /socket": { upgrade: "websocket" } }),
      (_req, res) => void res.end(),
      { guard: { onUpgrade: (req, socket) => void socket.end(ran.push(req.url ?? "").toString()) } },
    );
    const wire = await served.connect();
    wire.send(
      "GET //two HTTP/1.1\r\nHost: a.test\r\n\r\n" +
        "GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect((await wire.answer()).status).toBe(400);
    await wire.closed();
    expect([ran, served.events.length]).toEqual([[], 1]);
  });
});

describe("a body that the handler reads", () => {
  const WAYS: readonly { readonly way: string; readonly read: PlainHandler }[] = [
    { way: "iteration", read: async (req, res) => void res.end(String((await text(req)).length)) },
    { way: "pipe", read: (req, res) => void req.pipe(res) },
    {
      way: "data",
      read: (req, res) => {
        let length = 0;
        req.on("data", (bytes: Buffer) => (length += bytes.length)).on("end", () => res.end(String(length)));
      },
    },
    {
      way: "readable",
      read: (req, res) => {
        let length = 0;
        req.on("readable", () => {
          for (let bytes: unknown = req.read(); bytes !== null; bytes = req.read())
            length += (bytes as Buffer).length;
        });
        req.on("end", () => res.end(String(length)));
      },
    },
  ];
  const HEAD = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\n";

  it.each(WAYS)("within the limit, by $way", async ({ read }) => {
    const served = await serve(STREAMED, read);
    const wire = await served.connect();
    wire.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(400), "x".repeat(600))}`);
    expect((await wire.answer("POST")).status).toBe(200);
    wire.send(`${HEAD}Content-Length: 1000\r\n\r\n${"x".repeat(1000)}`);
    expect((await wire.answer("POST")).body.length).toBeGreaterThan(0);
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  });

  it.each(WAYS.filter(({ way }) => way !== "pipe"))(
    "beyond the limit is 413 and closes, by $way",
    async ({ read }) => {
      let given = 0;
      const served = await serve(STREAMED, (req, res, context) => {
        const push = req.push.bind(req);
        req.push = (bytes: Buffer | null) => {
          given += bytes?.length ?? 0;
          return push(bytes);
        };
        return read(req, res, context);
      });
      const wire = await served.connect();
      wire.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(999), "x".repeat(2))}`);
      const answer = readable(await wire.answer("POST"));
      expect([answer.status, answer.header("connection")]).toEqual([413, "close"]);
      expect(answer.header("x-content-type-options")).toBe("nosniff");
      expect(JSON.parse(answer.text)).toMatchObject({ code: "body-too-large" });
      await wire.closed();
      expect(given).toBeGreaterThan(0);
      expect(served.errors).toEqual([]);
    },
  );

  it("beyond the limit when the answer has begun: the connection ends", async () => {
    const served = await serve(STREAMED, (req, res) => void req.pipe(res));
    const wire = await served.connect();
    wire.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(500))}`.slice(0, -5));
    await wire.until("xxx");
    wire.send(chunked("y".repeat(501)));
    await wire.closed();
    expect(wire.text).not.toContain("yyy");
    // Of a request's id, digits like that are a part now and then.
    expect(wire.text).not.toContain("HTTP/1.1 413");
  });
});

describe("observe mode", () => {
  it.each([
    { form: "whole", head: "Content-Length: 300000", body: "x".repeat(300 * KB) },
    {
      form: "chunked",
      head: "Transfer-Encoding: chunked",
      body: chunked("x".repeat(150 * KB), "x".repeat(150 * KB)),
    },
  ])("the handler reads every byte as sent, beyond the limit too: $form", async ({ head, body }) => {
    const served = await serve({ ...READ, mode: "observe" }, async (req, res) => {
      res.end(String((await text(req)).length));
    });
    const wire = await served.connect();
    wire
      .send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n${head}\r\n\r\n`)
      .send(body);
    expect((await wire.answer("POST")).body.toString()).toBe("300000");
    const { observed = [] } = await served.event();
    expect([...new Set(observed.map(({ code }) => code))]).toEqual(["body-too-large"]);
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(200);
  });
});

describe("connections", () => {
  it("a handler that answers before it has read a large body does not block the connection", async () => {
    const served = await serve(
      policyOf({ "POST /": { request: { maxBody: "1MB", types: ["text/plain"] } } }),
      async (req, res) => {
        await once(req, "data");
        req.pause();
        res.end("enough");
      },
    );
    const wire = await served.connect();
    for (let count = 0; count < 2; count++) {
      wire.send(
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nContent-Length: 900000\r\n\r\n",
      );
      wire.send(Buffer.alloc(900_000));
      expect((await wire.answer("POST")).body.toString()).toBe("enough");
    }
  });
});

describe("handlers that fail", () => {
  const handlers: readonly { readonly way: string; readonly handler: PlainHandler }[] = [
    {
      way: "throws",
      handler: () => {
        throw new Error("canary");
      },
    },
    { way: "rejects", handler: () => Promise.reject(new Error("canary")) },
    {
      way: "rejects after an await and some fields",
      handler: async (_req, res) => {
        res.setHeader("X-Canary", "canary");
        res.statusCode = 201;
        await Promise.resolve();
        throw new Error("canary");
      },
    },
  ];

  it.each(handlers)("are answered 500 in the policy's shape: $way", async ({ handler }) => {
    const served = await serve(policyOf({ "GET /": {} }), handler);
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const answer = readable(await wire.answer());
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "handler-failed" });
    expect(JSON.stringify(answer.headers) + answer.text).not.toContain("canary");
    expect((await served.event()).error).toEqual(new Error("canary"));
    wire.send("GET /nope HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(404);
  });

  it("B8.136: after bytes were sent the connection ends, without a second status line, and the event says so", async () => {
    const served = await serve(policyOf({ "GET /": {} }), (_req, res) => {
      res.write("begun");
      throw new Error("canary");
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await wire.closed();
    expect(wire.text.split("HTTP/1.1").length).toBeLessThanOrEqual(2);
    expect(wire.text).not.toContain("canary");
    expect((await served.event()).error).toEqual(new Error("canary"));
  });

  it("in observe mode too", async () => {
    const served = await serve({ ...policyOf({ "GET /": {} }), mode: "observe" }, () => {
      throw new Error("canary");
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text.includes("canary")]).toEqual([500, false]);
  });

  it("in observe mode no field of the policy's, and none that spoke of what the handler began, goes with it", async () => {
    const served = await serve({ ...policyOf({ "GET /": {} }), mode: "observe" }, (_req, res) => {
      res.setHeader("Content-Encoding", "gzip");
      throw new Error("canary");
    });
    const { headers } = await ask(served, "GET / HTTP/1.1");
    const names = headers.map(([name]) => name.toLowerCase());
    expect(names).toEqual(["content-type", "content-length", "date", "connection", "keep-alive"]);
  });
});
