/**
 * Whether whatever fits one JSON Schema fits another, for a part of the language: `type`, `enum`, `const`, bounds, lengths, `required`,
 * `properties`, `additionalProperties`, `items`, `allOf`, `anyOf` in the wider one's place, references; `pattern`, `format`, `multipleOf`
 * and all other keywords by equality alone. Where that does not show it, it is not shown.
 */
import { ANNOTATIONS } from "@gatehouse/core/analysis";
import { isRecord } from "../lib/json.js";
import { alike, canonical } from "./canonical.js";
import { all, notShown, SHOWN, shownIf, type Proof } from "./model.js";

type Members = Readonly<Record<string, unknown>>;

export interface SchemaWorld {
  /** `schemas` of the document. */
  readonly schemas: Members;
  /** What becomes of members that no schema names. */
  readonly unknown: "reject" | "strip" | "allow" | "output";
}

/** A schema, and the one it stands in. */
export interface Place {
  readonly schema: unknown;
  readonly root: unknown;
  readonly world: SchemaWorld;
}

/** Each asks on its own, and has the same meaning wherever it stands. */
const ALONE: ReadonlySet<string> = new Set(["pattern", "format", "multipleOf", "uniqueItems", "allowedUrl"]);
const COMPARED: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
  "properties",
  "additionalProperties",
  "items",
]);

export function schemaWithin(
  inner: unknown,
  innerWorld: SchemaWorld,
  outer: unknown,
  outerWorld: SchemaWorld,
): Proof {
  return new Walk().within(rootPlace(inner, innerWorld), rootPlace(outer, outerWorld), "");
}

export function rootPlace(schema: unknown, world: SchemaWorld): Place {
  return { schema, root: schema, world };
}

/** With references written out as far as they do not run in circles. */
export function spelledOut(schema: unknown, world: SchemaWorld): string {
  return spelledAt(rootPlace(schema, world));
}

export function spelledAt(place: Place): string {
  return canonical(spell(place, new Set()));
}

/** The same without what decides nothing. */
export function rulesOf(schema: unknown, world: SchemaWorld): string {
  return canonical(withoutNotes(spell(rootPlace(schema, world), new Set())));
}

const DATA: ReadonlySet<string> = new Set(["enum", "const", "required", "type"]);
const NAMED: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas", "$defs"]);

function withoutNotes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNotes);
  if (!isRecord(schema)) return schema;
  const kept = Object.entries(schema).filter(([key]) => !ANNOTATIONS.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (DATA.has(key)) return [key, value];
      if (!NAMED.has(key) || !isRecord(value)) return [key, withoutNotes(value)];
      return [key, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutNotes(one)]))];
    }),
  );
}

function spell({ schema, root, world }: Place, seen: ReadonlySet<unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((one: unknown) => spell({ schema: one, root, world }, seen));
  if (!isRecord(schema)) return schema;
  // To which of those around it a circle leads is a part of what is said.
  if (seen.has(schema)) return `circle ${[...seen].indexOf(schema)}`;
  const within = new Set([...seen, schema]);
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key !== "$ref" || typeof value !== "string")
        return [key, spell({ schema: value, root, world }, within)];
      const target = targetOf(value, { schema, root, world });
      return ["$ref", target === undefined ? value : spell(target, within)];
    }),
  );
}

const DEEPEST = 40;

class Walk {
  readonly #assumed = new Set<string>();

