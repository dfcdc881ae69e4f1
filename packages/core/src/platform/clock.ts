import type { Clock } from "../ports/clock.js";

/** The system's clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
});
