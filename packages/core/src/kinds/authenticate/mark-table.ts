/**
 * Tokens by their marks, in two lists side by side: where a mark is not, which is the answer for every token that is new, is told
 * by a few neighbouring numbers, without a look at any token.
 */
import type { VerifiedToken } from "./token-cache.js";

/** A power of two, and well above the number of tokens: what is not there is found missing at once. */
const PLACES = 8192;
/** Tokens in one table at most. */
export const MOST_MARKED = 5000;

/** Stands for no mark. Whose own is this one shares the place of another. */
const NONE = 0;
const INSTEAD_OF_NONE = 1;

export class MarkTable {
  readonly #marks = new Int32Array(PLACES);
  readonly #tokens = Array.from<VerifiedToken | undefined>({ length: PLACES });
  #size = 0;

  get full(): boolean {
    return this.#size >= MOST_MARKED;
  }

  get(mark: number): VerifiedToken | undefined {
    return this.#tokens[this.#placeOf(mark)];
  }

  /** Of two with one mark, the later one stays. Not for a full one. */
  set(mark: number, token: VerifiedToken): void {
    const place = this.#placeOf(mark);
    if (this.#marks[place] === NONE) this.#size += 1;
    this.#marks[place] = mark === NONE ? INSTEAD_OF_NONE : mark;
    this.#tokens[place] = token;
  }

  clear(): void {
    this.#marks.fill(NONE);
    this.#tokens.fill(undefined);
    this.#size = 0;
  }

  /** Where the mark is, or would be. */
  #placeOf(mark: number): number {
    const wanted = mark === NONE ? INSTEAD_OF_NONE : mark;
    let place = wanted & (PLACES - 1);
    for (let at = this.#marks[place]; at !== wanted && at !== NONE; at = this.#marks[place]) {
      place = (place + 1) & (PLACES - 1);
    }
    return place;
  }
}
