/**
 * Responses that wait behind others on their connection. When it closes, Node emits `close` on the one that it is writing and on no
 * other: who pipelines a request and leaves would keep its exchange, and a slot of a concurrency limit with it, for ever.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** One listener a connection, however many wait on it. */
const WAITING = new WeakMap<Socket, Set<() => void>>();

/**
 * @param lost called when the connection closes, unless the response closed before; where Node emits `close` itself it may come twice
 */
export function whenLost(res: ServerResponse, lost: () => void): void {
  const { socket } = res.req;
  // Its connection has Node's word already.
  if (res.socket !== null || socket.destroyed) return;
  let waiting = WAITING.get(socket);
  if (waiting === undefined) {
    waiting = new Set();
    WAITING.set(socket, waiting);
    socket.once("close", all);
  }
  waiting.add(lost);
  res.once("close", () => waiting.delete(lost));
}

function all(this: Socket): void {
  const waiting = WAITING.get(this) ?? [];
  for (const lost of waiting) lost();
}
