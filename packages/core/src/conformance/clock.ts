/** A clock that moves when it is told. */
import type { Clock } from "../index.js";

export interface VirtualClock extends Clock {
  advance(milliseconds: number): void;
}

export function virtualClock(start: number): VirtualClock {
  let elapsed = 0;
  return {
    now: () => start + elapsed,
    monotonic: () => 1_000_000 + elapsed,
    advance: (milliseconds) => {
      elapsed += milliseconds;
    },
  };
}
