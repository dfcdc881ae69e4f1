/** Every way in which a handler can write ends in the same answer. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { ask, policyOf, serve, type PlainHandler, type Wire } from "./support.js";

const ORDER = { id: "o-1", secret: "canary-7f3a" };
const TEXT = JSON.stringify(ORDER);
const RULED = policyOf({
  "GET|POST /": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
});
const OPEN = policyOf({ "GET|POST /": {} });
const JSON_TYPE = { "Content-Type": "application/json" };

const WAYS: readonly { readonly way: string; readonly handler: PlainHandler }[] = [
  {
    way: "end with text",
    handler: (_req, res) => void res.setHeader("Content-Type", "application/json").end(TEXT),
  },
  { way: "end with bytes", handler: (_req, res) => void res.end(Buffer.from(TEXT)) },
  {
    way: "end with base64",
    handler: (_req, res) => void res.end(Buffer.from(TEXT).toString("base64"), "base64"),
  },
  { way: "end with nulls", handler: (_req, res) => void res.end(TEXT, null as never, null as never) },
  { way: "end with a callback", handler: (_req, res) => void res.end(TEXT, () => undefined) },
  {
    way: "write byte by byte",
    handler: (_req, res) => {
      for (const byte of Buffer.from(TEXT)) res.write(Buffer.of(byte));
      res.end();
    },
  },
  {
    way: "write text pieces that split a character",
    handler: (_req, res) => {
      res.write(TEXT.slice(0, 5), "latin1");
      res.write(TEXT.slice(5), "utf8", () => undefined);
      res.end();
    },
  },
  {
    way: "a buffer that is used again",
    handler: async (_req, res) => {
      const scratch = Buffer.alloc(4);
      const bytes = Buffer.from(TEXT);
      for (let at = 0; at < bytes.length; at += 4) {
        const size = bytes.copy(scratch, 0, at, at + 4);
        await new Promise<void>((resolve) => res.write(scratch.subarray(0, size), () => resolve()));
      }
      scratch.fill(0);
      res.end();
    },
  },
  { way: "writeHead with a record", handler: (_req, res) => void res.writeHead(200, JSON_TYPE).end(TEXT) },
  {
    way: "writeHead with a reason",
    handler: (_req, res) => void res.writeHead(200, "canary-7f3a", JSON_TYPE).end(TEXT),
  },
  {
    way: "writeHead with a flat list",
    handler: (_req, res) => void res.writeHead(200, ["Content-Type", "application/json"]).end(TEXT),
  },
  {
    way: "writeHead with pairs",
    handler: (_req, res) =>
      void res.writeHead(200, [["Content-Type", "application/json"]] as never).end(TEXT),
  },
  {
    way: "a length of its own",
    handler: (_req, res) => void res.writeHead(200, { "Content-Length": TEXT.length }).end(TEXT),
  },
  {
    way: "a wrong length",
    handler: (_req, res) => void res.writeHead(200, { "Content-Length": 3 }).end(TEXT),
  },
  {
    way: "flushHeaders first",
    handler: (_req, res) => {
      res.flushHeaders();
      res.end(TEXT);
    },
  },
  { way: "pipe", handler: (_req, res) => void Readable.from([TEXT.slice(0, 9), TEXT.slice(9)]).pipe(res) },
  { way: "pipeline", handler: async (_req, res) => pipeline(Readable.from([Buffer.from(TEXT)]), res) },
  { way: "send", handler: (_req, _res, context) => context.send(ORDER) },
  {
    way: "early hints",
    handler: (_req, res) => {
      res.writeEarlyHints({ link: "</canary-7f3a>; rel=preload" });
      res.writeProcessing();
      res.end(TEXT);
    },
  },
  {
    way: "trailers",
    handler: (_req, res) => {
      res.setHeader("Trailer", "X-Secret");
      res.write(TEXT);
      res.addTrailers({ "X-Secret": "canary-7f3a" });
      res.end();
    },
  },
  {
    way: "an ETag of the whole text",
    handler: (_req, res) => {
      res.setHeader("ETag", '"canary-7f3a"');
      res.end(TEXT);
    },
  },
];

describe("under a body rule (B8.130, B8.131)", () => {
  it.each(WAYS)("undeclared_never_leaves: $way", async ({ handler }) => {
    const served = await serve(RULED, handler);
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    await wire.closed();
    const [head = "", body] = wire.text.split("\r\n\r\n");
    expect(head.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
    expect(body).toBe('{"id":"o-1"}');
    expect(head.toLowerCase()).toContain("content-length: 12\r\n");
    expect(wire.text).not.toContain("canary");
    expect(served.errors).toEqual([]);
  });

  it("a 5xx body of the handler's never leaves, nor its reason phrase", async () => {
    const served = await serve(RULED, (_req, res) => {
      res.statusMessage = "canary";
      res.statusCode = 503;
      res.end("canary");
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    await wire.closed();
    expect(wire.text).toContain("HTTP/1.1 503 Service Unavailable\r\n");
    expect(wire.text).not.toContain("canary");
  });

  it("what the engine writes is encoded, though the handler wrote text", async () => {
    const policy = policyOf({ "GET /": { response: { body: {}, encode: true } } });
    const served = await serve(policy, (_req, res) => void res.end('{"a":"</script>"}'));
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"a":"\\u003c/script\\u003e"}');
  });

  it("HEAD sends the head of the shaped answer and no body", async () => {
    const served = await serve(RULED, (_req, res) => void res.end(TEXT));
    const answer = await ask(served, "HEAD / HTTP/1.1");
    expect([answer.status, answer.text, answer.rest.length]).toEqual([200, "", 0]);
  });

  it.each([204, 304])("%i has no body and no length", async (status) => {
    const served = await serve(RULED, (_req, res) => void res.writeHead(status).end());
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text, answer.header("content-length")]).toEqual([status, "", undefined]);
  });

  it("a handler is not asked for a 304 or a range of what it must not show", async () => {
    const seen: unknown[] = [];
    const served = await serve(RULED, (req, res) => {
      seen.push(req.headers["if-none-match"], req.headers.range, req.headersDistinct["range"]);
      seen.push(req.rawHeaders.includes("Range"), req.headers["x-kept"]);
      res.end(TEXT);
    });
    const answer = await ask(served, 'GET / HTTP/1.1\nIf-None-Match: "a"\nRange: bytes=0-3\nX-Kept: yes');
    expect(seen).toEqual([undefined, undefined, undefined, false, "yes"]);
    expect([answer.status, answer.text]).toEqual([200, '{"id":"o-1"}']);
  });

  it("what cannot be read as JSON is withheld", async () => {
    const served = await serve(RULED, (_req, res) => void res.end("canary is no JSON"));
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text.includes("canary")]).toEqual([500, false]);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "unreadable-response" });
  });

  it("an answer beyond responseLimit is withheld, and the cause is told to the operator", async () => {
    const served = await serve(RULED, (_req, res) => void Readable.from([TEXT, TEXT, TEXT]).pipe(res), {
      guard: { responseLimit: TEXT.length + 5 },
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text.includes("canary")]).toEqual([500, false]);
    expect((await served.event()).error).toEqual(
      new Error("the answer is larger than `responseLimit`, and a rule needs the whole of it"),
    );
  });

  it("a handler may ask what it has set, and is told when it is too late", async () => {
    const seen: unknown[] = [];
    const served = await serve(RULED, (_req, res) => {
      res.setHeader("X-One", 1).appendHeader("X-Two", "a").appendHeader("x-two", ["b", "c"]);
      seen.push(res.getHeader("x-one"), res.getHeader("X-Two"), res.hasHeader("X-None"));
      seen.push(res.getHeaderNames(), { ...res.getHeaders() }, res.headersSent);
      res.removeHeader("X-One");
      res.write(TEXT);
      seen.push(res.headersSent);
      for (const late of [
        () => res.setHeader("X", "y"),
        () => res.removeHeader("X"),
        () => res.writeHead(201),
      ]) {
        expect(late).toThrow(/headers after they are sent/);
      }
      res.end();
      seen.push(res.headersSent, res.writableEnded);
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect(answer.header("x-two")).toBe("a, b, c");
    expect(answer.header("x-one")).toBeUndefined();
    expect(seen).toEqual([
      1,
      ["a", "b", "c"],
      false,
      ["x-one", "x-two"],
      { "x-one": 1, "x-two": ["a", "b", "c"] },
      false,
      true,
      true,
      true,
    ]);
    expect(served.errors).toEqual([]);
  });
});

describe("without a body rule", () => {
  it.each(WAYS.filter(({ way }) => way !== "a wrong length"))(
    "bytes pass untouched: $way",
    async ({ handler }) => {
      const served = await serve(OPEN, handler);
      const answer = await ask(served, "GET / HTTP/1.1");
      expect([answer.status, answer.text]).toEqual([200, TEXT]);
      expect(answer.header("x-content-type-options")).toBe("nosniff");
    },
  );

  it("nothing leaves before the head is shaped: no 103, no 102", async () => {
    const served = await serve(OPEN, async (_req, res) => {
      await new Promise<void>((resolve) => res.writeEarlyHints({ link: "</canary>; rel=preload" }, resolve));
      res.end("done");
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await wire.until("done");
    expect(wire.text.startsWith("HTTP/1.1 200 OK\r\n")).toBe(true);
    expect(wire.text).not.toContain("canary");
  });

  it("a stream stays a stream: the first chunk arrives while the handler waits for the client", async () => {
    const served = await serve(OPEN, async (req, res) => {
      res.writeHead(200, { "Content-Type": "text/event-stream" });
      res.write("data: 1\n\n");
      await once(req, "data");
      res.end("data: 2\n\n");
    });
    const wire = await served.connect();
    wire.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    await wire.until("data: 1");
    wire.send("2\r\n{}\r\n0\r\n\r\n");
    expect((await wire.answer("POST")).body.toString()).toBe("data: 1\n\ndata: 2\n\n");
  });

  it("backpressure reaches the handler, and drain comes", async () => {
    const chunk = Buffer.alloc(65_536, "x");
    const seen: boolean[] = [];
    const served = await serve(OPEN, async (_req, res) => {
      for (let count = 0; count < 100; count++) {
        const more = res.write(chunk);
        seen.push(more);
        if (!more) await once(res, "drain");
      }
      res.end();
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).body.length).toBe(6_553_600);
    expect(seen).toContain(false);
  });

  it.each(["/", "/?early"])("declared trailers go through, others do not: %s", async (target) => {
    const served = await serve(OPEN, (req, res) => {
      res.setHeader("Trailer", "X-Sum");
      if (req.url === "/?early") res.addTrailers({ "X-Sum": "1", "X-Other": "2" });
      res.write("a");
      if (req.url === "/") res.addTrailers({ "X-Sum": "1", "X-Other": "2" });
      res.end();
    });
    const wire = await served.connect();
    wire.send(`GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
    await wire.closed();
    expect(wire.text).toContain("X-Sum: 1\r\n");
    expect(wire.text).not.toContain("X-Other");
  });

  it.each([
    { what: "more", body: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
    { what: "less", body: "a" },
  ])("writing $what than Content-Length ends the connection, not the next answer", async ({ body }) => {
    const served = await serve(OPEN, (_req, res) => {
      res.writeHead(200, { "Content-Length": 3 });
      res.write("a");
      res.end(body === "a" ? undefined : body);
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await wire.closed();
    expect(wire.text.split("HTTP/1.1").length).toBeLessThanOrEqual(2);
    expect(served.errors[0]).toMatch(/^the handler wrote (more|less) than its Content-Length$/);
  });

  it("fields that stand several times all arrive", async () => {
    const served = await serve(OPEN, (_req, res) => {
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.setHeader("X-One", "1");
      res.end();
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect(answer.headers.filter(([name]) => name === "Set-Cookie").map(([, value]) => value)).toEqual([
      "a=1",
      "b=2",
    ]);
  });

  it("what a logger asks for after the answer is what went out", async () => {
    let seen: unknown;
    const served = await serve(OPEN, (_req, res) => {
      res.on("finish", () => {
        seen = [res.getHeader("x-content-type-options"), res.getHeader("content-length"), res.statusCode];
      });
      res.end("four");
    });
    await ask(served, "GET / HTTP/1.1");
    await served.event();
    expect(seen).toEqual(["nosniff", "4", 200]);
  });
});

describe("a limit that settles by the answer", () => {
  const USED = { "Content-Type": "application/json" };
  const ways: readonly { readonly way: string; readonly handler: PlainHandler }[] = [
    { way: "end", handler: (_req, res) => void res.writeHead(200, USED).end('{"used":5}') },
    {
      way: "pieces",
      handler: (_req, res) => void Readable.from(['{"us', 'ed":5}']).pipe(res.writeHead(200, USED)),
    },
    { way: "send", handler: (_req, _res, context) => context.send({ used: 5 }) },
    {
      way: "base64",
      handler: (_req, res) => void res.writeHead(200, USED).end("eyJ1c2VkIjo1fQ==", "base64"),
    },
  ];

  it.each(
    ways.flatMap((one) => [
      { ...one, mode: "enforce" as const },
      { ...one, mode: "observe" as const },
    ]),
  )("sees it pass: $way, $mode", async ({ handler, mode }) => {
    const policy = policyOf(
      { "GET /": { limits: ["tokens"] } },
      {
        mode,
        limits: {
          tokens: {
            limit: 5,
            window: "1m",
            algorithm: "token-bucket",
            cost: { estimate: 1, settle: "response./used" },
          },
        },
      },
    );
    const served = await serve(policy, handler);
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"used":5}');
    expect((await served.event()).observed ?? []).toEqual([]);
    const second = await ask(served, "GET / HTTP/1.1");
    const { status, observed = [] } = await served.event();
    // All five are used up: one was the estimate.
    expect([second.status, status, observed.map(({ code }) => code)]).toEqual(
      mode === "enforce" ? [429, 429, []] : [200, 200, ["rate-limited"]],
    );
  });
});

describe("observe mode", () => {
  const OBSERVED = { ...RULED, mode: "observe" as const };

  it.each(WAYS.filter(({ way }) => way !== "a wrong length" && way !== "early hints"))(
    "changes nothing on the wire: $way",
    async ({ handler }) => {
      const served = await serve(OBSERVED, handler);
      const answer = await ask(served, "GET / HTTP/1.1");
      expect([answer.status, answer.text]).toEqual([200, TEXT]);
      expect(answer.header("x-content-type-options")).toBeUndefined();
      expect((await served.event()).reports).toEqual(["the response rule would have cut the body"]);
    },
  );

  it("a stream is not held back for the report", async () => {
    const served = await serve(OBSERVED, async (_req, res) => {
      res.write('{"id":');
      await wire.until('"id"');
      res.end('"a"}');
    });
    const wire: Wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect((await wire.answer()).body.toString()).toBe('{"id":"a"}');
  });
});
