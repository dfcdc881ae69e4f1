/** What Node hands to other events than `request`, other kinds of server, and servers that cannot be guarded. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps, request as httpsRequest } from "node:https";
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { createEngine, type DecisionEvent } from "@gatehouse/core";
import { throwawayCertificate } from "@gatehouse/core/conformance";
import { createServer as createGuarded, guard, type GuardOptions } from "@gatehouse/node-http";
import { ask, later, policyOf, readable, serve, Wire, type PlainHandler } from "./support.js";
import { listen, stop } from "./target.js";

const BODY = { type: "object", properties: { a: { type: "string" } } };
const POLICY = policyOf({
  "GET|POST /open": {},
  "POST /read": { request: { body: BODY, maxBody: 100 } },
  "GET /socket": { upgrade: "websocket" },
  "GET /order": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
});
const ok: PlainHandler = (_req, res) => void res.end("ok");

describe("upgrades", () => {
  const HANDSHAKE = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13";
  const sockets: GuardOptions = {
    onUpgrade: (_req, socket, head, context) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n${context.route ?? ""}${head.toString()}`,
      );
      socket.on("data", (bytes: Buffer) => void socket.write(bytes)).on("end", () => void socket.end());
    },
  };

  it("a client that resets an upgraded connection does not end the process", async () => {
    const served = await serve(POLICY, ok, { guard: sockets });
    const wire = await served.connect();
    wire.send(`GET /socket HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\n`);
    await wire.until("GET /socket");
    wire.socket.resetAndDestroy();
    expect(await served.event()).toMatchObject({ outcome: "admit", status: 101 });
  });

  it("an upgrade handler that throws closes the connection", async () => {
    const served = await serve(POLICY, ok, {
      guard: {
        onUpgrade: () => {
          throw new Error("canary");
        },
      },
    });
    const wire = await served.connect();
    wire.send(`GET /socket HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\n`);
    await wire.closed();
    expect(wire.text).toBe("");
    expect((await served.event()).error).toEqual(new Error("canary"));
  });
});

describe("servers that cannot be guarded", () => {
  const engine = () => createEngine(POLICY);
  const other = (): void => undefined;

  it.each([
    {
      event: "upgrade",
      mend: "wrap it in `guardUpgrade(engine, …)`, or hand it to the guard as `onUpgrade` and call `attach(server)`",
    },
    { event: "connect", mend: "remove it, and let `guard(…).attach(server)` own the event" },
    { event: "checkContinue", mend: "remove it, and let `guard(…).attach(server)` own the event" },
    { event: "checkExpectation", mend: "remove it, and let `guard(…).attach(server)` own the event" },
    { event: "request", mend: "let the guard's handler call it" },
  ])("attach refuses to stand beside a stranger at $event, now and later", async ({ event, mend }) => {
    const message = `a listener for \`${event}\` on this server would answer requests that no policy has decided; ${mend}`;
    const guarded = guard(await engine(), ok);
    const strange = createServer().on(event, other);
    expect(() => guarded.attach(strange)).toThrow(new Error(message));
    const owned = guarded.attach(createServer());
    expect(() => owned.on(event, other)).toThrow(new Error(message));
    expect(owned.listeners(event)).not.toContain(other);
  });

  it("a stranger at HTTP/2's own `stream` is one too", async () => {
    const message =
      "a listener for `stream` on this server would answer requests that no policy has decided; remove it, and let `guard(…).attach(server)` own the event";
    const known = await engine();
    const handler = (): void => undefined;
    const guarded = guard<Http2ServerRequest, Http2ServerResponse>(known, handler);
    expect(() => guarded.attach(createHttp2().on("stream", other))).toThrow(new Error(message));
    const owned = guarded.attach(createHttp2());
    expect(() => owned.on("stream", other)).toThrow(new Error(message));
  });

  it("B2.43: a lenient parser is refused", async () => {
    const guarded = guard(await engine(), ok);
    const message =
      "the server parses requests leniently (`insecureHTTPParser`): two readers may see two requests; leave the option out";
    expect(() => guarded.attach(createServer({ insecureHTTPParser: true }))).toThrow(new Error(message));
  });

  it("as a plain listener beside a stranger every request is 500, and the operator is told once", async () => {
    const errors: unknown[] = [];
    const server = createServer(guard(await engine(), ok, { onError: (error) => errors.push(error) }));
    server.on("upgrade", (_req, socket) => void socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const port = await listen(server);
    later(() => stop(server));
    expect((await ask({ port }, "GET /open HTTP/1.1")).status).toBe(500);
    expect((await ask({ port }, "GET /open HTTP/1.1")).status).toBe(500);
    expect(errors.map(String)).toEqual([
      "Error: a listener for `upgrade` on this server would answer requests that no policy has decided; wrap it in `guardUpgrade(engine, …)`, or hand it to the guard as `onUpgrade` and call `attach(server)`",
    ]);
  });

  it("as a plain listener of two servers it judges each, and tells of each once", async () => {
    const errors: unknown[] = [];
    const guarded = guard(await engine(), ok, { onError: (error) => errors.push(error) });
    const ports = [];
    for (const server of [
      createServer(guarded),
      createServer(guarded).on("upgrade", (_req, socket) => void socket.end()),
    ]) {
      ports.push(await listen(server));
      later(() => stop(server));
    }
    const statuses = [];
    for (const port of [...ports, ...ports])
      statuses.push((await ask({ port }, "GET /open HTTP/1.1")).status);
    expect([statuses, errors.length]).toEqual([[200, 500, 200, 500], 1]);
  });

  it("as a plain listener, alone or called by one wrapper, it guards", async () => {
    const guarded = guard(await engine(), (_req, res) => {
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.end("ok");
    });
    const wrapper = (req: IncomingMessage, res: ServerResponse): void => {
      res.setHeader("X-Outer", "kept");
      // Node's own stream has the body by then.
      setTimeout(() => guarded(req, res), 10);
    };
    for (const listener of [guarded, wrapper]) {
      const server = createServer(listener);
      const port = await listen(server);
      later(() => stop(server));
      const open = await ask({ port }, "GET /open HTTP/1.1");
      expect([open.text, open.header("set-cookie")]).toEqual(["ok", "a=1, b=2"]);
      expect(open.header("x-outer")).toBe(listener === wrapper ? "kept" : undefined);
      expect((await ask({ port }, "GET /nope HTTP/1.1")).status).toBe(404);
      const read = "POST /read HTTP/1.1\nContent-Type: application/json\nContent-Length: 9";
      expect((await ask({ port }, read, '{"a":"b"}')).status).toBe(200);
      expect((await ask({ port }, read, '{"b":"b"}')).status).toBe(422);
    }
  });

  it("B8.140: what a wrapper set before is the policy's to shape, and no part of a refusal", async () => {
    const guarded = guard(await engine(), (_req, res) => void res.end("ok"));
    const server = createServer((req, res) => {
      res.setHeader("X-Powered-By", "wrapper");
      res.setHeader("Access-Control-Allow-Origin", "*");
      guarded(req, res);
    });
    const port = await listen(server);
    later(() => stop(server));
    const open = await ask({ port }, "GET /open HTTP/1.1");
    expect([open.status, open.header("x-powered-by")]).toEqual([200, undefined]);
    const refused = await ask({ port }, "GET /nope HTTP/1.1");
    expect([
      refused.status,
      refused.header("x-powered-by"),
      refused.header("access-control-allow-origin"),
    ]).toEqual([404, undefined, undefined]);
  });

  it.each(["itself", "another guard"])(
    "B1.17: a handler that hands an admitted request on to %s is answered 500, and the exchange ends",
    async (next) => {
      const events: DecisionEvent[] = [];
      const errors: string[] = [];
      const options = { onError: (error: unknown) => void errors.push(String(error)) };
      let handOn = guard(await engine(), (_req, res) => void res.end("reached"), options);
      const deciding = await createEngine(POLICY, { onDecision: (event) => void events.push(event) });
      const outer = guard(
        deciding,
        (req, res) => {
          req.url = "/nope";
          handOn(req, res);
        },
        options,
      );
      if (next === "itself") handOn = outer;
      const server = createServer(outer);
      const port = await listen(server);
      later(() => stop(server));
      const answer = await ask({ port }, "GET /open HTTP/1.1");
      expect([answer.status, JSON.parse(answer.text).code, errors]).toEqual([500, "handler-failed", []]);
      await vi.waitFor(() =>
        expect(events.map(({ status, error }) => [status, String(error)])).toEqual([
          [500, "Error: a request that a guard has decided was handed to a guard again"],
        ]),
      );
    },
  );

  it("a body that waited in the stream before the guard came is there for observe mode too", async () => {
    const observing = await createEngine({ ...POLICY, mode: "observe" });
    const guarded = guard(observing, async (req, res) => void res.end(await text(req)));
    const server = createServer((req, res) => void setTimeout(() => guarded(req, res), 10));
    const port = await listen(server);
    later(() => stop(server));
    const read = "POST /read HTTP/1.1\nContent-Type: application/json\nContent-Length: 9";
    expect((await ask({ port }, read, '{"b":"b"}')).text).toBe('{"b":"b"}');
  });

  it("options that nobody knows are errors", async () => {
    const known = await engine();
    const wrong = (options: object) => () => guard(known, ok, options);
    expect(wrong({ onUpgrad: other })).toThrow(
      new TypeError("unknown option `onUpgrad`; did you mean `onUpgrade`?"),
    );
    expect(wrong({ verbose: true })).toThrow(
      new TypeError("unknown option `verbose`; the options are responseLimit, onError, onUpgrade"),
    );
    expect(wrong({ responseLimit: "8 MB" })).toThrow(
      new TypeError("`responseLimit` is not a whole number of bytes"),
    );
    expect(wrong({ onError: true })).toThrow(new TypeError("`onError` is not a function"));
    expect(wrong({ onUpgrade: true })).toThrow(new TypeError("`onUpgrade` is not a function"));
  });
});

describe("kinds of server", () => {
  it("createServer guards at once", async () => {
    const server = createGuarded(await createEngine(POLICY), ok);
    const port = await listen(server);
    later(() => stop(server));
    expect((await ask({ port }, "GET /nope HTTP/1.1")).status).toBe(404);
  });

  it("https: the policy sees that the socket is encrypted", async () => {
    const { key, cert } = throwawayCertificate();
    const policy = { ...POLICY, transport: { https: "require" as const } };
    const server = guard(await createEngine(policy), ok).attach(createHttps({ key, cert }));
    const port = await listen(server);
    later(() => stop(server));
    const status = await new Promise((resolve, reject) => {
      httpsRequest({ port, host: "127.0.0.1", path: "/open", ca: cert, servername: "a.test" }, (res) => {
        res
          .resume()
          .on("end", () => resolve([res.statusCode, res.headers["strict-transport-security"] !== undefined]));
      })
        .on("error", reject)
        .end();
    });
    expect(status).toEqual([200, true]);
  });

  it("one guard may own several servers", async () => {
    const guarded = guard(await createEngine(POLICY), ok);
    for (const server of [guarded.attach(createServer()), guarded.attach(createServer())]) {
      const port = await listen(server);
      later(() => stop(server));
      const status = await new Promise((resolve) => {
        httpRequest({ port, host: "127.0.0.1", path: "/open" }, (res) => {
          res.resume().on("end", () => resolve(res.statusCode));
        }).end();
      });
      expect(status).toBe(200);
    }
  });
});

describe("http2", () => {
  interface Http2Answer {
    readonly headers: IncomingHttpHeaders & { ":status"?: number };
    readonly body: string;
  }
  type Ask = (headers: OutgoingHttpHeaders, body?: string) => Promise<Http2Answer>;

  async function over(
    secure: boolean,
    handler: (
      req: Http2ServerRequest,
      res: Http2ServerResponse,
      context: { send(value: unknown): void; body: unknown },
    ) => unknown,
    events: DecisionEvent[] = [],
  ): Promise<Ask> {
    const engine = await createEngine(POLICY, { onDecision: (event) => events.push(event) });
    const guarded = guard<Http2ServerRequest, Http2ServerResponse>(engine, handler);
    const { key, cert } = throwawayCertificate();
    const server = secure ? guarded.attach(createSecureServer({ key, cert })) : guarded.attach(createHttp2());
    const port = await listen(server);
    const session = connectHttp2(`${secure ? "https" : "http"}://localhost:${port}`, { ca: cert });
    later(async () => {
      session.destroy();
      await stop(server);
    });
    return async (headers, body) => {
      const stream = session.request(
        { ":authority": "a.test", ...headers },
        { endStream: body === undefined },
      );
      const answered = new Promise<Http2Answer["headers"]>((resolve, reject) => {
        stream.on("response", resolve).on("error", reject);
      });
      if (body !== undefined) stream.end(body);
      return { headers: await answered, body: await text(stream) };
    };
  }

  it.each([false, true])("refuses, admits, projects and reads bodies (TLS: %s)", async (secure) => {
    const request = await over(secure, (req, res, context) => {
      if (req.url === "/order") return void res.end('{"id":"o-1","secret":"canary"}');
      if (req.url === "/read") return context.send(context.body);
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.setHeader("Connection", "close");
      res.setHeader("Keep-Alive", "timeout=5");
      res.setHeader("Transfer-Encoding", "chunked");
      res.end("ok");
    });
    expect(await request({ ":path": "/nope" })).toMatchObject({ headers: { ":status": 404 } });
    const open = await request({ ":path": "/open" });
    expect([open.headers[":status"], open.body, open.headers["set-cookie"]]).toEqual([
      200,
      "ok",
      ["a=1", "b=2"],
    ]);
    expect(open.headers["x-content-type-options"]).toBe("nosniff");
    expect((await request({ ":path": "/order" })).body).toBe('{"id":"o-1"}');
    const json = { ":path": "/read", ":method": "POST", "content-type": "application/json" };
    expect((await request(json, '{"a":"b"}')).body).toBe('{"a":"b"}');
    expect((await request(json, '{"b":"b"}')).headers[":status"]).toBe(422);
    expect((await request(json, "x".repeat(101))).headers[":status"]).toBe(413);
    expect((await request({ ":path": "/read", ":method": "HEAD" })).headers[":status"]).toBe(405);
  });

  it.each<[string, (res: Http2ServerResponse, bytes: Uint8Array<ArrayBuffer>) => void]>([
    [
      "ended",
      (res, { buffer, byteOffset, length }) =>
        void res.end(new DataView(buffer, byteOffset, length) as unknown as Uint8Array),
    ],
    [
      "written",
      (res, { buffer, byteOffset, length }) => {
        res.write(new DataView(buffer, byteOffset, length) as unknown as Uint8Array);
        res.end();
      },
    ],
  ])(
    "a view that no Uint8Array is, and the streams of newer versions take, meets the rule: %s",
    async (_way, write) => {
      const request = await over(false, (_req, res) =>
        write(res, new Uint8Array(Buffer.from('{"id":"o-1","secret":"canary"}'))),
      );
      expect((await request({ ":path": "/order" })).body).toBe('{"id":"o-1"}');
    },
  );

  it("B2.46: an authority that differs from Host is refused", async () => {
    const request = await over(false, (_req, res) => void res.end("ok"));
    expect((await request({ ":path": "/open", host: "b.test" })).headers[":status"]).toBe(400);
    expect((await request({ ":path": "/open", host: "a.test" })).headers[":status"]).toBe(200);
  });

  it("content on a GET is refused, though nothing states its length", async () => {
    const request = await over(false, (_req, res) => void res.end("ok"));
    expect((await request({ ":path": "/open" }, "canary")).headers[":status"]).toBe(400);
  });

  it("B2.47: a stream that the client resets ends its exchange", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(POLICY, { onDecision: (event) => events.push(event) });
    let running = 0;
    const server = guard<Http2ServerRequest, Http2ServerResponse>(engine, () => void running++).attach(
      createHttp2(),
    );
    const port = await listen(server);
    const session = connectHttp2(`http://localhost:${port}`);
    later(async () => {
      session.destroy();
      await stop(server);
    });
    const stream = session.request({ ":path": "/open" });
    stream.on("error", () => undefined);
    await expect.poll(() => running).toBe(1);
    stream.close(8);
    await expect.poll(() => events.map(({ status }) => status)).toEqual([0]);
  });

  /** Frames by hand (RFC 9113 section 4): Node's own client ends a stream before it resets it. */
  function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  }

  /** Literal fields without indexing (RFC 7541 section 6.2.2). */
  function fields(pairs: Readonly<Record<string, string>>): Buffer {
    const parts = Object.entries(pairs).flatMap(([name, value]) => [
      Buffer.of(0, name.length),
      Buffer.from(name),
      Buffer.of(value.length),
      Buffer.from(value),
    ]);
    return Buffer.concat(parts);
  }

  it.each([0, 8])("B2.47: a body that was reset is not whole, however it reads (code %i)", async (code) => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(POLICY, { onDecision: (event) => events.push(event) });
    const ran: unknown[] = [];
    const server = guard<Http2ServerRequest, Http2ServerResponse>(
      engine,
      (req) => void ran.push(req.url),
    ).attach(createHttp2());
    const port = await listen(server);
    later(() => stop(server));
    const head = { ":method": "POST", ":scheme": "http", ":authority": "a.test", ":path": "/read" };
    const wire = await Wire.open(port);
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    wire.send(frame(4, 0, 0, Buffer.alloc(0)));
    wire.send(frame(1, 4, 1, fields({ ...head, "content-type": "application/json" })));
    wire.send(frame(0, 0, 1, Buffer.from('{"a":"b"}')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    wire.send(frame(3, 0, 1, Buffer.of(0, 0, 0, code)));
    await expect.poll(() => events.map(({ outcome }) => outcome)).toEqual(["aborted"]);
    expect(ran).toEqual([]);
    wire.socket.destroy();
  });

  it("a handler that throws is answered, and one that pushes is told no", async () => {
    const request = await over(false, (req, res) => {
      if (req.url === "/order") throw new Error("canary");
      res.createPushResponse({ ":path": "/pushed" }, (error) => res.end(String(error)));
    });
    expect(await request({ ":path": "/order" })).toMatchObject({ headers: { ":status": 500 } });
    expect((await request({ ":path": "/open" })).body).toBe("Error: a guarded response pushes no other");
  });

  it("observe mode reports what a rule would have cut, however many writes it takes", async () => {
    const events: DecisionEvent[] = [];
    const errors: unknown[] = [];
    const engine = await createEngine(
      { ...POLICY, mode: "observe" },
      { onDecision: (event) => void events.push(event) },
    );
    const guarded = guard<Http2ServerRequest, Http2ServerResponse>(
      engine,
      (_req, res) => {
        res.write('{"id":"o-1",');
        res.end('"secret":"canary"}');
      },
      { onError: (error) => void errors.push(error) },
    );
    const server = guarded.attach(createHttp2());
    const port = await listen(server);
    const session = connectHttp2(`http://localhost:${port}`);
    later(async () => {
      session.destroy();
      await stop(server);
    });
    expect(await text(session.request({ ":path": "/order" }))).toBe('{"id":"o-1","secret":"canary"}');
    await expect
      .poll(() => events.map(({ reports }) => reports))
      .toEqual([["the response rule would have cut the body"]]);
    expect(errors).toEqual([]);
  });
});

