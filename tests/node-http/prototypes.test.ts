/** Writers that have kept the functions of Node's prototypes, and so go around the guard's own: nothing that a rule has not seen leaves. */
import { closeSync, openSync } from "node:fs";
import { createServer, OutgoingMessage, ServerResponse } from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2,
  Http2ServerResponse,
  type ClientHttp2Stream,
  type Http2ServerRequest,
} from "node:http2";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createEngine } from "@gatehouse/core";
import { guard } from "@gatehouse/node-http";
import { listen, stop } from "./target.js";
import { later, policyOf, serve, Wire, type PlainHandler } from "./support.js";

const BODY = { type: "object", properties: { a: { type: "string" } } };
const POLICY = policyOf({
  "GET /free": {},
  "GET /ruled": { response: { body: BODY } },
  "GET /events": { response: { events: BODY } },
  "POST /streamed": { request: { maxBody: 10, types: ["text/plain"] }, response: { body: BODY } },
});
const CANARY = "canary-7f3a";
/** It holds that word. */
const THIS_FILE = fileURLToPath(import.meta.url);
const VALUE = JSON.stringify({ a: "1", secret: CANARY });
const EVENT = `data: ${VALUE}\n\n`;
const { prototype } = ServerResponse;
const inner = prototype as unknown as Record<
  "_send" | "_storeHeader",
  (this: ServerResponse, ...given: readonly unknown[]) => unknown
>;

const WAYS: Readonly<Record<string, PlainHandler>> = {
  end: (_req, res) => prototype.end.call(res, VALUE, "utf8"),
  "end of bytes": (_req, res) => prototype.end.call(res, Buffer.from(VALUE), "utf8"),
  "write and end": (_req, res) => {
    prototype.write.call(res, VALUE, "utf8");
    prototype.end.call(res, undefined, "utf8");
  },
  "write, and the guard's end": (_req, res) => {
    prototype.write.call(res, VALUE, "utf8");
    res.end();
  },
  "the guard's write, and end": (_req, res) => {
    res.write(VALUE);
    prototype.end.call(res, CANARY, "utf8");
  },
  "writeHead and end": (_req, res) => {
    prototype.writeHead.call(res, 200, { "X-Own": CANARY });
    prototype.end.call(res, VALUE, "utf8");
  },
  "writeHead, and the guard's end": (_req, res) => {
    prototype.writeHead.call(res, 200, { "X-Own": CANARY });
    res.end(VALUE);
  },
  "flushHeaders and write": (_req, res) => {
    OutgoingMessage.prototype.flushHeaders.call(res);
    prototype.write.call(res, VALUE, "utf8");
  },
  "the guard's writeHead, and write": (_req, res) => {
    res.writeHead(200);
    prototype.write.call(res, VALUE, "utf8");
  },
  "write, later": async (_req, res) => {
    await new Promise((resolve) => setImmediate(resolve));
    prototype.end.call(res, VALUE, "utf8");
  },
  writeEarlyHints: (_req, res) => {
    prototype.writeEarlyHints.call(res, { link: "</x>; rel=preload", "x-own": CANARY });
    res.end("{}");
  },
  _send: (_req, res) => {
    inner._send.call(res, VALUE, "utf8");
    res.end("{}");
  },
  "_storeHeader and _send": (_req, res) => {
    inner._storeHeader.call(res, `HTTP/1.1 200 OK\r\nX-Own: ${CANARY}\r\n`, null);
    inner._send.call(res, VALUE, "utf8");
  },
};

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;

/** All that comes until the connection ends or the answer is whole. */
async function wireOf(port: number, path: string, pipelined = ""): Promise<string> {
  const wire = await Wire.open(port);
  let all = "";
  wire.socket.on("data", (bytes: Buffer) => (all += bytes.toString("latin1")));
  wire.send(pipelined + request(path));
  await Promise.race([wire.closed(), new Promise((resolve) => setTimeout(resolve, 300))]);
  return all;
}

