/** What a Response says of its own length is not what goes on a connection: there the next answer begins where this one ends. */
import { expect, it } from "vitest";
import { suiteOf } from "../servers/suite.js";
import { policyOf } from "../servers/wire.js";
import { alone, inHono } from "./turn.js";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

it.each([
  { said: { "Content-Length": "5" }, body: undefined, status: 200, text: "" },
  { said: { "Content-Length": "abc" }, body: "ok", status: 500, text: undefined },
  { said: { "Content-Length": "2, 2" }, body: "ok", status: 500, text: undefined },
  { said: { "Transfer-Encoding": "identity" }, body: "ok", status: 200, text: "ok" },
  { said: { "Transfer-Encoding": "chunked", "Content-Length": "2" }, body: "ok", status: 200, text: "ok" },
])(
  "$said with `$body` is $status, and the next answer stands apart",
  async ({ said, body, status, text }) => {
    for (const start of [inHono, alone]) {
      const { serve } = suiteOf(start, {});
      const served = await serve(policyOf({ "GET /": {} }), (turn) => turn.answer(200, said, body));
      const wire = await served.connect();
      wire.send(GET + GET);
      for (const answer of [await wire.answer(), await wire.answer()]) {
        expect(answer.status).toBe(status);
        if (text !== undefined) expect(answer.body.toString()).toBe(text);
        expect(
          answer.headers.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name)),
        ).toHaveLength(1);
      }
      expect(wire.text).toBe("");
    }
  },
);

it.each([
  { method: "GET", status: 204, body: { a: 1 } },
  { method: "HEAD", status: 204, body: { a: 1 } },
  { method: "HEAD", status: 204, body: undefined },
  { method: "HEAD", status: 205, body: { a: 1 } },
])("a $status to $method states no length, with $body to send", async ({ method, status, body }) => {
  for (const start of [inHono, alone]) {
    const { serve } = suiteOf(start, {});
    const said = body === undefined ? { "Content-Length": "5" } : {};
    const served = await serve(policyOf({ "GET|HEAD /": {} }), (turn) => turn.answer(status, said, body));
    const wire = await served.connect();
    wire.send(GET.replace("GET", method) + GET);
    const head = (await wire.answer(method)).headers;
    expect(head.filter(([name, value]) => /^content-length$/i.test(name) && value !== "0")).toEqual([]);
    expect((await wire.answer()).status).toBe(status);
  }
});

it.each(["", "\u00fc"])(
  "fields leave byte by byte beside what a rule leaves of an answer: %j",
  async (more) => {
    const policy = policyOf({
      "GET /": { response: { body: { type: "object", properties: { a: { type: "string" } } } } },
    });
    for (const start of [inHono, alone]) {
      const { serve } = suiteOf(start, {});
      const served = await serve(policy, (turn) =>
        turn.answer(200, { "X-Name": "caf\u00e9" }, { a: `b${more}`, c: 1 }),
      );
      const wire = await served.connect();
      wire.send(GET);
      const answer = await wire.answer();
      expect(answer.headers.find(([name]) => name.toLowerCase() === "x-name")?.[1]).toBe("caf\u00e9");
      expect(answer.body.toString()).toBe(JSON.stringify({ a: `b${more}` }));
    }
  },
);
