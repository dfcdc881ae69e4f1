/** Two clocks: this process's own, for how long something takes here, and the server's, for when it happened. */

export type MonotonicUs = () => number;

/** Tests have clocks of their own. */
export interface Time {
  readonly local: MonotonicUs;
  /** What the scripts take for the server's instant; empty: what the server says. */
  readonly server: () => string;
}

export const REAL: Time = { local: () => Math.floor(performance.now() * 1000), server: () => "" };
