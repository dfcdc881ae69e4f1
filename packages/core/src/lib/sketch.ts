/**
 * A small memory of what no longer fits: for each key an instant (until when it matters) and an amount, never less than what was
 * folded in. Rows of cells, each the maximum of all keys that fell into it; the answer is the minimum over the rows. Errors are
 * one-sided: a key may seem to have more behind it than it has, never less.
 */
import { KeyedHash } from "./keyed-hash.js";

export interface SketchOptions {
  /** Cells in a row, a power of two. */
  readonly cells: number;
  readonly seed: readonly [number, number];
}

const ROWS = 4;

export class MaxSketch {
  /** Answer of the last `look`: fields, so that asking allocates nothing. */
  until = 0;
  amount = 0;

  readonly #until: Float64Array;
  readonly #amount: Float64Array;
  readonly #mask: number;
  readonly #hash: KeyedHash;

  constructor(options: SketchOptions) {
    this.#until = new Float64Array(ROWS * options.cells);
    this.#amount = new Float64Array(ROWS * options.cells);
    this.#mask = options.cells - 1;
    this.#hash = new KeyedHash(options.seed[0], options.seed[1]);
  }

  /** @param now a cell whose time has passed is taken over instead of joined, so that it forgets by itself */
  fold(key: string, until: number, amount: number, now: number): void {
    this.#hash.update(key);
    for (let row = 0; row < ROWS; row++) {
      const cell = this.#cell(row);
      const known = this.#until[cell] ?? 0;
      if (known <= now) {
        this.#until[cell] = until;
        this.#amount[cell] = amount;
      } else {
        this.#until[cell] = Math.max(known, until);
        this.#amount[cell] = Math.max(this.#amount[cell] ?? 0, amount);
      }
    }
  }

  /** Fills `until` and `amount`; false when the key surely has nothing behind it. */
  look(key: string, now: number): boolean {
    this.#hash.update(key);
    this.until = Infinity;
    this.amount = Infinity;
    for (let row = 0; row < ROWS; row++) {
      const cell = this.#cell(row);
      const until = this.#until[cell] ?? 0;
      if (until <= now) return false;
      this.until = Math.min(this.until, until);
      this.amount = Math.min(this.amount, this.#amount[cell] ?? 0);
    }
    return true;
  }

  /** Double hashing: with a row of a power of two and an odd step the rows differ. */
  #cell(row: number): number {
    const place = (this.#hash.first + Math.imul(row, this.#hash.second | 1)) & this.#mask;
    return row * (this.#mask + 1) + place;
  }
}
