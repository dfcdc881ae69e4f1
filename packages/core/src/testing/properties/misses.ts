/** Values that a schema only just refuses: each breaks one rule, at one place. */
import type { Arbitrary } from "fast-check";
import { pointerTo } from "../../lib/pointer.js";
import type { SchemaPlace } from "../../lib/schema-ref.js";
import type { FastCheck } from "./fast-check.js";
import { NO_FORMAT } from "./formats.js";
import {
  isRecord,
  jsonType,
  likelyType,
  numberIn,
  rangeOf,
  typesOf,
  within,
  type PlainSchema,
} from "./plain-schema.js";
import { requiredOf, type SchemaValues } from "./values.js";

export interface Miss {
  /** Which rule, and where: `maximum at /quantity`. */
  readonly fault: string;
  readonly value: Arbitrary<unknown>;
}

const DEEPEST = 4;
/** Longer texts and lists would cost more than they show. */
const LONGEST = 20_000;

export class SchemaMisses {
  constructor(
    private readonly fc: FastCheck,
    private readonly values: SchemaValues,
    /** Whether a member that no schema names is refused. */
    private readonly closed: boolean,
  ) {}

  of(place: SchemaPlace, pointer = "", depth = 0): readonly Miss[] {
    const plain = this.values.plain(place);
    // Where this does not understand every rule, a value that seems to miss may fit.
    if (!plain.certain || plain.never || depth > DEEPEST) return [];
    const miss = (rule: string, value: unknown): Miss => ({
      fault: `${rule} at ${pointer === "" ? "the value" : pointer}`,
      value: this.fc.constant(value),
    });
    const found = [...this.wrongType(plain, miss), ...this.noChoice(plain, miss)];
    if ("const" in plain.keywords || "enum" in plain.keywords) return found;
    switch (likelyType(plain)) {
      case "object":
        return [...found, ...this.object(plain, place, pointer, depth)];
      case "array":
        return [...found, ...this.array(plain, place, pointer, depth)];
      case "integer":
        return [...found, ...numberMisses(plain, true, miss)];
      case "number":
        return [...found, ...numberMisses(plain, false, miss)];
      case "string":
        return [...found, ...textMisses(plain, miss)];
      default:
        return found;
    }
  }

  private wrongType(plain: PlainSchema, miss: MakeMiss): readonly Miss[] {
    const types = typesOf(plain);
    if (types === undefined) return [];
    const others: readonly unknown[] = [null, "text", 1.5, true, [], {}];
    return others
      .filter((value) => {
        const type = jsonType(value);
        return !types.includes(type) && !(type === "number" && types.includes("integer"));
      })
      .map((value) => miss(`type (${jsonType(value)})`, value));
  }

  private noChoice({ keywords }: PlainSchema, miss: MakeMiss): readonly Miss[] {
    if ("const" in keywords) return [miss("const", "none of these")];
    return Array.isArray(keywords["enum"]) ? [miss("enum", "none of these")] : [];
  }

  private object(plain: PlainSchema, place: SchemaPlace, pointer: string, depth: number): readonly Miss[] {
    const { keywords } = plain;
    const properties = isRecord(keywords["properties"]) ? keywords["properties"] : {};
    const whole = this.values.fitting(place).map((value) => (isRecord(value) ? value : {}));
    const at = (name: string): string => pointerTo(pointer, name);
    const found: Miss[] = requiredOf(plain).map((name) => ({
      fault: `required at ${at(name)}`,
      value: whole.map((value) => without(value, name)),
    }));
    if (this.isClosed(keywords)) {
      const stranger = "notDeclared";
      found.push({
        fault: `unknown property at ${at(stranger)}`,
        value: whole.map((value) => ({ ...value, [stranger]: 1 })),
      });
    }
    for (const [name, schema] of Object.entries(properties)) {
      for (const { fault, value } of this.of(within(plain, schema), at(name), depth + 1)) {
        const both = this.fc.tuple(whole, value);
        found.push({ fault, value: both.map(([value, inner]) => ({ ...value, [name]: inner })) });
      }
    }
    return found;
  }

  private isClosed(keywords: Readonly<Record<string, unknown>>): boolean {
    const { additionalProperties: additional, unevaluatedProperties: unevaluated } = keywords;
    if (additional === false || (unevaluated === false && additional === undefined)) return true;
    return additional === undefined && unevaluated === undefined && this.closed;
  }

  private array(plain: PlainSchema, place: SchemaPlace, pointer: string, depth: number): readonly Miss[] {
    const { keywords } = plain;
    if ("prefixItems" in keywords) return [];
    const item = within(plain, keywords["items"] ?? { type: "string" });
    const of = (length: number): Arbitrary<unknown> =>
      this.fc.array(this.values.fitting(item, 1), { minLength: length, maxLength: length });
    const found: Miss[] = [];
    const where = pointer === "" ? "the value" : pointer;
    const minItems = numberIn(keywords, "minItems") ?? 0;
    const maxItems = numberIn(keywords, "maxItems") ?? Infinity;
    if (minItems > 0) found.push({ fault: `minItems at ${where}`, value: of(minItems - 1) });
    if (maxItems < LONGEST / 100) found.push({ fault: `maxItems at ${where}`, value: of(maxItems + 1) });
    if (maxItems === 0) return found;
    const whole = this.values
      .fitting(place)
      .map((value) => (Array.isArray(value) ? (value as unknown[]) : []));
    for (const { fault, value } of this.of(item, pointerTo(pointer, 0), depth + 1)) {
      const both = this.fc.tuple(whole, value);
      found.push({ fault, value: both.map(([value, inner]) => [inner, ...value.slice(1)]) });
    }
    return found;
  }
}

export function without<T>(record: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

type MakeMiss = (rule: string, value: unknown) => Miss;

function numberMisses(plain: PlainSchema, integer: boolean, miss: MakeMiss): readonly Miss[] {
  const { low, high, bounded, step } = rangeOf(plain, integer);
  const found: Miss[] = [];
  if (integer) found.push(miss("type (fraction)", low + 0.5));
  if (bounded.low) found.push(miss("minimum", low - step));
  if (bounded.high) found.push(miss("maximum", high + step));
  if ("multipleOf" in plain.keywords && !(integer && step === 1))
    found.push(miss("multipleOf", low + step / 2));
  return found;
}

export function textMisses({ keywords }: PlainSchema, miss: MakeMiss): readonly Miss[] {
  const found: Miss[] = [];
  const minLength = numberIn(keywords, "minLength") ?? 0;
  const maxLength = numberIn(keywords, "maxLength") ?? Infinity;
  const { pattern, format } = keywords;
  if (minLength > 0) found.push(miss("minLength", "a".repeat(minLength - 1)));
  if (maxLength < LONGEST) found.push(miss("maxLength", "a".repeat(maxLength + 1)));
  if (typeof pattern === "string") {
    const stranger = ["", " ", "no match {", "~"].find((text) => !new RegExp(pattern, "u").test(text));
    if (stranger !== undefined) found.push(miss("pattern", stranger));
  }
  if (typeof format === "string") found.push(miss("format", NO_FORMAT));
  if ("allowedUrl" in keywords) found.push(miss("allowedUrl", "https://elsewhere.invalid/"));
  return found;
}
