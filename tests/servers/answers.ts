/** A body rule needs the whole answer, as the handler wrote it: no part, no 304, no coding; what compresses stands behind it. */
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf } from "./wire.js";

const ORDER = { id: "o-1", secret: "canary-7f3a" };
const CUT = '{"id":"o-1"}';
const SHAPE = { type: "object", properties: { id: { type: "string" } } };
const POLICY = policyOf({ "GET|HEAD /ruled": { response: { body: SHAPE } }, "GET|HEAD /open": {} });
const JSON_TYPE = { "Content-Type": "application/json" };
const QUESTIONS = ["if-none-match", "if-modified-since", "if-range", "range"];

export function describeAnswers({ serve, it }: Suite): void {
  it("undeclared_never_leaves: an object, text, bytes and a stream are cut alike", async () => {
    const text = JSON.stringify(ORDER);
    const ways: readonly ((turn: Turn) => unknown)[] = [
      (turn) => turn.answer(200, {}, ORDER),
      (turn) => turn.answer(200, JSON_TYPE, text),
      (turn) => turn.answer(200, JSON_TYPE, Buffer.from(text)),
      (turn) => turn.stream(200, JSON_TYPE, pieces(text.slice(0, 9), text.slice(9))),
      (turn) => turn.answer(200, { ...JSON_TYPE, "Content-Length": String(text.length) }, text),
    ];
    for (const way of ways) {
      const answer = await ask(await serve(POLICY, way), "GET /ruled HTTP/1.1");
      expect([answer.status, answer.text, answer.header("content-length")]).toEqual([
        200,
        CUT,
        String(CUT.length),
      ]);
    }
  });

  it("B8.131: neither an ETag nor a date tells of the text before it was cut", async () => {
    const fields = { ETag: '"canary-7f3a"', "Last-Modified": "Mon, 01 Jun 2026 12:00:00 GMT" };
    for (const answering of [fields, {}]) {
      const served = await serve(POLICY, (turn) => turn.answer(200, answering, ORDER));
      const answer = await ask(served, "GET /ruled HTTP/1.1");
      expect([answer.text, answer.header("etag")]).toEqual([CUT, undefined]);
    }
  });

  it("the handler is not asked for a 304 or a range, and answers whole", async () => {
    const seen: unknown[] = [];
    const served = await serve(POLICY, (turn) => {
      seen.push(
        QUESTIONS.map((name) => turn.field(name)),
        turn.field("x-kept"),
      );
      return turn.answer(200, { ETag: '"a"' }, ORDER);
    });
    const asked =
      'If-None-Match: "a", *\nIf-Modified-Since: Mon, 01 Jun 2037 12:00:00 GMT\nIf-Range: "a"\nRange: bytes=0-3\nX-Kept: yes';
    const answer = await ask(served, `GET /ruled HTTP/1.1\n${asked}`);
    expect([answer.status, answer.text]).toEqual([200, CUT]);
    expect(seen).toEqual([QUESTIONS.map(() => undefined), "yes"]);
  });

  it("without a rule the handler is asked, and may answer 304 or a part", async () => {
    const served = await serve(POLICY, (turn) =>
      turn.field("range") === undefined
        ? turn.answer(304, { ETag: turn.field("if-none-match") ?? "" })
        : turn.answer(206, { "Content-Type": "text/plain", "Content-Range": "bytes 0-3/9" }, "part"),
    );
    const cached = await ask(served, 'GET /open HTTP/1.1\nIf-None-Match: "a"');
    expect([cached.status, cached.header("etag"), cached.text]).toEqual([304, '"a"', ""]);
    const part = await ask(served, "GET /open HTTP/1.1\nRange: bytes=0-3");
    expect([part.status, part.header("content-range"), part.text]).toEqual([206, "bytes 0-3/9", "part"]);
  });

  it("a part that the handler sends anyway is withheld", async () => {
    const served = await serve(POLICY, (turn) =>
      turn.answer(206, { ...JSON_TYPE, "Content-Range": "bytes 0-3/40" }, '{"id":"canary-7f3a"}'),
    );
    const answer = await ask(served, "GET /ruled HTTP/1.1\nRange: bytes=0-3");
    expect([answer.status, answer.text.includes("canary")]).toEqual([500, false]);
  });

  for (const status of [204, 304]) {
    it(`${status} has no body and no length`, async () => {
      const served = await serve(POLICY, (turn) => turn.answer(status, {}));
      const answer = await ask(served, "GET /ruled HTTP/1.1");
      expect([answer.status, answer.text, answer.header("content-length")]).toEqual([status, "", undefined]);
    });
  }

  it("HEAD has the fields of GET's answer and no body, and the connection goes on", async () => {
    const served = await serve(POLICY, (turn) => turn.answer(200, {}, ORDER));
    const wire = await served.connect();
    for (const path of ["/ruled", "/open"]) {
      wire.send(`HEAD ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const head = await wire.answer("HEAD");
      expect([head.status, head.body.length]).toEqual([200, 0]);
      wire.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const get = await wire.answer();
      expect(get.status).toBe(200);
      const type = (fields: typeof get.headers): unknown =>
        fields.find(([name]) => name.toLowerCase() === "content-type")?.[1];
      expect(type(head.headers)).toBe(type(get.headers));
    }
    expect(wire.text).toBe("");
  });

  it("B8.130: an answer that the handler compressed is withheld under a rule, and passes without one", async () => {
    const bytes = gzipSync(JSON.stringify(ORDER));
    const served = await serve(POLICY, (turn) =>
      turn.answer(200, { ...JSON_TYPE, "Content-Encoding": "gzip" }, bytes),
    );
    const ruled = await ask(served, "GET /ruled HTTP/1.1");
    expect([ruled.status, JSON.parse(ruled.text).code]).toEqual([500, "unreadable-response"]);
    expect(ruled.header("content-encoding")).toBeUndefined();
    const open = await ask(served, "GET /open HTTP/1.1");
    expect([open.status, gunzipSync(open.body).toString()]).toEqual([200, JSON.stringify(ORDER)]);
  });

  it(
    "what stands before the guard compresses what the policy has left",
    async () => {
      const served = await serve(POLICY, (turn) => turn.answer(200, {}, ORDER), { compress: true });
      for (const [path, text] of [
        ["/ruled", CUT],
        ["/open", JSON.stringify(ORDER)],
      ] as const) {
        const answer = await ask(served, `GET ${path} HTTP/1.1\nAccept-Encoding: gzip`);
        expect([answer.status, answer.header("content-encoding")]).toEqual([200, "gzip"]);
        expect(gunzipSync(answer.body).toString()).toBe(text);
        expect(answer.header("vary")?.toLowerCase()).toContain("accept-encoding");
        expect(answer.header("x-content-type-options")).toBe("nosniff");
      }
      expect((await ask(served, "GET /ruled HTTP/1.1")).text).toBe(CUT);
      const refused = await ask(served, "GET /nope HTTP/1.1\nAccept-Encoding: gzip");
      expect(refused.status).toBe(404);
      expect(served.errors).toEqual([]);
    },
    "compression",
  );

  it("a stream stays a stream: the first piece arrives while the handler waits", async () => {
    let release = (): void => undefined;
    const more = new Promise<void>((resolve) => (release = resolve));
    async function* twice(): AsyncGenerator<string> {
      yield "data: 1\n\n";
      await more;
      yield "data: 2\n\n";
    }
    const served = await serve(POLICY, (turn) =>
      turn.stream(200, { "Content-Type": "text/event-stream" }, twice()),
    );
    const wire = await served.connect();
    wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await wire.until("data: 1");
    release();
    expect((await wire.answer()).body.toString()).toBe("data: 1\n\ndata: 2\n\n");
  });
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) {
    await Promise.resolve();
    yield text;
  }
}
