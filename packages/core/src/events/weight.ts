/** About how many bytes an event keeps from being freed: for what waits, and must not grow with what callers send. */
import type { DecisionEvent } from "../model/decision.js";

/** Of the event, its members and what holds them. */
const PLAIN = 1000;
const MEMBER = 16;
/** JavaScript's own texts take so many for each letter, unless all of them are plain ones. */
const LETTER = 2;

/** Members of which callers, or the application's code, decide how long they are. */
const OPEN = [
  "correlation",
  "path",
  "principal",
  "facts",
  "absent",
  "omitted",
  "observed",
  "reports",
  "trace",
] as const satisfies readonly (keyof DecisionEvent)[];

export function weightOf(event: DecisionEvent): number {
  let weight = PLAIN;
  for (const name of OPEN) weight += inside(event[name]);
  return weight;
}

function inside(value: unknown): number {
  if (typeof value === "string") return MEMBER + value.length * LETTER;
  if (typeof value !== "object" || value === null) return 0;
  let weight = MEMBER;
  for (const one of Object.values(value)) weight += MEMBER + inside(one);
  return weight;
}
