/** Waits for a store, but not for ever. What goes wrong there is a value; it rejects only where `heard` or `failed` throw. */
import { withinTime } from "../../lib/deadline.js";
import { StoreError } from "../../ports/state-store.js";

/** @param late called with what came after the time was over */
export function withDeadline<T>(
  promise: PromiseLike<unknown>,
  milliseconds: number,
  heard: (answer: unknown) => T,
  failed: (error: unknown) => T,
  late: (answer: unknown) => void,
): Promise<T> {
  const overdue = (): StoreError => new StoreError("timeout", true, "the store did not answer in time");
  return withinTime(promise, milliseconds, heard, failed, overdue, late);
}
