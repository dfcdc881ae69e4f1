/** How long a client waits before it connects again: soon, for a fleet that is back at once must not count alone for seconds. */

const FIRST_MS = 50;
const LONGEST_MS = 250;

export const CONNECT_TIMEOUT_MS = 1000;

/** Jittered: a fleet that lost its server together does not come back in one instant. */
export function reconnectDelay(attempt: number): number {
  const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.ceil(most * (0.5 + Math.random() / 2));
}
