/**
 * Token bucket as GCRA: one number a key, the theoretical arrival time. In every closed interval of length t at most
 * `burst + floor(t / emission)`. An entry whose time has come equals no entry, so it may be dropped freely.
 */
import type { LimitOp } from "../ports/state-store.js";
import { Overflow, type OverflowOptions } from "./overflow.js";
import { noRoom } from "./room.js";
import type { Row, Table } from "./row.js";
import { grown, NO_SLOT, Slots } from "./slots.js";

type Op = Extract<LimitOp, { kind: "gcra" }>;

/** Debt ends somewhere: beyond this, microseconds would stop being exact. */
const FURTHEST_US = 2 ** 52;

export class GcraTable implements Table<Op> {
  #arrival: Float64Array = new Float64Array(0);
  #now = 0;
  readonly #overflow: Overflow;
  readonly #slots: Slots;

  constructor(options: OverflowOptions) {
    this.#overflow = new Overflow(options);
    this.#slots = new Slots(options.maxKeys, (key, slot) => {
      this.#overflow.fold(key, this.#arrival[slot] ?? 0, 0, this.#now);
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
    const slot = this.#slots.find(op.key);
    const known = slot === NO_SLOT ? this.#unseen(op.key, now) : (this.#arrival[slot] ?? 0);
    const base = known > now ? known : now;
    const { emissionUs, burst, cost } = op;
    // burst * emission, not the window: rounding the emission up would otherwise cost one of the burst.
    const tolerance = burst * emissionUs;
    const next = base + emissionUs * cost;
    const wait = next - now - tolerance;
    row.slot = slot;
    row.next = next;
    row.allowed = wait <= 0;
    row.resetUs = base - now;
    row.remaining = Math.max(0, Math.floor((tolerance - row.resetUs) / emissionUs));
    row.resetAfterUs = next - now;
    row.remainingAfter = Math.max(0, Math.floor((tolerance - row.resetAfterUs) / emissionUs));
    // A cost above the burst never fits; the longest honest wait is until the bucket is full.
    row.retryUs = cost > burst ? Math.max(row.resetUs, tolerance) : wait;
  }

  apply(op: Op, _now: number, row: Row): void {
    this.#write(op.key, row.slot, row.next);
  }

  /**
   * Giving back `delta * emission` later would mint credit where the bucket drained in between. The difference that a reservation
   * makes starts at that much and shrinks at most at the speed of time, hence less what has passed.
   */
  settle(op: Op, takenAt: number, delta: number, now: number): void {
    this.#now = now;
    const slot = this.#slots.find(op.key);
    if (delta > 0) {
      const known = slot === NO_SLOT ? this.#unseen(op.key, now) : (this.#arrival[slot] ?? 0);
      this.#write(op.key, slot, Math.min(Math.max(known, now) + op.emissionUs * delta, now + FURTHEST_US));
      return;
    }
    // Evicted in between: what is in the sketch cannot be taken out of it again.
    if (slot === NO_SLOT) return;
    const refund = Math.max(0, Math.min(-delta, op.cost) * op.emissionUs - (now - takenAt));
    this.#arrival[slot] = (this.#arrival[slot] ?? 0) - refund;
  }

  #unseen(key: string, now: number): number {
    if (this.#overflow.options.policy === "deny-new" && this.#slots.full) {
      const oldest = this.#slots.oldest();
      if (oldest === undefined || (this.#arrival[oldest.slot] ?? 0) > now) throw noRoom();
    }
    return this.#overflow.look(key, now) ? this.#overflow.until : 0;
  }

  #write(key: string, slot: number, arrival: number): void {
    const place = slot === NO_SLOT ? this.#slots.claim(key) : slot;
    this.#arrival = grown(this.#arrival, place + 1, (length) => new Float64Array(length));
    this.#arrival[place] = arrival;
  }
}
