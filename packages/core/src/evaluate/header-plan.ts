/** Lays the fields that the policy owes over an answer. Everything constant was merged when the policy was compiled. */
import type { HeaderPlan, HeaderSink } from "../model/compiled.js";
import type { HeaderField } from "../model/request.js";
import type { RequestState } from "../model/state.js";
import { lowerCase } from "./lower-case.js";

class Collected implements HeaderSink {
  /** How many of `fields` are there; room for more may stand behind them. */
  constructor(
    readonly fields: HeaderField[],
    public count: number,
  ) {}

  set(name: string, value: string): void {
    this.add([name, value]);
  }

  add(field: HeaderField): void {
    this.fields[this.count++] = field;
  }

  /** @returns where the list goes on */
  moveTo(list: HeaderField[], from: number): number {
    let end = from;
    for (let index = 0; index < this.count; index += 1) {
      list[end++] = this.fields[index] ?? NO_FIELD;
      this.fields[index] = NO_FIELD;
    }
    return end;
  }
}

const NO_FIELD: HeaderField = ["", ""];

/** @returns how many of `fields` are there now */
function collect({ dynamic }: HeaderPlan, state: RequestState, fields: HeaderField[], count: number): number {
  const sink = new Collected(fields, count);
  for (const contribute of dynamic) contribute(state, sink);
  return sink.count;
}

const NO_FIELDS: readonly HeaderField[] = [];

/** Emptied as soon as it is read: fields of one request are not kept until the next. */
const varying = new Collected([], 0);

/**
 * Fields that the policy owes, without an answer of the handler's: refusals, preflights, and what an admission announces.
 * @param constant `plan.admission` or `plan.refusal`
 * @param own fields of this very answer
 * @param type of the body, and its `length`: they come last
 */
export function owedHeaders(
  plan: HeaderPlan,
  constant: HeaderPlan["refusal"],
  state: RequestState,
  own: readonly HeaderField[] = NO_FIELDS,
  type?: HeaderField,
  length?: HeaderField,
): HeaderField[] {
  varying.count = 0;
  for (const contribute of plan.dynamic) contribute(state, varying);
  let vary: string[] | undefined;
  for (const field of own) if (isVary(field)) (vary ??= []).push(field[1]);
  const varied = varyOf(plan, vary);
  const asked = own.length - (vary?.length ?? 0) + count(varied) + count(type) + count(length);
  const fields = constant.copy(varying.count + asked);
  let end = varying.moveTo(fields, constant.length);
  for (const field of own) if (vary === undefined || !isVary(field)) fields[end++] = field;
  if (varied !== undefined) fields[end++] = varied;
  if (type !== undefined) fields[end++] = type;
  if (length !== undefined) fields[end++] = length;
  return fields;
}

function count(field: HeaderField | undefined): 0 | 1 {
  return field === undefined ? 0 : 1;
}

/** Most names differ in length already. */
function isVary([name]: HeaderField): boolean {
  return name.length === 4 && lowerCase(name) === "vary";
}

const JSON_TYPE: HeaderField = ["Content-Type", "application/json"];

/**
 * The handler's fields under the policy's.
 * @param stripped lower-case names that this very answer may not carry either (framing of a body that was replaced)
 * @param length of the JSON that the engine writes, whose own fields then come last
 */
