/**
 * Who asked in one turn waits with one timer. Time counts from the call; but a client may hold back what it sends until the turn is
 * over, and where that took long the server has a moment from then on.
 */
// Imported, so that it stays what it is: where somebody fakes the global's, a turn that never ends would leave all later ones without a timer.
import { nextTick } from "node:process";

/** Enough for a server that is there. */
const MOMENT_MS = 10;
/** How far a timer may be early. */
const EARLY_MS = 1;
const LONGEST_MS = 2 ** 31 - 1;

export class Waiting {
  over = false;
  endsMs: number;

  constructor(
    private readonly turn: Turn,
    readonly milliseconds: number,
    readonly give: () => void,
  ) {
    // What is no number would never be over.
    this.endsMs = performance.now() + (Number.isNaN(milliseconds) ? 0 : milliseconds);
  }

  /** @returns false where the time was over before */
  end(): boolean {
    if (this.over) return false;
    this.over = true;
    this.turn.ended();
    return true;
  }
}

export class Turn {
  #waiting: Waiting[] = [];
  #open = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param give called once the time is over, unless it was ended before */
  wait(milliseconds: number, give: () => void): Waiting {
    const waiting = new Waiting(this, milliseconds, give);
    this.#waiting.push(waiting);
    this.#open += 1;
    return waiting;
  }

  ended(): void {
    this.#open -= 1;
    if (this.#open === 0) clearTimeout(this.#timer);
  }

  /** The turn is over. */
  begin(): void {
    const nowMs = performance.now();
    for (const waiting of this.#waiting) {
      const least = nowMs + Math.min(waiting.milliseconds, MOMENT_MS);
      if (waiting.endsMs < least) waiting.endsMs = least;
    }
    this.#arm(nowMs);
  }

  #arm(nowMs: number): void {
    let next = Infinity;
    for (const { over, endsMs } of this.#waiting) if (!over && endsMs < next) next = endsMs;
    if (next === Infinity) return;
    const delay = Math.min(LONGEST_MS, Math.max(0, Math.ceil(next - nowMs)));
    this.#timer = setTimeout(() => this.#fire(), delay);
  }

  /** A busy process fires the timer before it reads the answer that is already in the socket: two turns of the loop let that in first. */
  #fire(): void {
    const nowMs = performance.now();
    const due: Waiting[] = [];
    const rest: Waiting[] = [];
    for (const waiting of this.#waiting) (waiting.endsMs <= nowMs + EARLY_MS ? due : rest).push(waiting);
    this.#waiting = rest;
    this.#arm(nowMs);
    const give = (): void => {
      for (const waiting of due) if (waiting.end()) waiting.give();
    };
    setImmediate(() => setImmediate(give));
  }
}

let current: Turn | undefined;

/** The one that is going on. */
export function thisTurn(): Turn {
  if (current !== undefined) return current;
  const turn = new Turn();
  current = turn;
  nextTick(() => {
    current = undefined;
    turn.begin();
  });
  return turn;
}
