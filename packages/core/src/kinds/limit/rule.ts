/** One limit on one route, compiled. */
import { isConditionError, type Condition } from "../../conditions/index.js";
import { pointerTo } from "../../lib/pointer.js";
import type { Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { LimitOp } from "../../ports/state-store.js";
import { type FieldTexts, fieldTexts } from "./fields.js";
import type { Asks, MakeAsk } from "./asks.js";
import { type MakeOp, opMaker } from "./op.js";
import { readsOf, type Reading } from "./reading.js";
import type { LimitSettings } from "../../model/policy.js";
import { isRevealed } from "../../model/reveal.js";
import type { Terms } from "./terms.js";

export interface Rule {
  readonly terms: Terms;
  /** False where the condition of the limit says so. */
  readonly applies: ((state: RequestState) => boolean) | undefined;
  readonly ask: MakeAsk;
  /** What is asked while this process counts alone, with the store's share where the author left it to the store. */
  readonly localOp: (op: LimitOp, state: RequestState, share: number) => LimitOp;
  /** What the header fields say of it; undefined: nothing. */
  readonly fields: FieldTexts | undefined;
  readonly missing: Refusal;
  /** It holds something, or learns from the outcome what it costs. */
  readonly settles: boolean;
}

export interface RuleOptions {
  readonly terms: Terms;
  readonly settings: LimitSettings;
  readonly reading: Reading;
  /** Those of all routes that observe it, or of all that do not. */
  readonly asks: Asks;
}

export function ruleOf({ terms, settings, reading, asks }: RuleOptions): Rule {
  const { when } = reading;
  return {
    terms,
    // True or failing to evaluate: nobody escapes by making a condition fail.
    applies:
      when === undefined ? undefined : (state) => applies(when, pointerTo(terms.pointer, "when"), state),
    ask: asks.maker(reading.facts, costOf(terms, reading)),
    localOp: localOp(terms),
    fields: isRevealed(settings, readsOf(reading)) ? fieldTexts(terms) : undefined,
    missing: {
      kind: "refusal",
      code: "missing-limit-fact",
      headers: [["Retry-After", "1"]],
      reason: `limit \`${terms.name}\`: a fact that it counts by is absent`,
      rule: terms.pointer,
    },
    settles: terms.counted !== undefined || terms.settle !== undefined || terms.algorithm === "concurrency",
  };
}

function applies(when: Condition, pointer: string, state: RequestState): boolean {
  if (state.tracing) state.note({ reached: when.reached(state, pointer) });
  return when.evaluate(state) !== false;
}

/** A fleet seldom changes its size: the latest share's maker is kept. */
function localOp(terms: Terms): Rule["localOp"] {
  let kept = 1;
  let make: MakeOp | undefined;
  return (op, state, told) => {
    const share = terms.share === "auto" ? told : terms.share;
    // Another store is asked: what the first one noted of its own state is left behind.
    if (share === 1) return { ...op };
    if (make === undefined || share !== kept) {
      make = opMaker(terms, share);
      kept = share;
    }
    return make(op.key, "cost" in op ? op.cost : 1, state);
  };
}

/** What cannot be priced costs all there is: nobody makes a request cheaper by making its price unreadable. */
function costOf({ limit, burst, algorithm }: Terms, { cost }: Reading): (state: RequestState) => number {
  if (typeof cost === "number") return () => cost;
  const all = algorithm === "token-bucket" ? burst : limit;
  return (state) => {
    const price = cost.evaluate(state);
    return isConditionError(price) ? all : price;
  };
}
