/**
 * Tokens that were used twice within the last minute by their text, so that the next use of one costs a comparison in place
 * of a hash.
 *
 * Nothing decides but equality of the whole text; where a text lies says nothing about it. The price: whoever dumps the memory
 * of the process finds these tokens. So they are few, of the last minute, and nothing but the token is kept of where it stood.
 */
import type { VerifiedToken } from "./token-cache.js";

/** Places, a power of two. What finds its place taken takes it, and costs the other a hash. */
const PLACES = 1024;
const KEPT_MS = 60_000;

interface RecentToken {
  readonly text: string;
  readonly token: VerifiedToken;
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
  get(text: string, mark: number, now: number): VerifiedToken | undefined {
    if (this.#places === undefined) return undefined;
    if (Math.abs(now - this.#since) >= KEPT_MS) {
      this.#places = undefined;
      return undefined;
    }
    const place = mark & (PLACES - 1);
    if (this.#marks[place] !== mark) return undefined;
    const recent = this.#places[place];
    return recent?.text === text ? recent.token : undefined;
  }

  /** Only what was verified: strangers cannot take a place. */
  set(text: string, mark: number, token: VerifiedToken, now: number): void {
    if (this.#places === undefined) {
      this.#places = Array.from({ length: PLACES }, () => undefined);
      this.#since = now;
    }
    const place = mark & (PLACES - 1);
    this.#marks[place] = mark;
    this.#places[place] = { text: copied(text), token };
  }
}

/** A slice would keep the whole field alive behind it, and with it the cookies that stood beside the token. */
function copied(slice: string): string {
  return ` ${slice}`.slice(1);
}
