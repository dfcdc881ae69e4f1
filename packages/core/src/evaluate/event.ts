/** What the operator is told when an exchange ends. */
import type { Decision, DecisionEvent, DecisionTimings, RecordedPrincipal } from "../model/decision.js";
import type { Identity } from "../model/principal.js";
import type { ReadFact, TraceStep } from "../model/state.js";
import { routeKey } from "./admission.js";
import type { Mark, Recorded } from "./recorded.js";
import type { Ending } from "./run.js";
import type { ExchangeState } from "./state.js";

/** What an event says beside the decision itself. */
export interface Told {
  readonly recorded: Recorded | undefined;
  readonly mark: Mark;
  readonly paths: boolean;
  /** Milliseconds; undefined: the clock failed. */
  readonly timings: DecisionTimings | undefined;
}

export function eventOf(
  policy: { readonly name: string; readonly revision: string },
  state: ExchangeState,
  ending: Ending | undefined,
  decided: Decision | undefined,
  status: number,
  told: Told,
): DecisionEvent {
  const refusal = ending?.kind === "refuse" ? ending : undefined;
  const { identity } = state;
  return {
    id: state.id,
    correlation: state.correlation,
    time: state.now,
    policy: policy.name,
    revision: policy.revision,
    mode: state.route.observe ? "observe" : "enforce",
    route: routeKey(state),
    method: state.request.method,
    outcome: decided?.outcome ?? "aborted",
    status,
    ...(ending === undefined ? {} : { stage: ending.stage }),
    ...(refusal === undefined ? {} : { code: refusal.refusal.code, reason: refusal.refusal.reason }),
    ...(state.concealed ? { concealed: true } : {}),
    ...(refusal?.refusal.rule === undefined ? {} : { rule: refusal.refusal.rule }),
    ...(identity === undefined ? {} : { principal: principalOf(identity, told.mark) }),
    ...(state.request.hasContent ? { content: true } : {}),
    ...(state.request.queryText === "" ? {} : { query: true }),
    ...(told.paths && ending?.stage !== "normalize" ? { path: state.request.path } : {}),
    ...factsOf(told.recorded),
    ...(told.timings === undefined ? {} : { timings: told.timings }),
    ...(state.failedOpen === undefined ? {} : { failedOpen: state.failedOpen }),
    ...(state.countedBy === undefined ? {} : { countedBy: state.countedBy }),
    ...(state.observed === undefined ? {} : { observed: state.observed }),
    ...(state.reports === undefined ? {} : { reports: state.reports }),
    ...(state.trace === undefined ? {} : { trace: traceOf(state.trace, told.mark) }),
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}

function principalOf({ principal, authenticator }: Identity, mark: Mark): RecordedPrincipal {
  const { id, roles, scopes } = principal;
  const hash = mark("principal.id");
  return { id: hash === undefined ? id : String(hash(id)), authenticator, roles, scopes };
}

/** A decision's own trace says what it read as it was; what listeners are told is what may be told. */
function traceOf(trace: readonly TraceStep[], mark: Mark): readonly TraceStep[] {
  return trace.map((step) =>
    step.read === undefined ? step : { ...step, read: step.read.map((one) => readOf(one, mark)) },
  );
}

function readOf(one: ReadFact, mark: Mark): ReadFact {
  const marked = one.value === undefined ? undefined : mark(one.fact);
  return marked === undefined ? one : { ...one, value: marked(one.value) };
}

function factsOf(recorded: Recorded | undefined): Partial<DecisionEvent> {
  if (recorded === undefined) return {};
  const { facts, absent, omitted } = recorded;
  return {
    facts,
    ...(absent.length === 0 ? {} : { absent }),
    ...(omitted.length === 0 ? {} : { omitted }),
  };
}
