/** Asks again and again, one question at a time, until it may rest: at first soon, then less often, never in step with others. */

const FIRST_MS = 100;
const LONGEST_MS = 400;
/** Between a good probe and the next. */
const AFTER_GOOD_MS = 20;

/**
 * `rest`: nothing is left to find out. `waiting`: nothing was sent, for there is no connection yet, and a look costs the server
 * nothing. `astray`: the link may lead nowhere: it must not take long to be sure.
 */
export type Probed = "rest" | "good" | "bad" | "astray" | "waiting";

export class Prober {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  /** @param probe never rejects */
  constructor(private readonly probe: () => Promise<Probed>) {}

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  #schedule(attempt: number, soon = false): void {
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
    this.#timer = setTimeout(
      () => void this.#ask(attempt),
      soon ? AFTER_GOOD_MS : most * (0.5 + Math.random() / 2),
    );
    // A server that stays away must not keep a process from ending.
    this.#timer.unref();
  }

  async #ask(attempt: number): Promise<void> {
    const said = await this.probe();
    if (!this.#running) return;
    if (said === "rest") this.stop();
    else if (said === "waiting") this.#schedule(0);
    else if (said === "astray") this.#schedule(1);
    else this.#schedule(Math.min(attempt + 1, 10), said === "good");
  }
}
