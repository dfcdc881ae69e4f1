/**
 * Looks through the JSON Schemas of a document without loading a schema compiler: whatever compiling could refuse at the
 * first request is found here, at start.
 */
import type { Report } from "../errors/diagnostics.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { type SchemaPlace, resolveSchemaRef } from "../lib/schema-ref.js";
import { SchemaSpot } from "../lib/schema-spot.js";
import { checkBounds } from "./schema-bounds.js";
import { formProblem, patternProblem } from "./schema-forms.js";
import { FOREIGN, type Keyword, KEYWORDS } from "./schema-keywords.js";
import { checkRule } from "./shape.js";
import { alternatives, kindOf, quote } from "./words.js";

type SchemaObject = Readonly<Record<string, unknown>>;

export interface SchemaContext {
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly report: Report;
}

/**
 * @param pointer where the schema stands in the document
 * @param name under `schemas`; undefined for one that stands in a route, a group or the defaults
 * @param parameter it describes a parameter: `required` is then our own word, and a boolean
 */
export function walkSchema(
  schema: unknown,
  pointer: string,
  context: SchemaContext,
  name?: string,
  parameter = false,
): void {
  const place: SchemaPlace = { schema, root: schema, name, pointer: "" };
  new SchemaWalk(context).visit(SchemaSpot.at(place, pointer), parameter);
}

class SchemaWalk {
  readonly #report: Report;

  constructor(private readonly context: SchemaContext) {
    this.#report = context.report;
  }

  visit(spot: SchemaSpot, parameter = false): void {
    const { schema } = spot;
    if (typeof schema === "boolean") return;
    if (!isObject(schema)) {
      this.#report.error(
        "wrong-type",
        spot.pointer(),
        `expected a JSON Schema, found ${kindOf(schema)}`,
        "write an object, `true` or `false`",
      );
      return;
    }
    for (const [keyword, value] of Object.entries(schema)) {
      if (parameter && keyword === "required") this.#ownRequired(value, spot);
      else this.#keyword(keyword, value, schema, spot);
    }
    checkBounds(schema, () => spot.pointer(), this.#report);
  }

  /** `"required": true` beside a parameter's schema. */
  #ownRequired(value: unknown, spot: SchemaSpot): void {
    if (typeof value === "boolean") return;
    this.#report.error(
      "wrong-type",
      spot.pointer("required"),
      `expected \`true\` or \`false\`, found ${kindOf(value)}`,
      "a parameter says `required` of itself",
    );
  }

  #keyword(name: string, value: unknown, schema: SchemaObject, spot: SchemaSpot): void {
    const keyword = KEYWORDS.get(name);
    if (keyword === undefined) return this.#unknown(name, spot.pointer(name));
    this.#idle(name, keyword, schema, spot);
    switch (keyword.form) {
      case "schema":
        return this.visit(spot.below(value, name));
      case "schema-list":
        return this.#list(value, name, spot);
      case "schema-map":
      case "pattern-map":
        return this.#map(value, name, spot, keyword.form === "pattern-map");
      case "ref":
        return this.#reference(value, spot);
      case "redact":
        return checkRule(value, { ref: "RedactRule" }, spot.pointer(name), this.#report);
      case "names":
      case "name-map":
      case "type":
      case "enum":
      case "any":
      case "text":
      case "boolean":
      case "number":
      case "positive":
      case "count":
      case "pattern":
      case "format":
      case "dialect":
      case "allowed-url": {
        const problem = formProblem(keyword.form, value);
        if (problem !== undefined)
          this.#report.error(problem.code, spot.pointer(name), problem.message, problem.help);
      }
    }
  }

  #unknown(name: string, pointer: string): void {
    const foreign = FOREIGN.get(name);
    if (foreign !== undefined) {
      this.#report.error(
        "unsupported-keyword",
        pointer,
        `keyword ${quote(name)} is not part of the language`,
        foreign,
      );
      return;
    }
    this.#report.error(
      "unknown-keyword",
      pointer,
      `unknown keyword ${quote(name)}`,
      didYouMean(name, KEYWORDS.keys()) ??
        "write keywords of JSON Schema 2020-12; a name of your data belongs under `properties`",
    );
  }

  /** A bound that can never bind looks like a protection and is none. */
  #idle(name: string, { about, needs }: Keyword, schema: SchemaObject, spot: SchemaSpot): void {
    if (needs !== undefined && !Object.hasOwn(schema, needs)) {
      this.#report.error(
        "idle-keyword",
        spot.pointer(name),
        `\`${name}\` does nothing without \`${needs}\``,
        `add \`${needs}\`, or leave it out`,
      );
    }
    const types = typesOf(schema["type"]);
    if (about === "any" || types === undefined || types.includes(about)) return;
    if (about === "number" && types.includes("integer")) return;
    this.#report.error(
      "idle-keyword",
      spot.pointer(name),
      `\`${name}\` says nothing about ${alternatives(types)}`,
      `it is about \`${about}\`: mend the \`type\`, or leave the keyword out`,
    );
  }

  #list(value: unknown, name: string, spot: SchemaSpot): void {
    if (!Array.isArray(value) || value.length === 0) {
      return this.#report.error(
        "wrong-type",
        spot.pointer(name),
        `expected a list of schemas, not empty, found ${kindOf(value)}`,
      );
    }
    for (const [index, schema] of value.entries()) this.visit(spot.below(schema, name, String(index)));
  }

  #map(value: unknown, name: string, spot: SchemaSpot, patterns: boolean): void {
    if (!isObject(value)) {
      const message = `expected names with schemas, found ${kindOf(value)}`;
      return this.#report.error("wrong-type", spot.pointer(name), message);
    }
    for (const [key, schema] of Object.entries(value)) {
      const problem = patterns ? patternProblem(key) : undefined;
      if (problem !== undefined)
        this.#report.error(problem.code, spot.pointer(name, key), problem.message, problem.help);
      this.visit(spot.below(schema, name, key));
    }
  }

  #reference(value: unknown, spot: SchemaSpot): void {
    const pointer = spot.pointer("$ref");
    if (typeof value !== "string") {
      return this.#report.error(
        "wrong-type",
        pointer,
        `expected a reference as a string, found ${kindOf(value)}`,
      );
    }
    if (!value.startsWith("#")) {
      return this.#report.error(
        "remote-reference",
        pointer,
        `reference ${quote(value)} leads out of the document`,
        "put the schema under `schemas` and write `#/schemas/Name`",
      );
    }
    const target = resolveSchemaRef(value, spot.place, this.context.schemas);
    if (target !== undefined && (isObject(target.schema) || typeof target.schema === "boolean")) return;
    this.#report.error(
      "unknown-schema",
      pointer,
      `reference ${quote(value)} leads to no schema`,
      this.#nearest(value),
    );
  }

  #nearest(reference: string): string {
    const names = Object.keys(this.context.schemas).map((name) => `#/schemas/${name}`);
    const near = didYouMean(reference, names);
    if (near !== undefined) return near;
    return names.length === 0
      ? "the document has no `schemas`; `#/$defs/…` is looked up in the schema it stands in"
      : `the document has ${alternatives(names)}`;
  }
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typesOf(type: unknown): readonly string[] | undefined {
  if (typeof type === "string") return [type];
  return Array.isArray(type) && type.every((one) => typeof one === "string") ? type : undefined;
}
