/** Timers that never keep a process alive. */

/** The longest that a timer counts; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** @returns ends it */
export function later(milliseconds: number, run: () => void): () => void {
  const timer: unknown = setTimeout(run, Math.min(milliseconds, MAX_TIMER_MS));
  // Browsers give numbers, Node objects that would hold the process.
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") {
    (timer as { unref(): void }).unref();
  }
  return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
}
