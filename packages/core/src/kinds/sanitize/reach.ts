/**
 * Which pointers can lead to a text at all, by the schema. One that never does protects nothing: a typo, most likely. Errs on
 * the side of what could be: conditions, branches and patterns are all taken to hold.
 */
import { escapeSegment } from "../../lib/pointer.js";
import type { Pointers, Progress } from "../../lib/pointer-set.js";
import { resolveSchemaRef, type SchemaPlace } from "../../lib/schema-ref.js";
import { ANNOTATIONS } from "../../lib/schema-annotations.js";
import type { JsonSchema } from "../../model/policy.js";

type Keywords = Readonly<Record<string, unknown>>;

/** They combine other schemas for the same value. */
const LISTS: readonly string[] = ["allOf", "anyOf", "oneOf"];
const SINGLE: readonly string[] = ["if", "then", "else"];

export interface Reached {
  /** Indices of the pointers that match something. */
  readonly matched: ReadonlySet<number>;
  /** Of those, the ones that match what may be a text. */
  readonly texts: ReadonlySet<number>;
}

export class Reach {
  readonly #matched = new Set<number>();
  readonly #texts = new Set<number>();
  readonly #seen = new Map<unknown, Set<string>>();

  /** @param open whether members that no schema names may come: `unknown: "allow"` */
  constructor(
    private readonly schemas: Readonly<Record<string, JsonSchema>>,
    private readonly pointers: Pointers,
    private readonly open: boolean,
  ) {}

  from(schema: JsonSchema): Reached {
    this.#enter({ schema, root: schema, name: undefined, pointer: "" }, this.pointers.start);
    return { matched: this.#matched, texts: this.#texts };
  }

  #enter(place: SchemaPlace, progress: Progress): void {
    const { schema } = place;
    if (schema === false || progress.states.length === 0) return;
    const seen = this.#seen.get(schema) ?? new Set();
    if (seen.has(progress.key)) return;
    this.#seen.set(schema, seen.add(progress.key));
    for (const index of this.pointers.matched(progress)) {
      this.#matched.add(index);
      if (mayBeText(place, this.schemas, new Set())) this.#texts.add(index);
    }
    for (const part of partsOf(place, this.schemas)) this.#below(part, progress);
  }

  #below(place: SchemaPlace, progress: Progress): void {
    const { schema } = place;
    if (schema === true || (isKeywords(schema) && saysNothing(schema)))
      return this.#others(ANYTHING, progress);
    if (!isKeywords(schema)) return;
    if (allows(schema, "object")) this.#members(place, schema, progress);
    if (allows(schema, "array")) this.#items(place, schema, progress);
  }

  #members(place: SchemaPlace, schema: Keywords, progress: Progress): void {
    for (const [name, member] of entriesOf(schema["properties"])) {
      this.#enter({ ...place, schema: member }, this.pointers.step(progress, name));
    }
    for (const [, member] of entriesOf(schema["patternProperties"])) {
      this.#others({ ...place, schema: member }, progress);
    }
    const others = schema["additionalProperties"] ?? schema["unevaluatedProperties"];
    if (others !== undefined) this.#others({ ...place, schema: others }, progress);
    else if (this.open) this.#others(ANYTHING, progress);
  }

  #items(place: SchemaPlace, schema: Keywords, progress: Progress): void {
    const { prefixItems, items, unevaluatedItems } = schema;
    const prefix: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
    for (const [index, item] of prefix.entries()) {
      this.#enter({ ...place, schema: item }, this.pointers.step(progress, String(index)));
    }
    // A list of which nothing is said may hold anything, where it is a list at all.
    const others = items ?? unevaluatedItems ?? schema["type"] !== undefined;
    this.#others(
      { ...place, schema: others },
      progress,
      (name) => isIndex(name) && Number(name) >= prefix.length,
    );
  }

  /** Under any name. @param fits which of the names that a pointer has may be one */
  #others(place: SchemaPlace, progress: Progress, fits: (name: string) => boolean = anyName): void {
    this.#enter(place, this.pointers.step(progress, undefined));
    for (const name of this.pointers.names(progress).filter(fits)) {
      this.#enter(place, this.pointers.step(progress, name));
    }
  }
}

function anyName(): boolean {
  return true;
}

