/** A sink that gets a part of what happens. */
import { checkOptions, type OptionTest } from "../errors/options.js";
import type { DecisionEvent, DecisionOutcome } from "../model/decision.js";
import type { DecisionSink } from "../ports/decision-sink.js";

/** Part of the events of each outcome, from 0 to 1. Default 1. */
export interface SampleRates {
  readonly admit?: number;
  readonly answer?: number;
  readonly aborted?: number;
  readonly refuse?: number;
  /** Whatever was decided: a limit failed open, observe mode did not refuse, a handler threw. */
  readonly notable?: number;
}

const RATE: OptionTest = [
  "a number from 0 to 1",
  (value) => typeof value === "number" && value >= 0 && value <= 1,
];
const RATES = {
  admit: RATE,
  answer: RATE,
  aborted: RATE,
  refuse: RATE,
  notable: RATE,
} as const satisfies Readonly<Record<keyof SampleRates, OptionTest>>;

/**
 * Hands a part of the events on to `sink`; those of it say in `sampled` how much they stand for. No event is made that no sink wants.
 * What must be kept (`commit`) always is.
 * @throws TypeError for a rate that is none
 */
export function sampleDecisions(sink: DecisionSink, rates: SampleRates): DecisionSink {
  checkOptions(rates, "sampleDecisions", RATES);
  const rateOf = (outcome: DecisionOutcome, notable: boolean): number =>
    Math.max(rates[outcome] ?? 1, notable ? (rates.notable ?? 1) : 0);
  return {
    wants: (outcome, notable) => {
      const rate = rateOf(outcome, notable);
      const drawn = rate >= 1 || (rate > 0 && Math.random() < rate);
      return drawn && sink.wants?.(outcome, notable) !== false;
    },
    write: (event) => sink.write(withRate(event, rateOf(event.outcome, isNotable(event)))),
    ...(sink.commit !== undefined && { commit: (event) => sink.commit?.(event) ?? Promise.resolve() }),
    ...(sink.policy !== undefined && { policy: (served) => sink.policy?.(served) }),
    ...(sink.close !== undefined && { close: () => sink.close?.() ?? Promise.resolve() }),
  };
}

function isNotable({ failedOpen, observed, error }: DecisionEvent): boolean {
  return failedOpen !== undefined || observed !== undefined || error !== undefined;
}

function withRate(event: DecisionEvent, rate: number): DecisionEvent {
  return rate < 1 ? { ...event, sampled: (event.sampled ?? 1) * rate } : event;
}
