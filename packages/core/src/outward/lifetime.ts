/** Timers and other belongings of one compiled policy. */
import type { Lifetime } from "../ports/lifetime.js";

/** Beyond this `setTimeout` fires at once. */
const LONGEST_TIMER = 2_147_483_647;

export class PolicyLifetime implements Lifetime {
  readonly #end = new AbortController();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #releases: (() => void | Promise<void>)[] = [];
  #ended: Promise<void> | undefined;

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  onEnd(release: () => void | Promise<void>): void {
    if (this.#ended === undefined) this.#releases.push(release);
    else void quietly(release);
  }

  after(milliseconds: number, run: () => void): () => void {
    if (this.#ended !== undefined) return () => undefined;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        run();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
    unref(timer);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Idempotent. Resolves when all is released; never rejects. */
  end(): Promise<void> {
    return (this.#ended ??= this.#release());
  }

  async #release(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#end.abort();
    await Promise.all(this.#releases.splice(0).map(quietly));
  }
}

async function quietly(release: () => void | Promise<void>): Promise<void> {
  try {
    await release();
  } catch {
    // Nobody is left who could do anything about it, and the others are to be released all the same.
  }
}

/** Browsers and workers number their timers. */
function unref(timer: unknown): void {
  if (isHolding(timer)) timer.unref();
}

function isHolding(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function";
}
