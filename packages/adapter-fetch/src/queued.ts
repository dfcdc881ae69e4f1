/**
 * hono's server for Node aborts a Request's signal when Node says that its response closed. Of one that waits behind another on its
 * connection Node does not say so: who pipelines a request and leaves would keep its exchange, and a slot with it, for ever.
 */

interface Socket {
  readonly destroyed: boolean;
  once(event: "close", listener: (this: Socket) => void): unknown;
}

/** As much as is used of what hono's server hands over beside the Request. */
interface Bindings {
  readonly incoming?: { readonly socket?: Socket };
  readonly outgoing?: {
    readonly socket: unknown;
    readonly destroyed: boolean;
    once(event: "close", listener: () => void): unknown;
  };
}

/** One listener a connection, however many wait on it. */
const WAITING = new WeakMap<Socket, Set<() => void>>();

/**
 * @param beside what the server handed over, or hono's context around it; anything at all on other platforms
 * @param lost called when the connection of a response that waits is closed
 */
export function whenLost(beside: unknown, lost: () => void): void {
  const { incoming, outgoing } = bindingsOf(beside);
  const socket = incoming?.socket;
  if (socket === undefined || outgoing === undefined) return;
  if (outgoing.socket !== null && !outgoing.destroyed) return;
  if (socket.destroyed || outgoing.destroyed) return queueMicrotask(lost);
  let waiting = WAITING.get(socket);
  if (waiting === undefined) {
    waiting = new Set();
    WAITING.set(socket, waiting);
    socket.once("close", loseAll);
  }
  const others = waiting.add(lost);
  outgoing.once("close", () => others.delete(lost));
}

function loseAll(this: Socket): void {
  for (const lost of WAITING.get(this) ?? []) lost();
}

function bindingsOf(beside: unknown): Bindings {
  if (typeof beside !== "object" || beside === null) return {};
  const { env } = beside as { readonly env?: unknown };
  const bindings = (typeof env === "object" && env !== null ? env : beside) as Bindings;
  return typeof bindings.outgoing?.once === "function" &&
    typeof bindings.incoming?.socket?.once === "function"
    ? bindings
    : {};
}
