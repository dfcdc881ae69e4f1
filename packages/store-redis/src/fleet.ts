/** How many processes count together: what each keeps of a limit while it is cut off from the others. */
import { randomUUID } from "node:crypto";
import type { Call } from "./link.js";
import { FLEET, LEAVE } from "./scripts/small.js";

const BEAT_MS = 5000;
/** Three beats: one that was lost does not shrink the fleet. */
const BELIEVED_US = 15_000_000;
/** As many: a server that comes back without its data is told of the others within one beat, and may be away again before. */
const SIGHTINGS = 3;

export class Fleet {
  /** The last that were seen, newest last. */
  #seen: readonly number[];
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #id = randomUUID();

  /**
   * @param fixed a size that was told; undefined: it is counted
   * @param run rejects where the server is away: the last size that was seen stands
   */
  constructor(
    private readonly fixed: number | undefined,
    private readonly key: string,
    private readonly now: () => string,
    private readonly run: (call: Call) => Promise<unknown>,
  ) {
    this.#seen = [fixed ?? 1];
  }

  /** The most that were seen lately. Who thinks too few of the others keeps too much of a limit, and together they admit more than it. */
  get members(): number {
    return Math.max(...this.#seen);
  }

  /** @param each called with every beat */
  start(each: () => void): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      each();
      void this.beat();
    }, BEAT_MS);
    this.#timer.unref();
  }

  async beat(): Promise<void> {
    if (this.fixed !== undefined) return;
    try {
      const values = [this.now(), this.#id, String(BELIEVED_US)];
      const seen = await this.run({ script: FLEET, keys: [this.key], values });
      if (typeof seen === "number" && Number.isInteger(seen) && seen >= 1)
        this.#seen = [...this.#seen, seen].slice(-SIGHTINGS);
    } catch {
      // The next beat tries again.
    }
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    if (this.fixed !== undefined) return;
    try {
      await this.run({ script: LEAVE, keys: [this.key], values: [this.#id] });
    } catch {
      // It is forgotten by itself.
    }
  }
}
