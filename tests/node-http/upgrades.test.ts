/** `guardUpgrade`, met by a real WebSocket library on both sides, on a server that some framework might have made. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import { describe, expect, it } from "vitest";
import {
  createEngine,
  type CustomAuthenticator,
  type DecisionEvent,
  type PolicyDocument,
} from "@gatehouse/core";
import { guard, guardUpgrade, type UpgradeHandler } from "@gatehouse/node-http";
import { ask, later, policyOf, Wire } from "./support.js";
import { listen, stop } from "./target.js";

const KEY = "a-long-enough-api-key";
const POLICY: PolicyDocument = policyOf(
  {
    "GET /open": { upgrade: "websocket" },
    "GET /keyed": { upgrade: "websocket", authenticate: ["key"], authorize: "authenticated" },
    "GET /visited": { upgrade: "websocket", authenticate: ["session"], authorize: "authenticated" },
    "GET /staff": { upgrade: "websocket", authenticate: ["key"], authorize: { roles: ["staff"] } },
    "GET /one": { upgrade: "websocket", limits: ["slots"] },
    "GET /plain": {},
  },
  {
    authenticators: {
      key: { type: "custom", use: "byKey", in: "header", name: "X-API-Key" },
      session: { type: "custom", use: "byKey", in: "cookie", name: "sid" },
    },
    roles: { staff: [] },
    limits: { slots: { limit: 1, algorithm: "concurrency" } },
  },
);

const byKey: CustomAuthenticator = ({ credential }) =>
  credential === KEY ? { principal: { id: "ann" } } : "bad";

interface Upgrading {
  readonly port: number;
  readonly events: DecisionEvent[];
  readonly errors: string[];
  /** Targets of the upgrades that the application saw. */
  readonly seen: string[];
  readonly server: Server;
}

const NO_ROUTE = "no route of the application's";

/** As a framework leaves a server: its own listener for requests, and the guard's for upgrades. */
async function serveSockets(
  policy: PolicyDocument = POLICY,
  wrap: (onUpgrade: UpgradeHandler) => UpgradeHandler = (onUpgrade) => onUpgrade,
): Promise<Upgrading> {
  const events: DecisionEvent[] = [];
  const errors: string[] = [];
  const seen: string[] = [];
  const engine = await createEngine(policy, {
    authenticators: { byKey },
    onDecision: (event) => void events.push(event),
  });
  const sockets = new WebSocketServer({ noServer: true });
  const onUpgrade: UpgradeHandler = (req, socket, head, context) => {
    seen.push(req.url ?? "");
    sockets.handleUpgrade(req, socket, head, (client) => {
      client.send(`${String(context.route)} ${String(context.principal?.id)}`);
      client.on("message", (text: Buffer) => client.send(text.toString()));
    });
  };
  const server = createServer((_req, res) => res.end(NO_ROUTE));
  server.on(
    "upgrade",
    guardUpgrade(engine, wrap(onUpgrade), { onError: (error) => void errors.push(String(error)) }),
  );
  const port = await listen(server);
  later(async () => {
    for (const client of sockets.clients) client.terminate();
    await stop(server);
    await engine.close();
  });
  return { port, events, errors, seen, server };
}

/** What the library's client met: its first message, or the status of the refusal. */
async function dial(port: number, path: string, headers: Record<string, string> = {}): Promise<Dialled> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { Host: "a.test", ...headers } });
  later(() => client.terminate());
  return new Promise((resolve, reject) => {
    client.once("message", (text: Buffer) => resolve({ client, first: text.toString() }));
    client.once("unexpected-response", (_request, response: IncomingMessage) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        resolve({
          client,
          status: response.statusCode,
          type: response.headers["content-type"],
          code: (JSON.parse(text) as { code?: string }).code,
        }),
      );
    });
    client.once("error", reject);
  });
}

interface Dialled {
  readonly client: WebSocket;
  readonly first?: string;
  readonly status?: number | undefined;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
}

