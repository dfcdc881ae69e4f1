/** Trailers are no header fields on the way in; on the way out they, and 1xx answers, are no way around the policy. */
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { ask, policyOf } from "./wire.js";

const ORDER = '{"id":"o-1","secret":"canary-7f3a"}';
const POLICY = policyOf(
  {
    "POST /read": { request: { body: { type: "object" } } },
    "POST /keyed": {
      authenticate: ["key"],
      authorize: "authenticated",
      request: { body: { type: "object" } },
    },
    "POST /field": {
      request: { body: { type: "object" }, headers: { "X-Role": { type: "string", required: true } } },
    },
    "GET /open": {},
    "GET /ruled": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
  },
  { authenticators: { key: { type: "custom", use: "any", in: "header", name: "X-API-Key" } } },
);
const engine = { authenticators: { any: () => ({ principal: { id: "ann" } }) } };
const chunked = (path: string, trailers: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n` +
  `Trailer: X-API-Key, X-Role\r\n\r\n2\r\n{}\r\n0\r\n${trailers}\r\n`;

export function describeTrailers({ serve, it }: Suite): void {
  it("B2.45: a credential that comes as a trailer is none", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn) => void ran.push(turn.target), { engine });
    const wire = await served.connect();
    wire.send(chunked("/keyed", "X-API-Key: any\r\n"));
    expect([(await wire.answer("POST")).status, ran]).toEqual([401, []]);
  });

  it("B2.45: a required field that comes as a trailer is missing", async () => {
    const served = await serve(POLICY, (turn) => turn.answer(200, {}, "ok"), { engine });
    const wire = await served.connect();
    wire.send(chunked("/field", "X-Role: admin\r\n"));
    expect((await wire.answer("POST")).status).toBe(400);
  });

  it("B2.45: trailers are no header fields", async () => {
    const served = await serve(
      POLICY,
      (turn) => turn.answer(200, {}, { role: turn.field("x-role") ?? null }),
      {
        engine,
      },
    );
    const wire = await served.connect();
    wire.send(chunked("/read", "X-Role: admin\r\n"));
    expect((await wire.answer("POST")).body.toString()).toBe('{"role":null}');
  });

  it(
    "trailers of an answer leave only where they were declared",
    async () => {
      const served = await serve(POLICY, trailing, { engine });
      const wire = await served.connect();
      wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
      await wire.closed();
      expect(wire.text).toContain("X-Sum: 1\r\n");
      expect(wire.text).not.toContain("X-Other");
    },
    "raw",
  );

  it(
    "under a body rule no trailer leaves",
    async () => {
      const served = await serve(POLICY, trailing, { engine });
      const wire = await served.connect();
      wire.send("GET /ruled HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
      await wire.closed();
      expect(wire.text.endsWith('\r\n\r\n{"id":"o-1"}')).toBe(true);
      expect(wire.text).not.toContain("X-Sum: 1");
    },
    "raw",
  );

  it(
    "early hints and other 1xx answers are dropped",
    async () => {
      const served = await serve(
        POLICY,
        (turn) => {
          const { res } = turn.raw();
          res.writeEarlyHints({ link: "</canary-7f3a>; rel=preload" });
          res.writeProcessing();
          res.writeContinue();
          res.end("done");
        },
        { engine },
      );
      const wire = await served.connect();
      wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
      await wire.closed();
      expect(wire.text.startsWith("HTTP/1.1 200 OK\r\n")).toBe(true);
      expect(wire.text).not.toContain("canary");
      expect((await ask(served, "GET /open HTTP/1.1")).text).toBe("done");
    },
    "raw",
  );
}

function trailing(turn: Turn): void {
  const { res } = turn.raw();
  res.setHeader("Content-Type", "application/json");
  res.setHeader("Trailer", "X-Sum");
  res.write(ORDER);
  res.addTrailers({ "X-Sum": "1", "X-Other": "2" });
  res.end();
}
