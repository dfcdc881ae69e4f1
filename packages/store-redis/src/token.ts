/** What `settle` needs to find a reservation again. */
import type { LimitOp, TakeToken } from "@gatehouse/core";

export class RedisToken implements TakeToken {
  settled = false;

  /** @param takenAt the server's instant, for each limit: those of other slots are asked one after another */
  constructor(
    readonly takenAt: readonly number[],
    readonly ops: readonly LimitOp[],
  ) {}

  get takenAtUs(): number {
    return this.takenAt[0] ?? 0;
  }
}
