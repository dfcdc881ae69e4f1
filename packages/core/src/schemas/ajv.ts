/**
 * ajv as the fast path: does the value fit, yes or no. It generates code, so this file is imported only where that is
 * allowed. Its own lists of errors are never asked for: with all of them, 100,000 wrong items make 100,000 objects.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { FORMAT_NAMES } from "../lib/format-names.js";
import { type AllowedUrl, compileAllowedUrl } from "./allowed-url.js";
import { isMultipleOf, itemsAreUnique } from "./equality.js";
import { FORMATS } from "./formats.js";
import { isSafe } from "./keywords-scalar.js";
import { type PatternCache, linearRegExp } from "../lib/linear-regexp.js";
import type { PreparedSchema } from "./prepare.js";

/** @returns whether a value fits; generated at the first call */
export type CodeGenerator = (prepared: PreparedSchema) => (value: unknown) => boolean;

/** Undefined where the platform refuses generated code. */
export function createCodeGenerator(patterns: PatternCache): CodeGenerator | undefined {
  const ajv = createAjv(patterns);
  try {
    ajv.compile(true);
  } catch {
    return undefined;
  }
  return ({ schema }) => {
    const validate = ajv.compile(schema);
    return (value) => validate(value);
  };
}

function createAjv(patterns: PatternCache): Ajv2020 {
  const regExp = (pattern: string) => linearRegExp(pattern, patterns);
  const ajv = new Ajv2020({
    // Strictness is the policy's own check of the document: here it could only throw at somebody's request.
    strict: false,
    strictNumbers: true,
    // Inherited names never satisfy `required`.
    ownProperties: true,
    allErrors: false,
    messages: false,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    // It would print whole generated functions.
    logger: false,
    code: { regExp: Object.assign(regExp, { code: "linearRegExp" }) },
  });
  for (const name of FORMAT_NAMES) ajv.addFormat(name, { type: "string", validate: FORMATS[name] });
  replaceKeywords(ajv);
  return ajv;
}

/** Keywords of ours, and those whose own code is quadratic or inexact. */
function replaceKeywords(ajv: Ajv2020): void {
  ajv.removeKeyword("uniqueItems");
  ajv.removeKeyword("multipleOf");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    errors: false,
    compile: (unique: boolean) => (items: unknown[]) => !unique || itemsAreUnique(items),
  });
  ajv.addKeyword({
    keyword: "multipleOf",
    type: "number",
    errors: false,
    compile: (divisor: number) => (value: number) => isMultipleOf(value, divisor),
  });
  ajv.addKeyword({ keyword: "safeInteger", type: "number", errors: false, compile: () => isSafe });
  ajv.addKeyword({
    keyword: "allowedUrl",
    type: "string",
    errors: false,
    compile: (allowed: AllowedUrl) => compileAllowedUrl(allowed),
  });
}