describe("handshakes of a WebSocket library", () => {
  it("one that a route allows is admitted, and its context is the policy's", async () => {
    const served = await serveSockets();
    const { client, first } = await dial(served.port, "/keyed", { "X-API-Key": KEY });
    expect(first).toBe("GET /keyed ann");
    client.send("ping");
    const [answer] = (await once(client, "message")) as [Buffer];
    expect(answer.toString()).toBe("ping");
    expect(served.events).toEqual([]);
    client.close();
    await expect
      .poll(() => served.events.map(({ route, outcome, status }) => [route, outcome, status]))
      .toEqual([["GET /keyed", "admit", 101]]);
  });

  it.each([
    { what: "a route without `upgrade`", path: "/plain", headers: {}, status: 403, code: "upgrade-refused" },
    { what: "no route", path: "/nope", headers: {}, status: 403, code: "upgrade-refused" },
    { what: "no credential", path: "/keyed", headers: {}, status: 401, code: "unauthenticated" },
    {
      what: "a bad credential",
      path: "/keyed",
      headers: { "X-API-Key": "no" },
      status: 401,
      code: "invalid-credential",
    },
    { what: "not the role", path: "/staff", headers: { "X-API-Key": KEY }, status: 403, code: "forbidden" },
    {
      what: "a path with two readings",
      path: "/open%2fkeyed",
      headers: {},
      status: 400,
      code: "ambiguous-path",
    },
  ])("B2.34: refused before the handshake: $what", async ({ path, headers, status, code }) => {
    const served = await serveSockets();
    const refused = await dial(served.port, path, headers);
    expect([refused.status, refused.type, refused.code]).toEqual([status, "application/problem+json", code]);
    expect(served.seen).toEqual([]);
    expect(served.events).toMatchObject([{ outcome: "refuse", status }]);
  });

  it("B5.98: with a cookie another site's page opens no socket, nor does one without an Origin", async () => {
    const served = await serveSockets();
    const cookie = { Cookie: `sid=${KEY}` };
    const cross = await dial(served.port, "/visited", { ...cookie, Origin: "https://evil.test" });
    expect([cross.status, cross.code]).toEqual([403, "cross-site-request"]);
    const silent = await dial(served.port, "/visited", cookie);
    expect([silent.status, silent.code]).toEqual([403, "cross-site-request"]);
    const fetched = await dial(served.port, "/visited", { ...cookie, "Sec-Fetch-Site": "cross-site" });
    expect([fetched.status, fetched.code]).toEqual([403, "cross-site-request"]);
    expect(served.seen).toEqual([]);
    const own = await dial(served.port, "/visited", { ...cookie, Origin: "http://a.test" });
    expect(own.first).toBe("GET /visited ann");
  });

  it.each(["closes", "vanishes"])(
    "a slot of a concurrency limit is held until the socket %s",
    async (how) => {
      const served = await serveSockets();
      const { client, first } = await dial(served.port, "/one");
      expect(first).toBe("GET /one undefined");
      const second = await dial(served.port, "/one");
      expect([second.status, second.code]).toEqual([429, "rate-limited"]);
      if (how === "closes") client.close();
      else client.terminate();
      await expect.poll(() => served.events.some(({ status }) => status === 101)).toBe(true);
      expect((await dial(served.port, "/one")).first).toBe("GET /one undefined");
    },
  );

  it("a refused socket holds no slot", async () => {
    const served = await serveSockets();
    for (let count = 0; count < 3; count++) await dial(served.port, "/nope");
    expect((await dial(served.port, "/one")).first).toBe("GET /one undefined");
  });

  it.each([
    { what: "a key that is none", fields: "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: no\r\n" },
    { what: "no key", fields: "Sec-WebSocket-Version: 13\r\n" },
    { what: "a version that nobody speaks", fields: "Sec-WebSocket-Version: 7\r\n" },
  ])("a malformed handshake is the application's to refuse: $what", async ({ fields }) => {
    const served = await serveSockets();
    const wire = await Wire.open(served.port);
    wire.send(
      `GET /open HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}\r\n`,
    );
    expect((await wire.answer()).status).toBe(400);
    expect(served.seen).toEqual(["/open"]);
  });
});

