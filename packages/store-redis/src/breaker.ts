/**
 * Whether a node is asked. While it is open no request touches the server, and none waits for it: one prober finds out in the
 * background when it is back. Pure: the caller says what time it is.
 */

/** Failures in a row that open it. */
const IN_A_ROW = 5;
/** Or this part of at least so many calls within a window. */
const SHARE = 0.5;
const AT_LEAST = 20;
const WINDOW_US = 1_000_000;
/** Good probes in a row that close it. */
const GOOD_PROBES = 2;

export type BreakerState = "closed" | "open" | "half-open";

export class Breaker {
  state: BreakerState = "closed";
  #inARow = 0;
  #calls = 0;
  #failures = 0;
  #windowEnds = 0;
  #good = 0;

  get admits(): boolean {
    return this.state === "closed";
  }

  succeeded(nowUs: number): void {
    this.#inARow = 0;
    this.#count(nowUs, false);
  }

  /** @returns whether this failure opened it */
  failed(nowUs: number): boolean {
    this.#inARow += 1;
    this.#count(nowUs, true);
    if (this.state !== "closed") return false;
    const often = this.#calls >= AT_LEAST && this.#failures >= SHARE * this.#calls;
    if (this.#inARow < IN_A_ROW && !often) return false;
    this.state = "open";
    this.#good = 0;
    return true;
  }

  /** @returns whether this probe closed it */
  probed(good: boolean): boolean {
    if (!good) {
      this.state = "open";
      this.#good = 0;
      return false;
    }
    this.#good += 1;
    this.state = this.#good < GOOD_PROBES ? "half-open" : "closed";
    if (this.state !== "closed") return false;
    this.#inARow = 0;
    this.#windowEnds = 0;
    return true;
  }

  #count(nowUs: number, failure: boolean): void {
    if (nowUs >= this.#windowEnds) {
      this.#windowEnds = nowUs + WINDOW_US;
      this.#calls = 0;
      this.#failures = 0;
    }
    this.#calls += 1;
    if (failure) this.#failures += 1;
  }
}
