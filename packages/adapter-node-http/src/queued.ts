/**
 * Responses that wait behind others on their connection. When it closes, Node emits `close` on the one that it is writing and on no
 * other: who pipelines a request and leaves would keep its exchange, and a slot of a concurrency limit with it, for ever.
 */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import { isHttp2 } from "./types.js";

/** One listener a connection, however many wait on it. */
const WAITING = new WeakMap<Socket, Set<() => void>>();

/** True for a response that may close without a word from Node: it waits, or has closed before anybody asked. */
export function closesSilently(res: ServerResponse): boolean {
  return res.socket === null || isOver(res);
}

/** Those of HTTP/2 do not say so of themselves. */
function isOver(res: ServerResponse): boolean {
  return isHttp2(res.req) ? (res as unknown as Http2ServerResponse).stream.destroyed : res.destroyed;
}

/** @param lost called when the connection is closed, unless the response closed before */
export function whenLost(res: ServerResponse, lost: () => void): void {
  if (isOver(res)) return process.nextTick(lost);
  const { socket } = res.req;
  if (socket.closed) return process.nextTick(lost);
  let waiting = WAITING.get(socket);
  if (waiting === undefined) {
    waiting = new Set();
    WAITING.set(socket, waiting);
    socket.once("close", loseAll);
  }
  waiting.add(lost);
  res.once("close", () => waiting.delete(lost));
}

function loseAll(this: Socket): void {
  const waiting = WAITING.get(this) ?? [];
  for (const lost of waiting) lost();
}
