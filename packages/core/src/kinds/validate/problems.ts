/** Collects what is wrong with a request's input; made only once something is. */
import { MAX_PROBLEMS, segmentOf } from "../../normalize/json-guards.js";
import type { InputProblem, Refusal } from "../../model/outcome.js";

export class Problems {
  readonly list: InputProblem[] = [];

  add(pointer: string, rule: string, message: string): void {
    if (this.list.length < MAX_PROBLEMS) this.list.push({ pointer, rule, message });
  }

  /** @param base what the pointers of the problems are relative to */
  addAll(base: string, problems: readonly InputProblem[]): void {
    for (const { pointer, rule, message } of problems) this.add(base + pointer, rule, message);
  }
}

/** `/query/page`; a name of the caller's is cut short. */
export function placeOf(part: string, name: string): string {
  return `/${part}${segmentOf(name)}`;
}

/** For the operator: which rules. The caller's names stay out of it. */
function rulesIn(problems: readonly InputProblem[]): string {
  return [...new Set(problems.map((problem) => problem.rule))].sort().join(", ");
}

export function refusalWith(
  code: "invalid-parameters" | "malformed-body" | "invalid-body",
  what: string,
  rule: string,
  errors: readonly InputProblem[],
): Refusal {
  return { kind: "refusal", code, reason: `${what}: ${rulesIn(errors)}`, rule, errors };
}
