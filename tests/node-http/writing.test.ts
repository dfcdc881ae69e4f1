/**
 * Answers leave in one write, with the policy's constant fields as kept text, where nothing wraps Node's own methods. What is on the wire
 * is what Node itself would have written, field by field.
 */
import { createServer, ServerResponse } from "node:http";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine, type DecisionEvent } from "@gatehouse/core";
import { guard } from "@gatehouse/node-http";
import { listen, stop } from "./target.js";
import { ask, later, policyOf, readable, serve, Wire, type PlainHandler } from "./support.js";

const runs = Number(process.env["WRITING_RUNS"] ?? 100);
const POLICY = policyOf(
  {
    "GET|POST|HEAD /": { response: { body: { type: "object", additionalProperties: { type: "string" } } } },
    "GET|POST|HEAD /open": {},
  },
  {
    headers: { preset: "web", "Cache-Control": "private", "X-Of-The-Policy": "a" },
    defaults: { cors: { origins: ["https://a.test"] } },
  },
);

type Method = (...given: unknown[]) => unknown;

/** The same guard behind methods that do nothing but call Node's: it cannot know that. */
async function wrapped(handler: PlainHandler): Promise<number> {
  const engine = await createEngine(POLICY);
  const listener = guard(engine, handler, { onError: () => undefined });
  const server = createServer({ requireHostHeader: false }, (req, res) => {
    const [writeHead, end] = ["writeHead", "end"].map((name) => Reflect.get(res, name) as Method) as [
      Method,
      Method,
    ];
    res.writeHead = function (this: ServerResponse, ...given: unknown[]) {
      return Reflect.apply(writeHead, this, given) as never;
    };
    res.end = function (this: ServerResponse, ...given: unknown[]) {
      return Reflect.apply(end, this, given) as never;
    };
    listener(req, res);
  });
  const port = await listen(server);
  later(async () => {
    await stop(server);
    await engine.close();
  });
  return port;
}

interface Said {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly value: unknown;
  /** By `res.end`, as text. */
  readonly ends: boolean;
  readonly fields: readonly (readonly [string, string | string[]])[];
}

const said: fc.Arbitrary<Said> = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD"),
  path: fc.constantFrom("/", "/open", "/open", "/nowhere"),
  status: fc.constantFrom(200, 200, 201, 204, 304, 404, 500),
  value: fc.oneof(
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.string({ unit: "grapheme" })),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.string({ unit: "grapheme-ascii" })),
    fc.constant(undefined),
    fc.constant(""),
  ),
  ends: fc.boolean(),
  fields: fc.uniqueArray(
    fc.constantFrom<readonly [string, string | string[]]>(
      ["Set-Cookie", ["a=1", "b=2"]],
      ["Cache-Control", "no-transform"],
      ["X-Own", "caf\u00e9"],
      ["X-Frame-Options", "ALLOWALL"],
      ["Vary", "Accept"],
      ["Connection", "close"],
      ["Content-Length", "3"],
      ["Transfer-Encoding", "chunked"],
      ["Trailer", "x-sum"],
      ["Content-Disposition", 'attachment; filename="caf\u00e9"'],
      ["content-type", "text/plain"],
      ["X-Many", ["a", "b"]],
      ["Keep-Alive", "timeout=1"],
    ),
    { selector: ([name]) => name },
  ),
});

const IDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Node writes a head that stands before text in UTF-8, and one before bytes in Latin-1, which is what its fields are. */
const inLatin1 = (head: string): string => head.replaceAll("caf\u00c3\u00a9", "caf\u00e9");

