/** Everything that can be wrong with a document, at once: bounds, shape, names, schemas, routes, and each kind's own rules. */
import { type Diagnostic, Report } from "../errors/diagnostics.js";
import type { PolicyDocument } from "../model/policy.js";
import type { CheckedPolicy, ResolvedPolicy } from "../model/resolved.js";
import { checkBounds } from "./bounds.js";
import { checkNames, declaredIn } from "./check-names.js";
import { checkRoutes } from "./check-routes.js";
import { checkSchemas } from "./check-schemas.js";
import { KINDS } from "./kinds.js";
import { copyWithSource, withPositions } from "./positions.js";
import { isConsequence, prune } from "./prune.js";
import { resolveLeniently } from "./resolve.js";
import { checkShape } from "./shape.js";

/** More would help nobody, and a hostile document could make millions. */
const MOST = 1_000;

/**
 * Judges a policy without secrets, files or network. Never throws, whatever it is given.
 * @returns every problem found; none of severity `error` when the policy can be compiled, up to what only the environment can tell
 */
export function checkPolicy(policy: unknown): Diagnostic[] {
  const report = new Report();
  if (isReadable(policy, report)) checkDocument(policy, report);
  return told(policy, report);
}

/** A document that was judged, and what was made of it on the way. */
export interface JudgedPolicy {
  readonly diagnostics: readonly Diagnostic[];
  /** Of a copy of the document. Only to be used where no diagnostic is of severity `error`. */
  readonly resolved: ResolvedPolicy | undefined;
}

/** As `checkPolicy`, of a copy: what its author does to the object meanwhile must not follow. */
export function judgePolicy(policy: unknown): JudgedPolicy {
  const report = new Report();
  const copy = isReadable(policy, report) ? copyOf(policy, report) : undefined;
  const resolved = copy === undefined ? undefined : checkDocument(copy.document, report);
  return { diagnostics: told(policy, report), resolved };
}

function told(policy: unknown, report: Report): Diagnostic[] {
  return withPositions(policy, capped(unique(report.diagnostics))).sort(byPlace);
}

function copyOf(policy: unknown, report: Report): { readonly document: unknown } | undefined {
  try {
    return { document: copyWithSource(policy) };
  } catch {
    // A proxy looks like JSON and cannot be copied.
    report.error(
      "not-json",
      "",
      "the document cannot be copied",
      "a policy is data: hand over a plain object",
    );
    return undefined;
  }
}

function isReadable(policy: unknown, report: Report): boolean {
  try {
    return checkBounds(policy, report);
  } catch {
    // An accessor or a proxy: what it throws is its own, and may quote anything.
    const message = "the document runs code when it is read, and that code threw";
    report.error("not-json", "", message, "a policy is data: hand over a plain object");
    return false;
  }
}

function checkDocument(policy: unknown, report: Report): ResolvedPolicy | undefined {
  checkShape(policy, report);
  const pruned = report.failed ? prune(policy, report.diagnostics) : { document: policy, removed: [] };
  if (pruned === undefined) return undefined;
  const meaning = new Report();
  // What has no right shape was taken out, and nothing else tells a document from JSON that looks like one.
  const resolved = checkMeaning(pruned.document as PolicyDocument, meaning);
  for (const diagnostic of meaning.diagnostics) {
    if (!isConsequence(diagnostic, pruned.removed)) report.diagnostics.push(diagnostic);
  }
  return resolved;
}

function checkMeaning(document: PolicyDocument, report: Report): ResolvedPolicy {
  checkNames(document, declaredIn(document), report);
  const plainSchemas = checkSchemas(document, report);
  const resolved = resolveLeniently(document, report);
  checkRoutes(resolved, report);
  const checked: CheckedPolicy = { ...resolved, plainSchemas };
  const known = new Set(report.diagnostics.map(place));
  for (const kind of KINDS) {
    const found = new Report();
    kind.check(checked, found);
    // A name that leads nowhere is told by the language once; kinds meet it again where they use it.
    report.diagnostics.push(...found.diagnostics.filter((diagnostic) => !known.has(place(diagnostic))));
  }
  return resolved;
}

function place({ code, pointer }: Diagnostic): string {
  return `${code} ${pointer}`;
}

/** What is inherited is checked wherever it holds, and told once. */
function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((diagnostic) => {
    const key = `${place(diagnostic)} ${diagnostic.message}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

function capped(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= MOST) return diagnostics;
  const report = new Report();
  report.error(
    "too-many-problems",
    "",
    `${diagnostics.length - MOST} more problems are not listed`,
    "mend these first",
  );
  return [...diagnostics.slice(0, MOST), ...report.diagnostics];
}

/** As a reader comes upon them, where the text is known. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
