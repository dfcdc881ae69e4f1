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

  it("may come byte by byte", async () => {
    const served = await serve(READ, (_req, _res, context) => context.send(context.body));
    const wire = await served.connect();
    wire.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for (const byte of chunked('{"a"', ':"b"}')) {
      wire.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await wire.answer("POST")).body.toString()).toBe('{"a":"b"}');
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(200);
  });

  it.each([
    { form: "a stated length", head: "Content-Length: 200000", body: "x".repeat(200 * KB) },
    { form: "chunks", head: "Transfer-Encoding: chunked", body: chunked("x".repeat(200 * KB)) },
  ])("more than maxBody in $form is 413, and the connection closes", async ({ head, body }) => {
    const ran: string[] = [];
    const served = await serve(READ, (req) => void ran.push(req.url ?? ""));
    const wire = await served.connect();
    wire
      .send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n${head}\r\n\r\n`)
      .send(body);
    const answer = readable(await wire.answer("POST"));
    expect([answer.status, answer.header("connection")]).toEqual([413, "close"]);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "body-too-large" });
    await wire.closed();
    expect(ran).toEqual([]);
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

  it("B2.45: trailers are no header fields", async () => {
    const served = await serve(READ, (_req, _res, context) => context.send(Object.keys(context.headers)));
    const wire = await served.connect();
    wire.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "2\r\n{}\r\n0\r\nX-Role: admin\r\n\r\n",
    );
    const { body } = await wire.answer("POST");
    expect(JSON.parse(body.toString())).toEqual(["host", "content-type", "transfer-encoding"]);
  });

  it("that never comes whole frees its exchange, and the handler does not run", async () => {
    const ran: string[] = [];
    const served = await serve(READ, (req) => void ran.push(req.url ?? ""));
    const wire = await served.connect();
    wire.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    wire.socket.destroy();
    expect(await served.event()).toMatchObject({ outcome: "aborted", status: 0 });
    expect(ran).toEqual([]);
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
    expect(wire.text).not.toContain("413");
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
  const CLOSED = policyOf({ "POST /a": {}, "GET /": {} });

  it("a refusal without a body keeps the connection", async () => {
    const served = await serve(CLOSED, (_req, res) => void res.end("ok"));
    const wire = await served.connect();
    wire.send("GET /nope HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(404);
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).body.toString()).toBe("ok");
  });

  it("a refusal with a small unread body keeps the connection, and the body is no request", async () => {
    const served = await serve(CLOSED, (_req, res) => void res.end("ok"));
    const wire = await served.connect();
    const smuggled = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    wire.send(`POST /nope HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    expect((await wire.answer("POST")).status).toBe(404);
    wire.send("GET /other HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(404);
    expect(served.events.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  it("B2.44: a refusal with 10 MB unread arrives, closes, and nothing of the body is taken for a request", async () => {
    const served = await serve(CLOSED, (_req, res) => void res.end("ok"));
    const wire = await served.connect();
    const smuggled = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n".repeat(300_000);
    wire
      .send(`POST /nope HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${smuggled.length}\r\n\r\n`)
      .send(smuggled);
    const answer = readable(await wire.answer("POST"));
    expect([answer.status, answer.header("connection")]).toEqual([404, "close"]);
    await wire.closed();
    expect(wire.text).toBe("");
    expect(served.events.map(({ route }) => route)).toEqual([null]);
  });

  it("a client that goes on writing after a refusal is heard out, and its connection is not reset", async () => {
    const served = await serve(CLOSED, (_req, res) => void res.end("ok"));
    const wire = await served.connect();
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
    const served = await serve(CLOSED, (req, res) => {
      ran.push(req.url ?? "");
      res.end();
    });
    const wire = await served.connect();
    wire.send("GET //two HTTP/1.1\r\nHost: a.test\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).status).toBe(400);
    await wire.closed();
    expect(ran).toEqual([]);
  });

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

  it("pipelined requests are answered in their order", async () => {
    const served = await serve(policyOf({ "GET /:n": {} }), async (req, res) => {
      if (req.url === "/1") await new Promise((resolve) => setTimeout(resolve, 20));
      res.end(req.url);
    });
    const wire = await served.connect();
    wire.send(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(""));
    const bodies = [await wire.answer(), await wire.answer(), await wire.answer()].map(({ body }) =>
      body.toString(),
    );
    expect(bodies).toEqual(["/1", "/2", "/3"]);
  });

  it("Host is the policy's to judge: without it 400 in the policy's own shape", async () => {
    const served = await serve(CLOSED, (_req, res) => void res.end("ok"));
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\n\r\n");
    const answer = readable(await wire.answer());
    expect([answer.status, answer.header("content-type")]).toEqual([400, "application/problem+json"]);
  });
});

describe("clients that leave", () => {
  const ONE_AT_A_TIME = policyOf(
    {
      "GET|POST /": { limits: ["slots"], request: { types: ["text/plain"] } },
      "POST /read": { limits: ["slots"], request: { body: {} } },
    },
    { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
  );

  it.each([
    { moment: "while the handler works", head: "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", status: 0 },
    {
      moment: "while the answer streams",
      head: "GET /?stream HTTP/1.1\r\nHost: a.test\r\n\r\n",
      status: 200,
    },
    {
      moment: "while the body is read",
      head: "POST /read HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
      status: 0,
    },
  ])("free their slot: $moment", async ({ head, status }) => {
    let aborted = 0;
    const served = await serve(ONE_AT_A_TIME, async (req, res, context) => {
      if (req.headers["x-quick"] !== undefined) return void res.end("ok");
      context.signal.addEventListener("abort", () => aborted++);
      if (req.url === "/?stream") res.write("begun");
      await once(res, "close");
    });
    const wire = await served.connect();
    wire.send(head);
    // The slot is held: a second caller is refused until the first has left.
    const quick = "GET / HTTP/1.1\nX-Quick: yes";
    await expect.poll(async () => (await ask(served, quick)).status).toBe(429);
    wire.socket.destroy();
    await expect.poll(async () => (await ask(served, quick)).status).toBe(200);
    expect(served.events.find((event) => event.status === status)).toBeDefined();
    expect(aborted).toBe(head.startsWith("POST") ? 0 : 1);
  });

  it("B2.50: a client that leaves while a check waits never meets the handler, and its slot is freed", async () => {
    const release: (() => void)[] = [];
    const ran: string[] = [];
    const policy = policyOf(
      { "GET /": { limits: ["slots"], authorize: { check: "slow" } } },
      { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
    );
    const served = await serve(
      policy,
      (req, res) => {
        ran.push(String(req.headers["x-who"]));
        res.end("ok");
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