describe.each(Object.entries(WAYS))("%s", (_name, write) => {
  it("under a rule: what it does not let leave does not", async () => {
    const served = await serve(POLICY, write);
    expect(await wireOf(served.port, "/ruled")).not.toContain(CANARY);
  });

  it("under a rule for events: neither", async () => {
    const served = await serve(POLICY, (req, res, context) => {
      res.setHeader("Content-Type", "text/event-stream");
      return write(req, res, context);
    });
    expect(await wireOf(served.port, "/events")).not.toContain(CANARY);
  });

  it("behind another request: neither", async () => {
    const served = await serve(POLICY, async (req, res, context) => {
      if (req.url !== "/free") return write(req, res, context);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return res.end("first");
    });
    const text = await wireOf(served.port, "/ruled", request("/free"));
    expect(text).toContain("first");
    expect(text).not.toContain(CANARY);
  });

  it("without a rule: no head leaves that the policy has not shaped", async () => {
    const served = await serve(POLICY, write);
    const text = await wireOf(served.port, "/free");
    expect(text).not.toContain(`: ${CANARY}`);
    if (text !== "") expect(text).toMatch(/^HTTP\/1\.1 \d+ [^]*x-content-type-options: nosniff/iu);
  });
});

describe("events on their way", () => {
  it.each([
    ["write", (res: ServerResponse) => prototype.write.call(res, EVENT, "utf8")],
    ["end", (res: ServerResponse) => prototype.end.call(res, EVENT, "utf8")],
    [
      "a queue, let go of",
      (res: ServerResponse) => {
        prototype.cork.call(res);
        prototype.write.call(res, EVENT, "utf8");
        prototype.uncork.call(res);
      },
    ],
  ])("are not joined by others: %s", async (_name, write) => {
    const served = await serve(POLICY, (_req, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.write(EVENT);
      setTimeout(() => write(res), 50);
    });
    const text = await wireOf(served.port, "/events");
    expect(text).toContain('data: {"a":"1"}');
    expect(text).not.toContain(CANARY);
  });
});

function beginTrailed(res: ServerResponse | Http2ServerResponse, path: string): void {
  res.setHeader("Trailer", "X-Declared");
  res.setHeader("Content-Type", path === "/events" ? "text/event-stream" : "application/json");
  (res as ServerResponse).write(path === "/events" ? 'data: {"a":"1"}\n\n' : '{"a":"1"}');
}

describe("trailers", () => {
  it.each(["/free", "/ruled", "/events"])("that nobody declared do not leave: %s", async (path) => {
    const served = await serve(POLICY, (_req, res) => {
      beginTrailed(res, path);
      if (path === "/free") res.addTrailers({ "X-Declared": "1" });
      OutgoingMessage.prototype.addTrailers.call(res, { "X-Own": CANARY });
      res.end();
    });
    const text = await wireOf(served.port, path);
    expect(text).toContain("200 OK");
    expect(text).not.toContain(CANARY);
    expect(text.includes("X-Declared: 1\r\n\r\n")).toBe(path === "/free");
  });
});

describe("events of a handler that holds them back first", () => {
  it.each([
    ["at once", (res: ServerResponse) => res.uncork()],
    ["a tick later", (res: ServerResponse) => process.nextTick(() => res.uncork())],
    ["never", () => undefined],
  ])("leave when they are whole: let go of %s", async (_name, release) => {
    const served = await serve(POLICY, (_req, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.cork();
      res.cork();
      res.write(EVENT);
      release(res);
    });
    expect(await wireOf(served.port, "/events")).toContain('data: {"a":"1"}\n\n');
    expect(served.errors).toEqual([]);
  });
});

describe("what stood in front of the guard", () => {
  it("may write events later than it was handed them", async () => {
    const engine = await createEngine(POLICY);
    const errors: unknown[] = [];
    const answer: PlainHandler = (_req, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.write(EVENT);
    };
    const guarded = guard(engine, answer, { onError: (error) => void errors.push(error) });
    const server = createServer({ requireHostHeader: false }, (req, res) => {
      res.write = (...given: readonly unknown[]) => {
        setTimeout(() => void prototype.write.apply(res, given as [string, BufferEncoding]), 20);
        return true;
      };
      guarded(req, res);
    });
    const port = await listen(server);
    later(async () => {
      await stop(server);
      await engine.close();
    });
    expect(await wireOf(port, "/events")).toContain('data: {"a":"1"}');
    expect(errors).toEqual([]);
  });
});