describe("bare sockets", () => {
  const HANDSHAKE =
    "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

  it.each([
    { upgrade: "h2c", path: "/open" },
    { upgrade: "websocket, h2c", path: "/open" },
    { upgrade: "h2c", path: "/plain" },
    { upgrade: "TLS/1.0", path: "/open" },
  ])("B2.35: `$upgrade` is never honoured on $path", async ({ upgrade, path }) => {
    const served = await serveSockets();
    const answer = await ask(
      served,
      `GET ${path} HTTP/1.1\nConnection: Upgrade, HTTP2-Settings\nUpgrade: ${upgrade}\nHTTP2-Settings: AAMAAABkAAQAAP__`,
    );
    expect([answer.status, served.seen]).toEqual([403, []]);
  });

  it("content on an upgrade never becomes the first bytes of the socket", async () => {
    const served = await serveSockets();
    for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
      const answer = await ask(
        served,
        `GET /open HTTP/1.1\n${HANDSHAKE}\n${framing}`,
        "5\r\nhello\r\n0\r\n\r\n",
      );
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, "unexpected-body"]);
    }
    expect(served.seen).toEqual([]);
  });

  it("another method than GET opens nothing, and HEAD is answered without a body", async () => {
    const served = await serveSockets();
    for (const method of ["POST", "HEAD", "OPTIONS"]) {
      const wire = await Wire.open(served.port);
      wire.send(
        `${method} /open HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      await wire.closed();
      expect(wire.text.startsWith("HTTP/1.1 403 Forbidden\r\n")).toBe(true);
      if (method === "HEAD") expect(wire.text.endsWith("\r\n\r\n")).toBe(true);
    }
    expect(served.seen).toEqual([]);
  });

  it("a refusal carries the policy's fields, closes, and arrives though the client goes on writing", async () => {
    const served = await serveSockets();
    const wire = await Wire.open(served.port);
    wire.send(`GET /plain HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\n`);
    wire.send(Buffer.alloc(200_000));
    await wire.closed();
    expect(wire.text).toContain("\r\nConnection: close\r\n");
    expect(wire.text).toContain("X-Content-Type-Options: nosniff\r\n");
    expect(wire.errors).toEqual([]);
  });

  it("bytes behind the handshake are the application's", async () => {
    const served = await serveSockets(POLICY, () => (_req, socket, head) => {
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
    });
    const wire = await Wire.open(served.port);
    wire.send(`GET /open HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\nfirst`);
    await wire.closed();
    expect(wire.text.endsWith("\r\n\r\nfirst")).toBe(true);
  });

  it("a client that leaves while a check decides never meets the application", async () => {
    const release: (() => void)[] = [];
    const seen: string[] = [];
    const events: DecisionEvent[] = [];
    const engine = await createEngine(
      policyOf({ "GET /": { upgrade: "websocket", authorize: { check: ["slow"] } } }),
      {
        checks: { slow: () => new Promise((resolve) => release.push(() => resolve(true))) },
        onDecision: (event) => void events.push(event),
      },
    );
    const server = createServer().on(
      "upgrade",
      guardUpgrade(engine, (req) => void seen.push(req.url ?? "")),
    );
    const port = await listen(server);
    later(() => stop(server));
    const wire = await Wire.open(port);
    wire.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${HANDSHAKE.replaceAll("\n", "\r\n")}\r\n\r\n`);
    await expect.poll(() => release.length).toBe(1);
    wire.socket.resetAndDestroy();
    await expect.poll(() => events.map(({ outcome, status }) => [outcome, status])).toEqual([["aborted", 0]]);
    release[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([]);
  });
});

