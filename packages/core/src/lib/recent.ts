/** Values by key, of which there are never more than so many: who comes last drives out the one that was not used for longest. */
interface Entry<Value> {
  readonly key: string;
  value: Value;
  /** Used next after this one; undefined for the one that was used last. */
  newer: Entry<Value> | undefined;
  older: Entry<Value> | undefined;
}

/** Its memory grows with what it holds: an empty one is made for every policy that might use it. */
export class Recent<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  #newest: Entry<Value> | undefined;
  #oldest: Entry<Value> | undefined;

  /** @param max at least 1 */
  constructor(private readonly max: number) {}

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#use(entry);
    return entry.value;
  }

  set(key: string, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      this.#use(known);
      return;
    }
    if (this.#entries.size >= this.max && this.#oldest !== undefined) {
      this.#entries.delete(this.#oldest.key);
      this.#unlink(this.#oldest);
    }
    const entry: Entry<Value> = { key, value, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
  }

  #use(entry: Entry<Value>): void {
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  #append(entry: Entry<Value>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ newer, older }: Entry<Value>): void {
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
  }
}
