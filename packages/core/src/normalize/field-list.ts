/** Fields of one message, by their lower-case names. */

/**
 * A list, because a message has a dozen fields and a decision looks for a few of them: to search it costs less than to make a table of
 * it, and most of it is never looked for.
 */
export class FieldList implements ReadonlyMap<string, string> {
  /** Name, value, name, value; no name twice. */
  readonly #flat: string[];

  /** @param flat is kept, and may still grow */
  constructor(flat: string[]) {
    this.#flat = flat;
  }

  /** One that is not there yet. */
  add(name: string, value: string): void {
    this.#flat.push(name, value);
  }

  remove(name: string): void {
    const at = this.#place(name);
    if (at >= 0) this.#flat.splice(at, 2);
  }

  get size(): number {
    return this.#flat.length / 2;
  }

  get(name: string): string | undefined {
    const at = this.#place(name);
    return at < 0 ? undefined : this.#flat[at + 1];
  }

  has(name: string): boolean {
    return this.#place(name) >= 0;
  }

  forEach(visit: (value: string, name: string, fields: ReadonlyMap<string, string>) => void): void {
    for (const [name, value] of this) visit(value, name, this);
  }

  keys(): MapIterator<string> {
    return this.#table().keys();
  }

  values(): MapIterator<string> {
    return this.#table().values();
  }

  entries(): MapIterator<[string, string]> {
    return this.#table().entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  /** Among the names alone: a value may read like one. */
  #place(name: string): number {
    const flat = this.#flat;
    for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return at;
    return -1;
  }

  #table(): Map<string, string> {
    const table = new Map<string, string>();
    const flat = this.#flat;
    for (let at = 0; at < flat.length; at += 2) table.set(flat[at] ?? "", flat[at + 1] ?? "");
    return table;
  }
}
