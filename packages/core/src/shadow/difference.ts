/** What two policies said of one request, side by side. */
import type { DecisionEvent } from "../model/decision.js";

export interface ShadowVerdict {
  readonly revision: string;
  readonly route: string | null;
  /** `unknown`: it would have had to ask or read what the policy that serves did not; `reason` says what. */
  readonly outcome: "admit" | "refuse" | "answer" | "unknown";
  readonly status: number;
  readonly stage?: string;
  readonly code?: string;
  /** JSON Pointer into the policy that said it. */
  readonly rule?: string;
  /** By which authenticator the caller is known; null: anonymous. Who it is stays out of it. */
  readonly authenticator: string | null;
  readonly reason?: string;
}

export interface ShadowDifference {
  /** Of the decision that was served, as in its event. */
  readonly id: string;
  readonly correlation: string;
  readonly time: number;
  readonly method: string;
  readonly differs: readonly ("outcome" | "code" | "status" | "route" | "principal")[];
  readonly serving: ShadowVerdict;
  readonly candidate: ShadowVerdict;
}

/** Undefined: they said the same. */
export function differenceOf(serving: DecisionEvent, candidate: DecisionEvent): ShadowDifference | undefined {
  const differs: ShadowDifference["differs"][number][] = [];
  if (serving.outcome !== candidate.outcome) differs.push("outcome");
  if (serving.code !== candidate.code) differs.push("code");
  if (serving.status !== candidate.status) differs.push("status");
  if (serving.route !== candidate.route) differs.push("route");
  if (!isSame(serving.principal, candidate.principal)) differs.push("principal");
  return differs.length === 0 ? undefined : difference(serving, differs, verdictOf(candidate));
}

export function unknownOf(
  serving: DecisionEvent,
  candidate: { readonly revision: string; readonly route: string | null; readonly reason: string },
): ShadowDifference {
  return difference(serving, ["outcome"], {
    ...candidate,
    outcome: "unknown",
    status: 0,
    authenticator: null,
  });
}

function difference(
  { id, correlation, time, method, ...serving }: DecisionEvent,
  differs: ShadowDifference["differs"],
  candidate: ShadowVerdict,
): ShadowDifference {
  return { id, correlation, time, method, differs, serving: verdictOf(serving), candidate };
}

function isSame(a: DecisionEvent["principal"], b: DecisionEvent["principal"]): boolean {
  return a?.id === b?.id && a?.authenticator === b?.authenticator;
}

function verdictOf(event: Omit<DecisionEvent, "id" | "correlation" | "time" | "method">): ShadowVerdict {
  const { revision, route, outcome, status, stage, code, rule, principal } = event;
  return {
    revision,
    route,
    outcome: outcome === "aborted" ? "unknown" : outcome,
    status,
    ...(stage !== undefined && { stage }),
    ...(code !== undefined && { code }),
    ...(rule !== undefined && { rule }),
    authenticator: principal?.authenticator ?? null,
  };
}
