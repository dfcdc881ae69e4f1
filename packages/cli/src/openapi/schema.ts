/**
 * Schemas of a description, as the policy language has them: JSON Schema 2020-12, named ones under `#/schemas/`, nothing of OpenAPI 3.0's
 * own dialect. What the language has no word for is listed.
 */
import { FORMAT_NAMES } from "@gatehouse/core/analysis";
import { pointerTo } from "../lib/pointer.js";
import type { Items } from "./list.js";
import { childPlace, type Documents, type Place } from "./references.js";
import { isObject, listOf, member, textOf, type JsonObject } from "./source.js";

/** A schema for what comes in has no members that only answers have. */
export type Direction = "in" | "out";

export type Schema = boolean | JsonObject;

const SCHEMA = [
  "not",
  "if",
  "then",
  "else",
  "items",
  "contains",
  "propertyNames",
  "additionalProperties",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const SCHEMA_LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMA_MAPS = ["properties", "patternProperties", "dependentSchemas"];
const VALUES = [
  "type",
  "enum",
  "const",
  "title",
  "description",
  "$comment",
  "default",
  "deprecated",
  "readOnly",
  "writeOnly",
  "minLength",
  "maxLength",
  "pattern",
  "multipleOf",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minContains",
  "maxContains",
  "required",
  "minProperties",
  "maxProperties",
  "dependentRequired",
];
/** They say nothing of what is valid. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  "xml",
  "externalDocs",
  "$schema",
  "$id",
  "contentMediaType",
  "contentEncoding",
  "contentSchema",
]);
const OURS: ReadonlyMap<string, string> = new Map([
  ["x-gatehouse-allowed-url", "allowedUrl"],
  ["x-gatehouse-redact", "redact"],
]);
const FORMATS: ReadonlySet<string> = new Set(FORMAT_NAMES);
/** What they say is said by the type, or to programmers alone. */
const IDLE_FORMATS: ReadonlySet<string> = new Set(["int64", "float", "double", "password"]);
const INT32 = { minimum: -2_147_483_648, maximum: 2_147_483_647 };
const NAME = /^[A-Za-z0-9._-]{1,128}$/u;

export class SchemaReader {
  private readonly named = new Map<string, string>();
  private readonly written = new Map<string, Schema>();
  private readonly queue: { readonly name: string; readonly place: Place; readonly direction: Direction }[] =
    [];
  private readonly readOnly = new Map<string, boolean>();
  private readonly anyReadOnly: boolean;

  constructor(
    private readonly documents: Documents,
    /** OpenAPI 3.0, whose dialect is its own. */
    private readonly old: boolean,
    private readonly items: Items,
  ) {
    this.anyReadOnly = documents.mentions("readOnly");
  }

  /** A schema where it stands. @param at JSON Pointer of where it is written to */
  read(place: Place, direction: Direction, at: string): Schema {
    const schema = this.convert(place, direction, at);
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift())
      this.written.set(next.name, this.convert(next.place, next.direction, pointerTo("/schemas", next.name)));
    return schema;
  }

  /** Those that were referred to, by name. */
  get schemas(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private convert(place: Place, direction: Direction, at: string): Schema {
    const { value } = place;
    if (typeof value === "boolean") return value;
    if (!isObject(value)) {
      this.lost(
        "no-schema",
        place,
        at,
        "what stands there is no schema; nothing fits it until one is written",
      );
      return false;
    }
    const reference = textOf(value["$ref"]);
    if (reference === undefined) return this.convertPlain(value, place, direction, at);
    const link = { $ref: `#/schemas/${this.nameOf(this.documents.target(reference, place), direction)}` };
    // OpenAPI 3.0: beside a reference nothing is read.
    const beside = this.old ? {} : this.convertPlain(value, place, direction, at);
    return { ...link, ...beside };
  }

  private convertPlain(value: JsonObject, place: Place, direction: Direction, at: string): JsonObject {
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) {
      // What is not declared does not leave anyhow, and a projection has no word for it.
      if (direction === "out" && inner === false && key.startsWith("unevaluated")) continue;
      if (SCHEMA.includes(key))
        out[key] = this.convert(childPlace(place, key), direction, pointerTo(at, key));
      else if (SCHEMA_LISTS.includes(key))
        out[key] = listOf(inner).map((_one, index) =>
          this.convert(childPlace(place, key, index), direction, pointerTo(at, key, index)),
        );
      else if (SCHEMA_MAPS.includes(key)) out[key] = this.convertMap(place, key, direction, at);
      else if (VALUES.includes(key)) this.keep(out, key, inner, place, at);
      else this.convertOther(out, key, inner, place, at);
    }
    if (direction === "in") this.withoutReadOnly(out, place);
    if (this.old) narrowed(out, value);
    return this.withNull(this.tagged(out, place), value);
  }

  private convertMap(place: Place, key: string, direction: Direction, at: string): Record<string, Schema> {
    const names = Object.keys(isObject(member(place.value, key)) ? (member(place.value, key) as object) : {});
    return Object.fromEntries(
      names.map((name) => [
        name,
        this.convert(childPlace(place, key, name), direction, pointerTo(at, key, name)),
      ]),
    );
  }

  private keep(out: Record<string, unknown>, key: string, value: unknown, place: Place, at: string): void {
    if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      this.lost(
        "bound-out-of-reach",
        place,
        at,
        `\`${key}\` is beyond what JSON numbers carry exactly; integers beyond 2^53 are refused anyhow`,
      );
      return;
    }
    out[key] = value;
  }

  private convertOther(
    out: Record<string, unknown>,
    key: string,
    value: unknown,
    place: Place,
    at: string,
  ): void {
    const ours = OURS.get(key);
    if (ours !== undefined) out[ours] = value;
    else if (key === "format") this.convertFormat(out, value, place, at);
    else if (key === "example") out["examples"] = [value];
    else if (key === "examples") out["examples"] = Array.isArray(value) ? value : [value];
    else if (key === "nullable" && this.old) return;
    else if (key === "discriminator" || key === "$ref" || key === "$defs" || key === "definitions") return;
    else if (key.startsWith("x-") || SAYS_NOTHING.has(key))
      this.items.add({
        kind: "note",
        code: "annotation",
        source: "",
        message: `\`${key}\` in schemas decides nothing, and is left out`,
      });
    else this.lost("unknown-keyword", place, at, `the keyword \`${key}\` is not part of the language`);
  }

  private convertFormat(out: Record<string, unknown>, value: unknown, place: Place, at: string): void {
    const format = textOf(value) ?? "";
    if (FORMATS.has(format)) out["format"] = format;
    else if (format === "int32") {
      // What is narrower already stays: these go first, and the schema's own words over them.
      out["minimum"] = Math.max(INT32.minimum, numberOr(member(place.value, "minimum"), INT32.minimum));
      out["maximum"] = Math.min(INT32.maximum, numberOr(member(place.value, "maximum"), INT32.maximum));
    } else if (IDLE_FORMATS.has(format))
      this.items.add({
        kind: "note",
        code: "annotation",
        source: "",
        message: `the format \`${format}\` says no more than the type, and is left out`,
      });
    else
      this.lost(
        "unknown-format",
        place,
        at,
        `the format \`${format}\` is not checked: write a \`pattern\` and a \`maxLength\``,
      );
  }

  /** Members that only answers have are unknown in a request, and none of them can be required there. */
  private withoutReadOnly(out: Record<string, unknown>, place: Place): void {
    const properties = out["properties"];
    if (!isObject(properties)) return;
    const gone = Object.keys(properties).filter((name) =>
      this.isReadOnly(childPlace(place, "properties", name)),
    );
    if (gone.length === 0) return;
    out["properties"] = Object.fromEntries(
      Object.entries(properties).filter(([name]) => !gone.includes(name)),
    );
    const required = listOf(out["required"]).filter((name) => !gone.includes(String(name)));
    if (required.length > 0) out["required"] = required;
    else delete out["required"];
  }

  private isReadOnly(place: Place): boolean {
    if (member(place.value, "readOnly") === true) return true;
    return member(this.documents.resolve(place).value, "readOnly") === true;
  }

  /** Branches that a discriminator tells apart get its values as constants: the policy has no other word for it. */
  private tagged(out: Record<string, unknown>, place: Place): Record<string, unknown> {
    const property = textOf(member(member(place.value, "discriminator"), "propertyName"));
    const key = ["oneOf", "anyOf"].find((one) => Array.isArray(out[one]));
    if (property === undefined || key === undefined) return out;
    const branches = listOf(out[key]);
    const values = branches.map((_branch, index) => this.tagsOf(place, key, index));
    if (values.some((tags) => tags.length === 0)) return out;
    out[key] = branches.map((branch, index) => ({
      type: "object",
      allOf: [branch],
      required: [property],
      properties: { [property]: { enum: values[index] } },
    }));
    return out;
  }

  private tagsOf(place: Place, key: string, index: number): readonly string[] {
    const reference = textOf(member(childPlace(place, key, index).value, "$ref"));
    if (reference === undefined) return [];
    const name = reference.split("/").at(-1) ?? "";
    const mapping = member(member(place.value, "discriminator"), "mapping");
    const mapped = Object.entries(isObject(mapping) ? mapping : {})
      .filter(([, to]) => to === reference || to === name)
      .map(([tag]) => tag);
    return mapped.length > 0 ? mapped : [name];
  }

  private withNull(out: Record<string, unknown>, value: JsonObject): JsonObject {
    if (!this.old || value["nullable"] !== true) return out;
    const type = out["type"];
    if (typeof type !== "string") return "allOf" in out ? { anyOf: [out, { type: "null" }] } : out;
    const values = out["enum"];
    return {
      ...out,
      type: [type, "null"],
      ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
    };
  }

  private nameOf(place: Place, direction: Direction): string {
    const input = direction === "in" && this.anyReadOnly && this.reachesReadOnly(place);
    const key = `${place.file}#${place.pointer}${input ? " in" : ""}`;
    const known = this.named.get(key);
    if (known !== undefined) return known;
    const last =
      (place.pointer.split("/").at(-1) ?? "") ||
      (place.file.split(/[\\/]/u).at(-1) ?? "").replace(/\.\w+$/u, "");
    const plain = last
      .replaceAll("~1", "/")
      .replaceAll("~0", "~")
      .replaceAll(/[^A-Za-z0-9._-]/gu, "_")
      .slice(0, 100);
    const name = this.freeName(
      `${NAME.test(plain) && plain !== "__proto__" ? plain : "Schema"}${input ? "Input" : ""}`,
    );
    this.named.set(key, name);
    // In the order of first use, each written once: circles end here.
    this.queue.push({ name, place, direction: input ? "in" : "out" });
    return name;
  }

  private freeName(wanted: string): string {
    const taken = new Set(this.named.values());
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}${number}`;
      if (!taken.has(name)) return name;
    }
  }

  /** Whether anything that the schema leads to is read-only, so that requests and answers need one each. */
  private reachesReadOnly(place: Place): boolean {
    const first = `${place.file}#${place.pointer}`;
    const known = this.readOnly.get(first);
    if (known !== undefined) return known;
    const seen = new Set<string>();
    const look = (here: Place): boolean => {
      if (Array.isArray(here.value)) return here.value.some((_one, index) => look(childPlace(here, index)));
      if (!isObject(here.value)) return false;
      if (here.value["readOnly"] === true) return true;
      const reference = textOf(here.value["$ref"]);
      if (reference !== undefined) {
        const target = this.documents.target(reference, here);
        const key = `${target.file}#${target.pointer}`;
        if (!seen.has(key)) {
          seen.add(key);
          if (look(target)) return true;
        }
      }
      return [...SCHEMA, ...SCHEMA_LISTS, ...SCHEMA_MAPS].some((key) => {
        const inner = childPlace(here, key);
        if (!SCHEMA_MAPS.includes(key)) return look(inner);
        return (
          isObject(inner.value) && Object.keys(inner.value).some((name) => look(childPlace(inner, name)))
        );
      });
    };
    const found = look(place);
    this.readOnly.set(first, found);
    return found;
  }

  private lost(code: string, place: Place, at: string, message: string): void {
    this.items.add({ kind: "lost", code, source: sourceOf(place), at, message });
  }
}

export function sourceOf({ file, pointer }: Place): string {
  return `${file}#${pointer}`;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** OpenAPI 3.0: `exclusiveMinimum: true` makes `minimum` exclusive. */
function narrowed(out: Record<string, unknown>, value: JsonObject): void {
  for (const [exclusive, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    if (typeof value[exclusive] !== "boolean") continue;
    delete out[exclusive];
    if (!value[exclusive] || typeof out[bound] !== "number") continue;
    out[exclusive] = out[bound];
    delete out[bound];
  }
}
