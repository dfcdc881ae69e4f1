/** What decides whether there is room for one more. */
import type { RequestState } from "../../model/state.js";

/** The door of one class. Where it lets somebody through, what was taken is given back by a settlement. */
export interface Door {
  enter(state: RequestState): boolean;
}

export interface Gate {
  /** In words, for the operator: why nobody was let through. */
  readonly reason: string;
  door(name: string): Door;
  status(): GateStatus;
}

/** What a gate can tell of itself. */
export interface GateStatus {
  /** Somebody would be refused now. */
  readonly shedding: boolean;
  /** Milliseconds, of `event-loop`: the last that was seen. */
  readonly delay?: number;
  /** Of `concurrency`: requests in flight. */
  readonly inFlight?: number;
}
