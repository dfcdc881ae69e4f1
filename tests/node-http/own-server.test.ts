/** A framework's server: the guard is one middleware of a listener that somebody else wrote. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createEngine } from "@gatehouse/core";
import { guardUpgrade, ownServer, pass, passageSettingsOf, serverProblem } from "@gatehouse/node-http";
import { ask, later, policyOf, Wire } from "./support.js";
import { listen, stop } from "./target.js";

const POLICY = policyOf({ "GET|POST /open": {}, "GET /socket": { upgrade: "websocket" } });
const other = (): void => undefined;
const STRANGER = /^a listener for `\w+` on this server would answer requests that no policy has decided; /;

async function framework(): Promise<(req: IncomingMessage, res: ServerResponse) => void> {
  const engine = (await createEngine(POLICY)).bind({});
  const settings = passageSettingsOf({});
  return (req, res) => {
    res.setHeader("X-Powered-By", "framework");
    pass(engine, req, res, settings, async () => void res.end(await text(req)));
  };
}

async function serve(): Promise<number> {
  const server = ownServer(createServer({ requireHostHeader: false }, await framework()));
  const port = await listen(server);
  later(() => stop(server));
  return port;
}

describe("ownServer", () => {
  it("B2.36: the decision precedes 100, which is sent once", async () => {
    const port = await serve();
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n`;
    const refused = await Wire.open(port);
    refused.send(head("/nope"));
    await refused.until("}");
    expect(refused.text.startsWith("HTTP/1.1 404 Not Found\r\n")).toBe(true);
    const admitted = await Wire.open(port);
    admitted.send(head("/open"));
    await admitted.until("100 Continue\r\n\r\n");
    admitted.send("{}");
    await admitted.until("{}");
    expect(admitted.text.split("100 Continue").length).toBe(2);
  });

  it("another expectation is the policy's 417", async () => {
    const answer = await ask({ port: await serve() }, "GET /open HTTP/1.1\nExpect: 200-ok");
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([417, "expectation-failed"]);
  });

  it.each(["upgrade", "connect", "checkContinue", "checkExpectation"])(
    "refuses a stranger at %s, now and later",
    (event) => {
      expect(() => ownServer(createServer().on(event, other))).toThrow(STRANGER);
      const owned = ownServer(createServer());
      expect(() => owned.on(event, other)).toThrow(STRANGER);
      expect(owned.listeners(event)).not.toContain(other);
    },
  );

  it("lets the framework listen, before and after, and once is enough", () => {
    const owned = ownServer(ownServer(createServer()));
    owned.on("request", other);
    expect([owned.listenerCount("checkContinue"), serverProblem(owned)]).toEqual([1, undefined]);
    owned.on("request", () => undefined);
    expect(serverProblem(owned)).toMatch(/^a listener for `request` on this server would answer/);
  });

  it("takes guarded upgrades, and refuses a lenient parser", async () => {
    const owned = ownServer(createServer());
    owned.on(
      "upgrade",
      guardUpgrade(await createEngine(POLICY), () => undefined),
    );
    expect(serverProblem(owned)).toBeUndefined();
    expect(() => ownServer(createServer({ insecureHTTPParser: true }))).toThrow(
      /^the server parses requests leniently/,
    );
  });
});
