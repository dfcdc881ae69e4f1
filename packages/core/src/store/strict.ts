/** Strict sliding windows: small limits in narrow rings, large ones in wide rings, and a key that changes sides keeps its counts. */
import type { TakePart } from "../ports/state-store.js";
import { Overflow, type OverflowOptions } from "./overflow.js";
import { Rings, type StrictOp } from "./rings.js";
import type { Row, Table } from "./row.js";

/** Half of what a narrow count holds, so that a debt fits too. */
const NARROW_LIMIT = 2 ** 15 - 1;

interface Sides {
  narrow: Rings | undefined;
  wide: Rings | undefined;
}

export class StrictTable implements Table<StrictOp> {
  readonly #overflow: Overflow;
  /** By number of buckets. */
  readonly #sides = new Map<number, Sides>();
  /** Those of the last op: all limits of a policy are cut into as many. */
  #last: Sides = { narrow: undefined, wide: undefined };
  #lastBuckets = 0;

  constructor(options: OverflowOptions) {
    this.#overflow = new Overflow(options);
  }

  get size(): number {
    let size = 0;
    for (const { narrow, wide } of this.#sides.values()) size += (narrow?.size ?? 0) + (wide?.size ?? 0);
    return size;
  }

  get overflowed(): number {
    return this.#overflow.count;
  }

  evaluate(op: StrictOp, now: number, row: Row): void {
    this.#ringsOf(op).evaluate(op, now, row);
  }

  /** A take that has no other limit, where a known key has room; undefined: look at it step by step. */
  take(op: StrictOp, now: number): TakePart | undefined {
    return this.#ringsOf(op).take(op, now);
  }

  apply(op: StrictOp, now: number, row: Row): void {
    this.#ringsOf(op).apply(op, now, row);
  }

  settle(op: StrictOp, takenAt: number, delta: number, now: number): void {
    this.#ringsOf(op).settle(op, takenAt, delta, now);
  }

  #ringsOf(op: StrictOp): Rings {
    const sides = op.buckets === this.#lastBuckets ? this.#last : this.#sidesOf(op.buckets);
    const wide = op.limit > NARROW_LIMIT;
    const rings = wide
      ? (sides.wide ??= new Rings(op.buckets, true, this.#overflow))
      : (sides.narrow ??= new Rings(op.buckets, false, this.#overflow));
    const other = wide ? sides.narrow : sides.wide;
    // A limit that was raised or lowered across the border while it counts.
    if (other !== undefined && other.size > 0 && !rings.has(op.key)) moveOver(op.key, other, rings);
    return rings;
  }

  #sidesOf(buckets: number): Sides {
    const sides = this.#sides.get(buckets) ?? { narrow: undefined, wide: undefined };
    this.#sides.set(buckets, sides);
    this.#last = sides;
    this.#lastBuckets = buckets;
    return sides;
  }
}

function moveOver(key: string, from: Rings, to: Rings): void {
  const ring = from.release(key);
  if (ring !== undefined) to.adopt(key, ring);
}
