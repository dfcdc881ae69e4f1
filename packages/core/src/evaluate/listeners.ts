/** Who is told of a decision. Whatever a listener does or throws is its own: a decision never depends on it. */
import type { DecisionEvent, DecisionOutcome } from "../model/decision.js";
import type { DecisionSink } from "../ports/decision-sink.js";
import type { ExchangeState } from "./state.js";

type OnDecision = (event: DecisionEvent) => unknown;

export interface Listeners {
  readonly onDecision: OnDecision | undefined;
  readonly sinks: readonly DecisionSink[];
}

/** Undefined: nobody wants to know, and no event is made. */
export function listenersFor(
  all: { readonly onDecision: OnDecision | undefined; readonly sinks: readonly DecisionSink[] },
  outcome: DecisionOutcome,
  notable: boolean,
): Listeners | undefined {
  const { onDecision } = all;
  const sinks =
    all.sinks.length === 0 ? all.sinks : all.sinks.filter((sink) => wants(sink, outcome, notable));
  return onDecision === undefined && sinks.length === 0 ? undefined : { onDecision, sinks };
}

/** Those that want it now that it is notable, besides those that wanted it before. */
export function alsoNotable(
  all: { readonly onDecision: OnDecision | undefined; readonly sinks: readonly DecisionSink[] },
  outcome: DecisionOutcome,
  before: Listeners | undefined,
): Listeners | undefined {
  if (before === undefined) return listenersFor(all, outcome, true);
  const sinks = all.sinks.filter((sink) => before.sinks.includes(sink) || wants(sink, outcome, true));
  return { ...before, sinks };
}

/** One that cannot say whether it wants an event gets it: nothing is lost by asking. */
function wants(sink: DecisionSink, outcome: DecisionOutcome, notable: boolean): boolean {
  try {
    return sink.wants?.(outcome, notable) !== false;
  } catch {
    return true;
  }
}

export function isNotable({ failedOpen, observed, error }: ExchangeState): boolean {
  return failedOpen !== undefined || observed !== undefined || error !== undefined;
}

export function tell({ onDecision, sinks }: Listeners, event: DecisionEvent): void {
  if (onDecision !== undefined) heard(() => onDecision(event));
  for (const sink of sinks) heard(() => sink.write(event));
}

function heard(call: () => unknown): void {
  try {
    const answer = call();
    // An async listener that rejects would end the process.
    if (answer instanceof Promise) answer.catch(ignore);
  } catch {
    // The listener's own fault.
  }
}

function ignore(): void {
  // Whoever listens answers for itself.
}

/** A sink that hangs must not hold up requests: the event counts as lost then. */
const LONGEST_KEEP_MS = 1000;

/** All that can keep it must. Undefined: there is none, as where nothing is served. */
export function keepBy(
  sinks: readonly DecisionSink[],
  event: DecisionEvent,
): Promise<{ readonly problem: string | undefined }> | undefined {
  const keepers = sinks.filter((sink) => sink.commit !== undefined);
  if (keepers.length === 0) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ problem: "the sink did not answer in time" }), LONGEST_KEEP_MS);
    const settle = (problem: string | undefined): void => {
      clearTimeout(timer);
      resolve({ problem });
    };
    // What a sink throws may hold anything.
    Promise.all(keepers.map(async (sink) => sink.commit?.(event))).then(
      () => settle(undefined),
      () => settle("the sink failed"),
    );
  });
}
