/** Handlers that throw, before an answer and in the middle of one. */
import type { ServerResponse } from "node:http";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { policyOf } from "./wire.js";

const POLICY = policyOf({ "GET /": {} });
const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const RULED = policyOf({
  "GET /": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
});
const TEXT = JSON.stringify({ id: "a", secret: "canary" });
const ForeignBytes = runInNewContext("Uint8Array") as Uint8ArrayConstructor;

export function describeFailures({ serve, it }: Suite): void {
  const ways: readonly { readonly way: string; readonly handler: (turn: Turn) => unknown }[] = [
    {
      way: "throws",
      handler: () => {
        throw new Error("canary");
      },
    },
    { way: "rejects", handler: () => Promise.reject(new Error("canary")) },
  ];
  for (const { way, handler } of ways) {
    it(`one that ${way} is answered 500 in the policy's shape, and the connection goes on`, async () => {
      const served = await serve(POLICY, handler);
      const wire = await served.connect();
      wire.send(GET);
      const answer = await wire.answer();
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "handler-failed" });
      expect(JSON.stringify(answer.headers) + answer.body.toString()).not.toContain("canary");
      expect((await served.event()).error).toEqual(new Error("canary"));
      wire.send("GET /nope HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await wire.answer()).status).toBe(404);
    });
  }

  it("B8.136: a stream that fails after bytes were sent ends the connection, without a second status line", async () => {
    async function* broken(): AsyncGenerator<string> {
      yield "begun";
      await Promise.resolve();
      throw new Error("canary");
    }
    const served = await serve(POLICY, (turn) =>
      turn.stream(200, { "Content-Type": "text/plain" }, broken()),
    );
    const wire = await served.connect();
    wire.send(GET);
    await wire.closed();
    expect(wire.text.split("HTTP/1.1").length).toBeLessThanOrEqual(2);
    expect(wire.text).not.toContain("canary");
    expect(wire.text.endsWith("0\r\n\r\n")).toBe(false);
  });

  const misframed: readonly (readonly [string, string | readonly string[]][])[] = [
    [["Content-Length", "abc"]],
    [["Content-Length", "0x2"]],
    [["Content-Length", "2e0"]],
    [["Content-Length", ["2", "3"]]],
    [["Transfer-Encoding", "identity"]],
    [["Transfer-Encoding", ""]],
    [["Transfer-Encoding", "chunked, gzip"]],
    [
      ["Content-Length", "2"],
      ["Transfer-Encoding", "chunked"],
    ],
  ];
  for (const fields of misframed) {
    it(
      `a head that does not say where its answer ends is 500, and the next answer stands apart: ${JSON.stringify(fields)}`,
      async () => {
        const served = await serve(POLICY, (turn) => {
          const { res } = turn.raw();
          for (const [name, value] of fields) res.setHeader(name, value);
          res.end("ok");
        });
        const wire = await served.connect();
        wire.send(GET + GET);
        expect([(await wire.answer()).status, (await wire.answer()).status, wire.text]).toEqual([
          500,
          500,
          "",
        ]);
        expect((await served.event()).error).toMatchObject({
          message: "Content-Length and Transfer-Encoding of the answer do not say where it ends",
        });
      },
      "raw",
    );
  }

  for (const status of [100, 101, 102, 199]) {
    it(
      `${status} is no answer: 500, and the client does not wait for another`,
      async () => {
        const served = await serve(POLICY, (turn) => turn.raw().res.writeHead(status).end());
        const wire = await served.connect();
        wire.send(GET);
        expect(JSON.parse((await wire.answer()).body.toString())).toMatchObject({ code: "handler-failed" });
        expect((await served.event()).error).toMatchObject({ message: "a status of 1xx is no answer" });
      },
      "raw",
    );
  }

  const unusual: readonly { readonly way: string; readonly write: (res: ServerResponse) => void }[] = [
    {
      way: "ended again behind a status that Node refuses",
      write: (res) => {
        res.statusCode = 1000;
        expect(() => res.end(TEXT)).toThrow(RangeError);
        res.statusCode = 200;
        res.end(TEXT);
      },
    },
    {
      way: "ended again behind a field that Node refuses",
      write: (res) => {
        expect(() => res.writeHead(200, { "X-Broken": "a\nb" })).toThrow(TypeError);
        expect(() => res.end(TEXT)).toThrow(TypeError);
        res.writeHead(200, { "Content-Type": "application/json" }).end(TEXT);
      },
    },
    { way: "bytes of another realm", write: (res) => void res.end(ForeignBytes.from(Buffer.from(TEXT))) },
    {
      way: "written as bytes of another realm",
      write: (res) => {
        res.write(ForeignBytes.from(Buffer.from(TEXT)));
        res.end();
      },
    },
    {
      way: "refused first for being no chunk",
      write: (res) => {
        expect(() => res.write(5)).toThrow(TypeError);
        expect(() => res.write(null)).toThrow(TypeError);
        expect(() => res.end(5)).toThrow(TypeError);
        res.end(TEXT);
      },
    },
  ];
  for (const { way, write } of unusual) {
    it(
      `no answer leaves without its head and its rule: ${way}`,
      async () => {
        const served = await serve(RULED, (turn) => {
          const { res } = turn.raw();
          res.setHeader("Content-Type", "application/json");
          write(res);
        });
        const wire = await served.connect();
        wire.send(GET + GET);
        const answers = [await wire.answer(), await wire.answer()];
        expect(answers.map(({ status, body }) => [status, body.toString()])).toEqual([
          [200, '{"id":"a"}'],
          [200, '{"id":"a"}'],
        ]);
        expect(wire.text).toBe("");
      },
      "raw",
    );
  }
}
