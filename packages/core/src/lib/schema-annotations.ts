/** Keywords of JSON Schema 2020-12, and of the language, that say nothing of a value: a schema of these alone is `{}`. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  "$schema",
  "$comment",
  "$defs",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "redact",
]);
