/**
 * What becomes of a key that has to leave a full table. Forgetting it would let its caller in again early, so a flood of junk keys
 * would be a bypass: instead it is folded into a sketch of its limit, and an unseen key starts from there.
 */
import { MaxSketch, type SketchOptions } from "../lib/sketch.js";
import type { Calls, Slots } from "./slots.js";
import { noRoom } from "./room.js";

/**
 * `sketch`: evict, and remember in a sketch (over-admission is impossible; a flooded store makes unseen keys start with less).
 * `deny-new`: a full store takes no unseen key until one has run out. `admit`: evict and forget: a flood of keys resets limits.
 */
export type OverflowPolicy = "sketch" | "deny-new" | "admit";

export interface OverflowOptions {
  readonly maxKeys: number;
  readonly sketch: SketchOptions;
  readonly policy: OverflowPolicy;
  readonly calls: Calls;
}

/** The text before the first `:` names the limit. Each limit has a sketch of its own, so that a long window never blurs a short one. */
function limitOf(key: string): string {
  const end = key.indexOf(":");
  return end < 0 ? "" : key.slice(0, end);
}

export class Overflow {
  /** Live keys that had to leave. */
  count = 0;
  until = 0;
  amount = 0;

  readonly #sketches = new Map<string, MaxSketch>();

  constructor(readonly options: OverflowOptions) {}

  fold(key: string, until: number, amount: number, now: number): void {
    if (until <= now) return;
    this.count += 1;
    if (this.options.policy === "admit") return;
    const limit = limitOf(key);
    let sketch = this.#sketches.get(limit);
    if (sketch === undefined) {
      sketch = new MaxSketch(this.options.sketch);
      this.#sketches.set(limit, sketch);
    }
    sketch.fold(key, until, amount, now);
  }

  /** @throws StoreError `oom` where a full table was told to take nobody new */
  admit(slots: Slots, now: number): void {
    if (this.options.policy === "deny-new" && !slots.hasRoom(now)) throw noRoom();
  }

  /** Fills `until` and `amount`; false when nothing is behind an unseen key. */
  look(key: string, now: number): boolean {
    if (this.#sketches.size === 0) return false;
    const sketch = this.#sketches.get(limitOf(key));
    if (sketch === undefined || !sketch.look(key, now)) return false;
    this.until = sketch.until;
    this.amount = sketch.amount;
    return true;
  }
}
