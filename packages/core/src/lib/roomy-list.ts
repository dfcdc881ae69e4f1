/** Lists that are copied for every request, and go on differently each time. */

/** Places behind a copy for which a form is kept: what goes on for longer is rare. */
const MOST_KEPT = 16;

/**
 * Copies of one list, each as long as it will become: a list that grows is copied once more, half as long again, to hold what nobody
 * puts there.
 */
export class RoomyList<T> {
  readonly #list: readonly T[];
  readonly #filler: T;
  /** By the number of places behind it: the list with nothing but filler there. Made at first asking. */
  readonly #forms: T[][] = [];

  /** @param filler stands where nothing was put yet */
  constructor(list: readonly T[], filler: T) {
    this.#list = list;
    this.#filler = filler;
  }

  get length(): number {
    return this.#list.length;
  }

  /** @param more places behind the list, every one of which the caller sets */
  copy(more: number): T[] {
    if (more > MOST_KEPT) return this.#form(more);
    return (this.#forms[more] ??= this.#form(more)).slice();
  }

  #form(more: number): T[] {
    return [...this.#list, ...Array.from({ length: more }, () => this.#filler)];
  }
}
