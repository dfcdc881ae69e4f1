/**
 * Responses that wait behind others on their connection. When it closes, Node emits `close` on the one that it is writing and on no
 * other: who pipelines a request and leaves would keep its exchange, and a slot of a concurrency limit with it, for ever.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** One listener a connection, however many wait on it. */
const WAITING = new WeakMap<Socket, Set<() => void>>();

/** True for a response that may close without a word from Node: it waits, or has closed before anybody asked. */
export function closesSilently(res: ServerResponse): boolean {
  return res.socket === null || res.destroyed;
}

/** @param lost called when the connection is closed, unless the response closed before */
export function whenLost(res: ServerResponse, lost: () => void): void {
  const { socket } = res.req;
  if (socket.closed || res.destroyed) return process.nextTick(lost);
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