/** What differs from one answer to the next by itself is not compared. */
async function read(port: number, { method, path }: Said): Promise<unknown> {
  const wire = await Wire.open(port);
  // Bytes behind the first answer would be read as the beginning of the second one.
  const request = `${method} ${path} HTTP/1.1\r\nHost: a.test\r\nOrigin: https://a.test\r\n\r\n`;
  wire.send(request);
  // A handler that says another length than it writes is cut off.
  const first = await wire.answer(method).catch(() => undefined);
  if (first === undefined)
    return inLatin1(wire.text)
      .replace(IDS, "id")
      .replace(/^Date:.*$/m, "")
      .split("\r\n")
      .sort();
  const fields = first.headers
    .filter(([name]) => !/^(?:date|x-request-id)$/i.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${inLatin1(value)}`)
    .sort();
  if (first.headers.some(([name, value]) => /^connection$/i.test(name) && value === "close")) {
    return [first.status, fields, first.body.toString("latin1").replace(IDS, "id")];
  }
  wire.send(request);
  const second = await wire.answer(method).catch(() => undefined);
  return [first.status, fields, first.body.toString("latin1").replace(IDS, "id"), second?.status];
}

describe("written in one", () => {
  it("is what Node writes by itself, for every status, method and value", async () => {
    let now: Said | undefined;
    const handler: PlainHandler = (_req, res, context) => {
      if (now === undefined) return;
      for (const [name, value] of now.fields) res.setHeader(name, value);
      if (!now.ends) return context.send(now.value, { status: now.status });
      res.statusCode = now.status;
      res.end(now.value === undefined ? undefined : JSON.stringify(now.value));
    };
    const { port } = await serve(POLICY, handler);
    const plain = await wrapped(handler);
    await fc.assert(
      fc.asyncProperty(said, async (one) => {
        now = one;
        expect(await read(port, one)).toEqual(await read(plain, one));
      }),
      { numRuns: runs },
    );
  });

  it.each([
    ["GET", "/open"],
    ["HEAD", "/open"],
    ["GET", "/"],
    ["HEAD", "/"],
  ])("a status without content has none and no length, whatever was sent: %s %s", async (method, path) => {
    const served = await serve(POLICY, (_req, _res, context) => context.send({ a: "b" }, { status: 204 }));
    const wire = await served.connect();
    wire.send(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`.repeat(2));
    const answers = [readable(await wire.answer(method)), readable(await wire.answer(method))];
    expect(answers.map((one) => [one.status, one.header("content-length")])).toEqual([
      [204, undefined],
      [204, undefined],
    ]);
    expect(wire.text).not.toContain("{");
  });

  it.each([
    [304, "Trailer", "x-sum"],
    [201, "Transfer-Encoding", "chunked"],
  ])("a head that Node refuses leaves nothing behind: %i with %s", async (status, name, value) => {
    const served = await serve(POLICY, (_req, res) => {
      res.setHeader(name, value);
      res.setHeader("Content-Length", "3");
      res.setHeader("Trailer", "x-sum");
      res.statusCode = status;
      res.setHeader("Content-Disposition", 'attachment; filename="caf\u00e9"');
      res.end('{"a":"bcd"}');
    });
    const answer = await ask(served, "GET /open HTTP/1.1");
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([500, { status: 500 }]);
  });

  it("nor a length, where the handler goes on behind its mistake", async () => {
    const served = await serve(POLICY, (_req, res) => {
      try {
        res.writeHead(200, { "Content-Length": "0", Trailer: "x-sum" });
      } catch {
        res.setHeader("Content-Type", "text/plain");
      }
      res.write("a body of its own");
      res.end();
    });
    const wire = await served.connect();
    wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n".repeat(2));
    for (const answer of [await wire.answer(), await wire.answer()])
      expect([answer.status, readable(answer).text]).toEqual([200, "a body of its own"]);
    expect(wire.text).toBe("");
  });

  it.each(["b", "\u00e9"])("a field's value is in Latin-1 before whatever answer: %s", async (a) => {
    const served = await serve(POLICY, (_req, res, context) => {
      res.setHeader("X-Own", "caf\u00e9");
      context.send({ a });
    });
    const wire = await served.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const { headers, body } = await wire.answer("GET");
    expect(headers).toContainEqual(["X-Own", "caf\u00e9"]);
    expect(body.toString()).toBe(JSON.stringify({ a }));
  });

  it("a response that counts strictly is left to Node", async () => {
    const served = await serve(POLICY, (_req, res, context) => {
      res.strictContentLength = true;
      context.send({ a: "b" });
    });
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"a":"b"}');
    expect([(await served.event()).error, served.errors]).toEqual([undefined, []]);
  });

  it("a refusal is no less counted", async () => {
    const engine = await createEngine(POLICY);
    const listener = guard(engine, () => expect.fail("was admitted"), { onError: () => undefined });
    const server = createServer((req, res) => {
      res.strictContentLength = true;
      listener(req, res);
    });
    const port = await listen(server);
    later(async () => {
      await stop(server);
      await engine.close();
    });
    for (const [line, status] of [
      ["GET /nowhere", 404],
      ["DELETE /open", 405],
      ["GET /%zz", 400],
    ] as const) {
      const wire = await Wire.open(port);
      wire.send(`${line} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const answer = readable(await wire.answer());
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([status, { status }]);
    }
  });

  it.each(["/", "/open", "/nowhere"])(
    "what cannot be ended ends the connection, and its exchange: %s",
    async (path) => {
      const errors: unknown[] = [];
      let ended = (_event: DecisionEvent): void => undefined;
      const event = new Promise<DecisionEvent>((resolve) => (ended = resolve));
      const engine = await createEngine(POLICY, { onDecision: (one) => ended(one) });
      const listener = guard(engine, (_req, _res, context) => context.send({ a: "b" }), {
        onError: (error) => void errors.push((error as Error).message),
      });
      class Endless extends ServerResponse {
        override end(): this {
          throw new Error("planted");
        }
      }
      const server = createServer({ ServerResponse: Endless }, listener);
      const port = await listen(server);
      later(async () => {
        await stop(server);
        await engine.close();
      });
      const wire = await Wire.open(port);
      wire.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      await wire.closed();
      await event;
      expect(wire.text).not.toContain("{");
      expect(errors).toEqual(["planted"]);
    },
  );

  it("a name that a server's own setting joins is joined", async () => {
    const engine = await createEngine(POLICY);
    const answer: PlainHandler = (_req, res) => {
      res.setHeader("X-Joined", ["a", "b"]);
      res.setHeader("X-Apart", ["c", "d"]);
      res.end("{}");
    };
    const server = createServer(
      { requireHostHeader: false, uniqueHeaders: ["x-joined"] },
      guard(engine, answer, { onError: () => undefined }),
    );
    const port = await listen(server);
    later(async () => {
      await stop(server);
      await engine.close();
    });
    const wire = await Wire.open(port);
    wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const { headers } = await wire.answer("GET");
    expect(headers.filter(([name]) => /^x-(?:joined|apart)$/i.test(name))).toEqual([
      ["X-Joined", "a; b"],
      ["X-Apart", "c"],
      ["X-Apart", "d"],
    ]);
  });

  it("answers to requests that were sent together keep their order", async () => {
    let release = (): void => undefined;
    const served = await serve(POLICY, (req, _res, context) => {
      if (req.method === "POST") release = () => context.send({ n: "first" });
      else {
        context.send({ n: "second" });
        setImmediate(release);
      }
    });
    const wire = await served.connect();
    wire.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    );
    const answers = [await wire.answer("POST"), await wire.answer("GET")];
    expect(answers.map(({ body }) => body.toString())).toEqual(['{"n":"first"}', '{"n":"second"}']);
  });
});
