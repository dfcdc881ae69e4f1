/** Where two schemas differ, and which is stricter. What cannot be compared is said to be so. */
import { ANNOTATIONS } from "@gatehouse/core/analysis";
import { pointerTo } from "../lib/pointer.js";
import type { Schema } from "./schema.js";
import { isObject, type JsonObject } from "./source.js";

/** Of the policy, against the description. */
export type Direction = "stricter" | "looser" | "unknown";

export interface SchemaDifference {
  readonly direction: Direction;
  /** JSON Pointer of the value that is spoken of. */
  readonly at: string;
  readonly message: string;
}

export interface Side {
  readonly schema: Schema | undefined;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** Longer reports are read by nobody. */
const MOST = 200;
/** Keywords that say more than one plain shape does. */
const COMPOSED = [
  "oneOf",
  "anyOf",
  "not",
  "if",
  "dependentSchemas",
  "patternProperties",
  "prefixItems",
  "contains",
  "propertyNames",
  "dependentRequired",
];
const LEAST = ["minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum", "minContains"];
const GREATEST = ["maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum", "maxContains"];
const RULES = [
  "pattern",
  "format",
  "const",
  "multipleOf",
  "uniqueItems",
  "allowedUrl",
  "unevaluatedProperties",
  "unevaluatedItems",
];

/** @param answers whether the schemas shape what leaves: then a member is withheld or let out, and nothing is required */
export function schemaDifferences(
  description: Side,
  policy: Side,
  answers: boolean,
): readonly SchemaDifference[] {
  const comparison = new Comparison(description, policy, answers);
  comparison.compare(description.schema ?? true, policy.schema ?? true, "");
  return comparison.found;
}

class Comparison {
  readonly found: SchemaDifference[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly description: Side,
    private readonly policy: Side,
    private readonly answers: boolean,
  ) {}

  compare(theirs: Schema, ours: Schema, at: string): void {
    const pair = `${JSON.stringify(theirs)}\n${JSON.stringify(ours)}`;
    // A schema that holds itself is compared once.
    if (this.seen.has(pair) || this.found.length >= MOST) return;
    this.seen.add(pair);
    const a = flat(theirs, this.description.schemas);
    const b = flat(ours, this.policy.schemas);
    if (typeof a === "boolean" || typeof b === "boolean") return this.compareWhole(a, b, at);
    const composed = COMPOSED.filter((key) => key in a || key in b);
    if (composed.length > 0) return this.compareComposed(a, b, composed, at);
    this.compareTypes(a, b, at);
    this.compareBounds(a, b, at);
    this.compareEnum(a, b, at);
    this.compareRules(a, b, at);
    this.compareMembers(a, b, at);
    const items = [a["items"], b["items"]] as const;
    if (items[0] !== undefined || items[1] !== undefined)
      this.compare((items[0] ?? true) as Schema, (items[1] ?? true) as Schema, pointerTo(at, "*"));
  }

  private compareWhole(a: Schema, b: Schema, at: string): void {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    const open = (schema: Schema): boolean => schema === true || (isObject(schema) && saysNothing(schema));
    if (open(a) && open(b)) return;
    if (b === false)
      this.tell(
        "stricter",
        at,
        this.answers ? "the policy lets nothing out here" : "the policy accepts nothing here",
      );
    else if (open(b))
      this.tell(
        "looser",
        at,
        this.answers ? "the policy lets anything out here" : "the policy accepts anything here",
      );
    else if (a === false) this.tell("looser", at, "the description allows nothing here");
    else this.tell("stricter", at, "the description allows anything here");
  }

