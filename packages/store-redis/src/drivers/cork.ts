/**
 * What is sent in one turn leaves in few writes: a socket takes some microseconds for each, and the server as many to read it. Nothing
 * is held longer than until the turn is over, before the process waits for anything.
 */
// Imported, so that it stays what it is: while somebody fakes the global's, what is held must leave all the same.
import { nextTick } from "node:process";

/** So many commands go together. With more of them client and server would wait for each other in turns, each with a core idle. */
export const TOGETHER = 8;

/** What is used of a socket. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

export class Corks {
  /** And how many commands were sent through each in this turn. */
  readonly #held = new Map<Corkable, number>();
  readonly #release = (): void => {
    for (const socket of this.#held.keys()) socket.uncork();
    this.#held.clear();
  };

  /** Before each command. What is no socket of the kind is left as it is. It may be destroyed, or never written to, in the meantime. */
  hold(socket: unknown): void {
    if (!isCorkable(socket)) return;
    const sent = this.#held.get(socket);
    if (sent === undefined) {
      if (this.#held.size === 0) nextTick(this.#release);
      socket.cork();
    } else if (sent % TOGETHER === 0) {
      socket.uncork();
      socket.cork();
    }
    this.#held.set(socket, (sent ?? 0) + 1);
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