/** As RFC 6901 writes an index: no leading zeros. */
function isIndex(name: string): boolean {
  return /^(?:0|[1-9][0-9]{0,15})$/u.test(name);
}

const ANYTHING: SchemaPlace = { schema: true, root: true, name: undefined, pointer: "" };

/** The schema and all that speak for the same value with it. */
function partsOf(start: SchemaPlace, schemas: Readonly<Record<string, JsonSchema>>): readonly SchemaPlace[] {
  const parts = new Map<unknown, SchemaPlace>([[start.schema, start]]);
  for (const place of parts.values()) {
    for (const part of combinedIn(place, schemas)) if (!parts.has(part.schema)) parts.set(part.schema, part);
  }
  return [...parts.values()];
}

function combinedIn(
  place: SchemaPlace,
  schemas: Readonly<Record<string, JsonSchema>>,
): readonly SchemaPlace[] {
  const { schema } = place;
  if (!isKeywords(schema)) return [];
  const found: unknown[] = SINGLE.map((keyword) => schema[keyword]).filter((part) => part !== undefined);
  for (const keyword of LISTS) found.push(...listOf(schema[keyword]));
  found.push(...entriesOf(schema["dependentSchemas"]).map(([, part]) => part));
  const parts = found.map((part) => ({ ...place, schema: part }));
  const target = referred(place, schema, schemas);
  return target === undefined ? parts : [...parts, target];
}

function referred(
  place: SchemaPlace,
  { $ref }: Keywords,
  schemas: Readonly<Record<string, JsonSchema>>,
): SchemaPlace | undefined {
  return typeof $ref === "string" ? resolveSchemaRef($ref, place, schemas) : undefined;
}

function mayBeText(
  place: SchemaPlace,
  schemas: Readonly<Record<string, JsonSchema>>,
  above: ReadonlySet<unknown>,
): boolean {
  const { schema } = place;
  if (!isKeywords(schema)) return schema === true;
  if (!allows(schema, "string")) return false;
  if (above.has(schema)) return true;
  const inside = new Set(above).add(schema);
  const fits = (part: unknown): boolean => mayBeText({ ...place, schema: part }, schemas, inside);
  const target = referred(place, schema, schemas);
  if (target !== undefined && !mayBeText(target, schemas, inside)) return false;
  const { allOf, anyOf, oneOf } = schema;
  return (
    listOf(allOf).every(fits) &&
    [anyOf, oneOf].every((branches) => branches === undefined || listOf(branches).some(fits))
  );
}

function allows(schema: Keywords, type: "string" | "object" | "array"): boolean {
  const values = "const" in schema ? [schema["const"]] : schema["enum"];
  if (Array.isArray(values) && !values.some((value) => typeOf(value) === type)) return false;
  const types = schema["type"];
  return types === undefined || types === type || listOf(types).includes(type);
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function saysNothing(schema: Keywords): boolean {
  return Object.keys(schema).every((keyword) => ANNOTATIONS.has(keyword));
}

function isKeywords(schema: unknown): schema is Keywords {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isKeywords(value) ? Object.entries(value) : [];
}

/** More would be no help to choose from. */
const SHOWN = 2_000;

/** Pointers to what a schema declares, shallow ones first. */
export function declaredIn(
  schema: JsonSchema,
  schemas: Readonly<Record<string, JsonSchema>>,
): readonly string[] {
  const found = new Set<string>();
  const start: SchemaPlace = { schema, root: schema, name: undefined, pointer: "" };
  const queue = [{ place: start, pointer: "", above: new Set<unknown>() }];
  for (const { place, pointer, above } of queue) {
    if (above.has(place.schema) || found.size >= SHOWN) continue;
    if (pointer !== "") found.add(pointer);
    const inside = new Set(above).add(place.schema);
    for (const part of partsOf(place, schemas)) {
      if (!isKeywords(part.schema)) continue;
      for (const [name, member] of entriesOf(part.schema["properties"])) {
        const below = `${pointer}/${escapeSegment(name).replaceAll("*", "~2")}`;
        queue.push({ place: { ...part, schema: member }, pointer: below, above: inside });
      }
      const { items } = part.schema;
      if (items !== undefined) {
        queue.push({ place: { ...part, schema: items }, pointer: `${pointer}/*`, above: inside });
      }
    }
  }
  return [...found];
}