it("a wrapper that was there before the guard compresses what the policy has shaped", async () => {
  const engine = await createEngine(POLICY);
  const guarded = guard(engine, (_req, res) => void res.end('{"id":"o-1","secret":"canary"}'));
  const server = createServer((req, res) => {
    const writeHead = res.writeHead.bind(res);
    const end = res.end.bind(res);
    res.writeHead = ((...given: [number, string[]]) => {
      res.removeHeader("Content-Length");
      res.setHeader("X-Wrapped", String(res.hasHeader("x-none")));
      return writeHead(...given);
    }) as typeof res.writeHead;
    res.end = ((chunk: string) => end(chunk.toUpperCase())) as typeof res.end;
    guarded(req, res);
  });
  const port = await listen(server);
  later(() => stop(server));
  const wire = await Wire.open(port);
  wire.send("GET /order HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const answer = readable(await wire.answer());
  expect([answer.text, answer.header("x-wrapped")]).toEqual(['{"ID":"O-1"}', "false"]);
});

describe("a client that left before the guard was asked", () => {
  const SLOTS = policyOf(
    { "GET /": { limits: ["slots"] } },
    { limits: { slots: { limit: 1, algorithm: "concurrency" } } },
  );

  async function guarded(): Promise<{
    listener: (req: IncomingMessage, res: ServerResponse) => void;
    held: () => number;
  }> {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(SLOTS, { onDecision: (event) => events.push(event) });
    let asked = 0;
    const inner = guard(engine, () => undefined);
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      // As behind middleware that waits for something of its own.
      res.once("close", () => {
        setImmediate(() => {
          asked += 1;
          inner(req, res);
        });
      });
    };
    later(() => engine.close());
    return { listener, held: () => (asked === 0 ? Number.NaN : asked - events.length) };
  }

  it("leaves no exchange open: HTTP/1", async () => {
    const { listener, held } = await guarded();
    const server = createServer(listener);
    const wire = await Wire.open(await listen(server));
    later(() => stop(server));
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await once(server, "request");
    wire.socket.destroy();
    await expect.poll(held).toBe(0);
  });

  it("leaves no exchange open: HTTP/2", async () => {
    const { listener, held } = await guarded();
    const server = createHttp2((req, res) => listener(req as never, res as never));
    const session = connectHttp2(`http://localhost:${await listen(server)}`);
    later(async () => {
      session.destroy();
      await stop(server);
    });
    const stream = session.request({ ":path": "/" }).on("error", () => undefined);
    await once(server, "request");
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(held).toBe(0);
  });
});

