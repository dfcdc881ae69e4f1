/** A clock that moves when it is told. */
import type { Clock } from "../index.js";
import { parseDuration } from "../lib/duration.js";
import { didNotFit } from "./problems.js";

/** The clock of a kit. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * @param duration `500ms`, `10s`, `1m`, `2h`, `1d`
   * @throws TypeError for anything else
   */
  advance(duration: string): void;
}

export class VirtualClock implements Clock, TestClock {
  #now: number;
  // What process-local limits count by begins anywhere, and goes on where a test sets the time back.
  #monotonic = 1_000_000;

  constructor(at: number) {
    this.#now = at;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  advance(duration: string): void {
    const milliseconds = parseDuration(duration);
    if (milliseconds === undefined) throw didNotFit(duration, "a duration such as `10s`");
    this.#now += milliseconds;
    this.#monotonic += milliseconds;
  }

  /** Long enough after what was that nobody remembers how busy the process seemed. */
  set(at: number): void {
    this.#now = at;
    this.#monotonic += 1_000;
  }
}
