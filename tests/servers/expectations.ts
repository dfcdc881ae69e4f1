/** `Expect: 100-continue` is answered after the decision, and nothing else can be expected. */
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf } from "./wire.js";

const POLICY = policyOf({
  "POST /open": { request: { types: ["text/plain"] } },
  "GET /open": {},
  "POST /read": {
    request: { body: { type: "object", properties: { a: { type: "string" } } }, maxBody: 100 },
  },
});
const head = (path: string, length: number, type = "application/json"): string =>
  `POST ${path} HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
const ok = (turn: Turn): unknown => turn.answer(200, {}, "ok");

export function describeExpectations({ serve, it }: Suite): void {
  it(
    "B2.36: a refusal comes instead of 100",
    async () => {
      const wire = await (await serve(POLICY, ok)).connect();
      wire.send(head("/nope", 9));
      await wire.until("}");
      expect(wire.text.startsWith("HTTP/1.1 404 Not Found\r\n")).toBe(true);
      expect(wire.text).not.toContain("100 Continue");
    },
    "expect",
  );

  it(
    "a length beyond the limit is refused without 100",
    async () => {
      const wire = await (await serve(POLICY, ok)).connect();
      wire.send(head("/read", 900));
      await wire.until("}");
      expect(wire.text.startsWith("HTTP/1.1 413 ")).toBe(true);
    },
    "expect",
  );

  it(
    "100 comes after the decision, once, before the body is read",
    async () => {
      const served = await serve(POLICY, (turn) => turn.answer(200, {}, turn.body));
      const wire = await served.connect();
      wire.send(head("/read", 9));
      await wire.until("100 Continue\r\n\r\n");
      wire.send('{"a":"b"}');
      await wire.until('{"a":"b"}');
      expect(wire.text.split("100 Continue").length).toBe(2);
    },
    "expect",
  );

  it(
    "100 comes for a handler that streams",
    async () => {
      const served = await serve(POLICY, async (turn) => turn.answer(200, {}, await turn.read()));
      const wire = await served.connect();
      wire.send(head("/open", 2, "text/plain"));
      await wire.until("100 Continue\r\n\r\n");
      wire.send("hi");
      // The reader of answers skips what is not final.
      expect((await wire.answer("POST")).body.toString()).toBe("hi");
    },
    "expect",
  );

  it(
    "another expectation is 417, in the policy's shape",
    async () => {
      const served = await serve(POLICY, ok);
      const answer = await ask(served, "GET /open HTTP/1.1\nExpect: 200-ok");
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([417, "expectation-failed"]);
    },
    "expect",
  );
}
