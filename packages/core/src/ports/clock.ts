/** Where time comes from. Injected, so that tests and replays own it. */
export interface Clock {
  /** Milliseconds since the epoch; may carry a fraction; may step when the system's clock is set. */
  now(): number;
  /** Milliseconds from any fixed start; never goes back. What process-local limits count by. */
  monotonic(): number;
}
