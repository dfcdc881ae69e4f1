/** Streams of events as a handler of Node's writes them: heads, callbacks, backpressure, HTTP/2. */
import { once } from "node:events";
import { connect as connectHttp2, createServer as createHttp2 } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createEngine, type PolicyDocument } from "@gatehouse/core";
import { guard } from "@gatehouse/node-http";
import { ask, later, policyOf, serve, type PlainHandler } from "./support.js";
import { listen, stop } from "./target.js";

const SHAPE = { type: "object", properties: { id: { type: "integer" } } };
const BOTH = policyOf({ "GET /": { response: { body: SHAPE, events: SHAPE } } });
const POLICIES: readonly (readonly [string, PolicyDocument])[] = [
  ["beside a body rule", BOTH],
  ["alone", policyOf({ "GET /": { response: { events: SHAPE } } })],
];
const STREAM = { "Content-Type": "text/event-stream" };
const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const EVENT = 'data: {"id":1,"canary":2}\n\n';
const LEFT = 'data: {"id":1}\n\n';

const WAYS: readonly { readonly way: string; readonly handler: PlainHandler }[] = [
  {
    way: "writeHead, write, end",
    handler: (_req, res) => void (res.writeHead(200, STREAM).write(EVENT), res.end()),
  },
  { way: "writeHead and end with text", handler: (_req, res) => void res.writeHead(200, STREAM).end(EVENT) },
  {
    way: "setHeader and write",
    handler: (_req, res) =>
      void (res.setHeader("content-type", STREAM["Content-Type"]), res.write(EVENT), res.end()),
  },
  {
    way: "setHeader and end",
    handler: (_req, res) => void res.setHeader("Content-Type", ["text/event-stream"]).end(EVENT),
  },
  {
    way: "flushHeaders first",
    handler: (_req, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      res.flushHeaders();
      res.write(EVENT);
      res.end();
    },
  },
  {
    way: "flushHeaders after writeHead",
    handler: (_req, res) => {
      res.writeHead(200, STREAM).flushHeaders();
      res.end(EVENT);
    },
  },
  {
    way: "other encodings and callbacks",
    handler: async (_req, res) => {
      res.writeHead(200, STREAM);
      await new Promise((resolve) =>
        res.write(Buffer.from(EVENT).toString("hex").slice(0, 8), "hex", resolve),
      );
      await new Promise((resolve) => res.write(EVENT.slice(4), "latin1", resolve));
      res.end(() => undefined);
    },
  },
  {
    way: "a buffer that is used again",
    handler: (_req, res) => {
      res.writeHead(200, STREAM);
      const scratch = Buffer.alloc(1);
      for (const byte of Buffer.from(EVENT)) {
        scratch[0] = byte;
        res.write(scratch);
      }
      res.end();
    },
  },
  {
    way: "trailers",
    handler: (_req, res) => {
      res.writeHead(200, { ...STREAM, Trailer: "X-Canary" });
      res.write(EVENT);
      res.addTrailers({ "X-Canary": "canary" });
      res.end();
    },
  },
];

