/** Timers and other belongings of one compiled policy. */
import { later } from "../lib/timer.js";
import type { Lifetime } from "../ports/lifetime.js";

export class PolicyLifetime implements Lifetime {
  readonly #end = new AbortController();
  readonly #timers = new Set<() => void>();
  readonly #starts: (() => void)[] = [];
  #inForce = false;
  readonly #releases: (() => void | Promise<void>)[] = [];
  #ended: Promise<void> | undefined;

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  onForce(run: () => void): void {
    if (this.#ended !== undefined) return;
    if (this.#inForce) begun(run);
    else this.#starts.push(run);
  }

  /** The policy is in force from here on. */
  enforce(): void {
    this.#inForce = true;
    for (const start of this.#starts.splice(0)) begun(start);
  }

  onEnd(release: () => void | Promise<void>): void {
    if (this.#ended === undefined) this.#releases.push(release);
    else void quietly(release);
  }

  after(milliseconds: number, run: () => void): () => void {
    if (this.#ended !== undefined) return () => undefined;
    const cancel = later(milliseconds, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
    return () => {
      cancel();
      this.#timers.delete(cancel);
    };
  }

  /** Idempotent. Resolves when all is released; never rejects. */
  end(): Promise<void> {
    return (this.#ended ??= this.#release());
  }

  async #release(): Promise<void> {
    this.#starts.length = 0;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#end.abort();
    await Promise.all(this.#releases.splice(0).map(quietly));
  }
}

/** By then the policy serves: a failure would leave a swap half made, with what was before still held. */
function begun(start: () => void): void {
  try {
    start();
  } catch {
    // What was to begin does so when it is first needed.
  }
}

async function quietly(release: () => void | Promise<void>): Promise<void> {
  try {
    await release();
  } catch {
    // Nobody is left who could do anything about it, and the others are to be released all the same.
  }
}
