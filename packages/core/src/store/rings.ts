/**
 * Sliding windows by buckets: the window is cut into parts, and the part that is only half inside it counts whole. Any interval of
 * the window's length lies within `buckets + 1` parts, so it never holds more than the limit.
 *
 * A key is a ring of counts in one flat array, and the instant at which its newest bucket stops counting.
 */
import type { LimitOp, TakePart } from "../ports/state-store.js";
import type { Overflow } from "./overflow.js";
import { Part } from "./part.js";
import { Row, type Table } from "./row.js";
import { grown, NO_SLOT, Slots } from "./slots.js";

export type StrictOp = Extract<LimitOp, { kind: "strict" }>;

/** What a key has used, on its way from a narrow ring to a wide one. */
export interface Ring {
  readonly end: number;
  readonly counts: readonly number[];
}

export class Rings implements Table<StrictOp> {
  #ends: Float64Array = new Float64Array(0);
  #counts: Int32Array | Uint16Array;
  /** Sum of a key's counts: most takes come in the bucket of the last one, and then nothing has to be added up. */
  #totals: Float64Array = new Float64Array(0);
  #now = 0;
  /** Buckets that can touch a window: one more than it is cut into. */
  readonly #length: number;
  readonly #most: number;
  readonly #make: (length: number) => Int32Array | Uint16Array;
  readonly #slots: Slots;
  readonly #scratch: Row = new Row();

