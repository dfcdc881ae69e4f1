/** The facts of a decision that go on the record, read when it was made: what the handler does to its objects comes later. */
import type { RecordedFact } from "../model/compiled.js";
import { rankOf } from "../stages.js";
import type { Ending } from "./run.js";
import type { ExchangeState } from "./state.js";

export interface Recorded {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly absent: readonly string[];
  readonly omitted: readonly string[];
}

/** What is told in place of a value; undefined: the value itself. */
export type Mark = (fact: string) => ((value: unknown) => unknown) | undefined;

/** Longer texts and lists are no facts but content. */
const LONGEST_TEXT = 1024;
const LONGEST_LIST = 64;

/** Undefined: nothing of the route is recorded. */
export function recordedOf(
  state: ExchangeState,
  ending: Ending | undefined,
  mark: Mark,
): Recorded | undefined {
  const { recorded } = state.route;
  if (recorded.length === 0) return undefined;
  const end = reached(state, ending);
  const facts: Record<string, unknown> = {};
  const absent: string[] = [];
  const omitted: string[] = [];
  for (const one of recorded) {
    if (rankOf(one.known) >= end) continue;
    const value = one.read(state);
    if (value === undefined || value === null) absent.push(one.fact);
    else if (isTellable(value)) facts[one.fact] = told(one, value, mark);
    else omitted.push(one.fact);
  }
  return { facts, absent, omitted };
}

/** The first stage that did not pass: what is known behind it is known of nobody. */
function reached({ observed }: ExchangeState, ending: Ending | undefined): number {
  const stage = ending?.stage ?? observed?.[0]?.stage;
  return stage === undefined ? Infinity : rankOf(stage);
}

function told({ fact }: RecordedFact, value: unknown, mark: Mark): unknown {
  const marked = mark(fact);
  if (marked !== undefined) return marked(value);
  return Array.isArray(value) ? [...(value as readonly unknown[])] : value;
}

function isTellable(value: unknown): boolean {
  return Array.isArray(value) ? value.length <= LONGEST_LIST && value.every(isShort) : isShort(value);
}

function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= LONGEST_TEXT;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
