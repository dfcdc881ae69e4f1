/** Keywords that look at one value: its type, a number, a string. */
import type { Node } from "./evaluation.js";
import { type AllowedUrl, compileAllowedUrl } from "./allowed-url.js";
import { canonicalText, isMultipleOf } from "./equality.js";
import { formatNamed } from "./formats.js";
import { type PatternCache, linearRegExp } from "../lib/linear-regexp.js";
import { type SchemaObject, typesOf } from "./prepare.js";

type TypeTest = (value: unknown) => boolean;

const TYPES: Readonly<Record<string, TypeTest>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

export function compileType(type: unknown): Node {
  const names = typesOf(type).map(String);
  const tests = names
    .map((name) => (Object.hasOwn(TYPES, name) ? TYPES[name] : undefined))
    .filter((test) => test !== undefined);
  if (tests.length !== names.length) throw new Error("`type` names no type of JSON Schema");
  const detail = names.join(" or ");
  const [only] = tests;
  if (tests.length === 1 && only !== undefined)
    return (value, walk) => only(value) || walk.fail("type", detail);
  return (value, walk) => tests.some((test) => test(value)) || walk.fail("type", detail);
}

export function compileEnum(values: readonly unknown[], rule: "enum" | "const"): Node {
  const scalars = new Set(values.filter((value) => typeof value !== "object" || value === null));
  const texts = new Set(
    values.filter((value) => typeof value === "object" && value !== null).map(canonicalText),
  );
  return (value, walk) => {
    const found =
      typeof value === "object" && value !== null
        ? texts.size > 0 && texts.has(canonicalText(value))
        : scalars.has(value);
    return found || walk.fail(rule);
  };
}

const NUMBERS: Readonly<Record<string, (limit: number) => Node>> = {
  minimum: (limit) => (value, walk) => Number(value) >= limit || walk.fail("minimum", limit),
  maximum: (limit) => (value, walk) => Number(value) <= limit || walk.fail("maximum", limit),
  exclusiveMinimum: (limit) => (value, walk) => Number(value) > limit || walk.fail("exclusiveMinimum", limit),
  exclusiveMaximum: (limit) => (value, walk) => Number(value) < limit || walk.fail("exclusiveMaximum", limit),
  multipleOf: (limit) => (value, walk) =>
    isMultipleOf(Number(value), limit) || walk.fail("multipleOf", limit),
};

/** Only for numbers. */
export function numberKeywords(schema: SchemaObject): Node[] {
  const nodes: Node[] = [];
  if (schema["safeInteger"] === true) {
    nodes.push((value, walk) => isSafe(value) || walk.fail("unsafe-integer"));
  }
  for (const [keyword, compile] of Object.entries(NUMBERS)) {
    const limit = schema[keyword];
    if (typeof limit === "number") nodes.push(compile(limit));
  }
  return nodes;
}

/** A fraction is not its business: `type` says that. */
export function isSafe(value: unknown): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

/** Only for strings. */
export function stringKeywords(schema: SchemaObject, patterns: PatternCache): Node[] {
  const nodes: Node[] = [];
  const { minLength, maxLength, pattern, format, allowedUrl } = schema;
  if (typeof minLength === "number") {
    nodes.push((value, walk) => !shorterThan(String(value), minLength) || walk.fail("minLength", minLength));
  }
  if (typeof maxLength === "number") {
    nodes.push(
      (value, walk) => shorterThan(String(value), maxLength + 1) || walk.fail("maxLength", maxLength),
    );
  }
  // Lengths first: they bound what the costlier tests read.
  if (typeof format === "string") nodes.push(testing("format", requireFormat(format), format));
  if (typeof pattern === "string") {
    const expression = linearRegExp(pattern, patterns);
    nodes.push(testing("pattern", (text) => expression.test(text)));
  }
  if (allowedUrl !== undefined)
    nodes.push(testing("allowedUrl", compileAllowedUrl(allowedUrl as AllowedUrl)));
  return nodes;
}

function testing(
  rule: "format" | "pattern" | "allowedUrl",
  test: (text: string) => boolean,
  detail?: string,
): Node {
  return (value, walk) => test(String(value)) || walk.fail(rule, detail);
}

function requireFormat(name: string): (text: string) => boolean {
  const test = formatNamed(name);
  if (test === undefined) throw new Error(`the format \`${name}\` is not known`);
  return test;
}

/** By characters, not by UTF-16 units (RFC 8259 section 8); counted only where units do not decide. */
function shorterThan(text: string, limit: number): boolean {
  if (text.length < limit) return true;
  if (text.length >= limit * 2) return false;
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code <= 0xdbff && isLow(text.charCodeAt(at + 1))) at++;
    if (++count >= limit) return false;
  }
  return true;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
