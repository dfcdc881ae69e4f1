/** Which type a value has that passed a JSON Schema. Where a schema allows several, `dyn`: the author tells them apart. */
import { parsePointer, valueAt } from "../lib/pointer.js";
import type { JsonSchema } from "../model/policy.js";
import { BOOL, DOUBLE, DYN, INT, NULL, STRING } from "./types.js";
import type { CelType } from "./types.js";

type Keywords = Readonly<Record<string, unknown>>;

/** Keywords that may stand beside `$ref` and say nothing of the type. */
const ANNOTATIONS = new Set([
  "$ref",
  "title",
  "description",
  "examples",
  "deprecated",
  "default",
  "redact",
  "required",
  "$defs",
  "$comment",
  "$id",
  "$schema",
]);

/** References that lead to references: longer chains are nobody's intention. */
const MAX_REFERENCES = 32;

/** Makes the types of one route; objects of a schema are made once, so that a schema may contain itself. */
export class SchemaTypes {
  private readonly made = new Map<Keywords, CelType>();
  /** Lists and maps whose items are being looked at. Theirs is a type within a type, which has an end. */
  private open: ReadonlySet<Keywords> = new Set();

  /** @param schemas the document's `schemas`, for `#/schemas/Name` */
  constructor(private readonly schemas: Readonly<Record<string, JsonSchema>>) {}

  typeOf(schema: unknown, title: string): CelType {
    return this.of(schema, schema, title, 0);
  }

  private of(schema: unknown, root: unknown, title: string, hops: number): CelType {
    if (!isKeywords(schema)) return DYN;
    if (typeof schema["$ref"] === "string") return this.follow(schema, root, title, hops);
    const { type } = schema;
    switch (type) {
      case "string":
        return STRING;
      case "integer":
        return INT;
      case "number":
        return DOUBLE;
      case "boolean":
        return BOOL;
      case "null":
        return NULL;
      case "array":
        return {
          kind: "list",
          of: "prefixItems" in schema ? DYN : this.within(schema, schema["items"], root, `${title}[]`),
        };
      case "object":
        return this.object(schema, root, title);
      case undefined:
        return ofValues(schema);
      default:
        return DYN;
    }
  }

  private follow(schema: Keywords, root: unknown, title: string, hops: number): CelType {
    if (hops > MAX_REFERENCES || Object.keys(schema).some((keyword) => !ANNOTATIONS.has(keyword))) return DYN;
    const reference = String(schema["$ref"]);
    const segments = parsePointer(reference.startsWith("#") ? reference.slice(1) : "?");
    if (segments === undefined) return DYN;
    if (segments[0] === "schemas") {
      const target = valueAt(this.schemas, segments.slice(1));
      return this.of(target, valueAt(this.schemas, segments.slice(1, 2)), title, hops + 1);
    }
    return this.of(valueAt(root, segments), root, title, hops + 1);
  }

  private object(schema: Keywords, root: unknown, title: string): CelType {
    const properties = schema["properties"];
    if (!isKeywords(properties)) {
      const others = schema["additionalProperties"];
      return { kind: "map", of: isKeywords(others) ? this.within(schema, others, root, `${title}.*`) : DYN };
    }
    const known = this.made.get(schema);
    if (known !== undefined) return known;
    const fields = new Map<string, CelType>();
    const record = { title, fields, others: othersOf(schema) };
    const type: CelType = { kind: "record", record };
    this.made.set(schema, type);
    const { open } = this;
    // An object is made once, whatever it contains: from here on nothing is within what led to it.
    this.open = new Set();
    for (const [name, property] of Object.entries(properties)) {
      fields.set(name, this.of(property, root, `${title}.${name}`, 0));
    }
    this.open = open;
    return type;
  }

  /** What a list or map holds; unknown where that is the list or map itself again. */
  private within(holder: Keywords, held: unknown, root: unknown, title: string): CelType {
    const { open } = this;
    if (open.has(holder)) return DYN;
    this.open = new Set([...open, holder]);
    const type = this.of(held, root, title, 0);
    this.open = open;
    return type;
  }
}

/** Members beside the declared ones exist only where the schema says so; `unknown: "reject"` is not asked here. */
function othersOf(schema: Keywords): CelType | undefined {
  const { additionalProperties, unevaluatedProperties } = schema;
  if (additionalProperties === false || unevaluatedProperties === false) return undefined;
  const open = additionalProperties !== undefined || unevaluatedProperties !== undefined;
  const composed = ["patternProperties", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"].some(
    (keyword) => keyword in schema,
  );
  return open || composed ? DYN : undefined;
}

/** `enum` and `const` tell the type too, when all their values have one. */
function ofValues(schema: Keywords): CelType {
  const values = "const" in schema ? [schema["const"]] : schema["enum"];
  if (!Array.isArray(values) || values.length === 0) return DYN;
  if (values.every((value) => typeof value === "string")) return STRING;
  if (values.every((value) => typeof value === "boolean")) return BOOL;
  if (values.every((value) => Number.isSafeInteger(value))) return INT;
  return values.every((value) => typeof value === "number") ? DOUBLE : DYN;
}

function isKeywords(schema: unknown): schema is Keywords {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}
