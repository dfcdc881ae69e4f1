/** An event as JSON: what a log line holds. */
import type { DecisionEvent } from "../model/decision.js";

/** All that an event says, without what a fault or a handler threw: of that only which kind of error it was. */
export type PlainEvent = Omit<DecisionEvent, "error"> & { readonly error?: string };

export function plainEvent(event: DecisionEvent): PlainEvent {
  const { error, ...plain } = event;
  return error === undefined ? plain : { ...plain, error: kindOf(error) };
}

const KINDS = [
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  URIError,
  EvalError,
  AggregateError,
  Error,
] as const;

/** By what it is, never by what it calls itself: a name, a code or a message may hold anything. */
function kindOf(error: unknown): string {
  for (const Kind of KINDS) if (error instanceof Kind) return Kind.name;
  return typeof error;
}
