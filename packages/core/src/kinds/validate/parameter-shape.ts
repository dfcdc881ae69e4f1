/** What a parameter's schema says of its type, known before any request: text can only be coerced to a type that is known. */
import { type SchemaPlace, resolveSchemaRef } from "../../lib/schema-ref.js";
import type { JsonSchema } from "../../model/policy.js";
import type { ScalarType } from "./coerce.js";

type Schemas = Readonly<Record<string, JsonSchema>>;
type SchemaObject = Readonly<Record<string, unknown>>;

export interface ParameterShape {
  /** Of the value; of each item where `list`. */
  readonly types: ReadonlySet<ScalarType>;
  readonly list: boolean;
  /** `"required": true` beside the schema. */
  readonly required: boolean;
  /** Undefined: no default. */
  readonly fallback: { readonly value: unknown } | undefined;
  /** The type is all that the schema asks: a coerced value needs no second look. */
  readonly typeOnly: boolean;
}

const SCALARS: ReadonlySet<string> = new Set(["integer", "number", "boolean", "null", "string"]);
/** Keywords that ask nothing more of a value that has the type. */
const SILENT: ReadonlySet<string> = new Set([
  "type",
  "required",
  "default",
  "title",
  "description",
  "examples",
  "$comment",
  "deprecated",
  "readOnly",
  "writeOnly",
  "redact",
]);

/** The words of a problem where the schema is none for a parameter. */
export function shapeOf(schema: JsonSchema, schemas: Schemas): ParameterShape | string {
  const place: SchemaPlace = { schema, root: schema, name: undefined, pointer: "" };
  const found = typesIn(place, schemas, new Set());
  if (found.has("object")) return "a parameter is text and cannot become an object";
  const list = found.has("array");
  if (list && found.size > 1) return "a list beside another type could be read two ways";
  const types = list ? itemTypes(place, schemas) : found;
  if (types.has("array") || types.has("object"))
    return "the items of a parameter are text and cannot become lists or objects";
  const settings = isObject(schema) ? schema : {};
  return {
    types: scalarsIn(types),
    list,
    required: settings["required"] === true,
    fallback: fallbackOf(place, schemas),
    typeOnly:
      !list &&
      Object.hasOwn(settings, "type") &&
      Object.keys(settings).every((keyword) => SILENT.has(keyword)),
  };
}

/** A schema that says nothing of types leaves text as it is. */
function scalarsIn(types: ReadonlySet<string>): ReadonlySet<ScalarType> {
  const scalars = new Set<ScalarType>();
  for (const type of types) if (isScalar(type)) scalars.add(type);
  return scalars.size === 0 ? new Set(["string"]) : scalars;
}

function isScalar(type: string): type is ScalarType {
  return SCALARS.has(type);
}

/** Written types first; else those of the values, of the target, of what is composed. */
function typesIn(place: SchemaPlace, schemas: Schemas, seen: Set<unknown>): Set<string> {
  const { schema } = place;
  if (!isObject(schema) || seen.has(schema)) return new Set();
  seen.add(schema);
  const { type } = schema;
  if (type !== undefined) return new Set(asList(type).map(String));
  const values = Object.hasOwn(schema, "const") ? [schema["const"]] : schema["enum"];
  if (Array.isArray(values)) return new Set(values.map(typeOfValue));
  const types = new Set<string>();
  const target =
    typeof schema["$ref"] === "string" ? resolveSchemaRef(schema["$ref"], place, schemas) : undefined;
  if (target !== undefined) for (const found of typesIn(target, schemas, seen)) types.add(found);
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    for (const member of asList(schema[keyword] ?? [])) {
      for (const found of typesIn({ ...place, schema: member }, schemas, seen)) types.add(found);
    }
  }
  return types;
}

function itemTypes(place: SchemaPlace, schemas: Schemas): Set<string> {
  const items = find(place, "items", schemas);
  return items === undefined ? new Set() : typesIn(items, schemas, new Set());
}

function fallbackOf(place: SchemaPlace, schemas: Schemas): ParameterShape["fallback"] {
  const found = find(place, "default", schemas);
  if (found === undefined) return undefined;
  // Handed to every request that needs it: none may change it for the others.
  return {
    value: Array.isArray(found.schema) ? Object.freeze([...(found.schema as unknown[])]) : found.schema,
  };
}

/** A keyword of the schema, or of the one that it refers to. */
function find(place: SchemaPlace, keyword: string, schemas: Schemas): SchemaPlace | undefined {
  let here: SchemaPlace | undefined = place;
  for (let steps = 0; here !== undefined && steps < 32; steps++) {
    const { schema }: SchemaPlace = here;
    if (!isObject(schema)) return undefined;
    if (Object.hasOwn(schema, keyword)) return { ...here, schema: schema[keyword] };
    here = typeof schema["$ref"] === "string" ? resolveSchemaRef(schema["$ref"], here, schemas) : undefined;
  }
  return undefined;
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
