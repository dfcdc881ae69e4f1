/** Costly work, of which only so much runs at once and only so much waits: a flood of it must not take what others need. */

type Work<T> = () => Promise<T>;

export class WorkGate {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** Undefined: too much waits already, and this was not begun. */
  run<T>(work: Work<T>): Promise<T> | undefined {
    if (this.#running < this.maxRunning) {
      this.#running += 1;
      return this.#begin(work);
    }
    if (this.#waiting.length >= this.maxWaiting) return undefined;
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => this.#begin(work));
  }

  async #begin<T>(work: Work<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed over: given free, somebody who has not waited could take it first.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
