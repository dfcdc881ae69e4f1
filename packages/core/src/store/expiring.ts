/**
 * Keys with an end: replay protection, revocations, stored answers. Forgetting one early would accept a replay, so nothing is ever
 * evicted; a full table refuses.
 */
import { noRoom } from "./room.js";

interface Entry<V> {
  readonly value: V;
  readonly until: number;
}

export class Expiring<V> {
  readonly #entries = new Map<string, Entry<V>>();
  #nextSweep = 0;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > now) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** @throws StoreError `oom` when nothing that is stored has run out */
  set(key: string, value: V, until: number, now: number): void {
    if (this.#entries.size >= this.max && !this.#entries.has(key)) this.#makeRoom(now);
    this.#entries.set(key, { value, until });
    this.#nextSweep = Math.min(this.#nextSweep, until);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** A sweep that found nothing is not repeated before something can have run out: a flood does not make each call a sweep. */
  #makeRoom(now: number): void {
    if (now >= this.#nextSweep) {
      let next = Infinity;
      for (const [key, { until }] of this.#entries) {
        if (until <= now) this.#entries.delete(key);
        else next = Math.min(next, until);
      }
      this.#nextSweep = next;
    }
    if (this.#entries.size >= this.max) throw noRoom();
  }
}
