/**
 * Calendar quotas: at most `limit` a period. A period is known by its end, on the wall clock. A clock that was set back does not
 * open an old period again: what comes then counts in the latest one seen, so it is never more, and ends when that ends.
 */
import type { LimitOp } from "../ports/state-store.js";
import { Overflow, type OverflowOptions } from "./overflow.js";
import type { Row, Table } from "./row.js";
import { grown, NO_SLOT, Slots } from "./slots.js";

type Op = Extract<LimitOp, { kind: "period" }>;

/** `now` and `takenAt` of this table are wall-clock instants. */
export class PeriodTable implements Table<Op> {
  #used: Float64Array = new Float64Array(0);
  #ends: Float64Array = new Float64Array(0);
  #now = 0;
  readonly #overflow: Overflow;
  readonly #slots: Slots;

  constructor(options: OverflowOptions) {
    this.#overflow = new Overflow(options);
    this.#slots = new Slots(options.maxKeys, options.calls, {
      until: (slot) => this.#ends[slot] ?? 0,
      evicted: (key, slot) =>
        this.#overflow.fold(key, this.#ends[slot] ?? 0, this.#used[slot] ?? 0, this.#now),
    });
  }

  get size(): number {
    return this.#slots.size;
  }

  get overflowed(): number {
    return this.#overflow.count;
  }

  evaluate(op: Op, now: number, row: Row): void {
    this.#now = now;
    this.#load(op, now, row);
    const used = row.seed;
    const untilEnd = Math.max(0, row.next - now);
    row.allowed = used + op.cost <= op.limit;
    row.remaining = Math.max(0, op.limit - used);
    row.remainingAfter = Math.max(0, op.limit - used - op.cost);
    row.resetUs = used === 0 ? 0 : untilEnd;
    row.resetAfterUs = untilEnd;
    row.retryUs = untilEnd;
  }

  apply(op: Op, _now: number, row: Row): void {
    this.#write(op.key, row, op.cost);
  }

  settle(op: Op, _takenAt: number, delta: number, now: number): void {
    this.#now = now;
    const slot = this.#slots.find(op.key);
    // Given back in the period it was taken in, or not at all: the next one owes nothing to the last.
    if (slot === NO_SLOT || this.#ends[slot] !== op.endsAtUs) return;
    this.#used[slot] = Math.max(0, (this.#used[slot] ?? 0) + Math.max(delta, -op.cost));
  }

  /** Into the row: slot, what is used (`seed`), and the end of the period that counts (`next`). */
  #load(op: Op, now: number, row: Row): void {
    const slot = this.#slots.find(op.key);
    row.slot = slot;
    row.seed = 0;
    row.next = op.endsAtUs;
    if (slot !== NO_SLOT) {
      const end = this.#ends[slot] ?? 0;
      if (end < op.endsAtUs) return;
      row.next = end;
      row.seed = this.#used[slot] ?? 0;
    } else {
      this.#overflow.admit(this.#slots, now);
      if (!this.#overflow.look(op.key, now) || this.#overflow.until < op.endsAtUs) return;
      row.next = this.#overflow.until;
      row.seed = this.#overflow.amount;
    }
  }

  #write(key: string, row: Row, cost: number): void {
    const slot = row.slot === NO_SLOT ? this.#slots.claim(key, this.#now) : row.slot;
    const { maxKeys } = this.#overflow.options;
    this.#used = grown(this.#used, slot + 1, maxKeys, newNumbers);
    this.#ends = grown(this.#ends, slot + 1, maxKeys, newNumbers);
    this.#used[slot] = row.seed + cost;
    this.#ends[slot] = row.next;
  }
}

const newNumbers = (length: number): Float64Array => new Float64Array(length);
