/** What each keyword of JSON Schema 2020-12 means for what may leave. */

/** They combine other schemas; alone they shape nothing themselves. */
export const COMBINATORS: ReadonlySet<string> = new Set(["$ref", "allOf", "oneOf", "anyOf"]);

/** Where one stands without `type`, objects are meant. */
export const OBJECT_KEYWORDS: readonly string[] = [
  "properties",
  "patternProperties",
  "additionalProperties",
  "required",
  "minProperties",
  "maxProperties",
  "dependentRequired",
];

/** Where one stands without `type`, lists are meant. */
export const ARRAY_KEYWORDS: readonly string[] = [
  "items",
  "prefixItems",
  "minItems",
  "maxItems",
  "uniqueItems",
];

/**
 * Keyword to the mend: projecting without obeying one of these would let out what it was written to keep in. Keywords that the
 * language does not have are refused before.
 */
export const NOT_FOLLOWED: ReadonlyMap<string, string> = new Map([
  ["if", "which part holds depends on the whole value; write `oneOf` with a `const` property"],
  ["then", "write `oneOf` with a `const` property"],
  ["else", "write `oneOf` with a `const` property"],
  ["not", "say what may leave, not what may not"],
  ["dependentSchemas", "write `oneOf` with a `const` property"],
  ["contains", "declare the items with `items` or `prefixItems`"],
  ["propertyNames", "declare the names with `properties` or `patternProperties`"],
  ["unevaluatedProperties", "write `additionalProperties`, or nothing: what is not declared does not leave"],
  ["unevaluatedItems", "write `items`, or nothing: what is not declared does not leave"],
]);
