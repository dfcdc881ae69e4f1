/** Lays the fields that the policy owes over an answer. Everything constant was merged when the policy was compiled. */
import type { HeaderPlan, HeaderSink } from "../model/compiled.js";
import type { HeaderField } from "../model/request.js";
import type { RequestState } from "../model/state.js";

class Collected implements HeaderSink {
  readonly fields: HeaderField[] = [];

  set(name: string, value: string): void {
    this.fields.push([name, value]);
  }
}

const NO_FIELDS: readonly HeaderField[] = [];

function dynamicFields({ dynamic }: HeaderPlan, state: RequestState): readonly HeaderField[] {
  if (dynamic.length === 0) return NO_FIELDS;
  const sink = new Collected();
  for (const contribute of dynamic) contribute(state, sink);
  return sink.fields;
}

/**
 * Fields that the policy owes, without an answer of the handler's: refusals, preflights, and what an admission announces.
 * @param constant `plan.constant` or `plan.refusal`
 * @param own fields of this very answer
 */
export function owedHeaders(
  plan: HeaderPlan,
  constant: readonly HeaderField[],
  state: RequestState,
  own: readonly HeaderField[] = [],
): HeaderField[] {
  const fields = [...constant, ...dynamicFields(plan, state)];
  const vary: string[] = [];
  for (const field of own) {
    if (field[0].toLowerCase() === "vary") vary.push(field[1]);
    else fields.push(field);
  }
  const varied = mergeVary(vary, plan.vary);
  if (varied !== undefined) fields.push(["Vary", varied]);
  return fields;
}

/**
 * The handler's fields under the policy's.
 * @param stripped lower-case names that this very answer may not carry either (framing of a body that was replaced)
 */
export function mergeHeaders(
  plan: HeaderPlan,
  theirs: readonly HeaderField[],
  stripped: ReadonlySet<string> | undefined,
  state: RequestState,
): HeaderField[] {
  const dynamic = dynamicFields(plan, state);
  const merged: HeaderField[] = [];
  let vary: string[] | undefined;
  let cacheControl: string | undefined;
  for (const field of theirs) {
    const name = field[0].toLowerCase();
    if (name === "vary") (vary ??= []).push(field[1]);
    else if (name === "cache-control" && plan.mergeCacheControl !== undefined) {
      cacheControl = cacheControl === undefined ? field[1] : `${cacheControl}, ${field[1]}`;
    } else if (!plan.dropped.has(name) && stripped?.has(name) !== true && !replaced(dynamic, name, field))
      merged.push(field);
  }
  for (const field of plan.constant) {
    if (
      cacheControl !== undefined &&
      plan.mergeCacheControl !== undefined &&
      field[0].toLowerCase() === "cache-control"
    ) {
      merged.push([field[0], plan.mergeCacheControl(cacheControl, field[1])]);
      cacheControl = undefined;
    } else merged.push(field);
  }
  for (const field of dynamic) merged.push(field);
  const varied = mergeVary(vary, plan.vary);
  if (varied !== undefined) merged.push(["Vary", varied]);
  return merged;
}

/** The handler's cookies stay beside the policy's; the policy's own, that was laid over this answer before, does not come twice. */
function replaced(dynamic: readonly HeaderField[], name: string, [, value]: HeaderField): boolean {
  if (name !== "set-cookie") return names(dynamic, name);
  return dynamic.some((field) => field[1] === value && field[0].toLowerCase() === name);
}

/** Most names differ in length already: lower case is only made of those that do not. */
function names(fields: readonly HeaderField[], lowerName: string): boolean {
  for (const [name] of fields)
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return true;
  return false;
}

/** `*` swallows the rest (RFC 9110 section 12.5.5). */
function mergeVary(theirs: readonly string[] | undefined, ours: readonly string[]): string | undefined {
  if (theirs === undefined || theirs.length === 0) {
    const [only] = ours;
    return ours.length > 1 ? ours.join(", ") : only;
  }
  const tokens = new Map<string, string>();
  for (const list of theirs) {
    for (const part of list.split(",")) {
      const token = part.trim();
      if (token !== "") tokens.set(token.toLowerCase(), token);
    }
  }
  for (const token of ours) if (!tokens.has(token.toLowerCase())) tokens.set(token.toLowerCase(), token);
  if (tokens.has("*")) return "*";
  return tokens.size === 0 ? undefined : [...tokens.values()].join(", ");
}
