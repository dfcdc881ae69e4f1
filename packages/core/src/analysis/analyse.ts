/** One policy, resolved, with its router. */
import { checkPolicy } from "../compile/check.js";
import { resolvePolicy } from "../compile/resolve.js";
import { PolicyError, Report } from "../errors/diagnostics.js";
import { compileRouter } from "../match/compile-routes.js";
import type { PolicyDocument } from "../model/policy.js";
import type { NormalizedRequest } from "../model/request.js";
import type { ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";

export interface AnalysedPolicy {
  readonly policy: ResolvedPolicy;
  /** Where a path leads that is spelled plainly; undefined: to no route. Segments are decoded. */
  readonly routeAt: (method: string, segments: readonly string[]) => ResolvedRoute | undefined;
}

/** @throws PolicyError for a policy that cannot be served */
export function analyse(document: PolicyDocument): AnalysedPolicy {
  const problems = checkPolicy(document).filter(({ severity }) => severity === "error");
  const report = new Report();
  const policy = problems.length > 0 ? undefined : resolvePolicy(document, report);
  if (policy === undefined) throw new PolicyError([...problems, ...report.diagnostics]);
  const router = compileRouter(policy, {}, new Report());
  return {
    policy,
    routeAt: (method, segments) => {
      const path = `/${segments.join("/")}`;
      const found = router.match(method, { path, segments } as unknown as NormalizedRequest);
      return typeof found === "object" ? policy.routes[found.route] : undefined;
    },
  };
}
