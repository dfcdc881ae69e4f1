/** Bodies that a rule reads, bodies that the handler reads, and bodies that never come whole. */
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf, readable } from "./wire.js";

const KB = 1000;
const READ = policyOf({
  "POST /": { request: { body: { type: "object", properties: { a: { type: "string" } } } } },
  "GET /": {},
});
const STREAMED = policyOf({ "POST /": { request: { maxBody: KB, types: ["text/plain"] } }, "GET /": {} });
const JSON_HEAD = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n";
const TEXT_HEAD = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\n";
const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

export function chunked(...chunks: string[]): string {
  return [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
}

const echo = (turn: Turn): unknown =>
  turn.method === "GET" ? turn.answer(200, {}, "ok") : turn.answer(200, {}, turn.body);
const measure = async (turn: Turn): Promise<unknown> =>
  turn.answer(200, {}, turn.method === "GET" ? "ok" : String((await turn.read()).length));

export function describeBodies({ serve, it }: Suite): void {
  it("what a rule read is handed over as validated", async () => {
    const served = await serve(READ, echo);
    const head = "POST / HTTP/1.1\nContent-Type: application/json\nContent-Length: 9";
    expect((await ask(served, head, '{"a":"b"}')).text).toBe('{"a":"b"}');
    const refused = await ask(served, head, '{"b":"b"}');
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([422, "invalid-body"]);
  });

  it("B7.112: what is cut at maxBody never passes for the whole: its reader sees no end", async () => {
    const seen: string[] = [];
    const served = await serve(STREAMED, async (turn) => {
      seen.push("begun");
      await turn.read().then(
        () => seen.push("whole"),
        () => seen.push("broken"),
      );
    });
    const wire = await served.connect();
    wire.send(`${TEXT_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    wire.send(chunked("x".repeat(KB), "x".repeat(KB)));
    expect((await wire.answer("POST")).status).toBe(413);
    await wire.closed();
    await expect.poll(() => seen).toEqual(["begun", "broken"]);
  });

  it("it may come byte by byte, and the connection is used again", async () => {
    const served = await serve(READ, echo);
    const wire = await served.connect();
    wire.send(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (const byte of chunked('{"a"', ':"b"}')) {
      wire.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await wire.answer("POST")).body.toString()).toBe('{"a":"b"}');
    wire.send(GET);
    expect((await wire.answer()).status).toBe(200);
  });

  for (const { form, framing, body } of [
    { form: "a stated length", framing: "Content-Length: 200000", body: "x".repeat(200 * KB) },
    { form: "chunks", framing: "Transfer-Encoding: chunked", body: chunked("x".repeat(200 * KB)) },
  ]) {
    it(`more than maxBody in ${form} is 413, closes, and the handler does not run`, async () => {
      const ran: string[] = [];
      const served = await serve(READ, (turn) => void ran.push(turn.target));
      const wire = await served.connect();
      wire.send(`${JSON_HEAD}${framing}\r\n\r\n`).send(body);
      const answer = readable(await wire.answer("POST"));
      expect([answer.status, answer.header("connection")]).toEqual([413, "close"]);
      expect(JSON.parse(answer.text)).toMatchObject({ code: "body-too-large" });
      await wire.closed();
      expect(ran).toEqual([]);
    });
  }

  it("what no rule reads streams to the handler, within the limit", async () => {
    const served = await serve(STREAMED, measure);
    const wire = await served.connect();
    wire.send(`${TEXT_HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(400), "x".repeat(600))}`);
    expect((await wire.answer("POST")).body.toString()).toBe("1000");
    wire.send(`${TEXT_HEAD}Content-Length: 1000\r\n\r\n${"x".repeat(1000)}`);
    expect((await wire.answer("POST")).body.toString()).toBe("1000");
    wire.send(GET);
    expect((await wire.answer()).status).toBe(200);
  });

  it("beyond the limit a streamed body is 413 in the policy's shape, and closes", async () => {
    const served = await serve(STREAMED, measure);
    const wire = await served.connect();
    wire.send(`${TEXT_HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(999), "x".repeat(2))}`);
    const answer = readable(await wire.answer("POST"));
    expect([answer.status, answer.header("connection")]).toEqual([413, "close"]);
    expect(answer.header("x-content-type-options")).toBe("nosniff");
    expect(JSON.parse(answer.text)).toMatchObject({ code: "body-too-large" });
    await wire.closed();
  });

  it("one that never comes whole ends its exchange, and the handler does not run", async () => {
    const ran: string[] = [];
    const served = await serve(READ, (turn) => void ran.push(turn.target));
    const wire = await served.connect();
    wire.send(`${JSON_HEAD}Content-Length: 9\r\n\r\n{`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    wire.socket.destroy();
    expect(await served.event()).toMatchObject({ outcome: "aborted", status: 0 });
    expect(ran).toEqual([]);
  });
}
