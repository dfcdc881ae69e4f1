/** Streams of events under `response.events`: each leaves by itself, as its schema lets it, while the handler goes on. */
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf, type Wire } from "./wire.js";

const SHAPE = { type: "object", properties: { id: { type: "integer" } } };
const POLICY = policyOf({
  "GET|HEAD /both": { response: { body: SHAPE, events: SHAPE } },
  "GET|HEAD /events": { response: { events: SHAPE } },
  "GET|HEAD /body": { response: { body: SHAPE } },
  "GET /observed": { mode: "observe", response: { body: SHAPE, events: SHAPE } },
});
const STREAM = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" };
const WRITTEN =
  ': canary\r\nid: 1\r\ndata: {"id":1,"name":"canary é"}\r\n\r\ndata: canary\n\ndata: {"id":\ndata: 2}\n\ndata: {"id":3}';
const LEFT = ':\n\ndata: {"id":1}\nid: 1\n\ndata: {"id":2}\n\n';
const PATHS = ["/both", "/events"];

async function opened(served: { connect(): Promise<Wire> }, path: string, method = "GET"): Promise<Wire> {
  return (await served.connect()).send(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
}

/** Yields, and then waits until it is told to go on. */
function held(
  first: string,
  rest: readonly string[] = [],
): { readonly chunks: AsyncGenerator<string>; readonly release: () => void } {
  let release = (): void => undefined;
  const more = new Promise<void>((resolve) => (release = resolve));
  async function* chunks(): AsyncGenerator<string> {
    yield first;
    await more;
    yield* rest;
  }
  return { chunks: chunks(), release };
}

async function* bytesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

export function describeEvents({ serve, it }: Suite): void {
  for (const path of PATHS) {
    it(`${path}: an event arrives while the handler waits, and nothing undeclared of it`, async () => {
      const { chunks, release } = held('data: {"id":1,"name":"canary"}\n\ndata: {"id":2', [
        "}\n\n: canary\n\n",
      ]);
      const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, chunks));
      const wire = await opened(served, path);
      await wire.until('data: {"id":1}\n\n');
      release();
      const answer = await wire.answer();
      expect(answer.body.toString()).toBe('data: {"id":1}\n\ndata: {"id":2}\n\n:\n\n');
      expect((await served.event()).status).toBe(200);
    });

    it(`${path}: the head arrives before anything may leave`, async () => {
      const { chunks, release } = held("data: canary\n\n", ['data: {"id":1}\n\n']);
      const served = await serve(POLICY, (turn) => turn.stream(200, { ...STREAM, ETag: '"canary"' }, chunks));
      const wire = await opened(served, path);
      await wire.until("\r\n\r\n");
      release();
      const answer = await wire.answer();
      const names = answer.headers.map(([name]) => name.toLowerCase());
      expect([names.includes("content-length"), names.includes("etag")]).toEqual([false, false]);
      expect([answer.status, answer.body.toString()]).toEqual([200, 'data: {"id":1}\n\n']);
      expect((await served.event()).reports).toEqual(["events dropped: 1, because its data is not JSON"]);
    });

    for (const size of [1, 2, 7, 1000]) {
      it(`${path}: chunks of ${size} never matter`, async () => {
        const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, bytesOf(WRITTEN, size)));
        expect((await ask(served, `GET ${path} HTTP/1.1`)).text).toBe(LEFT);
      });
    }

    it(`${path}: an answer that is there as a whole leaves as its events would`, async () => {
      const served = await serve(POLICY, (turn) => turn.answer(200, STREAM, WRITTEN));
      const answer = await ask(served, `GET ${path} HTTP/1.1`);
      expect([answer.status, answer.text]).toEqual([200, LEFT]);
    });

    it(`${path}: a promised length is not kept, since other bytes are sent`, async () => {
      const fields = { ...STREAM, "Content-Length": String(Buffer.byteLength(WRITTEN)) };
      const served = await serve(POLICY, (turn) => turn.stream(200, fields, bytesOf(WRITTEN, 9)));
      expect((await ask(served, `GET ${path} HTTP/1.1`)).text).toBe(LEFT);
    });

    it(`${path}: HEAD has the head alone, and the connection goes on`, async () => {
      const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, bytesOf(WRITTEN, 9)));
      const wire = await opened(served, path, "HEAD");
      const head = await wire.answer("HEAD");
      expect([head.status, head.body.length]).toEqual([200, 0]);
      wire.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect((await wire.answer()).body.toString()).toBe(LEFT);
    });

    it(`${path}: a handler that fails ends the connection, and what it had begun does not leave`, async () => {
      async function* broken(): AsyncGenerator<string> {
        yield 'data: {"id":1}\n\ndata: {"id":2}';
        await Promise.resolve();
        throw new Error("canary");
      }
      const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, broken()));
      const wire = await opened(served, path);
      await wire.closed();
      expect(wire.text.split("HTTP/1.1").length).toBeLessThanOrEqual(2);
      expect(wire.text.endsWith("0\r\n\r\n")).toBe(false);
      for (const never of ["canary", '{"id":2}']) expect(wire.text).not.toContain(never);
    });

    it(`${path}: an event beyond the bound ends the connection, and nothing behind it leaves`, async () => {
      const large = `data: {"id":2,"x":"${"x".repeat(2 ** 20)}`;
      const { chunks, release } = held('data: {"id":1}\n\n', [large, '"}\n\ndata: {"id":3}\n\n']);
      const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, chunks));
      const wire = await opened(served, path);
      await wire.until('data: {"id":1}\n\n');
      release();
      await wire.closed();
      expect(wire.text.endsWith("0\r\n\r\n")).toBe(false);
      expect(wire.text).not.toContain('"id":3');
      const cut = "a stream of events was cut: an event is larger than 1048576 bytes";
      expect(String((await served.event()).error)).toBe(`Error: ${cut}`);
      expect(served.errors).toContain(cut);
    });

    it(`${path}: a stream that is coded is withheld`, async () => {
      const fields = { ...STREAM, "Content-Encoding": "gzip" };
      const served = await serve(POLICY, (turn) => turn.stream(200, fields, bytesOf(WRITTEN, 9)));
      const answer = await ask(served, `GET ${path} HTTP/1.1`);
      expect([answer.status, answer.text.includes("canary")]).toEqual([500, false]);
    });

    it(`${path}: the handler learns that the client left`, async () => {
      let seen: (() => void) | undefined;
      const left = new Promise<void>((resolve) => (seen = resolve));
      const { chunks, release } = held('data: {"id":1}\n\n');
      const served = await serve(POLICY, (turn: Turn) => {
        turn.signal.addEventListener("abort", () => seen?.());
        return turn.stream(200, STREAM, chunks);
      });
      const wire = await opened(served, path);
      await wire.until('{"id":1}');
      wire.socket.destroy();
      await left;
      release();
      expect((await served.event()).status).toBe(200);
    });
  }

  it("without a schema for events a stream is withheld at once, however long it goes on", async () => {
    const { chunks, release } = held("data: canary\n\n");
    const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, chunks));
    const answer = await (await opened(served, "/body")).answer();
    release();
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      500,
      { code: "unreadable-response" },
    ]);
    expect((await served.event()).reports).toEqual([
      "response withheld: a body rule applies to a stream of events: `response.events` says what leaves",
    ]);
  });

  it(
    "what stands before the guard may compress what the events are left of",
    async () => {
      const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, bytesOf(WRITTEN, 9)), {
        compress: true,
      });
      for (const path of PATHS) {
        const answer = await ask(served, `GET ${path} HTTP/1.1\nAccept-Encoding: gzip`);
        const coded = answer.header("content-encoding") === "gzip";
        expect([answer.status, coded ? gunzipSync(answer.body).toString() : answer.text]).toEqual([
          200,
          LEFT,
        ]);
      }
      expect(served.errors).toEqual([]);
    },
    "compression",
  );

  it("other answers of such a route meet the body's rule", async () => {
    const served = await serve(POLICY, (turn) => turn.answer(200, {}, { id: 1, name: "canary" }));
    expect((await ask(served, "GET /both HTTP/1.1")).text).toBe('{"id":1}');
  });

  it("observe mode sends every byte at its time, and tells what would have been dropped", async () => {
    const { chunks, release } = held('data: {"id":1,"x":2}\n\n', ["data: no\n\n"]);
    const served = await serve(POLICY, (turn) => turn.stream(200, STREAM, chunks));
    const wire = await opened(served, "/observed");
    await wire.until('"x":2}\n\n');
    release();
    expect((await wire.answer()).body.toString()).toBe('data: {"id":1,"x":2}\n\ndata: no\n\n');
    expect((await served.event()).reports).toEqual([
      "events that would have been dropped: 1, because its data is not JSON",
      "events that would have been cut: 1",
    ]);
  });
}
