/** How many processes count together: what each keeps of a limit while it is cut off from the others. */
import { randomUUID } from "node:crypto";
import type { Call } from "./link.js";
import { FLEET, LEAVE } from "./scripts/small.js";

const BEAT_MS = 5000;
/** Three beats: one that was lost does not shrink the fleet. */
const BELIEVED_US = 15_000_000;

export class Fleet {
  #members: number;
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
    this.#members = fixed ?? 1;
  }

  get members(): number {
    return this.#members;
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
      if (typeof seen === "number" && Number.isInteger(seen) && seen >= 1) this.#members = seen;
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
