/**
 * Penalties. Every `after`-th strike of a key blocks it: for `block` the first time, `factor` times longer each time after that, up
 * to `max`. Strikes are forgotten when none came for `max` after the last one or the end of the block.
 */
import type { Penalty } from "../ports/state-store.js";
import { Overflow, type OverflowOptions } from "./overflow.js";
import { grown, NO_SLOT, Slots } from "./slots.js";

export class Blocks {
  #strikes: Float64Array = new Float64Array(0);
  #until: Float64Array = new Float64Array(0);
  #forgotten: Float64Array = new Float64Array(0);
  #now = 0;
  /** Two memories of evicted keys: until when they are blocked, and how many strikes they have. */
  readonly #blocked: Overflow;
  readonly #struck: Overflow;
  readonly #slots: Slots;

  constructor(options: OverflowOptions) {
    this.#blocked = new Overflow(options);
    this.#struck = new Overflow(options);
    this.#slots = new Slots(options.maxKeys, options.calls, {
      until: (slot) => this.#forgotten[slot] ?? 0,
      evicted: (key, slot) => {
        this.#blocked.fold(key, this.#until[slot] ?? 0, 0, this.#now);
        this.#struck.fold(key, this.#forgotten[slot] ?? 0, this.#strikes[slot] ?? 0, this.#now);
      },
    });
  }

  get size(): number {
    return this.#slots.size;
  }

  get overflowed(): number {
    return this.#struck.count;
  }

  /** Microseconds that the key stays blocked; 0 when it is not. Changes nothing. */
  remaining(key: string, now: number): number {
    this.#now = now;
    const slot = this.#slots.find(key);
    const until =
      slot === NO_SLOT ? (this.#blocked.look(key, now) ? this.#blocked.until : 0) : (this.#until[slot] ?? 0);
    return Math.max(0, until - now);
  }

  /** @returns microseconds of the block that this strike began; 0 when it began none */
  strike(key: string, penalty: Penalty, now: number): number {
    this.#now = now;
    const slot = this.#slotOf(key, now);
    const strikes = ((this.#forgotten[slot] ?? 0) > now ? (this.#strikes[slot] ?? 0) : 0) + 1;
    const block = strikes % penalty.after === 0 ? blockOf(penalty, strikes / penalty.after) : 0;
    const until = Math.max(this.#until[slot] ?? 0, now + block);
    this.#strikes[slot] = strikes;
    this.#until[slot] = until;
    this.#forgotten[slot] = until + penalty.maxUs;
    return block;
  }

  /** An unseen key starts with what the sketches say. */
  #slotOf(key: string, now: number): number {
    const known = this.#slots.find(key);
    if (known !== NO_SLOT) return known;
    const until = this.#blocked.look(key, now) ? this.#blocked.until : 0;
    const struck = this.#struck.look(key, now);
    const strikes = struck ? this.#struck.amount : 0;
    const forgotten = struck ? this.#struck.until : 0;
    const slot = this.#slots.claim(key, now);
    const { maxKeys } = this.#blocked.options;
    this.#strikes = grown(this.#strikes, slot + 1, maxKeys, newNumbers);
    this.#until = grown(this.#until, slot + 1, maxKeys, newNumbers);
    this.#forgotten = grown(this.#forgotten, slot + 1, maxKeys, newNumbers);
    this.#strikes[slot] = strikes;
    this.#until[slot] = until;
    this.#forgotten[slot] = forgotten;
    return slot;
  }
}

function blockOf({ blockUs, factor, maxUs }: Penalty, time: number): number {
  return Math.min(maxUs, Math.floor(blockUs * factor ** (time - 1)));
}

const newNumbers = (length: number): Float64Array => new Float64Array(length);
