/** Schemas that refer to themselves without having looked at anything smaller: whoever followed one would never end. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { type SchemaPlace, resolveSchemaRef } from "../lib/schema-ref.js";

/** Keywords that look at the very same value once more. */
const SAME_VALUE: readonly string[] = ["not", "if", "then", "else"];
const SAME_VALUE_LISTS: readonly string[] = ["allOf", "anyOf", "oneOf"];

type Schemas = Readonly<Record<string, unknown>>;

/** Only a reference leads back: in what has none there is nothing to follow. */
export function refers(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "$ref") || Object.values(value).some(refers);
}

/** Every schema that a document reaches is looked at once, however many refer to it. */
export class CycleCheck {
  readonly #done = new Set<unknown>();
  readonly #open = new Set<unknown>();

  constructor(
    private readonly schemas: Schemas,
    private readonly report: Report,
  ) {}

  /** @param base where the schema's root stands in the document */
  check(schema: unknown, base: string, name: string | undefined): void {
    this.#everywhere({ schema, root: schema, name, pointer: "" }, base);
  }

  /** Members are smaller values: they begin anew. */
  #everywhere(place: SchemaPlace, base: string): void {
    this.#follow(place, base);
    if (typeof place.schema !== "object" || place.schema === null) return;
    for (const [key, member] of Object.entries(place.schema)) {
      if (typeof member !== "object" || member === null) continue;
      this.#everywhere({ ...place, schema: member, pointer: pointerTo(place.pointer, key) }, base);
    }
  }

  #follow(place: SchemaPlace, base: string): void {
    const { schema } = place;
    if (typeof schema !== "object" || schema === null || Array.isArray(schema) || this.#done.has(schema))
      return;
    if (this.#open.has(schema)) {
      this.report.error(
        "circular-schema",
        base + place.pointer,
        "the schema refers to itself before it declares anything",
        "let the reference stand below `properties`, `items` or the like",
      );
      return;
    }
    this.#open.add(schema);
    for (const next of this.#sameValue(place))
      this.#follow(next, next.name === undefined ? base : `/schemas/${next.name}`);
    this.#open.delete(schema);
    this.#done.add(schema);
  }

  #sameValue(place: SchemaPlace): SchemaPlace[] {
    const schema = place.schema as Readonly<Record<string, unknown>>;
    const found: SchemaPlace[] = [];
    const add = (inner: unknown, ...steps: readonly string[]): void => {
      found.push({ ...place, schema: inner, pointer: pointerTo(place.pointer, ...steps) });
    };
    const reference = schema["$ref"];
    const target =
      typeof reference === "string" ? resolveSchemaRef(reference, place, this.schemas) : undefined;
    if (target !== undefined) found.push(target);
    for (const keyword of SAME_VALUE) if (Object.hasOwn(schema, keyword)) add(schema[keyword], keyword);
    for (const keyword of SAME_VALUE_LISTS) {
      const list = schema[keyword];
      if (Array.isArray(list))
        for (const [index, inner] of list.entries()) add(inner, keyword, String(index));
    }
    const dependent = schema["dependentSchemas"];
    if (typeof dependent === "object" && dependent !== null) {
      for (const [name, inner] of Object.entries(dependent)) add(inner, "dependentSchemas", name);
    }
    return found;
  }
}
