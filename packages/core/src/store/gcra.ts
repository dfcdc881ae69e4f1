/**
 * Token bucket as GCRA: one number a key, the theoretical arrival time. In every closed interval of length t at most
 * `burst + floor(t / emission)`. An entry whose time has come equals no entry, so it may be dropped freely.
 */
import type { LimitOp, TakePart } from "../ports/state-store.js";
import { Overflow, type OverflowOptions } from "./overflow.js";
import { Part } from "./part.js";
import type { Row, Table } from "./row.js";
import { grown, NO_SLOT, Slots } from "./slots.js";

type Op = Extract<LimitOp, { kind: "gcra" }>;

/** Debt ends somewhere: beyond this, microseconds would stop being exact. */
const FURTHEST_US = 2 ** 52;

export class GcraTable implements Table<Op> {
  #arrival: Float64Array = new Float64Array(0);
  /** When somebody had to leave: kept where a key comes, so that a take of one that is known writes nothing but its time. */
  #now = 0;
  readonly #overflow: Overflow;
  readonly #slots: Slots;

  constructor(options: OverflowOptions) {
    this.#overflow = new Overflow(options);
    this.#slots = new Slots(options.maxKeys, options.calls, {
      until: (slot) => this.#arrival[slot] ?? 0,
      evicted: (key, slot) => this.#overflow.fold(key, this.#arrival[slot] ?? 0, 0, this.#now),
    });
  }

  get size(): number {
    return this.#slots.size;
  }

  get overflowed(): number {
    return this.#overflow.count;
  }

  evaluate(op: Op, now: number, row: Row): void {
    const slot = this.#slots.locate(op);
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
    row.remaining = whole(tolerance - row.resetUs, emissionUs);
    row.resetAfterUs = next - now;
    row.remainingAfter = whole(tolerance - row.resetAfterUs, emissionUs);
    // A cost above the burst never fits; the longest honest wait is until the bucket is full.
    row.retryUs = cost > burst ? Math.max(row.resetUs, tolerance) : wait;
  }

  /**
   * `evaluate` and `apply` of a take that has no other limit, which is what most takes are: nothing has to be kept between the two,
   * and what is not said is not reckoned.
   */
  take(op: Op, now: number): TakePart {
    const slot = this.#slots.locate(op);
    const known = slot === NO_SLOT ? this.#unseen(op.key, now) : (this.#arrival[slot] ?? 0);
    const base = known > now ? known : now;
    const { emissionUs, burst } = op;
    const tolerance = burst * emissionUs;
    const next = base + emissionUs * op.cost;
    const resetUs = next - now;
    if (resetUs > tolerance) return refused(op, base - now, tolerance);
    if (slot === NO_SLOT) this.#create(op.key, next, now);
    else this.#arrival[slot] = next;
    return new Part(true, Math.floor((tolerance - resetUs) / emissionUs), resetUs, 0);
  }

  apply(op: Op, now: number, row: Row): void {
    this.#write(op.key, row.slot, row.next, now);
  }

  /**
   * Giving back `delta * emission` later would mint credit where the bucket drained in between. The difference that a reservation
   * makes starts at that much and shrinks at most at the speed of time, hence less what has passed.
   */
  settle(op: Op, takenAt: number, delta: number, now: number): void {
    const slot = this.#slots.locate(op);
    if (delta > 0) {
      const known = slot === NO_SLOT ? this.#unseen(op.key, now) : (this.#arrival[slot] ?? 0);
      const charged = Math.max(known, now) + op.emissionUs * delta;
      this.#write(op.key, slot, Math.min(charged, now + FURTHEST_US), now);
      return;
    }
    // Evicted in between: what is in the sketch cannot be taken out of it again.
    if (slot === NO_SLOT) return;
    const refund = Math.max(0, Math.min(-delta, op.cost) * op.emissionUs - (now - takenAt));
    this.#arrival[slot] = (this.#arrival[slot] ?? 0) - refund;
  }

  #unseen(key: string, now: number): number {
    this.#overflow.admit(this.#slots, now);
    return this.#overflow.look(key, now) ? this.#overflow.until : 0;
  }

  #write(key: string, slot: number, arrival: number, now: number): void {
    if (slot === NO_SLOT) this.#create(key, arrival, now);
    else this.#arrival[slot] = arrival;
  }

  #create(key: string, arrival: number, now: number): void {
    this.#now = now;
    const slot = this.#slots.claim(key, now);
    this.#arrival = grown(this.#arrival, slot + 1, this.#overflow.options.maxKeys, newTimes);
    this.#arrival[slot] = arrival;
  }
}

const newTimes = (length: number): Float64Array => new Float64Array(length);

/** @param resetUs as it stands */
function refused({ emissionUs, burst, cost }: Op, resetUs: number, tolerance: number): TakePart {
  const retryUs = cost > burst ? Math.max(resetUs, tolerance) : resetUs + emissionUs * cost - tolerance;
  return new Part(false, whole(tolerance - resetUs, emissionUs), resetUs, retryUs);
}

function whole(us: number, emissionUs: number): number {
  return us > 0 ? Math.floor(us / emissionUs) : 0;
}
