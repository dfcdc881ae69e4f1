/** Durations of policies that were checked already. */
import { durationOf as read } from "../audit/duration.js";

/** Milliseconds. */
export function durationOf(text: string): number {
  return read(text) ?? Number.NaN;
}
