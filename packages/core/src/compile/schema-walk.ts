/**
 * Looks through the JSON Schemas of a document without loading a schema compiler: whatever compiling could refuse at the
 * first request is found here, at start.
 */
import type { Report } from "../errors/diagnostics.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { pointerTo } from "../lib/pointer.js";
import { type SchemaPlace, resolveSchemaRef } from "../lib/schema-ref.js";
import { mayBeGuarded } from "../normalize/json-guards.js";
import { checkBounds } from "./schema-bounds.js";
import { refers } from "./schema-cycles.js";
import { type FormProblem, type ScalarForm, formProblem, patternProblem } from "./schema-forms.js";
import { FOREIGN, type Keyword, KEYWORDS } from "./schema-keywords.js";
import { checkRule } from "./shape.js";
import { alternatives, kindOf, quote } from "./words.js";

type SchemaObject = Readonly<Record<string, unknown>>;

export interface SchemaContext {
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly report: Report;
}

export interface WrittenSchema {
  readonly schema: unknown;
  /** From the document to the schema. */
  readonly steps: readonly string[];
  /** Under `schemas`; undefined for one that stands in a route, a group or the defaults. */
  readonly name?: string;
  /** It describes a parameter: `required` is then our own word, and a boolean. */
  readonly parameter?: boolean;
}

/** What other checks look for in schemas. They need not look through one that has none of it. */
export interface SchemaTraits {
  /** It, or a value inside of it, may have a `$ref`. */
  readonly refers: boolean;
  /** It may hold what is warned of where requests meet it. */
  readonly warns: boolean;
}

export function walkSchema(written: WrittenSchema, context: SchemaContext): SchemaTraits {
  const { report } = context;
  const before = report.diagnostics.length;
  const walk = new SchemaWalk(written, context);
  walk.visit(written.schema, written.parameter);
  // Where something is wrong the walk did not see all.
  const wrong = report.diagnostics.length > before;
  return { refers: wrong || walk.refers, warns: wrong || walk.warns };
}

class SchemaWalk implements SchemaTraits {
  refers = false;
  warns = false;
  readonly #report: Report;
  /** A reference is resolved from the root, wherever it stands. */
  readonly #root: SchemaPlace;
  /** From the document to the schema that is looked at: spelled out where there is something to tell. */
  readonly #steps: string[];

  constructor(
    { schema, steps, name }: WrittenSchema,
    private readonly context: SchemaContext,
  ) {
    this.#report = context.report;
    this.#root = { schema, root: schema, name, pointer: "" };
    this.#steps = [...steps];
  }

  visit(schema: unknown, parameter = false): void {
    if (typeof schema === "boolean") return;
    if (!isObject(schema)) {
      this.#report.error(
        "wrong-type",
        this.#pointer(),
        `expected a JSON Schema, found ${kindOf(schema)}`,
        "write an object, `true` or `false`",
      );
      return;
    }
    let bounds = 0;
    for (const name of Object.keys(schema)) {
      const value = schema[name];
      const keyword = KEYWORDS.get(name);
      if (parameter && name === "required") this.#ownRequired(value);
      else if (keyword === undefined) this.#unknown(name, this.#pointer(name));
      else this.#keyword(name, keyword, value, schema);
      if (keyword?.form === "count" || keyword?.form === "number") bounds += 1;
    }
    // It takes two to contradict each other, and most schemas have one bound at most.
    if (bounds > 1 || Object.hasOwn(schema, "required"))
      checkBounds(schema, () => this.#pointer(), this.#report);
  }

  #pointer(...steps: readonly string[]): string {
    return pointerTo("", ...this.#steps, ...steps);
  }

  #below(schema: unknown, step: string): void {
    this.#steps.push(step);
    this.visit(schema);
    this.#steps.pop();
  }

  /** `"required": true` beside a parameter's schema. */
  #ownRequired(value: unknown): void {
    if (typeof value === "boolean") return;
    this.#report.error(
      "wrong-type",
      this.#pointer("required"),
      `expected \`true\` or \`false\`, found ${kindOf(value)}`,
      "a parameter says `required` of itself",
    );
  }

  #keyword(name: string, keyword: Keyword, value: unknown, schema: SchemaObject): void {
    this.#idle(name, keyword, schema);
    switch (keyword.form) {
      case "schema":
        return this.#below(value, name);
      case "schema-list":
        return this.#list(value, name);
      case "schema-map":
      case "pattern-map":
        return this.#map(value, name, keyword.form === "pattern-map");
      case "ref":
        return this.#reference(value);
      case "redact":
        this.#data(value);
        return checkRule(value, { ref: "RedactRule" }, this.#pointer(name), this.#report);
      case "boolean":
        // Without a bound beside it, it is warned of.
        if (name === "uniqueItems" && !Object.hasOwn(schema, "maxItems")) this.warns = true;
        return this.#scalar(name, keyword.form, value);
      case "any":
      case "enum":
        this.#data(value);
        return this.#scalar(name, keyword.form, value);
      case "names":
      case "name-map":
      case "type":
      case "text":
      case "number":
      case "positive":
      case "count":
      case "pattern":
      case "format":
      case "dialect":
      case "allowed-url":
        return this.#scalar(name, keyword.form, value);
    }
  }

  #scalar(name: string, form: ScalarForm, value: unknown): void {
    this.#tell(formProblem(form, value), name);
  }

  #tell(problem: FormProblem | undefined, ...steps: readonly string[]): void {
    if (problem !== undefined)
      this.#report.error(problem.code, this.#pointer(...steps), problem.message, problem.help);
  }

  /** A value of the author's own, in which `$ref` is a name like any other; who follows references does not know. */
  #data(value: unknown): void {
    this.refers ||= refers(value);
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
  #idle(name: string, { about, needs }: Keyword, schema: SchemaObject): void {
    if (needs !== undefined && !Object.hasOwn(schema, needs)) {
      this.#report.error(
        "idle-keyword",
        this.#pointer(name),
        `\`${name}\` does nothing without \`${needs}\``,
        `add \`${needs}\`, or leave it out`,
      );
    }
    if (about === "any") return;
    const types = typesOf(schema["type"]);
    if (types === undefined || types.includes(about)) return;
    if (about === "number" && types.includes("integer")) return;
    this.#report.error(
      "idle-keyword",
      this.#pointer(name),
      `\`${name}\` says nothing about ${alternatives(types)}`,
      `it is about \`${about}\`: mend the \`type\`, or leave the keyword out`,
    );
  }

  #list(value: unknown, name: string): void {
    if (!Array.isArray(value) || value.length === 0) {
      return this.#report.error(
        "wrong-type",
        this.#pointer(name),
        `expected a list of schemas, not empty, found ${kindOf(value)}`,
      );
    }
    this.#steps.push(name);
    for (const [index, schema] of value.entries()) this.#below(schema, String(index));
    this.#steps.pop();
  }

  #map(value: unknown, name: string, patterns: boolean): void {
    if (!isObject(value)) {
      const message = `expected names with schemas, found ${kindOf(value)}`;
      return this.#report.error("wrong-type", this.#pointer(name), message);
    }
    this.#steps.push(name);
    for (const key of Object.keys(value)) {
      if (patterns) this.#tell(patternProblem(key), key);
      if (name === "properties" && mayBeGuarded(key)) this.warns = true;
      this.#below(value[key], key);
    }
    this.#steps.pop();
  }

  #reference(value: unknown): void {
    this.refers = true;
    const pointer = this.#pointer("$ref");
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
    const target = resolveSchemaRef(value, this.#root, this.context.schemas);
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