  private compareComposed(a: JsonObject, b: JsonObject, composed: readonly string[], at: string): void {
    if (unfolded(a, this.description.schemas) === unfolded(b, this.policy.schemas)) return;
    this.tell(
      "unknown",
      at,
      `schemas with ${composed.map((key) => `\`${key}\``).join(", ")} are not compared, and these differ`,
    );
  }

  private compareTypes(a: JsonObject, b: JsonObject, at: string): void {
    const theirs = typesOf(a);
    const ours = typesOf(b);
    const missing = theirs.filter((type) => !covers(ours, type));
    const more = ours.filter((type) => !covers(theirs, type));
    if (missing.length > 0) this.tell("stricter", at, `the policy does not take ${words(missing)}`);
    if (more.length > 0) this.tell("looser", at, `the policy takes ${words(more)} too`);
  }

  private compareBounds(a: JsonObject, b: JsonObject, at: string): void {
    for (const [keys, sign] of [
      [LEAST, 1],
      [GREATEST, -1],
    ] as const)
      for (const key of keys) {
        const theirs = a[key];
        const ours = b[key];
        if (theirs === ours) continue;
        const tighter = (value: unknown): number => (typeof value === "number" ? value * sign : -Infinity);
        this.tell(
          tighter(ours) > tighter(theirs) ? "stricter" : "looser",
          at,
          `\`${key}\` is ${shown(ours)} in the policy, ${shown(theirs)} in the description`,
        );
      }
  }

  private compareEnum(a: JsonObject, b: JsonObject, at: string): void {
    const theirs = valuesOf(a["enum"]);
    const ours = valuesOf(b["enum"]);
    if (theirs === undefined && ours === undefined) return;
    if (theirs === undefined) return this.tell("stricter", at, "the policy has a list of values (`enum`)");
    if (ours === undefined) return this.tell("looser", at, "the policy has no list of values (`enum`)");
    const missing = theirs.filter((value) => !ours.includes(value));
    const more = ours.filter((value) => !theirs.includes(value));
    if (missing.length > 0)
      this.tell(
        "stricter",
        at,
        `the policy leaves out ${missing.length === 1 ? "a value" : `${missing.length} values`} of \`enum\``,
      );
    if (more.length > 0)
      this.tell(
        "looser",
        at,
        `the policy has ${more.length === 1 ? "a value" : `${more.length} values`} of \`enum\` more`,
      );
  }

  private compareRules(a: JsonObject, b: JsonObject, at: string): void {
    for (const key of RULES) {
      const theirs = a[key] === false && key === "uniqueItems" ? undefined : a[key];
      const ours = b[key] === false && key === "uniqueItems" ? undefined : b[key];
      if (JSON.stringify(theirs) === JSON.stringify(ours)) continue;
      const direction = theirs === undefined ? "stricter" : ours === undefined ? "looser" : "unknown";
      this.tell(
        direction,
        at,
        direction === "unknown"
          ? `\`${key}\` differs`
          : `\`${key}\` stands in the ${direction === "stricter" ? "policy" : "description"} alone`,
      );
    }
  }

  private compareMembers(a: JsonObject, b: JsonObject, at: string): void {
    const theirs = isObject(a["properties"]) ? a["properties"] : {};
    const ours = isObject(b["properties"]) ? b["properties"] : {};
    const shaped = [a, b].some(
      (one) => one["properties"] !== undefined || one["additionalProperties"] !== undefined,
    );
    if (!shaped) return;
    for (const [name, schema] of Object.entries(theirs)) {
      const inner = pointerTo(at, name);
      if (Object.hasOwn(ours, name)) this.compare(schema as Schema, ours[name] as Schema, inner);
      else if (!isOpen(b["additionalProperties"]))
        this.tell(
          "stricter",
          inner,
          this.answers ? "the policy withholds it" : "the policy does not know it",
        );
    }
    for (const name of Object.keys(ours))
      if (!Object.hasOwn(theirs, name) && ours[name] !== false)
        this.tell(
          "looser",
          pointerTo(at, name),
          this.answers ? "it leaves, and is not described" : "the policy takes it, and it is not described",
        );
    this.compareOthers(a, b, at);
    if (!this.answers) this.compareRequired(a, b, at);
  }

  /** Silence is closed in a policy, and usual in a description: only what is written is compared. */
  private compareOthers(a: JsonObject, b: JsonObject, at: string): void {
    const theirs = a["additionalProperties"];
    const ours = b["additionalProperties"];
    if (isOpen(theirs) && !isOpen(ours))
      this.tell("stricter", at, "the description allows members of any name");
    else if (isOpen(ours) && !isOpen(theirs))
      this.tell("looser", at, "the policy allows members of any name");
    else if (isObject(theirs) && isObject(ours)) this.compare(theirs, ours, pointerTo(at, "*"));
  }

  private compareRequired(a: JsonObject, b: JsonObject, at: string): void {
    const theirs = new Set(Array.isArray(a["required"]) ? (a["required"] as readonly string[]) : []);
    const ours = new Set(Array.isArray(b["required"]) ? (b["required"] as readonly string[]) : []);
    for (const name of ours)
      if (!theirs.has(name)) this.tell("stricter", pointerTo(at, name), "the policy requires it");
    for (const name of theirs)
      if (!ours.has(name)) this.tell("looser", pointerTo(at, name), "the policy does not require it");
  }

  private tell(direction: Direction, at: string, message: string): void {
    this.found.push({ direction, at, message });
  }
}

