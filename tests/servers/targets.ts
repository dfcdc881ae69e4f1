/** What stands on the request line beside an ordinary path and an ordinary method. */
import { expect } from "vitest";
import type { Suite, Turn } from "./suite.js";
import { policyOf, readable } from "./wire.js";

const POLICY = policyOf({ "GET /open": {}, "GET /admin": {} });

export function describeTargets({ serve, it }: Suite): void {
  const sent = async (line: string, host = "a.test"): Promise<{ status: number; ran: string[] }> => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn: Turn) => {
      ran.push(`${turn.method} ${turn.target}`);
      return turn.answer(200, {}, "ok");
    });
    const wire = await served.connect();
    wire.send(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const { status } = await wire.answer(line.split(" ")[0]);
    return { status, ran };
  };

  it("an absolute-form target is the path that it names", async () => {
    const { status, ran } = await sent("GET http://a.test/open");
    expect([status, ran.length]).toEqual([200, 1]);
  });

  it("B2.38: an absolute-form target that names another host than Host is refused", async () => {
    expect(await sent("GET http://b.test/open")).toEqual({ status: 400, ran: [] });
    expect(await sent("GET http://a.test@b.test/open")).toEqual({ status: 400, ran: [] });
  });

  it("one whose path no route has is 404", async () => {
    expect(await sent("GET http://a.test/nope")).toEqual({ status: 404, ran: [] });
  });

  for (const line of [
    "OPTIONS *",
    "GET //open",
    "GET /open/../admin",
    "GET /open%2f..%2fadmin",
    "GET /%2e/open",
    "GET /open\\..\\admin",
    "GET open",
  ]) {
    it(`\`${line}\` never meets the handler`, async () => {
      const { status, ran } = await sent(line);
      expect(ran).toEqual([]);
      expect(status).toBeGreaterThanOrEqual(400);
    });
  }

  it("B2.37: TRACE is refused, and does not meet the handler", async () => {
    expect(await sent("TRACE /open")).toEqual({ status: 405, ran: [] });
  });

  it("B2.37: CONNECT is closed, and does not meet the handler", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn) => void ran.push(turn.target));
    const wire = await served.connect();
    wire.send("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    await wire.closed();
    expect([wire.text.includes(" 200 "), ran]).toEqual([false, []]);
  });

  it("a request line that says HTTP/2.0 is read by the rules of the connection that it came on", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn) => {
      ran.push(turn.target);
      return turn.answer(200, {}, "ok");
    });
    const said = async (fields: string): Promise<number> => {
      const wire = await served.connect();
      wire.send(`GET /open HTTP/2.0\r\n${fields}\r\n`);
      return (await wire.answer()).status;
    };
    expect(await said("Host: a.test\r\n")).toBe(200);
    // No pseudo field of HTTP/2's stands in for it.
    expect(await said("")).toBe(400);
    expect(ran).toEqual(["/open"]);
  });

  it("Host is the policy's to judge: without it 400 and no handler", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (turn) => void ran.push(turn.target));
    const wire = await served.connect();
    wire.send("GET /open HTTP/1.1\r\n\r\n");
    const answer = readable(await wire.answer());
    expect([answer.status, answer.header("content-type"), ran]).toEqual([
      400,
      "application/problem+json",
      [],
    ]);
  });
}
