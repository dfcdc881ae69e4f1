/**
 * Tokens that were used twice within the last minute by the whole field that they stood in, so that the next use of one costs a
 * comparison in place of a hash.
 *
 * Nothing decides but equality of the whole field and of where in it the token begins; in which place it lies here says nothing about
 * it. The price: whoever dumps the memory of the process finds these tokens. So they are few, and of the last minute.
 */
import type { VerifiedToken } from "./token-cache.js";

/** Places, a power of two, two for each mark. What finds both taken takes the second, and costs the other a hash. */
const PLACES = 1024;
const KEPT_MS = 60_000;

interface RecentToken {
  readonly field: string;
  readonly from: number;
  readonly token: VerifiedToken;
}

/** A credential, as far as it is asked for here. */
interface Presented {
  readonly field: string;
  readonly from: number;
  readonly mark: number;
}

export class RecentTokens {
  /** Made when the first token comes. */
  #places: (RecentToken | undefined)[] | undefined = undefined;
  /** Of what lies there: a token that was never seen is told by it, and memory that nobody used for long is left alone. */
  readonly #marks = new Int32Array(PLACES);
  #since = 0;

  get empty(): boolean {
    return this.#places === undefined;
  }

  /** @param now by which time is judged for this request, in milliseconds; it may go back */
  get({ field, from, mark }: Presented, now: number): VerifiedToken | undefined {
    if (this.#places === undefined) return undefined;
    if (Math.abs(now - this.#since) >= KEPT_MS) {
      this.#places = undefined;
      return undefined;
    }
    const place = mark & (PLACES - 1);
    const found = this.#marks[place] === mark ? place : place ^ 1;
    if (this.#marks[found] !== mark) return undefined;
    const recent = this.#places[found];
    // The same field under another scheme, or as a key of its own, is another credential.
    return recent?.from === from && recent.field === field ? recent.token : undefined;
  }

  /** Only what was verified: strangers cannot take a place. */
  set({ field, from, mark }: Presented, token: VerifiedToken, now: number): void {
    if (this.#places === undefined) {
      this.#places = Array.from({ length: PLACES }, () => undefined);
      this.#since = now;
    }
    const first = mark & (PLACES - 1);
    const place = this.#places[first] === undefined || this.#marks[first] === mark ? first : first ^ 1;
    this.#marks[place] = mark;
    this.#places[place] = { field: copied(field), from, token };
  }
}

/**
 * A slice would keep alive what it was cut from: all cookies, where the token is one of them. Joined, not added up: what comes of it lies
 * in one piece, which is compared without a call into the runtime.
 */
function copied(slice: string): string {
  return [slice.slice(0, 1), slice.slice(1)].join("");
}
