/**
 * What the policy language adds to JSON Schema, written out in JSON Schema: `unknown`, the guard for unsafe integers, and
 * references into the document. The result stands by itself, and both validators read it and nothing else, so that they
 * cannot understand a policy differently.
 */
import { FORMAT_NAMES } from "../lib/format-names.js";
import { type SchemaPlace, resolveSchemaRef } from "../lib/schema-ref.js";
import type { JsonSchema } from "../model/policy.js";
import type { SchemaOptions } from "../ports/schema-compiler.js";

export type SchemaObject = { readonly [keyword: string]: unknown };

export interface PreparedSchema {
  /** Its references are all `#/$defs/…`. */
  readonly schema: JsonSchema;
  /** Schemas of it that are closed by `unknown`, not by their author. */
  readonly implied: ReadonlySet<object>;
  /**
   * It uses what ajv reads another way than the specification, as comparing the two on generated schemas shows
   * (`unevaluatedItems`, `contains` beside `prefixItems`, `if` beside `unevaluatedProperties`, a member called `__proto__`), or
   * where a caller's `{ "toString": … }` makes it throw (`enum` and `const` with objects): the interpreter judges it alone.
   */
  readonly interpretOnly: boolean;
}

/**
 * Where a schema stands. `outer`: nothing else speaks for its place in the value, so it closes it. `member`: part of a
 * composition that is closed as a whole. `test`: the author asks whether something fits (`not`, `if`, `contains`); closing
 * it would turn the answer round.
 */
type Position = "outer" | "member" | "test";

/** Keywords that make a composition of the schema in which they stand. */
const COMPOSING: readonly string[] = ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"];

/** Keywords that both validators know; all else is an annotation, or was refused when the document was checked. */
const ASSERTIONS: ReadonlySet<string> = new Set([
  "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
  "minLength", "pattern", "format", "allowedUrl", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains",
  "maxProperties", "minProperties", "dependentRequired",
]); // oxfmt-ignore
const FORMATS: ReadonlySet<unknown> = new Set(FORMAT_NAMES);
const LISTS_HERE: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf"]);
const SCHEMAS_HERE: ReadonlySet<string> = new Set(["then", "else"]);
const TESTS: ReadonlySet<string> = new Set(["not", "if", "contains", "propertyNames"]);
const SCHEMAS_BELOW: ReadonlySet<string> = new Set([
  "additionalProperties",
  "items",
  "unevaluatedProperties",
  "unevaluatedItems",
]);
const MAPS_BELOW: ReadonlySet<string> = new Set(["properties", "patternProperties"]);
const OBJECT_KEYWORDS: readonly string[] = [
  "properties",
  "patternProperties",
  "required",
  "minProperties",
  "maxProperties",
  "propertyNames",
  "dependentRequired",
  "dependentSchemas",
];
/** Closed or opened by the author, or every member is written out. */
const DECIDED: readonly string[] = ["additionalProperties", "unevaluatedProperties", "const", "enum"];
const REFERENCES: ReadonlySet<string> = new Set(["$id", "$anchor", "$dynamicRef", "$dynamicAnchor"]);

/** @throws Error for a reference that leads nowhere; documents with one do not pass their checks */
export function prepareSchema(schema: JsonSchema, options: SchemaOptions): PreparedSchema {
  return new Preparation(options).run(schema);
}