describe.each(POLICIES)("%s", (_name, policy) => {
  it.each(WAYS)("$way: what its events are left of, and no more", async ({ handler }) => {
    const served = await serve(policy, handler);
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text, answer.header("content-type")]).toEqual([
      200,
      LEFT,
      "text/event-stream",
    ]);
    expect(JSON.stringify(answer.headers)).not.toContain("anary");
    expect(served.errors).toEqual([]);
  });

  it("the head leaves when the handler has written it, before any event", async () => {
    let answering: (() => void) | undefined;
    const served = await serve(policy, (_req, res) => {
      res.writeHead(200, STREAM);
      answering = () => res.end(EVENT);
    });
    const wire = await served.connect();
    wire.send(GET);
    await wire.until("\r\n\r\n");
    answering?.();
    expect((await wire.answer()).body.toString()).toBe(LEFT);
  });

  it("backpressure reaches the handler, also through events that do not leave", async () => {
    const note = "x".repeat(60_000);
    const shaped = {
      ...policy,
      routes: { "GET /": { authenticate: "none", response: { events: true } } },
    } as const;
    const seen: boolean[] = [];
    const served = await serve(shaped, async (_req, res) => {
      res.writeHead(200, STREAM);
      for (let count = 0; count < 100; count++) {
        const more = res.write(`data: ${JSON.stringify(note)}\n\n`);
        // A piece of which nothing leaves yet is no reason to go on.
        if (!more) seen.push(res.write(": "), res.write("canary"));
        if (!more) await once(res, "drain");
        res.write("\n");
      }
      res.end();
    });
    const wire = await served.connect();
    wire.send(GET);
    const { body } = await wire.answer();
    expect(body.toString().split('"').length).toBe(201);
    expect(body.toString()).not.toContain("canary");
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([false]));
  });

  it("a handler that throws after the head has no second answer", async () => {
    const served = await serve(policy, (_req, res) => {
      res.writeHead(200, STREAM);
      res.write(EVENT);
      throw new Error("canary");
    });
    const wire = await served.connect();
    wire.send(GET);
    await wire.closed();
    expect(wire.text.split("HTTP/1.1").length).toBeLessThanOrEqual(2);
    expect(wire.text).not.toContain("canary");
    expect(String((await served.event()).error)).toBe("Error: canary");
  });

  it("what is written behind an event beyond the bound does not leave, nor is it waited for", async () => {
    const served = await serve(policy, (_req, res) => {
      res.writeHead(200, STREAM);
      res.write(`${EVENT}data: ${"1".repeat(2 ** 20)}\n\n`);
      expect(res.write(EVENT)).toBe(true);
      res.end(EVENT);
    });
    const wire = await served.connect();
    wire.send(GET);
    await wire.closed();
    expect(wire.text.split(LEFT)).toHaveLength(2);
  });

  it("over HTTP/2 each event leaves by itself too", async () => {
    const engine = await createEngine(policy);
    let answering: (() => void) | undefined;
    const server = guard<Http2ServerRequest, Http2ServerResponse>(engine, (_req, res) => {
      res.writeHead(200, STREAM);
      res.write(EVENT);
      answering = () => res.end(EVENT);
    }).attach(createHttp2());
    const session = connectHttp2(`http://localhost:${await listen(server)}`);
    later(async () => {
      session.destroy();
      await stop(server);
      await engine.close();
    });
    const stream = session.request({ ":authority": "a.test", ":path": "/" });
    const [head] = (await once(stream, "response")) as [Record<string, unknown>];
    const [first] = (await once(stream, "data")) as [Buffer];
    answering?.();
    expect([head[":status"], first.toString(), await text(stream)]).toEqual([200, LEFT, LEFT]);
  });
});

it("the type that counts is the one that stands when the head leaves", async () => {
  const served = await serve(BOTH, (_req, res) => {
    res.setHeader("Content-Type", "text/event-stream");
    res.setHeader("Content-Type", "application/json");
    res.write('{"id":1,');
    res.end('"canary":2}');
  });
  expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"id":1}');
});

it("fields cannot be set once an event may have left", async () => {
  let failure: unknown;
  const served = await serve(BOTH, (_req, res) => {
    res.writeHead(200, STREAM);
    try {
      res.setHeader("X-Late", "1");
    } catch (error) {
      failure = error;
    }
    expect(res.headersSent).toBe(true);
    res.end();
  });
  await ask(served, "GET / HTTP/1.1");
  expect(failure).toMatchObject({ code: "ERR_HTTP_HEADERS_SENT" });
});

it("without a rule too, flushHeaders sends the head at once", async () => {
  let answering: (() => void) | undefined;
  const served = await serve(policyOf({ "GET /": {} }), (_req, res) => {
    res.flushHeaders();
    answering = () => res.end("done");
  });
  const wire = await served.connect();
  wire.send(GET);
  await wire.until("\r\n\r\n");
  answering?.();
  expect((await wire.answer()).body.toString()).toBe("done");
});
