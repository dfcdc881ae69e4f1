/**
 * The same guards on a value that somebody else parsed (a test, a framework that left no bytes). Names that stood twice are
 * lost by then; everything else is looked for. Iterative: a value that is too deep for a stack is what it must refuse.
 */
import type { InputProblem } from "../model/outcome.js";
import {
  type GuardRule,
  type JsonGuards,
  MAX_NAMES,
  MAX_PROBLEMS,
  problemAt,
  refusedName,
  refusedText,
  segmentOf,
} from "./json-guards.js";

interface Pending {
  readonly value: unknown;
  readonly depth: number;
  readonly pointer: string;
}

/** Problems, capped; undefined when there are none. A cycle is too deep. */
export function inspectJsonValue(root: unknown, guards: JsonGuards): readonly InputProblem[] | undefined {
  const problems: InputProblem[] = [];
  const pending: Pending[] = [{ value: root, depth: 0, pointer: "" }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const rule = inspectOne(next, guards, pending, problems);
    if (rule !== undefined) problems.push(problemAt(next.pointer, rule));
    if (rule === "depth" || problems.length >= MAX_PROBLEMS) break;
  }
  return problems.length === 0 ? undefined : problems;
}

function inspectOne(
  item: Pending,
  guards: JsonGuards,
  pending: Pending[],
  problems: InputProblem[],
): GuardRule | undefined {
  const { value } = item;
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "string":
      return refusedText(value, guards);
    case "number":
      return Number.isFinite(value) ? undefined : "number-range";
    case "object":
      return value === null ? undefined : enter(value, item, guards, pending, problems);
    default:
      return "syntax";
  }
}

function enter(
  value: object,
  { depth, pointer }: Pending,
  guards: JsonGuards,
  pending: Pending[],
  problems: InputProblem[],
): GuardRule | undefined {
  if (depth >= guards.maxDepth) return "depth";
  const below = depth + 1;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (let index = items.length - 1; index >= 0; index--) {
      pending.push({ value: items[index], depth: below, pointer: pointer + segmentOf(index) });
    }
    return undefined;
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_NAMES) return "too-many-keys";
  for (const [name, member] of entries.reverse()) {
    const place = pointer + segmentOf(name);
    const rule = refusedName(name, guards) ?? refusedText(name, guards);
    if (rule !== undefined && problems.length < MAX_PROBLEMS) problems.push(problemAt(place, rule));
    pending.push({ value: member, depth: below, pointer: place });
  }
  return undefined;
}