class Preparation {
  readonly #implied = new Set<object>();
  readonly #definitions: Record<string, unknown> = {};
  readonly #names = new Map<string, string>();
  #interpretOnly = false;
  readonly #options: SchemaOptions;

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  run(schema: JsonSchema): PreparedSchema {
    const place: SchemaPlace = { schema, root: schema, name: undefined, pointer: "" };
    const prepared = this.#rewrite(schema, place, "outer");
    const result = { implied: this.#implied, interpretOnly: this.#interpretOnly };
    if (typeof prepared === "boolean") return { schema: prepared, ...result };
    // In place, because `implied` knows the object.
    if (this.#names.size > 0) prepared["$defs"] = this.#definitions;
    return { schema: prepared, ...result };
  }

  #rewrite(schema: unknown, place: SchemaPlace, position: Position): boolean | Record<string, unknown> {
    if (typeof schema === "boolean") return schema;
    if (!isObject(schema)) throw new Error("a schema is neither an object nor a boolean");
    if (isBeyondAjv(schema)) this.#interpretOnly = true;
    const result: Record<string, unknown> = {};
    // A reference by itself stands for its target, which then closes itself: cheaper than to close around it.
    const aside = position === "outer" && isMereReference(schema);
    for (const [keyword, value] of Object.entries(schema)) {
      if (aside && keyword === "$ref") result[keyword] = this.#refer(String(value), place, "outer");
      else this.#keyword(result, keyword, value, place, position);
    }
    if (position !== "test") this.#guardIntegers(result);
    if (position === "outer" && !aside && this.#mustClose(schema, place)) this.#close(result);
    return result;
  }

  #keyword(
    result: Record<string, unknown>,
    keyword: string,
    value: unknown,
    place: SchemaPlace,
    position: Position,
  ): void {
    const here = position === "test" ? "test" : "member";
    const below = position === "test" ? "test" : "outer";
    if (keyword === "format" && !FORMATS.has(value)) throw new Error("the format is not known");
    if (ASSERTIONS.has(keyword)) result[keyword] = value;
    // Beside a parameter's schema `required` is a boolean, and ours.
    else if (keyword === "required" && Array.isArray(value)) result[keyword] = value;
    else if (keyword === "$ref") result[keyword] = this.#refer(String(value), place, here);
    else if (LISTS_HERE.has(keyword)) result[keyword] = this.#list(value, place, here);
    else if (SCHEMAS_HERE.has(keyword)) result[keyword] = this.#rewrite(value, place, here);
    else if (keyword === "dependentSchemas") result[keyword] = this.#map(value, place, here);
    else if (TESTS.has(keyword)) result[keyword] = this.#rewrite(value, place, "test");
    else if (SCHEMAS_BELOW.has(keyword)) result[keyword] = this.#rewrite(value, place, below);
    else if (MAPS_BELOW.has(keyword)) result[keyword] = this.#map(value, place, below);
    else if (keyword === "prefixItems") result[keyword] = this.#list(value, place, below);
    else if (REFERENCES.has(keyword)) throw new Error(`\`${keyword}\` is not part of the policy language`);
  }

  #list(value: unknown, place: SchemaPlace, position: Position): unknown[] {
    if (!Array.isArray(value)) throw new Error("a list of schemas is missing");
    return value.map((schema: unknown) => this.#rewrite(schema, place, position));
  }

  /** Names are the author's: `__proto__` must stay a name. */
  #map(value: unknown, place: SchemaPlace, position: Position): object {
    if (!isObject(value)) throw new Error("a map of schemas is missing");
    return Object.fromEntries(
      Object.entries(value).map(([name, schema]) => [name, this.#rewrite(schema, place, position)]),
    );
  }

  /** Each target is written out once for each way in which it is used; a schema may refer to itself. */
  #refer(reference: string, place: SchemaPlace, position: Position): string {
    const target = resolveSchemaRef(reference, place, this.#options.schemas);
    if (target === undefined) throw new Error(`the reference \`${reference}\` leads nowhere`);
    const key = `${position} ${target.name ?? ""} ${target.name === undefined ? "own" : "document"} ${target.pointer}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `s${this.#names.size}`;
      this.#names.set(key, name);
      this.#definitions[name] = this.#rewrite(target.schema, target, position);
    }
    return `#/$defs/${name}`;
  }

  #guardIntegers(result: Record<string, unknown>): void {
    if (this.#options.unsafeIntegers === "allow") return;
    const types = typesOf(result["type"]);
    if (types.includes("integer") && !types.includes("number")) result["safeInteger"] = true;
  }

  #mustClose(schema: SchemaObject, place: SchemaPlace): boolean {
    if (this.#options.unknown === "allow") return false;
    if (DECIDED.some((keyword) => Object.hasOwn(schema, keyword))) return false;
    return this.#speaksOfObjects(schema, place, new Set());
  }

  /** `{}` is not closed: it is no object schema, its author lets anything in. */
  #speaksOfObjects(schema: unknown, place: SchemaPlace, seen: Set<unknown>): boolean {
    if (!isObject(schema) || seen.has(schema)) return false;
    seen.add(schema);
    if (typesOf(schema["type"]).includes("object")) return true;
    if (OBJECT_KEYWORDS.some((keyword) => Array.isArray(schema[keyword]) || isObject(schema[keyword])))
      return true;
    if (typeof schema["$ref"] === "string") {
      const target = resolveSchemaRef(schema["$ref"], place, this.#options.schemas);
      if (target !== undefined && this.#speaksOfObjects(target.schema, target, seen)) return true;
    }
    return membersOf(schema).some((member) => this.#speaksOfObjects(member, place, seen));
  }

  /** `unevaluatedProperties` costs the validators more; they need it only where schemas are composed. */
  #close(result: Record<string, unknown>): void {
    const composed = COMPOSING.some((keyword) => Object.hasOwn(result, keyword));
    result[composed ? "unevaluatedProperties" : "additionalProperties"] = false;
    this.#implied.add(result);
  }
}

function isBeyondAjv(schema: SchemaObject): boolean {
  const { properties, enum: values } = schema;
  if (["unevaluatedItems", "contains", "if"].some((keyword) => Object.hasOwn(schema, keyword))) return true;
  if (Array.isArray(values) && (values.length === 0 || values.some(isComposite))) return true;
  if (isComposite(schema["const"])) return true;
  return isObject(properties) && Object.hasOwn(properties, "__proto__");
}

function isComposite(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** `$ref` beside nothing that speaks of members. */
function isMereReference(schema: SchemaObject): boolean {
  if (typeof schema["$ref"] !== "string") return false;
  if (DECIDED.some((keyword) => Object.hasOwn(schema, keyword))) return false;
  return [...COMPOSING, ...OBJECT_KEYWORDS].every(
    (keyword) => keyword === "$ref" || typeof schema[keyword] !== "object",
  );
}

/** Schemas that speak for the same place in the value as the schema itself. */
function membersOf(schema: SchemaObject): unknown[] {
  const members: unknown[] = [schema["if"], schema["then"], schema["else"]];
  for (const keyword of LISTS_HERE) {
    const list = schema[keyword];
    if (Array.isArray(list)) members.push(...(list as unknown[]));
  }
  return members;
}

export function typesOf(type: unknown): readonly unknown[] {
  if (Array.isArray(type)) return type;
  return type === undefined ? [] : [type];
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
