/** Fields set with Node's own method, around the guard's: as the package `cookies` does it. */
import { OutgoingMessage, type ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { ask, serve } from "./support.js";

const POLICY = {
  gatehouse: 1,
  name: "native",
  transport: { https: "off" },
  routes: { "GET /": { authenticate: "none" } },
} as const;

function natively(res: ServerResponse, name: string, value: string): void {
  OutgoingMessage.prototype.setHeader.call(res, name, value);
}

it("are the handler's like any other", async () => {
  const served = await serve(POLICY, (_req, res) => {
    natively(res, "X-Powered-By", "x");
    natively(res, "Set-Cookie", "a=1");
    res.setHeader("X-Own", "y");
    res.end("ok");
  });
  const answer = await ask(served, "GET / HTTP/1.1");
  expect([
    answer.status,
    answer.header("x-powered-by"),
    answer.header("set-cookie"),
    answer.header("x-own"),
  ]).toEqual([200, undefined, "a=1", "y"]);
});

it("are gone with an answer that is replaced", async () => {
  const served = await serve(POLICY, (_req, res) => {
    natively(res, "X-Leak", "canary");
    throw new Error("canary");
  });
  const answer = await ask(served, "GET / HTTP/1.1");
  expect([answer.status, answer.header("x-leak")]).toEqual([500, undefined]);
});
