/** Parameters and paths as text: what fits where, and what only just does not. */
import type { JsonSchema } from "../../model/policy.js";
import type { PatternPart } from "../../model/resolved.js";
import type { FastCheck } from "./fast-check.js";
import { textMisses } from "./misses.js";
import { placeOf, rangeOf, typesOf, type PlainSchema } from "./plain-schema.js";
import { isHarmless, type SchemaValues } from "./values.js";
import type { Params } from "./ways.js";

/** Texts that a parameter's schema only just refuses. */
export function textsOff(
  fc: FastCheck,
  values: SchemaValues,
  schema: JsonSchema | undefined,
): readonly (readonly [string, string])[] {
  if (schema === undefined) return [];
  const plain = values.plain(placeOf(schema));
  const types = typesOf(plain);
  if (!plain.certain || types?.length !== 1) return [];
  if ("enum" in plain.keywords || "const" in plain.keywords) return [["enum", "noneOfThese"]];
  switch (types[0]) {
    case "integer":
    case "number":
      return numbersOff(plain, types[0] === "integer");
    case "boolean":
      return [["type", "yes"]];
    case "string":
      return textMisses(plain, (rule, value) => ({ fault: rule, value: fc.constant(value) })).flatMap(
        ({ fault, value }) =>
          fc.sample(value, { numRuns: 1, seed: 0 }).map((text) => [fault, textOf(text)] as const),
      );
    default:
      return [];
  }
}

function numbersOff(plain: PlainSchema, integer: boolean): readonly (readonly [string, string])[] {
  const { low, high, bounded, step } = rangeOf(plain, integer);
  const found: [string, string][] = [
    ["type", "x"],
    ["type", `${low}x`],
  ];
  if (integer) found.push(["type", String(low + 0.5)]);
  if (bounded.low) found.push(["minimum", String(low - step)]);
  if (bounded.high) found.push(["maximum", String(high + step)]);
  return found;
}

export function isRequired(schema: JsonSchema): boolean {
  return typeof schema === "object" && schema["required"] === true;
}

export function firstTexts(
  values: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "string" ? value : (value[0] ?? ""),
    ]),
  );
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** A segment that has one reading only. */
export function isSegment(text: string): boolean {
  return text !== "" && !/^\.+$|[\s/\\;%#?]/u.test(text) && isHarmless(text);
}

export function isFieldValue(text: string): boolean {
  return /^[\u0021-\u007E]+$/u.test(text);
}

export function isCookieValue(text: string): boolean {
  return /^[\w.-]+$/u.test(text);
}

export function pathOf(
  pattern: readonly PatternPart[],
  draft: { readonly params: Params; readonly rest: readonly string[] },
): string {
  const segments = pattern.flatMap((part) => {
    switch (part.kind) {
      case "static":
        // As a browser writes it: an encoded letter would be another reading of the same path.
        return [encodeURI(part.text)];
      case "param":
        return [encodeURIComponent(draft.params[part.name] ?? "")];
      case "rest":
        return draft.rest.map(encodeURIComponent);
    }
  });
  return `/${segments.join("/")}`;
}
