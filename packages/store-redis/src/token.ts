/** What `settle` needs to find a reservation again. */
import type { LimitOp, TakeToken } from "@gatehouse/core";

export class RedisToken implements TakeToken {
  settled = false;

  /** @param instants the server's, of all limits or for each: those of other slots are asked one after another */
  constructor(
    private readonly instants: number | readonly number[],
    readonly ops: readonly LimitOp[],
  ) {}

  get takenAtUs(): number {
    return this.takenAt(0);
  }

  takenAt(index: number): number {
    return typeof this.instants === "number" ? this.instants : (this.instants[index] ?? 0);
  }
}
