/** How late Node's event loop is. */
import type { EventLoopWatch } from "../ports/load.js";
import { systemClock } from "./clock.js";

/** Milliseconds between two looks at the clock: a delay is told to that. */
const EVERY = 10;

/**
 * A timer of its own, not `monitorEventLoopDelay`: that one tells of a delay only when it is over, and forgets the one that is going on
 * when it is reset. While a hundred sockets are served in one turn, each after the other must know how long the turn has lasted.
 */
export function watchNodeLoop(now: () => number = () => systemClock.monotonic()): EventLoopWatch {
  let last = now();
  let longest = 0;
  const late = (): number => Math.max(0, now() - last - EVERY);
  const timer = setInterval(() => {
    longest = Math.max(longest, late());
    last = now();
  }, EVERY);
  timer.unref();
  return {
    late,
    longest: () => {
      const most = Math.max(longest, late());
      longest = 0;
      return most;
    },
    stop: () => clearInterval(timer),
  };
}
