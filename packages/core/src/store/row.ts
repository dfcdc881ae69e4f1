/** One limit's view of a take before it is decided: what it would say, and what applying it would write. Reused, never kept. */
import type { TakePart } from "../ports/state-store.js";
import { Part } from "./part.js";

export class Row {
  allowed = false;
  /** Refused by a penalty, whatever the limit itself says. */
  blocked = false;
  /** As it stands, without this take. */
  remaining = 0;
  resetUs = 0;
  /** As it would stand after this take. */
  remainingAfter = 0;
  resetAfterUs = 0;
  retryUs = 0;
  /** The table's own: where the key lives, and what to write there. */
  slot = 0;
  next = 0;
  seed = 0;

  /** An op that counts nothing of its own. */
  open(): void {
    this.allowed = true;
    this.remaining = 1;
    this.remainingAfter = 1;
    this.resetUs = 0;
    this.resetAfterUs = 0;
    this.retryUs = 0;
  }

  block(forUs: number): void {
    this.retryUs = Math.max(this.allowed ? 0 : this.retryUs, forUs);
    this.allowed = false;
    this.blocked = true;
    this.remaining = 0;
    this.resetUs = Math.max(this.resetUs, forUs);
  }

  partWhenTaken(): TakePart {
    return new Part(true, this.remainingAfter, this.resetAfterUs, 0);
  }

  /** Nothing was applied: a limit that would have passed reports what it still has. */
  partWhenRefused(): TakePart {
    return new Part(this.allowed, this.remaining, this.resetUs, this.allowed ? 0 : this.retryUs);
  }
}

/** State of one algorithm. `evaluate` changes nothing; `apply` follows it at once, when every limit of the take agreed. */
export interface Table<Op> {
  /** @throws StoreError `oom` when there is no room for a new key */
  evaluate(op: Op, now: number, row: Row): void;
  apply(op: Op, now: number, row: Row): void;
  /** `delta` below 0 gives back, by the safe rule; above 0 charges more. */
  settle(op: Op, takenAt: number, delta: number, now: number): void;
  readonly size: number;
  readonly overflowed: number;
}