describe("a connection that Node reads no more", () => {
  const LINE = "GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n";

  /**
   * A silent answer, one behind it that Node has to keep, and a request behind both, at which Node pauses the socket. Then the client leaves.
   * @returns the server's side of it
   */
  async function abandoned(server: Server, requests: Promise<unknown>): Promise<Socket> {
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const wire = await Wire.open(await listen(server));
    wire.send(LINE.repeat(3));
    const [socket] = await accepted;
    await requests;
    wire.socket.destroy();
    await wire.closed();
    // What the system has to say of it is said by then, to whoever reads.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return socket;
  }

  /** @returns the handler, and a promise that is kept by the third request */
  function silent(): [(_req: unknown, res: ServerResponse) => void, Promise<void>] {
    let [count, third] = [0, (): void => undefined];
    const requests = new Promise<void>((resolve) => (third = resolve));
    const handler = (_req: unknown, res: ServerResponse): void => {
      count += 1;
      if (count === 2) res.write("x".repeat(20_000));
      if (count === 3) third();
    };
    return [handler, requests];
  }

  it("is not told by Node that its client left; `timeout` of the server ends it, and every exchange on it", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(POLICY, { onDecision: (event) => void events.push(event) });
    const [[ofPlain, toPlain], [ofGuarded, toGuarded]] = [silent(), silent()];
    const plain = createServer(ofPlain);
    const guarded = guard(engine, ofGuarded).attach(createServer());
    later(async () => {
      await Promise.all([stop(plain), stop(guarded)]);
      await engine.close();
    });
    const sockets = [await abandoned(plain, toPlain), await abandoned(guarded, toGuarded)];
    expect(sockets.map((socket) => [socket.isPaused(), socket.destroyed])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(events).toEqual([]);
    // As `server.timeout` does: Node's own listener destroys it.
    for (const socket of sockets) socket.setTimeout(1);
    await vi.waitFor(() => expect(events).toHaveLength(3));
    expect(sockets.map((socket) => socket.destroyed)).toEqual([true, true]);
  });
});
