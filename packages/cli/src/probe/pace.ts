/** How fast and how much: a bound on requests a second, on requests in all, and on time spent waiting for limits. */
import { setTimeout as sleep } from "node:timers/promises";

export interface PaceOptions {
  readonly rate: number;
  readonly maxRequests: number;
  /** Milliseconds in all. */
  readonly wait: number;
}

export class Pace {
  #sent = 0;
  #next = 0;
  #waited = 0;

  constructor(private readonly options: PaceOptions) {}

  get sent(): number {
    return this.#sent;
  }

  get left(): number {
    return this.options.maxRequests - this.#sent;
  }

  get rate(): number {
    return this.options.rate;
  }

  /** Waits for its turn; false: there is none left. */
  async turn(): Promise<boolean> {
    if (this.left <= 0) return false;
    this.#sent += 1;
    const now = performance.now();
    const pause = this.#next - now;
    this.#next = Math.max(now, this.#next) + 1000 / this.options.rate;
    if (pause > 1) await sleep(pause);
    return true;
  }

  /** Waits as long as a limit says, where that is not too long; false: it is. */
  async rest(milliseconds: number): Promise<boolean> {
    if (this.#waited + milliseconds > this.options.wait) return false;
    this.#waited += milliseconds;
    await sleep(milliseconds);
    return true;
  }
}
