/** What of a good policy leaves a door open: findings, each with its place, its mend and the requirements that it is about. */
import { checkPolicy, locateInPolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { routesOf } from "../lib/routes.js";
import { SEVERITIES } from "./choices.js";
import type { AuditRule, Finding } from "./finding.js";
import { CALLER_RULES } from "./rules-callers.js";
import { TRAFFIC_RULES } from "./rules-traffic.js";

/** Every rule, by id. */
export const AUDIT_RULES: readonly AuditRule[] = [...CALLER_RULES, ...TRAFFIC_RULES].sort((a, b) =>
  a.id < b.id ? -1 : 1,
);

export interface AuditOptions {
  /** Milliseconds since the epoch, for days that have passed. Default: now. */
  readonly now?: number;
}

/**
 * Findings, the gravest first, then by place.
 * @throws PolicyError for a policy that cannot be served
 */
export function audit(policy: PolicyDocument, { now = Date.now() }: AuditOptions = {}): readonly Finding[] {
  const problems = checkPolicy(policy).filter(({ severity }) => severity === "error");
  if (problems.length > 0) throw new PolicyError(problems);
  const context = { policy, routes: routesOf(policy), now };
  const findings = AUDIT_RULES.flatMap((rule) =>
    rule.find(context).map(({ pointer, message, severity = rule.severity }): Finding => {
      const place = locateInPolicy(policy, pointer);
      return {
        rule: rule.id,
        severity,
        pointer,
        ...place,
        message,
        mend: rule.mend,
        owasp: rule.owasp,
        asvs: rule.asvs,
      };
    }),
  );
  return findings.sort(byGravity);
}

function byGravity(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0) ||
    (a.pointer < b.pointer ? -1 : a.pointer > b.pointer ? 1 : 0) ||
    (a.rule < b.rule ? -1 : 1)
  );
}
