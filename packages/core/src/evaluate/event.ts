/** What the operator is told when an exchange ends. */
import type { Decision, DecisionEvent } from "../model/decision.js";
import { routeKey } from "./admission.js";
import type { Ending } from "./run.js";
import type { ExchangeState } from "./state.js";

export function eventOf(
  policy: { readonly name: string; readonly revision: string },
  state: ExchangeState,
  ending: Ending | undefined,
  decided: Decision | undefined,
  status: number,
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
    ...(identity === undefined
      ? {}
      : { principal: { id: identity.principal.id, authenticator: identity.authenticator } }),
    ...(state.failedOpen === undefined ? {} : { failedOpen: state.failedOpen }),
    ...(state.countedBy === undefined ? {} : { countedBy: state.countedBy }),
    ...(state.observed === undefined ? {} : { observed: state.observed }),
    ...(state.reports === undefined ? {} : { reports: state.reports }),
    ...(state.trace === undefined ? {} : { trace: state.trace }),
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}