describe("beside other guards", () => {
  const engine = () => createEngine(POLICY, { authenticators: { byKey } });

  it("a guard that is a plain listener takes it for no stranger, and the rest is still refused", async () => {
    const known = await engine();
    const listener = guardUpgrade(known, (_req, socket) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    );
    const server = createServer(guard(known, (_req, res) => res.end("ok"))).on("upgrade", listener);
    const port = await listen(server);
    later(() => stop(server));
    expect((await ask({ port }, "GET /plain HTTP/1.1")).text).toBe("ok");
    const upgrade = "Connection: Upgrade\nUpgrade: websocket";
    expect((await ask({ port }, `GET /open HTTP/1.1\n${upgrade}`)).status).toBe(101);
    expect((await ask({ port }, `GET /plain HTTP/1.1\n${upgrade}`)).status).toBe(403);
  });

  it("a listener that only calls it is a stranger: what else it does is not known", async () => {
    const known = await engine();
    const listener = guardUpgrade(known, () => undefined);
    const errors: string[] = [];
    const guarded = guard(known, (_req, res) => res.end("ok"), {
      onError: (error) => void errors.push(String(error)),
    });
    const server = createServer(guarded).on("upgrade", (...given) => listener(...given));
    const port = await listen(server);
    later(() => stop(server));
    expect((await ask({ port }, "GET /plain HTTP/1.1")).status).toBe(500);
    expect(errors).toEqual([
      "Error: a listener for `upgrade` on this server would answer requests that no policy has decided; wrap it in `guardUpgrade(engine, …)`, or hand it to the guard as `onUpgrade` and call `attach(server)`",
    ]);
  });

  it("an attached guard without `onUpgrade` lets it in, one with it does not", async () => {
    const known = await engine();
    const listener = guardUpgrade(known, () => undefined);
    const open = guard(known, () => undefined).attach(createServer());
    expect(open.on("upgrade", listener).listeners("upgrade")).toEqual([listener]);
    const taken = guard(known, () => undefined, { onUpgrade: () => undefined }).attach(createServer());
    expect(() => taken.on("upgrade", listener)).toThrow(
      /^a listener for `upgrade` on this server would answer/,
    );
  });

  it("B1.17: a socket that two guards are given is closed, and the operator is told", async () => {
    const served = await serveSockets();
    served.server.on(
      "upgrade",
      guardUpgrade(await engine(), () => undefined, {
        onError: (error) => void served.errors.push(String(error)),
      }),
    );
    const wire = await Wire.open(served.port);
    wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await wire.closed();
    expect(served.errors).toEqual(["Error: an upgrade that a guard has decided was handed to a guard again"]);
  });
});

it("an engine that was bound to a framework's matching keeps it", async () => {
  const known = await createEngine(policyOf({ "GET /Chat": { upgrade: "websocket" } }));
  const accept: UpgradeHandler = (_req, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  for (const [engine, status] of [
    [known, 403],
    [known.bind({ caseSensitive: false }), 101],
  ] as const) {
    const server = createServer().on("upgrade", guardUpgrade(engine, accept));
    const port = await listen(server);
    later(() => stop(server));
    const asked = "GET /chat HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket";
    expect((await ask({ port }, asked)).status).toBe(status);
  }
});

it("options that nobody knows are errors", async () => {
  const known = await createEngine(POLICY, { authenticators: { byKey } });
  const wrong = (onUpgrade: unknown, options?: object) => () =>
    guardUpgrade(known, onUpgrade as UpgradeHandler, options);
  expect(wrong(undefined)).toThrow(new TypeError("`onUpgrade` is not a function"));
  expect(wrong(() => undefined, { onErorr: true })).toThrow(
    new TypeError("unknown option `onErorr`; did you mean `onError`?"),
  );
  expect(wrong(() => undefined, { onError: 1 })).toThrow(new TypeError("`onError` is not a function"));
});
