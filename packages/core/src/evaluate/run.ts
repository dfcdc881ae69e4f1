/** Runs compiled stages in their order. Knows stages, never kinds. */
import { ERRORS } from "../errors/codes.js";
import type { Stage } from "../model/compiled.js";
import type { Answer, Fault, Refusal, Verdict } from "../model/outcome.js";
import type { StageName } from "../stages.js";
import { faultOf, refusalOf } from "./fault.js";
import type { ExchangeState } from "./state.js";

/** The exchange ends here, before the handler. */
export type Ending =
  | { readonly kind: "refuse"; readonly stage: StageName; readonly refusal: Refusal }
  | { readonly kind: "answer"; readonly stage: StageName; readonly answer: Answer };

/** Undefined: every stage passed. A promise only where a stage waits for something. */
export function runStages(
  stages: readonly Stage[],
  state: ExchangeState,
  from = 0,
): Ending | undefined | Promise<Ending | undefined> {
  if (state.timeless) {
    const ending = conclude(TIMELESS, CLOCK_STAGE, state);
    if (ending !== undefined) return ending;
  }
  for (let index = from; index < stages.length; index++) {
    const stage = stages[index];
    if (stage === undefined) break;
    if (stage.when !== undefined && !stage.when(state)) continue;
    const verdict = runOne(stage, state);
    if (verdict === undefined) {
      if (state.trace !== undefined) record(state, stage, "pass");
      continue;
    }
    if (verdict instanceof Promise) return resume(verdict, stages, state, stage, index);
    const ending = conclude(verdict, stage, state);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

const TIMELESS: Fault = { kind: "fault", where: "code", reason: "the clock failed" };
const CLOCK_STAGE: Stage = { at: "normalize", rule: "", run: () => TIMELESS };

function runOne(stage: Stage, state: ExchangeState): Verdict | Promise<Verdict> {
  try {
    return stage.run(state);
  } catch (error) {
    return faultOf(error, stage.rule);
  }
}

async function resume(
  waiting: Promise<Verdict>,
  stages: readonly Stage[],
  state: ExchangeState,
  stage: Stage,
  index: number,
): Promise<Ending | undefined> {
  let verdict: Verdict;
  try {
    verdict = await waiting;
  } catch (error) {
    verdict = faultOf(error, stage.rule);
  }
  if (verdict === undefined) {
    if (state.trace !== undefined) record(state, stage, "pass");
  } else {
    const ending = conclude(verdict, stage, state);
    if (ending !== undefined) return ending;
  }
  return runStages(stages, state, index + 1);
}

/** In observe mode nothing ends: what would have been is written down. */
function conclude(verdict: Answer | Refusal | Fault, stage: Stage, state: ExchangeState): Ending | undefined {
  if (verdict.kind === "answer") {
    if (state.trace !== undefined) record(state, stage, state.route.observe ? "observe" : "answer");
    if (!state.route.observe) return { kind: "answer", stage: stage.at, answer: verdict };
    state.report(`\`${stage.at}\` would have answered with ${verdict.status}`);
    return undefined;
  }
  if (verdict.kind === "fault" && verdict.error !== undefined) state.error = verdict.error;
  const refusal = verdict.kind === "fault" ? refusalOf(verdict) : verdict;
  if (state.route.observe) {
    observe(state, stage.at, refusal);
    if (state.trace !== undefined) record(state, stage, "observe", refusal);
    return undefined;
  }
  if (state.trace !== undefined) record(state, stage, verdict.kind === "fault" ? "fault" : "refuse", refusal);
  return { kind: "refuse", stage: stage.at, refusal };
}

/** Writes down what would have been refused. */
export function observe(state: ExchangeState, stage: StageName, refusal: Refusal): void {
  // A body that is too large is found by its stated length and again by its bytes: one refusal, told once.
  const last = state.observed?.at(-1);
  if (last?.stage === stage && last.code === refusal.code && last.rule === refusal.rule) return;
  (state.observed ??= []).push({
    stage,
    code: refusal.code,
    status: refusal.status ?? ERRORS[refusal.code].status,
    reason: refusal.reason,
    ...(refusal.rule === undefined ? {} : { rule: refusal.rule }),
  });
}

function record(
  state: ExchangeState,
  stage: Stage,
  outcome: "pass" | "refuse" | "fault" | "answer" | "observe",
  refusal?: Refusal,
): void {
  const notes = state.notes;
  state.notes = undefined;
  // What only tells what was reached says nothing of what decided.
  const last = notes?.findLast((note) => note.rule !== undefined || note.reason !== undefined);
  const read = notes?.flatMap((note) => note.read ?? []);
  const reached = notes?.flatMap((note) => note.reached ?? []);
  const rule = refusal?.rule ?? last?.rule ?? stage.rule;
  const reason = refusal?.reason ?? last?.reason;
  state.trace?.push({
    stage: stage.at,
    outcome,
    rule,
    ...(refusal === undefined ? {} : { code: refusal.code }),
    ...(reason === undefined ? {} : { reason }),
    ...(read === undefined || read.length === 0 ? {} : { read }),
    ...(reached === undefined || reached.length === 0 ? {} : { reached }),
    ...(refusal?.errors === undefined ? {} : { errors: refusal.errors }),
  });
}
