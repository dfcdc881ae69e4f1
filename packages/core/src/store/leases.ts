/**
 * Concurrency: at most `limit` unexpired leases a key. A holder that died frees its place when its lease has run out. A lease is
 * never evicted, that would let one more in; a full table refuses to lend.
 */
import type { LimitOp } from "../ports/state-store.js";
import { noRoom } from "./room.js";
import type { Row } from "./row.js";

type Op = Extract<LimitOp, { kind: "lease" }>;

export class LeaseTable {
  /** Key to holder to deadline. */
  readonly #held = new Map<string, Map<string, number>>();
  #count = 0;
  /** No lease ends before this: looking for room earlier is in vain. */
  #nextSweep = 0;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#count;
  }

  evaluate(op: Op, now: number, row: Row): void {
    const holders = this.#held.get(op.key);
    if (holders !== undefined && holders.size >= op.limit) this.#expire(op.key, holders, now);
    const used = holders?.size ?? 0;
    row.allowed = used < op.limit;
    row.remaining = Math.max(0, op.limit - used);
    row.remainingAfter = Math.max(0, row.remaining - 1);
    row.resetUs = 0;
    row.resetAfterUs = 0;
    row.retryUs = row.allowed || holders === undefined ? 0 : earliest(holders) - now;
    if (row.allowed && this.#count >= this.max) this.#makeRoom(now);
  }

  apply(op: Op, now: number): void {
    let holders = this.#held.get(op.key);
    if (holders === undefined) {
      holders = new Map();
      this.#held.set(op.key, holders);
    }
    if (!holders.has(op.holder)) this.#count += 1;
    holders.set(op.holder, now + op.leaseUs);
    this.#nextSweep = Math.min(this.#nextSweep, now + op.leaseUs);
  }

  /** False when the lease was lost in between. */
  renew(op: Op, now: number): boolean {
    const holders = this.#held.get(op.key);
    const deadline = holders?.get(op.holder);
    if (holders === undefined || deadline === undefined || deadline <= now) return false;
    holders.set(op.holder, now + op.leaseUs);
    return true;
  }

  release(op: Op): void {
    const holders = this.#held.get(op.key);
    if (holders === undefined || !holders.delete(op.holder)) return;
    this.#count -= 1;
    if (holders.size === 0) this.#held.delete(op.key);
  }

  #expire(key: string, holders: Map<string, number>, now: number): void {
    for (const [holder, deadline] of holders) {
      if (deadline > now) continue;
      holders.delete(holder);
      this.#count -= 1;
    }
    if (holders.size === 0) this.#held.delete(key);
  }

  #makeRoom(now: number): void {
    if (now >= this.#nextSweep) {
      let next = Infinity;
      for (const [key, holders] of this.#held) {
        this.#expire(key, holders, now);
        next = Math.min(next, earliest(holders));
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
