/** Everything that can be wrong with a document, at once: bounds, shape, what was resolved, names, schemas, and each kind's own rules. */
import { type Diagnostic, Report } from "../errors/diagnostics.js";
import type { PolicyDocument } from "../model/policy.js";
import { checkBounds } from "./bounds.js";
import { checkNames, declaredIn } from "./check-names.js";
import { checkRoutes } from "./check-routes.js";
import { KINDS } from "./kinds.js";
import { withPositions } from "./positions.js";
import { resolveLeniently } from "./resolve.js";
import { checkShape } from "./shape.js";

/**
 * Judges a policy without secrets, files or network. Never throws, whatever it is given.
 * @returns every problem found; empty when the policy can be compiled (up to what only the environment can tell)
 */
export function checkPolicy(policy: unknown): Diagnostic[] {
  const report = new Report();
  if (checkBounds(policy, report)) checkDocument(policy, report);
  return withPositions(policy, report.diagnostics);
}

function checkDocument(policy: unknown, report: Report): void {
  checkShape(policy, report);
  if (!report.failed) checkMeaning(policy as PolicyDocument, report);
}

/** Only of a document that has the right shape. */
function checkMeaning(document: PolicyDocument, report: Report): void {
  checkNames(document, declaredIn(document), report);
  const resolved = resolveLeniently(document, report);
  checkRoutes(resolved, report);
  for (const kind of KINDS) kind.check(resolved, report);
}
