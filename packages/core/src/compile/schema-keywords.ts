/** The keywords of JSON Schema 2020-12 that the language has, what each takes, and what it is about. */

/** Form of a keyword's value. */
export type KeywordForm =
  | "schema"
  | "schema-list"
  | "schema-map"
  | "pattern-map"
  | "name-map"
  | "names"
  | "type"
  | "enum"
  | "any"
  | "text"
  | "boolean"
  | "number"
  | "positive"
  | "count"
  | "pattern"
  | "format"
  | "ref"
  | "dialect"
  | "allowed-url"
  | "redact";

/** The JSON type that a keyword says something about; others pass it unseen. */
type KeywordSubject = "string" | "number" | "array" | "object" | "any";

export interface Keyword {
  readonly form: KeywordForm;
  readonly about: KeywordSubject;
  /** Without this one beside it, it does nothing. */
  readonly needs?: string;
}

function about(subject: KeywordSubject, forms: Readonly<Record<string, KeywordForm>>): [string, Keyword][] {
  return Object.entries(forms).map(([name, form]) => [name, { form, about: subject }]);
}

export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ...about("any", {
    type: "type",
    enum: "enum",
    const: "any",
    $ref: "ref",
    $defs: "schema-map",
    $schema: "dialect",
    $comment: "text",
    title: "text",
    description: "text",
    default: "any",
    examples: "any",
    deprecated: "boolean",
    readOnly: "boolean",
    writeOnly: "boolean",
    allOf: "schema-list",
    anyOf: "schema-list",
    oneOf: "schema-list",
    not: "schema",
    if: "schema",
    redact: "redact",
  }),
  ["then", { form: "schema", about: "any", needs: "if" }],
  ["else", { form: "schema", about: "any", needs: "if" }],
  ...about("string", {
    minLength: "count",
    maxLength: "count",
    pattern: "pattern",
    format: "format",
    allowedUrl: "allowed-url",
  }),
  ...about("number", {
    multipleOf: "positive",
    minimum: "number",
    maximum: "number",
    exclusiveMinimum: "number",
    exclusiveMaximum: "number",
  }),
  ...about("array", {
    items: "schema",
    prefixItems: "schema-list",
    contains: "schema",
    minItems: "count",
    maxItems: "count",
    uniqueItems: "boolean",
    unevaluatedItems: "schema",
  }),
  ["minContains", { form: "count", about: "array", needs: "contains" }],
  ["maxContains", { form: "count", about: "array", needs: "contains" }],
  ...about("object", {
    properties: "schema-map",
    patternProperties: "pattern-map",
    additionalProperties: "schema",
    propertyNames: "schema",
    required: "names",
    minProperties: "count",
    maxProperties: "count",
    dependentRequired: "name-map",
    dependentSchemas: "schema-map",
    unevaluatedProperties: "schema",
  }),
]);

/** Known elsewhere, and not part of the language: what to write instead. */
export const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["definitions", "write `$defs`"],
  ["additionalItems", "write `items` after `prefixItems`"],
  ["dependencies", "write `dependentRequired` or `dependentSchemas`"],
  ["nullable", 'write `"type": ["string", "null"]`'],
  ["example", "write `examples`"],
  ["discriminator", "write `oneOf` with a `const` property in each branch"],
  ["xml", "leave it out: bodies are JSON"],
  ["externalDocs", "leave it out, or write `description`"],
  ["$id", "leave it out: references are `#/schemas/Name` or `#/$defs/…`"],
  ["$anchor", "write `$ref` with a pointer: `#/$defs/…`"],
  ["$dynamicRef", "write `$ref` with a pointer: `#/$defs/…`"],
  ["$dynamicAnchor", "write `$ref` with a pointer: `#/$defs/…`"],
  ["$recursiveRef", "write `$ref` with a pointer: `#`"],
  ["$recursiveAnchor", "write `$ref` with a pointer: `#`"],
  ["$vocabulary", "leave it out"],
  ["contentEncoding", "leave it out: text inside of text is not looked into"],
  ["contentMediaType", "leave it out: text inside of text is not looked into"],
  ["contentSchema", "leave it out: text inside of text is not looked into"],
]);

export const TYPES: readonly string[] = ["array", "boolean", "integer", "null", "number", "object", "string"];
