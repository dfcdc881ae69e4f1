/**
 * Keys to small numbers, bounded, least recently used first out. Tables keep their state in typed arrays by slot: a number a key
 * stays unboxed there, and an update needs no second look-up.
 */
import { LRUCache } from "lru-cache";

export const NO_SLOT = -1;

export class Slots {
  /** Made with the first key: it takes room for all of them at once, and most policies use one algorithm or two. */
  #keys: LRUCache<string, number> | undefined;
  readonly #free: number[] = [];
  #next = 0;

  /** @param evicted called while the victim's slot still holds its state */
  constructor(
    private readonly max: number,
    private readonly evicted: (key: string, slot: number) => void,
  ) {}

  get size(): number {
    return this.#keys?.size ?? 0;
  }

  get full(): boolean {
    return this.size >= this.max;
  }

  /** `NO_SLOT` when the key is unknown. */
  find(key: string): number {
    return this.#keys?.get(key) ?? NO_SLOT;
  }

  /** A slot for a key that has none. Its arrays hold what the slot's last key left. */
  claim(key: string): number {
    const keys = (this.#keys ??= this.#make());
    if (keys.size >= this.max) keys.pop();
    const slot = this.#free.pop() ?? this.#next++;
    keys.set(key, slot);
    return slot;
  }

  drop(key: string): void {
    this.#keys?.delete(key);
  }

  /** The key that would be evicted next. */
  oldest(): { readonly key: string; readonly slot: number } | undefined {
    const keys = this.#keys;
    if (keys === undefined) return undefined;
    const [key] = keys.rkeys();
    const slot = key === undefined ? undefined : keys.peek(key);
    return key === undefined || slot === undefined ? undefined : { key, slot };
  }

  #make(): LRUCache<string, number> {
    return new LRUCache({
      max: this.max,
      dispose: (slot, key, reason) => {
        if (reason === "evict") this.evicted(key, slot);
        this.#free.push(slot);
      },
    });
  }
}

/** Room for slot `slot`: arrays double, so a small store stays small. */
export function grown<T extends Float64Array | Int32Array | Uint16Array>(
  array: T,
  length: number,
  make: (length: number) => T,
): T {
  if (length <= array.length) return array;
  const larger = make(Math.max(length, 2 * array.length, 64));
  larger.set(array);
  return larger;
}
