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

/** Values that are looked at of one event. Who puts more into one, or a circle, has it dropped. */
const MOST = 100_000;

/** @returns `Infinity` where there is no end of it */
export function weightOf(event: DecisionEvent): number {
  const waiting: unknown[] = OPEN.map((name) => event[name]);
  let weight = PLAIN;
  for (let looked = 0; waiting.length > 0; looked++) {
    if (looked === MOST) return Infinity;
    const value = waiting.pop();
    if (typeof value === "string") weight += MEMBER + value.length * LETTER;
    else if (typeof value === "object" && value !== null) {
      const inside = Object.values(value);
      weight += MEMBER + inside.length * MEMBER;
      for (const one of inside) waiting.push(one);
    }
  }
  return weight;
}