  constructor(
    buckets: number,
    wide: boolean,
    private readonly overflow: Overflow,
  ) {
    this.#length = buckets + 1;
    this.#most = wide ? 2 ** 31 - 1 : 2 ** 16 - 1;
    this.#make = wide ? (length) => new Int32Array(length) : (length) => new Uint16Array(length);
    this.#counts = this.#make(0);
    this.#slots = new Slots(overflow.options.maxKeys, overflow.options.calls, {
      until: (slot) => this.#ends[slot] ?? 0,
      evicted: (key, slot) =>
        this.overflow.fold(key, this.#ends[slot] ?? 0, this.#totals[slot] ?? 0, this.#now),
    });
  }

  get size(): number {
    return this.#slots.size;
  }

  get overflowed(): number {
    return this.overflow.count;
  }

  has(key: string): boolean {
    return this.#slots.find(key) !== NO_SLOT;
  }

  evaluate(op: StrictOp, now: number, row: Row): void {
    this.#now = now;
    const width = Math.ceil(op.windowUs / op.buckets);
    const current = Math.floor(now / width);
    const slot = this.#slots.locate(op);
    const used =
      slot === NO_SLOT ? this.#unseen(op.key, now, width, row) : this.#age(slot, width, current, row);
    const { limit, cost } = op;
    row.slot = slot;
    row.allowed = used + cost <= limit;
    row.remaining = Math.max(0, limit - used);
    row.resetUs = used === 0 ? 0 : (row.next + this.#length) * width - now;
    row.remainingAfter = Math.max(0, limit - used - cost);
    row.resetAfterUs = (current + this.#length) * width - now;
    if (row.allowed) return;
    // A cost above the limit never fits; the longest honest wait is until the whole window is free.
    row.retryUs =
      cost > limit
        ? Math.max(row.resetUs, op.windowUs)
        : this.#freeAt(slot, row.next, used + cost - limit, width) - now;
  }

  /** `evaluate` and `apply` of a take that has no other limit: undefined where it is not that simple. */
  take(op: StrictOp, now: number): TakePart | undefined {
    const slot = this.#slots.locate(op);
    if (slot === NO_SLOT) return undefined;
    const width = Math.ceil(op.windowUs / op.buckets);
    const current = Math.floor(now / width);
    const end = (current + this.#length) * width;
    // In the bucket of the last one, as most are, nothing has run out since.
    const used =
      this.#ends[slot] === end ? (this.#totals[slot] ?? 0) : this.#age(slot, width, current, this.#scratch);
    const left = op.limit - used - op.cost;
    if (left < 0) return undefined;
    this.#add(slot, width, current, op.cost);
    return new Part(true, left, end - now, 0);
  }

  apply(op: StrictOp, now: number, row: Row): void {
    const width = Math.ceil(op.windowUs / op.buckets);
    const slot = row.slot === NO_SLOT ? this.#create(op.key, row) : row.slot;
    this.#add(slot, width, Math.floor(now / width), op.cost);
  }

  /** Exact, because a bucket is a plain sum: what was reserved is taken out of its own bucket while that still counts. */
  settle(op: StrictOp, takenAt: number, delta: number, now: number): void {
    const row = this.#scratch;
    this.#now = now;
    const width = Math.ceil(op.windowUs / op.buckets);
    const current = Math.floor(now / width);
    const slot = this.#slots.locate(op);
    if (delta > 0) {
      if (slot === NO_SLOT) this.#unseen(op.key, now, width, row);
      else this.#age(slot, width, current, row);
      this.#add(slot === NO_SLOT ? this.#create(op.key, row) : slot, width, current, delta);
      return;
    }
    if (slot === NO_SLOT) return;
    const bucket = Math.floor(takenAt / width);
    const head = this.#headOf(slot, width);
    if (current - bucket >= this.#length || bucket > head) return;
    const place = this.#place(slot, bucket);
    const count = this.#counts[place] ?? 0;
    // A count at its ceiling may stand for more: giving back from it could forgive.
    if (count < this.#most) this.#put(slot, place, Math.max(0, count - Math.min(-delta, op.cost)));
  }

  /** Takes a key out, for a ring of another width. */
  release(key: string): Ring | undefined {
    const slot = this.#slots.find(key);
    if (slot === NO_SLOT) return undefined;
    const start = slot * this.#length;
    const ring = {
      end: this.#ends[slot] ?? 0,
      counts: [...this.#counts.subarray(start, start + this.#length)],
    };
    this.#slots.drop(key);
    return ring;
  }

  adopt(key: string, ring: Ring): void {
    const slot = this.#claim(key);
    this.#ends[slot] = ring.end;
    this.#empty(slot);
    for (const [index, count] of ring.counts.entries()) {
      this.#put(slot, slot * this.#length + index, Math.min(count, this.#most));
    }
  }

  /** Number of the newest bucket with anything in it. The end is a whole multiple of the width, so this is exact. */
  #headOf(slot: number, width: number): number {
    return Math.round((this.#ends[slot] ?? 0) / width) - this.#length;
  }

  /** Clears what has run out and sums the rest. Leaves the head where it is: looking is no use. */
  #age(slot: number, width: number, current: number, row: Row): number {
    const head = this.#headOf(slot, width);
    row.next = head;
    row.seed = 0;
    if (current - head >= this.#length) this.#empty(slot);
    else
      for (let bucket = head + 1; bucket <= current; bucket++) this.#put(slot, this.#place(slot, bucket), 0);
    return this.#totals[slot] ?? 0;
  }

  /** An unseen key starts as if all that the sketch knows had come in the newest bucket. */
  #unseen(key: string, now: number, width: number, row: Row): number {
    const { overflow } = this;
    overflow.admit(this.#slots, now);
    row.next = Math.floor(now / width);
    row.seed = 0;
    if (!overflow.look(key, now)) return 0;
    row.next = Math.max(0, Math.min(row.next, Math.ceil(overflow.until / width) - this.#length));
    row.seed = Math.min(overflow.amount, this.#most);
    return row.seed;
  }

  /** First instant at which `excess` has run out. */
  #freeAt(slot: number, head: number, excess: number, width: number): number {
    if (slot === NO_SLOT) return (head + this.#length) * width;
    let freed = 0;
    let bucket = Math.max(0, head - this.#length + 1);
    for (; bucket < head; bucket++) {
      freed += this.#counts[this.#place(slot, bucket)] ?? 0;
      if (freed >= excess) break;
    }
    return (bucket + this.#length) * width;
  }

  #create(key: string, row: Row): number {
    const slot = this.#claim(key);
    this.#empty(slot);
    if (row.seed > 0) this.#put(slot, this.#place(slot, row.next), row.seed);
    return slot;
  }

  #add(slot: number, width: number, current: number, amount: number): void {
    const place = this.#place(slot, current);
    this.#put(slot, place, Math.min((this.#counts[place] ?? 0) + amount, this.#most));
    this.#ends[slot] = (current + this.#length) * width;
  }

  #claim(key: string): number {
    const slot = this.#slots.claim(key, this.#now);
    const { maxKeys } = this.overflow.options;
    this.#ends = grown(this.#ends, slot + 1, maxKeys, newNumbers);
    this.#totals = grown(this.#totals, slot + 1, maxKeys, newNumbers);
    this.#counts = grown(this.#counts, (slot + 1) * this.#length, maxKeys * this.#length, this.#make);
    return slot;
  }

  #place(slot: number, bucket: number): number {
    return slot * this.#length + (bucket % this.#length);
  }

  #put(slot: number, place: number, count: number): void {
    this.#totals[slot] = (this.#totals[slot] ?? 0) + count - (this.#counts[place] ?? 0);
    this.#counts[place] = count;
  }

  #empty(slot: number): void {
    const start = slot * this.#length;
    this.#counts.fill(0, start, start + this.#length);
    this.#totals[slot] = 0;
  }
}

const newNumbers = (length: number): Float64Array => new Float64Array(length);
