/** Rules of objects: known keys, required keys, names of entries, and kinds of objects. */
import type { Report } from "../errors/diagnostics.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { pointerTo } from "../lib/pointer.js";
import type { Rule, Walk } from "./shape-rule.js";
import { matches } from "./shape-scalars.js";
import { alternatives, quote } from "./words.js";

type Members = Readonly<Record<string, unknown>>;

export function checkObject(value: Members, rule: Rule, pointer: string, report: Report, walk: Walk): void {
  if (rule.byType !== undefined) return byType(value, rule.byType, pointer, report, walk);
  if (rule.byKey !== undefined) return byKey(value, rule.byKey, pointer, report, walk);
  const keys = Object.keys(value);
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = rule;
  if (keys.length < minProperties) report.error("too-few", pointer, "the object is empty", emptyHelp(rule));
  if (keys.length > maxProperties) {
    // Nothing of it is looked at: a document this large is no policy, and reporting it whole would be no help.
    return report.error(
      "too-many",
      pointer,
      `it has ${keys.length} entries, at most ${maxProperties} are allowed`,
    );
  }
  for (const key of rule.required ?? []) if (!Object.hasOwn(value, key)) missing(key, rule, pointer, report);
  for (const key of keys) checkMember(key, value[key], rule, pointer, report, walk);
}

function emptyHelp({ properties }: Rule): string {
  return properties === undefined
    ? "write an entry, or leave the key out"
    : `write ${alternatives(Object.keys(properties))}`;
}

function missing(key: string, rule: Rule, pointer: string, report: Report): void {
  const own = rule.properties?.[key];
  const expected =
    own?.expected ?? (own?.enum === undefined ? undefined : alternatives(own.enum.map(String)));
  report.error(
    "missing-key",
    pointer,
    `\`${key}\` is missing`,
    `add \`${key}\`${expected === undefined ? "" : `: ${expected}`}`,
  );
}

function checkMember(
  key: string,
  value: unknown,
  rule: Rule,
  pointer: string,
  report: Report,
  walk: Walk,
): void {
  const place = pointerTo(pointer, key);
  const { properties } = rule;
  const own = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (own !== undefined) return walk(value, own, place);
  if (rule.closed === true) return unknownKey(key, Object.keys(properties ?? {}), place, report);
  if (rule.names !== undefined && !fits(key, rule.names)) {
    return report.error(
      "invalid-name",
      place,
      `${quote(key)} is no name for this`,
      `write ${rule.names.expected ?? "another name"}`,
    );
  }
  if (rule.others !== undefined) walk(value, rule.others, place);
}

function fits(name: string, { pattern, maxLength = Number.POSITIVE_INFINITY }: Rule): boolean {
  return name.length <= maxLength && (pattern === undefined || matches(pattern, name));
}

/** Keys that another place of a document calls otherwise: [the key, its name here, what differs]. */
const NAMESAKES: readonly (readonly [key: string, here: string, help: string])[] = [
  [
    "authorize",
    "require",
    "a group writes `require`: it is asked of every route below, and nothing replaces it",
  ],
  ["require", "authorize", "`require` belongs to groups; here it is `authorize`"],
];

function namesake(key: string, known: readonly string[]): string | undefined {
  return NAMESAKES.find(([name, here]) => name === key && known.includes(here))?.[2];
}

function unknownKey(key: string, known: readonly string[], pointer: string, report: Report): void {
  report.error(
    "unknown-key",
    pointer,
    `unknown key ${quote(key)}`,
    namesake(key, known) ?? didYouMean(key, known) ?? `write ${alternatives(known)}`,
  );
}

function byType(
  value: Members,
  kinds: Readonly<Record<string, Rule>>,
  pointer: string,
  report: Report,
  walk: Walk,
): void {
  const names = Object.keys(kinds);
  const type = Object.hasOwn(value, "type") ? value["type"] : undefined;
  if (type === undefined) {
    return report.error("missing-key", pointer, "`type` is missing", `add \`type\`: ${alternatives(names)}`);
  }
  const kind = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) return walk(type, { enum: names }, pointerTo(pointer, "type"));
  walk(value, kind, pointer);
}

function byKey(
  value: Members,
  kinds: Readonly<Record<string, Rule>>,
  pointer: string,
  report: Report,
  walk: Walk,
): void {
  const names = Object.keys(kinds);
  const present = names.find((name) => Object.hasOwn(value, name));
  const kind = present === undefined ? undefined : kinds[present];
  if (kind !== undefined) return walk(value, kind, pointer);
  for (const key of Object.keys(value)) unknownKey(key, names, pointerTo(pointer, key), report);
  if (Object.keys(value).length === 0) {
    report.error("missing-key", pointer, "the object is empty", `add ${alternatives(names)}`);
  }
}
