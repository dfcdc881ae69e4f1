/** What one policy of an engine leaves to the next: what it fetched. */

/** Sources of a policy: a handful. More are left of policies that are long gone. */
const MOST = 100;

export class Legacies {
  readonly #left = new Map<string, unknown>();

  get(name: string): unknown {
    return this.#left.get(name);
  }

  set(name: string, value: unknown): void {
    this.#left.delete(name);
    this.#left.set(name, value);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MOST && oldest !== undefined) this.#left.delete(oldest);
  }
}