  within(a: Place, b: Place, at: string): Proof {
    const x = followed(a);
    const y = followed(b);
    if (y.schema === true || isEmpty(y)) return SHOWN;
    if (x.schema === false) return SHOWN;
    if (y.schema === false || !isRecord(y.schema))
      return notShown(`${at === "" ? "the whole" : at} may not be there`);
    const [narrow, wide] = [spelledAt(x), spelledAt(y)];
    if (x.world.unknown === y.world.unknown && narrow === wide) return SHOWN;
    const key = `${narrow} ${wide}`;
    // In a circle, what is asked again holds if the rest does.
    if (this.#assumed.has(key)) return SHOWN;
    if (this.#assumed.size > DEEPEST * 10) return notShown("the schemas are too large");
    this.#assumed.add(key);
    return this.#members(x, { ...y, schema: y.schema }, at);
  }

  #members(x: Place, y: Place & { readonly schema: Members }, at: string): Proof {
    const proofs: Proof[] = [];
    const wide = y.schema;
    if (Array.isArray(wide["allOf"])) {
      if (closes(x) || closes(y)) return this.#opaque(x, y, "allOf", at);
      for (const part of wide["allOf"] as readonly unknown[])
        proofs.push(this.within(x, { ...y, schema: part }, at));
    }
    const strange = Object.keys(wide).find(
      (keyword) =>
        !ANNOTATIONS.has(keyword) && !ALONE.has(keyword) && !COMPARED.has(keyword) && keyword !== "allOf",
    );
    if (strange !== undefined) return this.#opaque(x, y, strange, at);
    const narrow = isRecord(x.schema) ? x.schema : {};
    // What a composed schema lets in beside its `properties` is not looked into.
    const composed = [
      "$ref",
      "allOf",
      "anyOf",
      "oneOf",
      "if",
      "not",
      "patternProperties",
      "unevaluatedProperties",
      "dependentSchemas",
      "prefixItems",
    ];
    const foreign = composed.find((keyword) => Object.hasOwn(narrow, keyword));
    if (foreign !== undefined) return this.#opaque(x, y, foreign, at);
    for (const keyword of ALONE) {
      if (!Object.hasOwn(wide, keyword) || wide[keyword] === false) continue;
      proofs.push(shownIf(alike(narrow[keyword], wide[keyword]), `${at}: \`${keyword}\` differs`));
    }
    return all(
      ...proofs,
      typesWithin(narrow, wide, at),
      valuesWithin(narrow, wide, at),
      boundsWithin(narrow, wide, at),
      this.#objects({ ...x, schema: narrow }, y, at),
      this.#items({ ...x, schema: narrow }, y, at),
    );
  }

  #opaque(x: Place, y: Place, keyword: string, at: string): Proof {
    return shownIf(
      x.world.unknown === y.world.unknown && spelledAt(x) === spelledAt(y),
      `${at === "" ? "the schema" : at} has \`${keyword}\`, which is compared by equality alone`,
    );
  }

  #objects(
    x: Place & { readonly schema: Members },
    y: Place & { readonly schema: Members },
    at: string,
  ): Proof {
    if (!mayBe(x.schema, "object")) return SHOWN;
    const a = membersOf(x.schema["properties"]);
    const b = membersOf(y.schema["properties"]);
    const needed = namesOf(x.schema["required"]);
    const missing = namesOf(y.schema["required"]).find((name) => !needed.includes(name));
    if (missing !== undefined) return notShown(`${at}/${missing} may be missing`);
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const proof = this.within(memberOf(x, a, name), memberOf(y, b, name), `${at}/${name}`);
      if (!proof.shown) return proof;
    }
    return this.within(otherMembers(x), otherMembers(y), `${at}/*`);
  }

  #items(
    x: Place & { readonly schema: Members },
    y: Place & { readonly schema: Members },
    at: string,
  ): Proof {
    if (!mayBe(x.schema, "array") || y.schema["items"] === undefined) return SHOWN;
    return this.within(
      { ...x, schema: x.schema["items"] ?? true },
      { ...y, schema: y.schema["items"] },
      `${at}/*`,
    );
  }
}

function memberOf(place: Place & { readonly schema: Members }, properties: Members, name: string): Place {
  return Object.hasOwn(properties, name) ? { ...place, schema: properties[name] } : otherMembers(place);
}

/** What members may be that `properties` does not name. */
function otherMembers(place: Place & { readonly schema: Members }): Place {
  const written = place.schema["additionalProperties"];
  if (written !== undefined) return { ...place, schema: written };
  return { ...place, schema: !isObjectSchema(place.schema) || place.world.unknown === "allow" };
}

/** `unknown` acts on schemas that are about objects. */
function isObjectSchema(schema: Members): boolean {
  if (Object.hasOwn(schema, "const") || Object.hasOwn(schema, "enum")) return false;
  const speaks = [
    "properties",
    "patternProperties",
    "required",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
  ];
  return (
    typesOf(schema)?.includes("object") === true ||
    speaks.some((keyword) => typeof schema[keyword] === "object")
  );
}

function closes({ world }: Place): boolean {
  return world.unknown !== "allow";
}