describe("events that end before their turn", () => {
  it("are followed by the next answer", async () => {
    const served = await serve(POLICY, async (req, res) => {
      if (req.url === "/free") await new Promise((resolve) => setTimeout(resolve, 50));
      else res.setHeader("Content-Type", "text/event-stream");
      res.write(req.url === "/free" ? "first" : EVENT);
      res.end();
    });
    const text = await wireOf(served.port, "/events", request("/free") + request("/events"));
    expect(text.match(/first|data: .*/gu)).toEqual(["first", 'data: {"a":"1"}', 'data: {"a":"1"}']);
  });

  it("leave nothing that others held back", async () => {
    const served = await serve(POLICY, (_req, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.write(EVENT);
      prototype.cork.call(res);
      prototype.write.call(res, EVENT, "utf8");
      res.end();
    });
    expect(await wireOf(served.port, "/events")).not.toContain(CANARY);
    expect(served.errors).toEqual([expect.stringContaining("by a method of Node's prototypes") as string]);
  });
});

describe("behind an answer that was put in the place of the handler's, and waits for its end", () => {
  const TOO_MUCH =
    "POST /streamed HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";

  it.each<readonly [string, (res: ServerResponse) => unknown]>([
    ["write", (res) => prototype.write.call(res, VALUE, "utf8")],
    ["end", (res) => prototype.end.call(res, VALUE, "utf8")],
    ["_send", (res) => inner._send.call(res, VALUE, "utf8")],
    ["the guard's end, and write", (res) => [res.end("{}"), res.write(VALUE)]],
    ["the guard's end, twice", (res) => [res.end("{}"), res.end(VALUE)]],
  ])("nothing leaves: %s", async (_name, write) => {
    const served = await serve(POLICY, async (_req, res) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      write(res);
    });
    const wire = await served.connect();
    wire.send(`${TOO_MUCH}14\r\n${"x".repeat(20)}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    wire.send("0\r\n\r\n");
    await wire.closed();
    expect(wire.text).toMatch(/^HTTP\/1\.1 413 [^]*"body-too-large"[^{]*\}$/u);
    expect(served.errors).toEqual([]);
  });
});

describe("what is refused", () => {
  it("ends the connection, is told, and stands in the event", async () => {
    const served = await serve(POLICY, (_req, res) => prototype.end.call(res, VALUE, "utf8"));
    expect(await wireOf(served.port, "/ruled")).toBe("");
    const told = [expect.stringContaining("by a method of Node's prototypes") as string];
    expect(served.errors).toEqual(told);
    expect(await served.event()).toMatchObject({ status: 500, error: { message: told[0] } });
  });
});

const H2 = Http2ServerResponse.prototype;
const OVER_HTTP2: Readonly<Record<string, (res: Http2ServerResponse) => unknown>> = {
  end: (res) => H2.end.call(res, VALUE, "utf8"),
  "write and end": (res) => {
    H2.write.call(res, VALUE, "utf8");
    H2.end.call(res, "", "utf8");
  },
  "the guard's write, and end": (res) => {
    res.write(VALUE);
    H2.end.call(res, "", "utf8");
  },
  "writeHead and write": (res) => {
    H2.writeHead.call(res, 200, "", { "x-own": CANARY });
    H2.write.call(res, VALUE, "utf8");
  },
  "the stream's respond and end": (res) => {
    res.stream.respond({ ":status": 200, "x-own": CANARY });
    res.stream.end(VALUE);
  },
  "the stream's end": (res) => void res.stream.end(VALUE),
  "the stream's informational head": (res) => {
    res.stream.additionalHeaders({ ":status": 103, "x-own": CANARY });
    res.end("{}");
  },
  "a file": (res) => res.stream.respondWithFile(THIS_FILE, { "x-own": CANARY }),
  "an open file": (res) => {
    const file = openSync(THIS_FILE, "r");
    res.stream.once("close", () => closeSync(file));
    res.stream.respondWithFD(file, { "x-own": CANARY });
  },
};

describe("over HTTP/2", () => {
  const begin = async (write: (res: Http2ServerResponse) => unknown) => {
    const engine = await createEngine(POLICY);
    const errors: unknown[] = [];
    const guarded = guard<Http2ServerRequest, Http2ServerResponse>(engine, (_req, res) => write(res), {
      onError: (error) => void errors.push(error),
    });
    const server = guarded.attach(createHttp2());
    const port = await listen(server);
    later(async () => {
      await stop(server);
      await engine.close();
    });
    const ask = (path: string): ClientHttp2Stream => {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on("error", () => undefined);
      later(() => session.destroy());
      return session.request({ ":path": path }).on("error", () => undefined);
    };
    return { ask, errors };
  };

  const textOf = async (stream: ClientHttp2Stream): Promise<string> => {
    const seen: string[] = [];
    stream.on("headers", (fields) => void seen.push(JSON.stringify(fields)));
    stream.on("response", (fields) => void seen.push(JSON.stringify(fields)));
    stream.on("data", (bytes: Buffer) => void seen.push(bytes.toString("latin1")));
    await new Promise<void>((resolve) => stream.on("close", resolve));
    return seen.join("\n");
  };

  it.each(["/free", "/ruled", "/events"])("trailers that nobody declared do not leave: %s", async (path) => {
    const { ask } = await begin((res) => {
      beginTrailed(res, path);
      if (path === "/free") res.addTrailers({ "X-Declared": "1" });
      Reflect.apply(Reflect.get(H2, "setTrailer") as () => void, res, ["x-own", CANARY]);
      res.end();
    });
    const stream = ask(path);
    const trailers: string[] = [];
    stream.on("trailers", (fields) => void trailers.push(JSON.stringify(fields)));
    const text = await textOf(stream);
    expect(text).toContain('":status":200');
    expect(text + trailers.join("")).not.toContain(CANARY);
    expect(trailers.join("").includes('"x-declared":"1"')).toBe(path === "/free");
  });

  it.each<readonly [string, (res: Http2ServerResponse, done: (error: Error | null) => void) => void]>([
    ["the prototype's", (res, done) => H2.createPushResponse.call(res, { ":path": "/other" }, done)],
    ["the stream's", (res, done) => res.stream.pushStream({ ":path": "/other" }, done)],
    ["the stream's, with options", (res, done) => res.stream.pushStream({ ":path": "/other" }, {}, done)],
  ])("no other response is pushed: %s", async (_name, push) => {
    const { ask } = await begin((res) =>
      push(res, (error) => void res.end(JSON.stringify({ a: String(error) }))),
    );
    expect(await textOf(ask("/ruled"))).toContain("pushes no other");
  });

  it("a client that leaves is nobody's mistake", async () => {
    const handed: Http2ServerResponse[] = [];
    const { ask, errors } = await begin((res) => void handed.push(res));
    const stream = ask("/ruled");
    await expect.poll(() => handed).toHaveLength(1);
    stream.close(8);
    await expect.poll(() => handed[0]?.stream?.destroyed ?? true).toBe(true);
    expect(errors).toEqual([]);
  });

  it.each([
    ["write", (res: Http2ServerResponse) => H2.write.call(res, EVENT, "utf8")],
    ["end", (res: Http2ServerResponse) => H2.end.call(res, EVENT, "utf8")],
    ["the stream's write", (res: Http2ServerResponse) => res.stream.write(EVENT)],
  ])("events on their way are not joined by others: %s", async (_name, write) => {
    const { ask } = await begin((res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.write(EVENT);
      setTimeout(() => write(res), 50);
    });
    const text = await textOf(ask("/events"));
    expect(text).toContain('data: {"a":"1"}');
    expect(text).not.toContain(CANARY);
  });

  it.each(Object.entries(OVER_HTTP2))("%s: what a rule does not let leave does not", async (_name, write) => {
    const { ask } = await begin(write);
    for (const path of ["/ruled", "/free"]) {
      const text = await textOf(ask(path));
      expect(path === "/ruled" ? text : text.replaceAll(VALUE, "")).not.toContain(CANARY);
      if (text !== "") expect(text).toMatch(/"x-content-type-options":"nosniff"/u);
    }
  });
});
