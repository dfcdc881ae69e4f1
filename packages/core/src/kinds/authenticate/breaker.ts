/**
 * Spares a server that cannot be reached, and those who wait for it. Only what says nothing about the request counts:
 * else strangers could shut everybody out with requests that the server answers with an error.
 */

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
/** As long as the one that is let through may take. */
const PROBE_MS = 5000;

export class Breaker {
  #failures = 0;
  #openUntil = -Infinity;

  /** Milliseconds for which the caller must not ask; 0: go on. After a pause one is let through, and the others wait for what becomes of it. */
  pause(now: number): number {
    const wait = this.waitAt(now);
    if (wait === 0 && this.#failures >= FAILURES_TO_OPEN) this.#openUntil = now + PROBE_MS;
    return wait;
  }

  waitAt(now: number): number {
    return Math.max(0, this.#openUntil - now);
  }

  /** @param reached it answered, though not as it should */
  failed(reached: boolean, now: number): void {
    if (reached) return;
    this.#failures += 1;
    const excess = this.#failures - FAILURES_TO_OPEN;
    if (excess < 0) return;
    this.#openUntil = now + Math.min(FIRST_PAUSE_MS * 2 ** excess, LONGEST_PAUSE_MS);
  }

  worked(): void {
    this.#failures = 0;
    this.#openUntil = -Infinity;
  }
}
