/**
 * Judges the shape of a document: every problem at once, each at its own pointer, none reported twice.
 * It walks the table that `scripts/gen.mjs` makes of the schema fragments; nothing in a document can make it throw.
 */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { checkObject } from "./shape-objects.js";
import { SHAPE_RULES } from "./shape-rules.gen.js";
import type { JsonType, Rule, ShapeRules, Walk } from "./shape-rule.js";
import { literalSecret } from "./shape-refusals.js";
import { checkNumber, checkString } from "./shape-scalars.js";
import { alternatives, kindOf, quote } from "./words.js";
import { nearestName } from "../errors/did-you-mean.js";

export function checkShape(document: unknown, report: Report): void {
  checkRule(document, { ref: "root" }, "", report);
}

/**
 * One value by one rule of the table, such as an action that stands inside of a JSON Schema.
 * @param table where references of the rule lead
 */
export function checkRule(
  value: unknown,
  rule: Rule,
  pointer: string,
  report: Report,
  table: ShapeRules = SHAPE_RULES,
): void {
  const dereference = (named: Rule): Rule =>
    named.ref === undefined ? named : dereference(table[named.ref] ?? {});
  const walk: Walk = (value, named, pointer) => {
    const rule = dereference(named);
    if (!hasType(value, rule)) return wrongType(value, rule, dereference, pointer, report);
    const branch = rule.union?.[typeOf(value) ?? "null"];
    if (branch !== undefined) return walk(value, branch, pointer);
    if (rule.enum !== undefined) checkEnum(value, rule.enum, pointer, report);
    if (typeof value === "string") checkString(value, rule, pointer, report);
    else if (typeof value === "number") checkNumber(value, rule, pointer, report);
    else if (Array.isArray(value)) checkArray(value, rule, pointer, report, walk);
    else if (isObject(value)) checkObject(value, rule, pointer, report, walk);
  };
  walk(value, rule, pointer);
}

type Dereference = (rule: Rule) => Rule;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Undefined for what JSON has no word for. */
function typeOf(value: unknown): JsonType | undefined {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "object" || type === "string" || type === "number" || type === "boolean" ? type : undefined;
}

function allowedTypes({ type, union, enum: values }: Rule): readonly string[] | undefined {
  if (union !== undefined) return Object.keys(union);
  if (values !== undefined) return [...new Set(values.map((value) => typeof value))];
  return typeof type === "string" ? [type] : type;
}

/** What `allowedTypes` lists, without the list: it is asked of every value of a document. */
function hasType(value: unknown, { type: named, union, enum: values }: Rule): boolean {
  const type = typeOf(value);
  if (type === undefined) return false;
  if (union !== undefined) return Object.hasOwn(union, type);
  if (values !== undefined) return values.some((one) => typeof one === type);
  if (named === undefined || named === type) return true;
  if (typeof named === "string") return named === "integer" && type === "number";
  return named.includes(type);
}

function wrongType(
  value: unknown,
  rule: Rule,
  dereference: Dereference,
  pointer: string,
  report: Report,
): void {
  if (rule.holdsSecret === true && typeof value === "string") return literalSecret(pointer, report);
  report.error(
    "wrong-type",
    pointer,
    `expected ${expectation(rule, dereference)}, found ${kindOf(value)}`,
    typeHelp(value, rule, pointer),
  );
}

function typeHelp(value: unknown, rule: Rule, pointer: string): string | undefined {
  if (pointer === "" && typeof value === "string") return "`parsePolicy` makes a document of text";
  if (value === null) return pointer === "" ? undefined : "leave the key out to have its default";
  const types = rule.union === undefined ? allowedTypes(rule) : undefined;
  if (types?.includes("array") === true) return "write it in brackets, even where it is one alone";
  const isNumber = types?.some((type) => type === "integer" || type === "number") === true;
  return isNumber && typeof value === "string" ? "write it without quotes" : undefined;
}

function expectation(rule: Rule, dereference: Dereference): string {
  if (rule.expected !== undefined) return rule.expected;
  if (rule.enum !== undefined && rule.union === undefined) return alternatives(rule.enum);
  if (rule.union !== undefined) {
    return joined(
      Object.entries(rule.union).map(([type, branch]) => branchWords(type, dereference(branch ?? {}))),
    );
  }
  return joined((allowedTypes(rule) ?? []).map((type) => TYPE_WORDS.get(type) ?? type));
}

function branchWords(type: string, branch: Rule): string {
  if (branch.enum !== undefined) return alternatives(branch.enum);
  return branch.expected ?? TYPE_WORDS.get(branch.type === "integer" ? "integer" : type) ?? type;
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ["object", "an object"],
  ["array", "a list"],
  ["string", "a string"],
  ["number", "a number"],
  ["integer", "a whole number"],
  ["boolean", "`true` or `false`"],
]);

function joined(words: readonly string[]): string {
  return words.length < 2
    ? (words[0] ?? "a JSON value")
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}

function checkEnum(
  value: unknown,
  allowed: readonly (string | number | boolean)[],
  pointer: string,
  report: Report,
): void {
  if (allowed.some((one) => one === value)) return;
  const found = typeof value === "string" ? quote(value) : `\`${String(value)}\``;
  const near = typeof value === "string" ? nearestName(value, allowed.map(String)) : undefined;
  const help = near === undefined ? undefined : `did you mean \`${near}\`?`;
  report.error("unknown-value", pointer, `${found} is ${none(allowed)}`, help);
}

function none(allowed: readonly (string | number | boolean)[]): string {
  const names = allowed.map((one) => `\`${String(one)}\``).join(", ");
  return allowed.length === 1 ? `not ${names}` : `not one of ${names}`;
}

function checkArray(
  value: readonly unknown[],
  rule: Rule,
  pointer: string,
  report: Report,
  walk: Walk,
): void {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = rule;
  if (value.length < minItems) {
    report.error("too-few", pointer, "the list is empty", "name at least one, or leave the key out");
  }
  if (value.length > maxItems) {
    report.error(
      "too-many",
      pointer,
      `the list has ${value.length} entries, at most ${maxItems} are allowed`,
    );
    return;
  }
  // Most lists have one entry, and a start looks at thousands.
  const seen = rule.uniqueItems === true && value.length > 1 ? new Set<string>() : undefined;
  for (let index = 0; index < value.length; index += 1) {
    const item = value[index];
    const place = pointerTo(pointer, index);
    if (items !== undefined) walk(item, items, place);
    if (seen === undefined) continue;
    const text = JSON.stringify(item);
    if (seen.has(text))
      report.error("duplicate-entry", place, "the entry stands in the list twice", "name it once");
    seen.add(text);
  }
}
