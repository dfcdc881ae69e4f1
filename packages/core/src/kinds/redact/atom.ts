/** What one schema says by itself, references and combinations aside. */
import { linearPatterns } from "#libraries";
import type { RedactAction } from "../../model/policy.js";
import { ANNOTATIONS } from "../../lib/schema-annotations.js";
import { ARRAY_KEYWORDS, COMBINATORS, NOT_FOLLOWED, OBJECT_KEYWORDS } from "./keywords.js";
import { ARRAY, bitOf, bitsOfType, EVERY_TYPE, OBJECT, SCALARS } from "./json-type.js";
import type { Place, SchemaReader } from "./schema-reader.js";

export interface NamePattern {
  readonly source: string;
  test(name: string): boolean;
  readonly place: Place;
}

export interface Atom {
  /** Document pointer of the schema: no two atoms share one. */
  readonly at: string;
  /**
   * `any`: `{}` or `true`, lets a value out whole. `none`: `false`, or `writeOnly`, which no answer holds (JSON Schema validation
   * section 9.4). `link`: only refers to others.
   */
  readonly kind: "any" | "none" | "link" | "shape";
  /** Bits of the types that fit: as written, else as the other keywords imply. */
  readonly types: number;
  readonly properties: ReadonlyMap<string, Place>;
  readonly patterns: readonly NamePattern[];
  /** Undefined: undeclared names do not leave. */
  readonly additional: Place | undefined;
  readonly prefix: readonly Place[];
  readonly items: Place | undefined;
  readonly required: readonly string[];
  /** Of `const` or `enum`. */
  readonly values: readonly unknown[] | undefined;
  readonly redact: RedactAction | undefined;
}

type Keywords = Readonly<Record<string, unknown>>;

export function readAtom(reader: SchemaReader, place: Place): Atom {
  const at = reader.at(place);
  const { schema } = place;
  if (typeof schema !== "object" || schema === null) {
    return schema === true ? { ...EMPTY, at, kind: "any" } : { ...EMPTY, at, kind: "none", types: 0 };
  }
  const keywords = schema as Keywords;
  refuseKeywords(reader, at, keywords);
  const kind = kindOf(keywords);
  const values = valuesOf(keywords);
  const own = (name: string): unknown => (Object.hasOwn(keywords, name) ? keywords[name] : undefined);
  const partAt = (name: string): Place | undefined => {
    const written = own(name);
    return written === undefined || written === false ? undefined : reader.below(place, written, name);
  };
  return {
    at,
    kind,
    types: kind === "any" ? EVERY_TYPE : typesOf(keywords, values),
    properties: new Map(
      entries(own("properties")).map(([name, part]) => [name, reader.below(place, part, "properties", name)]),
    ),
    patterns: patternsOf(reader, place, own("patternProperties")),
    additional: partAt("additionalProperties"),
    prefix: list(own("prefixItems")).map((part, index) => reader.below(place, part, "prefixItems", index)),
    items: partAt("items"),
    required: list(own("required")).filter((name) => typeof name === "string"),
    values,
    redact: redactOf(reader, at, own("redact")),
  };
}

const EMPTY: Omit<Atom, "at" | "kind"> = {
  types: EVERY_TYPE,
  properties: new Map(),
  patterns: [],
  additional: undefined,
  prefix: [],
  items: undefined,
  required: [],
  values: undefined,
  redact: undefined,
};

function refuseKeywords(reader: SchemaReader, at: string, keywords: Keywords): void {
  for (const keyword of Object.keys(keywords)) {
    const help = NOT_FOLLOWED.get(keyword);
    if (help !== undefined) {
      const message = `a response cannot be projected by \`${keyword}\``;
      reader.report.error("unfollowed-keyword", `${at}/${keyword}`, message, help);
    }
  }
}

function kindOf(keywords: Keywords): Atom["kind"] {
  if (keywords["writeOnly"] === true) return "none";
  const names = Object.keys(keywords).filter((name) => !ANNOTATIONS.has(name));
  if (names.length === 0) return "any";
  return names.every((name) => COMBINATORS.has(name)) ? "link" : "shape";
}

function typesOf(keywords: Keywords, values: readonly unknown[] | undefined): number {
  if (keywords["type"] !== undefined) return bitsOfType(keywords["type"]);
  if (values !== undefined) return values.reduce<number>((bits, value) => bits | bitOf(value), 0);
  let implied = 0;
  if (OBJECT_KEYWORDS.some((name) => Object.hasOwn(keywords, name))) implied |= OBJECT;
  if (ARRAY_KEYWORDS.some((name) => Object.hasOwn(keywords, name))) implied |= ARRAY;
  // `minLength`, `format` and their like speak of scalars.
  return implied === 0 ? SCALARS : implied;
}

function valuesOf(keywords: Keywords): readonly unknown[] | undefined {
  if (Object.hasOwn(keywords, "const")) return [keywords["const"]];
  const values = keywords["enum"];
  return Array.isArray(values) ? (values as readonly unknown[]) : undefined;
}

function patternsOf(reader: SchemaReader, place: Place, written: unknown): readonly NamePattern[] {
  const patterns: NamePattern[] = [];
  for (const [source, part] of entries(written)) {
    const below = reader.below(place, part, "patternProperties", source);
    try {
      // Names may be data: only a linear engine may look at them.
      const RE2 = linearPatterns();
      const program = RE2.compile(RE2.translateRegExp(source));
      patterns.push({ source, test: (name) => program.test(name), place: below });
    } catch {
      reader.report.error(
        "invalid-pattern",
        reader.at(below),
        `\`${source}\` is no pattern in the syntax of RE2`,
      );
    }
  }
  return patterns;
}

/** What is no action at all was refused with the document's shape; an entry with conditions would need a route to ask. */
function redactOf(reader: SchemaReader, at: string, written: unknown): RedactAction | undefined {
  if (written === undefined || isAction(written)) return written;
  if (typeof written === "object" && written !== null && Object.hasOwn(written, "action")) {
    reader.report.error(
      "invalid-redact",
      `${at}/redact`,
      "the keyword `redact` takes an action alone",
      "conditions go into `response.redact` of a route",
    );
  }
  return "remove";
}

function isAction(written: unknown): written is RedactAction {
  if (typeof written === "object" && written !== null) return Object.keys(written).join() === "replace";
  return ["remove", "null", "mask", "hash", "last4"].some((name) => name === written);
}

function entries(written: unknown): [string, unknown][] {
  return typeof written === "object" && written !== null ? Object.entries(written) : [];
}

function list(written: unknown): readonly unknown[] {
  return Array.isArray(written) ? (written as readonly unknown[]) : [];
}