export function mergeHeaders(
  plan: HeaderPlan,
  theirs: readonly HeaderField[],
  stripped: ReadonlySet<string> | undefined,
  state: RequestState,
  length?: number,
): HeaderField[] {
  // Who varies has one or two to say.
  // oxlint-disable-next-line unicorn/no-new-array -- a length it is
  const dynamic = new Array<HeaderField>(plan.dynamic.length * 2);
  const varying = plan.dynamic.length > 0 ? collect(plan, state, dynamic, 0) : 0;
  const { constant } = plan;
  const varies = plan.varyField === undefined ? 0 : 1;
  const ofBody = length === undefined ? 0 : hasName(theirs, "content-type") ? 1 : 2;
  // As long as it mostly becomes: a list that grows is copied, and cutting it is a call into the runtime.
  // oxlint-disable-next-line unicorn/no-new-array -- a length it is
  const merged = new Array<HeaderField>(theirs.length + constant.length + varying + varies + ofBody);
  let end = 0;
  let vary: string[] | undefined;
  let cacheControl: string | undefined;
  for (const field of theirs) {
    const name = lowerCase(field[0]);
    if (name === "vary") (vary ??= []).push(field[1]);
    else if (name === "cache-control" && plan.mergeCacheControl !== undefined) {
      cacheControl = cacheControl === undefined ? field[1] : `${cacheControl}, ${field[1]}`;
    } else if (
      !plan.dropped.has(name) &&
      stripped?.has(name) !== true &&
      !replaced(dynamic, varying, name, field)
    )
      merged[end++] = field;
  }
  for (const field of constant) {
    if (
      cacheControl !== undefined &&
      plan.mergeCacheControl !== undefined &&
      lowerCase(field[0]) === "cache-control"
    ) {
      merged[end++] = [field[0], plan.mergeCacheControl(cacheControl, field[1])];
      cacheControl = undefined;
    } else merged[end++] = field;
  }
  for (let index = 0; index < varying; index += 1) {
    const field = dynamic[index];
    if (field !== undefined) merged[end++] = field;
  }
  const varied = varyOf(plan, vary);
  if (varied !== undefined) merged[end++] = varied;
  if (length !== undefined) {
    if (!hasName(merged, "content-type", end)) merged[end++] = JSON_TYPE;
    merged[end++] = ["Content-Length", String(length)];
  }
  if (end < merged.length) merged.length = end;
  return merged;
}

/** The handler's cookies stay beside the policy's; the policy's own, that was laid over this answer before, does not come twice. */
function replaced(
  dynamic: readonly HeaderField[],
  varying: number,
  name: string,
  field: HeaderField,
): boolean {
  if (name !== "set-cookie") return hasName(dynamic, name, varying);
  return dynamic.some((ours) => ours[1] === field[1] && lowerCase(ours[0]) === name);
}

/** Most names differ in length already: lower case is only asked for of those that do not. */
function hasName(fields: readonly HeaderField[], lowerName: string, end = fields.length): boolean {
  for (let index = 0; index < end; index += 1) {
    const name = fields[index]?.[0];
    if (name?.length === lowerName.length && lowerCase(name) === lowerName) return true;
  }
  return false;
}

/** @param theirs lists of the handler's, if any */
function varyOf(plan: HeaderPlan, theirs: readonly string[] | undefined): HeaderField | undefined {
  if (theirs === undefined || isOurs(theirs, plan)) return plan.varyField;
  const [only = ""] = theirs;
  if (theirs.length > 1 || only.length > LONGEST_VARY) return varyWith(theirs, plan);
  // A handler says the same nearly every time.
  const { lastVary } = plan;
  if (lastVary.theirs !== only) {
    lastVary.field = varyWith(theirs, plan);
    lastVary.theirs = only;
  }
  return lastVary.field;
}

const LONGEST_VARY = 256;

function varyWith(theirs: readonly string[], { vary }: HeaderPlan): HeaderField | undefined {
  const varied = mergeVary(theirs, vary);
  return varied === undefined ? undefined : ["Vary", varied];
}

/** As where this very plan was laid over the answer before. */
function isOurs(theirs: readonly string[], { vary, varyField }: HeaderPlan): boolean {
  return theirs.length === 1 && theirs[0] === varyField?.[1] && !vary.includes("*");
}

/** `*` swallows the rest (RFC 9110 section 12.5.5). */
function mergeVary(theirs: readonly string[], ours: readonly string[]): string | undefined {
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
