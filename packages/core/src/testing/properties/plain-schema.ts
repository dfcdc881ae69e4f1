/**
 * A JSON Schema as far as values can be made of it: references followed, `allOf` put together. What this does not understand makes
 * its values uncertain, never wrong.
 */
import { resolveSchemaRef, type SchemaPlace } from "../../lib/schema-ref.js";

export interface PlainSchema {
  readonly keywords: Readonly<Record<string, unknown>>;
  /** Where it stands: what references inside of it are relative to. */
  readonly place: SchemaPlace;
  /** Every keyword is one of which values are made. */
  readonly certain: boolean;
  /** Nothing fits. */
  readonly never: boolean;
}

/** Assertions that are not taken into account. */
const BEYOND: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "oneOf",
  "anyOf",
  "contains",
  "minContains",
  "maxContains",
  "dependentSchemas",
  "dependentRequired",
  "propertyNames",
  "patternProperties",
  "minProperties",
  "maxProperties",
  "unevaluatedItems",
]);

export type Schemas = Readonly<Record<string, unknown>>;

export function placeOf(schema: unknown): SchemaPlace {
  return { schema, root: schema, name: undefined, pointer: "" };
}

/** A part of a schema that stands in the same document. */
export function within({ place }: PlainSchema, schema: unknown): SchemaPlace {
  return { ...place, schema };
}

export function plainSchema(place: SchemaPlace, schemas: Schemas): PlainSchema {
  const { schema } = place;
  if (!isRecord(schema)) return { keywords: {}, place, certain: true, never: schema === false };
  const { $ref, allOf, ...own } = schema;
  const parts: PlainSchema[] = [];
  if (typeof $ref === "string") {
    const target = resolveSchemaRef($ref, place, schemas);
    if (target !== undefined) parts.push(plainSchema(target, schemas));
  }
  if (Array.isArray(allOf)) {
    for (const part of allOf as readonly unknown[])
      parts.push(plainSchema({ ...place, schema: part }, schemas));
  }
  const certain = Object.keys(own).every((keyword) => !BEYOND.has(keyword));
  const first: PlainSchema = { keywords: own, place, certain, never: false };
  return parts.reduce(together, first);
}

/** References of two parts may mean two documents: only those of the part with properties are followed. */
function together(a: PlainSchema, b: PlainSchema): PlainSchema {
  const empty = Object.keys(a.keywords).length === 0;
  if (empty) return { ...b, never: a.never || b.never };
  const clash = Object.keys(b.keywords).some((keyword) => keyword in a.keywords && !MERGED.has(keyword));
  const keywords = { ...b.keywords, ...a.keywords };
  if (isRecord(a.keywords["properties"]) && isRecord(b.keywords["properties"]))
    keywords["properties"] = { ...b.keywords["properties"], ...a.keywords["properties"] };
  if ("required" in a.keywords && "required" in b.keywords)
    keywords["required"] = [
      ...new Set([...textsIn(a.keywords["required"]), ...textsIn(b.keywords["required"])]),
    ];
  return {
    keywords,
    place: isRecord(a.keywords["properties"]) ? a.place : b.place,
    certain: a.certain && b.certain && !clash && a.place.root === b.place.root,
    never: a.never || b.never,
  };
}

export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

const MERGED: ReadonlySet<string> = new Set(["type", "properties", "required", "description", "title"]);

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON types that a schema admits, as far as it says so. */
export function typesOf({ keywords }: PlainSchema): readonly string[] | undefined {
  const { type } = keywords;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((one) => typeof one === "string");
  const choices = "const" in keywords ? [keywords["const"]] : keywords["enum"];
  if (Array.isArray(choices)) return [...new Set(choices.map(jsonType))];
  return undefined;
}

export function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** What a schema that names no type seems to be about. */
export function likelyType(plain: PlainSchema): string {
  const [type] = typesOf(plain) ?? [];
  if (type !== undefined) return type;
  const has = (...names: readonly string[]): boolean => names.some((name) => name in plain.keywords);
  if (has("properties", "required", "additionalProperties")) return "object";
  if (has("items", "prefixItems", "minItems", "maxItems")) return "array";
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) return "number";
  return "string";
}

export interface NumberRange {
  readonly low: number;
  readonly high: number;
  /** Whether the schema itself says so. */
  readonly bounded: { readonly low: boolean; readonly high: boolean };
  readonly step: number;
}

/** Bounds of the numbers that fit, both included, in whole steps. */
export function rangeOf({ keywords }: PlainSchema, integer: boolean): NumberRange {
  const step = numberIn(keywords, "multipleOf") ?? (integer ? 1 : 0.5);
  const minimum = numberIn(keywords, "minimum");
  const above = numberIn(keywords, "exclusiveMinimum");
  const maximum = numberIn(keywords, "maximum");
  const below = numberIn(keywords, "exclusiveMaximum");
  const low = Math.max(minimum ?? -Infinity, above === undefined ? -Infinity : above + step);
  const high = Math.min(maximum ?? Infinity, below === undefined ? Infinity : below - step);
  const bounded = { low: low !== -Infinity, high: high !== Infinity };
  const from = bounded.low ? low : bounded.high ? high - 1000 * step : -1000 * step;
  const to = bounded.high ? high : from + 2000 * step;
  return { low: Math.ceil(from / step) * step, high: Math.floor(to / step) * step, bounded, step };
}

export function numberIn(keywords: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = keywords[name];
  return typeof value === "number" ? value : undefined;
}
