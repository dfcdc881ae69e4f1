/** What decides whether there is room for one more. */
import type { ShedHealth } from "../../model/health.js";
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
export type GateStatus = Pick<ShedHealth, "shedding" | "delay" | "inFlight">;
