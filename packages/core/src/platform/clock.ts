import type { Clock } from "../ports/clock.js";

/** Held: on Node the global is an accessor, and asking that costs a good part of reading the clock. */
const timer = performance;

/** The system's clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => timer.now(),
});
