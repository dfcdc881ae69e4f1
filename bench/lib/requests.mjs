// Requests as a server's socket gives them, and what is asked of the engine about them.
import { strict as assert } from "node:assert";

/** Fields of a usual browser's request, and more of them. */
export const fields = (...more) => [
  "Host",
  "a.test",
  "User-Agent",
  "bench/1.0",
  "Accept",
  "application/json",
  "Accept-Encoding",
  "gzip, deflate, br",
  "Connection",
  "keep-alive",
  ...more,
];

export const request = (method, target, headers = fields()) => ({
  method,
  target,
  headers,
  remoteAddress: "203.0.113.7",
  encrypted: false,
});

/** One decision, to its end. */
export function decide(engine, raw) {
  const exchange = engine.open(raw);
  const decided = exchange.head();
  exchange.end(200);
  return decided;
}

export function assertDecision(decided, outcome, code) {
  assert.equal(decided.outcome, outcome, JSON.stringify(decided));
  if (code !== undefined) assert.equal(decided.code, code);
}

/** As a server makes texts of what comes in: in one piece. One that was put together is copied when it is first read. */
export const flat = (text) => Buffer.from(text).latin1Slice();

export const bearer = (target, token) =>
  request("GET", target, fields("Authorization", flat(`Bearer ${token}`)));