function typesOf(schema: Members): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? namesOf(type) : undefined;
}

function mayBe(schema: Members, type: string): boolean {
  return typesOf(schema)?.includes(type) ?? !Array.isArray(schema["enum"]);
}

function typesWithin(narrow: Members, wide: Members, at: string): Proof {
  const allowed = typesOf(wide);
  if (allowed === undefined) return SHOWN;
  const fits = (type: string): boolean =>
    allowed.includes(type) || (type === "integer" && allowed.includes("number"));
  const values = listedValues(narrow);
  const types = typesOf(narrow) ?? values?.map(typeOf);
  return shownIf(types?.every(fits) === true, `${at === "" ? "the whole" : at}: values of another type fit`);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function listedValues(schema: Members): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, "const")) return [schema["const"]];
  const { enum: values } = schema;
  return Array.isArray(values) ? (values as readonly unknown[]) : undefined;
}

function valuesWithin(narrow: Members, wide: Members, at: string): Proof {
  const allowed = [wide["enum"], Object.hasOwn(wide, "const") ? [wide["const"]] : undefined].filter(
    (one): one is readonly unknown[] => Array.isArray(one),
  );
  const values = listedValues(narrow);
  return shownIf(
    allowed.every((list) => values?.every((value) => list.some((one) => alike(one, value))) === true),
    `${at}: other values are listed`,
  );
}

const LOWER = ["minimum", "minLength", "minItems", "minProperties"];
const UPPER = ["maximum", "maxLength", "maxItems", "maxProperties"];

function boundsWithin(narrow: Members, wide: Members, at: string): Proof {
  const tells = (keyword: string, least: boolean): Proof => {
    const bound = wide[keyword];
    if (typeof bound !== "number") return SHOWN;
    const own = narrow[keyword];
    const strict =
      keyword === "minimum"
        ? narrow["exclusiveMinimum"]
        : keyword === "maximum"
          ? narrow["exclusiveMaximum"]
          : undefined;
    const holds = [own, strict].some(
      (one) => typeof one === "number" && (least ? one >= bound : one <= bound),
    );
    return shownIf(holds || (least && bound === 0 && keyword !== "minimum"), `${at}: \`${keyword}\` differs`);
  };
  const exclusive = (keyword: string, loose: string, least: boolean): Proof => {
    const bound = wide[keyword];
    if (typeof bound !== "number") return SHOWN;
    const strict = narrow[keyword];
    const own = narrow[loose];
    const holds =
      (typeof strict === "number" && (least ? strict >= bound : strict <= bound)) ||
      (typeof own === "number" && (least ? own > bound : own < bound));
    return shownIf(holds, `${at}: \`${keyword}\` differs`);
  };
  return all(
    ...LOWER.map((keyword) => tells(keyword, true)),
    ...UPPER.map((keyword) => tells(keyword, false)),
    exclusive("exclusiveMinimum", "minimum", true),
    exclusive("exclusiveMaximum", "maximum", false),
  );
}

/** A reference that stands alone. */
export function followed(place: Place, silent = ANNOTATIONS): Place {
  let at = place;
  for (let steps = 0; steps < DEEPEST; steps += 1) {
    const { schema } = at;
    if (!isRecord(schema) || typeof schema["$ref"] !== "string") return at;
    if (Object.keys(schema).some((key) => key !== "$ref" && !silent.has(key))) return at;
    const target = targetOf(schema["$ref"], at);
    if (target === undefined) return at;
    at = target;
  }
  return at;
}

function targetOf(reference: string, { root, world }: Place): Place | undefined {
  const steps = reference
    .replace(/^#\//u, "")
    .split("/")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
  const named = steps[0] === "schemas";
  const base: unknown = named ? world.schemas[steps[1] ?? ""] : root;
  let schema = base;
  for (const step of named ? steps.slice(2) : reference === "#" ? [] : steps) {
    if (typeof schema !== "object" || schema === null) return undefined;
    schema = (schema as Members)[step];
  }
  return schema === undefined ? undefined : { schema, root: base, world };
}

function isEmpty({ schema, world }: Place): boolean {
  if (!isRecord(schema)) return false;
  const telling = Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword));
  return telling.length === 0 && world.unknown !== "output";
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
