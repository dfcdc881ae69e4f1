/**
 * Keys to small numbers, bounded. Tables keep their state in typed arrays by slot: a number a key stays unboxed there, and an update
 * needs no second look-up. Who leaves a full table is found among a few neighbours, so that a use costs one write and no list of uses
 * is kept: first whose time has run out (forgetting that one is free), else the one that was used least recently.
 */
export const NO_SLOT = -1;

/** Neighbours that are compared before one of them leaves. */
const COMPARED = 16;

/** Number of the store's call, of all its tables: what was used in this call must not leave in it. */
export interface Calls {
  number: number;
}

export interface SlotOwner {
  /** From when on the slot's state means nothing. */
  readonly until: (slot: number) => number;
  /** Called while the victim's slot still holds its state. */
  readonly evicted: (key: string, slot: number) => void;
}

/** Of an op: the key, and in one that comes again where it was found last, and as of when. */
export interface Sought {
  readonly key: string;
  slot?: number;
  since?: number;
}

/** Counts whenever a key leaves a slot, of any table: no two tables are ever in a state of the same number. */
let changes = 0;

export class Slots {
  readonly #slotOf = new Map<string, number>();
  readonly #keys: (string | undefined)[] = [];
  #used: Uint32Array = new Uint32Array(0);
  readonly #free: number[] = [];
  /** While it stays the same every slot is the key's that it was. */
  #state = ++changes;
  #next = 0;
  /** Where the search for the next victim begins. */
  #hand = 0;
  /** As far as was known when all were looked at, none runs out before. */
  #allLiveUntil = 0;

  constructor(
    private readonly max: number,
    private readonly calls: Calls,
    private readonly owner: SlotOwner,
  ) {}

  get size(): number {
    return this.#slotOf.size;
  }

  /** `NO_SLOT` when the key is unknown. */
  find(key: string): number {
    const slot = this.#slotOf.get(key);
    if (slot === undefined) return NO_SLOT;
    this.#used[slot] = this.calls.number;
    return slot;
  }

  /** The same, without asking the map again for an op that comes again: as long as no key has left, it is where it was. */
  locate(op: Sought): number {
    const { slot } = op;
    if (slot === undefined || op.since !== this.#state) return this.#relocate(op);
    this.#used[slot] = this.calls.number;
    return slot;
  }

  /** What an op noted may be long out of date, or another table's: a slot is the key's exactly where that key stands in it. */
  #relocate(op: Sought): number {
    const { key, slot: noted } = op;
    if (noted === undefined) return this.find(key);
    const slot = this.#keys[noted] === key ? noted : this.find(key);
    if (slot === NO_SLOT) return NO_SLOT;
    op.slot = slot;
    op.since = this.#state;
    this.#used[slot] = this.calls.number;
    return slot;
  }

  /** A slot for a key that has none. Its arrays hold what the slot's last key left. */
  claim(key: string, now: number): number {
    if (this.#slotOf.size >= this.max) this.#evict(now);
    const slot = this.#free.pop() ?? this.#next++;
    this.#used = grown(this.#used, slot + 1, this.max, newUses);
    this.#used[slot] = this.calls.number;
    this.#keys[slot] = key;
    this.#slotOf.set(key, slot);
    return slot;
  }

  drop(key: string): void {
    const slot = this.#slotOf.get(key);
    if (slot !== undefined) this.#leave(key, slot);
  }

  /** Whether a new key finds a place without anybody being forgotten whose time has not run out. */
  hasRoom(now: number): boolean {
    if (this.#slotOf.size < this.max || this.owner.until(this.#hand) <= now) return true;
    // Looking at all of them in vain is not repeated before something can have run out: a flood does not make each call a search.
    if (now < this.#allLiveUntil) return false;
    let soonest = Infinity;
    for (let slot = 0; slot < this.max; slot++) {
      const until = this.owner.until(slot);
      if (until <= now) {
        this.#hand = slot;
        return true;
      }
      soonest = Math.min(soonest, until);
    }
    this.#allLiveUntil = soonest;
    return false;
  }

  #evict(now: number): void {
    const slot = this.#victim(now);
    const key = this.#keys[slot] ?? "";
    this.owner.evicted(key, slot);
    this.#leave(key, slot);
  }

  #leave(key: string, slot: number): void {
    this.#state = ++changes;
    this.#slotOf.delete(key);
    this.#keys[slot] = undefined;
    this.#free.push(slot);
  }

  /** A full table has no gaps. It holds more keys than a call has limits, so that one of them is always older than the call. */
  #victim(now: number): number {
    let victim = this.#hand;
    let age = 0;
    for (let seen = 0; seen < COMPARED || (age === 0 && seen < this.max); seen++) {
      const slot = this.#hand;
      this.#hand = slot + 1 === this.max ? 0 : slot + 1;
      // Unsigned, so that it stays right when the number of calls has wrapped.
      const unused = (this.calls.number - (this.#used[slot] ?? 0)) >>> 0;
      if (unused === 0) continue;
      if (this.owner.until(slot) <= now) return slot;
      if (unused <= age) continue;
      victim = slot;
      age = unused;
    }
    return victim;
  }
}

const newUses = (length: number): Uint32Array => new Uint32Array(length);

/** Room for `length` slots: arrays double, up to the most, so a small store stays small. */
export function grown<T extends Float64Array | Int32Array | Uint32Array | Uint16Array>(
  array: T,
  length: number,
  most: number,
  make: (length: number) => T,
): T {
  if (length <= array.length) return array;
  const larger = make(Math.min(Math.max(length, 2 * array.length, 64), Math.max(length, most)));
  larger.set(array);
  return larger;
}
