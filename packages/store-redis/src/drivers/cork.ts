/**
 * What is sent in one turn leaves in one write: a socket takes some microseconds for each, and the server as many to read it. Nothing
 * is held longer than until the turn is over, before the process waits for anything.
 */

/** What is used of a socket. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

export class Corks {
  readonly #held = new Set<Corkable>();
  readonly #release = (): void => {
    for (const socket of this.#held) socket.uncork();
    this.#held.clear();
  };

  /** What is no socket of the kind is left as it is. It may be destroyed, or never written to, in the meantime. */
  hold(socket: unknown): void {
    if (!isCorkable(socket) || this.#held.has(socket)) return;
    if (this.#held.size === 0) process.nextTick(this.#release);
    socket.cork();
    this.#held.add(socket);
  }
}

function isCorkable(socket: unknown): socket is Corkable {
  return (
    typeof socket === "object" &&
    socket !== null &&
    "cork" in socket &&
    typeof socket.cork === "function" &&
    "uncork" in socket &&
    typeof socket.uncork === "function"
  );
}
