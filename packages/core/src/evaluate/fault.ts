/** THE place where a fault becomes a refusal (POLICY law 6: a fault closes the door). */
import type { Fault, Refusal } from "../model/outcome.js";

export function refusalOf(fault: Fault): Refusal {
  const retry = fault.retryAfter;
  return {
    kind: "refusal",
    code: fault.where === "code" ? "internal-error" : (fault.code ?? "unavailable"),
    reason: fault.reason,
    ...(fault.rule === undefined ? {} : { rule: fault.rule }),
    ...(retry === undefined ? {} : { headers: [["Retry-After", String(Math.max(1, Math.ceil(retry)))]] }),
  };
}

/** A stage threw: a bug of ours or of the application's code. The cause is for the operator only. */
export function faultOf(error: unknown, rule: string): Fault {
  return { kind: "fault", where: "code", reason: "a stage threw", rule, error };
}