/** References followed, and `allOf` as one schema where its parts do not speak of the same keyword. */
function flat(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): Schema {
  if (!isObject(schema) || depth > 64) return schema;
  const { $ref, allOf, ...own } = schema;
  const named = typeof $ref === "string" ? schemas[$ref.replace(/^#\/schemas\//u, "")] : undefined;
  const parts = [...(named === undefined ? [] : [named]), ...((allOf ?? []) as readonly Schema[])].map(
    (part) => flat(part, schemas, depth + 1),
  );
  if (parts.length === 0) return schema;
  if (parts.includes(false)) return false;
  return [...parts.filter(isObject), own].reduce<JsonObject>(merged, {});
}

function merged(a: JsonObject, b: JsonObject): JsonObject {
  const out: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = out[key];
    if (key === "properties" && isObject(before) && isObject(value)) {
      const both = Object.keys(value).filter(
        (name) => Object.hasOwn(before, name) && JSON.stringify(before[name]) !== JSON.stringify(value[name]),
      );
      out[key] = {
        ...before,
        ...value,
        ...Object.fromEntries(both.map((name) => [name, { allOf: [before[name], value[name]] }])),
      };
    } else if (key === "required" && Array.isArray(before) && Array.isArray(value))
      out[key] = [...new Set([...(before as unknown[]), ...(value as unknown[])])];
    else if (typeof before === "number" && typeof value === "number" && LEAST.includes(key))
      out[key] = Math.max(before, value);
    else if (typeof before === "number" && typeof value === "number" && GREATEST.includes(key))
      out[key] = Math.min(before, value);
    else out[key] = value;
  }
  return out;
}

function saysNothing(schema: JsonObject): boolean {
  return Object.keys(schema).every((key) => ANNOTATIONS.has(key));
}

/** Two that are the same but for names, order of members and annotations are one text. */
function unfolded(schema: unknown, schemas: Readonly<Record<string, Schema>>): string {
  const open: string[] = [];
  const write = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(write);
    if (!isObject(value)) return value;
    const { $ref, ...own } = value;
    if (typeof $ref === "string") {
      const name = $ref.replace(/^#\/schemas\//u, "");
      const depth = open.indexOf(name);
      if (depth >= 0 || open.length > 8) return { circle: open.length - depth };
      open.push(name);
      const inner = write(schemas[name]);
      open.pop();
      return Object.keys(own).length === 0 ? inner : [inner, write(own)];
    }
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !ANNOTATIONS.has(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, write(inner)]),
    );
  };
  return JSON.stringify(write(schema));
}

const TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"];

function typesOf(schema: JsonObject): readonly string[] {
  const type = schema["type"];
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type as readonly string[];
  const values = schema["enum"];
  if (Array.isArray(values)) return [...new Set(values.map(typeOfValue))];
  if (schema["properties"] !== undefined) return ["object"];
  return schema["items"] === undefined ? TYPES : ["array"];
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function covers(types: readonly string[], type: string): boolean {
  return types.includes(type) || (type === "integer" && types.includes("number"));
}

function words(types: readonly string[]): string {
  return types.length > 3 ? "every type" : types.map((type) => `\`${type}\``).join(" and ");
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : "nothing";
}

function valuesOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map((one) => JSON.stringify(one)) : undefined;
}

function isOpen(additional: unknown): boolean {
  return additional === true || (isObject(additional) && saysNothing(additional));
}
