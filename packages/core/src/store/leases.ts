/**
 * Concurrency: at most `limit` unexpired leases a key. A holder that died frees its place when its lease has run out. A lease is
 * never evicted, that would let one more in; a full table refuses to lend.
 */
import type { LimitOp } from "../ports/state-store.js";
import { noRoom } from "./room.js";
import type { Row } from "./row.js";

type Op = Extract<LimitOp, { kind: "lease" }>;

interface Held {
  /** Holder to deadline. */
  readonly holders: Map<string, number>;
  /** No lease of the key ends before this. */
  soonest: number;
}

export class LeaseTable {
  readonly #held = new Map<string, Held>();
  #count = 0;
  /** No lease ends before this: looking for room earlier is in vain. */
  #nextSweep = 0;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#count;
  }

  evaluate(op: Op, now: number, row: Row): void {
    const held = this.#held.get(op.key);
    if (held !== undefined && now >= held.soonest) this.#expire(op.key, held, now);
    const used = held?.holders.size ?? 0;
    row.allowed = used < op.limit;
    row.remaining = Math.max(0, op.limit - used);
    row.remainingAfter = Math.max(0, row.remaining - 1);
    row.resetUs = 0;
    row.resetAfterUs = 0;
    row.retryUs = row.allowed || held === undefined ? 0 : earliest(held.holders) - now;
    if (row.allowed && this.#count >= this.max) this.#makeRoom(now);
  }

  apply(op: Op, now: number): void {
    const deadline = now + op.leaseUs;
    let held = this.#held.get(op.key);
    if (held === undefined) {
      held = { holders: new Map(), soonest: deadline };
      this.#held.set(op.key, held);
    }
    if (!held.holders.has(op.holder)) this.#count += 1;
    held.holders.set(op.holder, deadline);
    held.soonest = Math.min(held.soonest, deadline);
    this.#nextSweep = Math.min(this.#nextSweep, deadline);
  }

  /** False when the lease was lost in between. */
  renew(op: Op, now: number): boolean {
    const holders = this.#held.get(op.key)?.holders;
    const deadline = holders?.get(op.holder);
    if (holders === undefined || deadline === undefined || deadline <= now) return false;
    holders.set(op.holder, now + op.leaseUs);
    return true;
  }

  release(op: Op): void {
    const holders = this.#held.get(op.key)?.holders;
    if (holders === undefined || !holders.delete(op.holder)) return;
    this.#count -= 1;
    if (holders.size === 0) this.#held.delete(op.key);
  }

  #expire(key: string, held: Held, now: number): void {
    const { holders } = held;
    for (const [holder, deadline] of holders) {
      if (deadline > now) continue;
      holders.delete(holder);
      this.#count -= 1;
    }
    held.soonest = earliest(holders);
    if (holders.size === 0) this.#held.delete(key);
  }

  #makeRoom(now: number): void {
    if (now >= this.#nextSweep) {
      let next = Infinity;
      for (const [key, held] of this.#held) {
        this.#expire(key, held, now);
        next = Math.min(next, held.soonest);
      }
      this.#nextSweep = next;
    }
    if (this.#count >= this.max) throw noRoom();
  }
}

function earliest(holders: ReadonlyMap<string, number>): number {
  let first = Infinity;
  for (const deadline of holders.values()) first = Math.min(first, deadline);
  return first;
}
