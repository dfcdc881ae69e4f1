/** What a keyword's value must be, for all keywords that hold no schema. Undefined: it is fine. */
import { didYouMean } from "../errors/did-you-mean.js";
import { FORMAT_NAMES } from "../lib/format-names.js";
import { patternFault } from "../lib/linear-regexp.js";
import type { KeywordForm } from "./schema-keywords.js";
import { TYPES } from "./schema-keywords.js";
import { alternatives, kindOf, quote } from "./words.js";

export interface FormProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string | undefined;
}

/** Longer ones cost more to compile than a schema is worth. */
const MAX_PATTERN = 1_000;
const DIALECT = "https://json-schema.org/draft/2020-12/schema";

export type ScalarForm = Exclude<
  KeywordForm,
  "schema" | "schema-list" | "schema-map" | "pattern-map" | "ref" | "redact"
>;

export function formProblem(form: ScalarForm, value: unknown): FormProblem | undefined {
  switch (form) {
    case "any":
      return undefined;
    case "text":
      return typeof value === "string" ? undefined : expected("a string", value);
    case "boolean":
      return typeof value === "boolean" ? undefined : expected("`true` or `false`", value);
    case "number":
      return typeof value === "number" ? undefined : expected("a number", value);
    case "positive":
      return typeof value === "number" && value > 0 ? undefined : expected("a number above 0", value);
    case "count":
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? undefined
        : expected("a whole number from 0", value);
    case "pattern":
      return patternProblem(value);
    case "format":
      return oneOf("unknown-format", value, FORMAT_NAMES);
    case "type":
      return typesProblem(value);
    case "enum":
      return Array.isArray(value) && value.length > 0
        ? undefined
        : expected("a list of values, not empty", value);
    case "names":
      return namesProblem(value);
    case "name-map":
      return nameMapProblem(value);
    case "dialect":
      return value === DIALECT
        ? undefined
        : {
            code: "invalid-value",
            message: "the schema is of another dialect",
            help: `write \`${DIALECT}\`, or leave it out`,
          };
    case "allowed-url":
      return allowedUrlProblem(value);
  }
}

function expected(what: string, value: unknown): FormProblem {
  return { code: "wrong-type", message: `expected ${what}, found ${kindOf(value)}` };
}

function oneOf(
  code: "unknown-format" | "unknown-type",
  value: unknown,
  known: readonly string[],
): FormProblem | undefined {
  if (typeof value !== "string") return expected("a string", value);
  if (known.includes(value)) return undefined;
  return {
    code,
    message: `${code.replace("-", " ")} ${quote(value)}`,
    help: didYouMean(value, known) ?? `write ${alternatives(known)}`,
  };
}

export function patternProblem(value: unknown): FormProblem | undefined {
  if (typeof value !== "string") return expected("a regular expression as a string", value);
  if (value.length > MAX_PATTERN) {
    return {
      code: "too-long",
      message: `the pattern has ${value.length} characters, at most ${MAX_PATTERN} are allowed`,
    };
  }
  const fault = patternFault(value);
  if (fault === undefined) return undefined;
  return {
    code: "invalid-pattern",
    message: `pattern ${quote(value)} cannot be compiled: ${fault.replace(/\.$/u, "")}`,
    help: "patterns run in linear time: lookahead, lookbehind and backreferences are not to be had",
  };
}

function typesProblem(value: unknown): FormProblem | undefined {
  if (!Array.isArray(value)) return oneOf("unknown-type", value, TYPES);
  if (value.length === 0 || new Set(value).size !== value.length) {
    return {
      code: "invalid-value",
      message: "the list of types is empty or names one twice",
      help: `write ${alternatives(TYPES)}`,
    };
  }
  for (const type of value) {
    const problem = oneOf("unknown-type", type, TYPES);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function namesProblem(value: unknown): FormProblem | undefined {
  if (!isNames(value)) return expected("a list of property names", value);
  return new Set(value).size === value.length
    ? undefined
    : { code: "duplicate-entry", message: "a name stands in the list twice", help: "name it once" };
}

function nameMapProblem(value: unknown): FormProblem | undefined {
  if (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isNames)
  ) {
    return undefined;
  }
  return expected("property names, each with a list of property names", value);
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/u;
const HOST = /^(\*\.)?([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/u;

function allowedUrlProblem(value: unknown): FormProblem | undefined {
  const form = 'write `{ "schemes": ["https"], "hosts": ["images.example.com"] }`';
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ...expected("`schemes` and `hosts`", value), help: form };
  }
  for (const key of Object.keys(value)) {
    if (key !== "schemes" && key !== "hosts") {
      return {
        code: "unknown-key",
        message: `unknown key ${quote(key)}`,
        help: didYouMean(key, ["schemes", "hosts"]) ?? form,
      };
    }
  }
  const { schemes, hosts } = value as { schemes?: unknown; hosts?: unknown };
  const fine = filled(schemes, SCHEME) && filled(hosts, HOST);
  return fine
    ? undefined
    : {
        code: "invalid-value",
        message: "`allowedUrl` needs schemes and hosts, each a list that is not empty",
        help: form,
      };
}

function filled(value: unknown, form: RegExp): boolean {
  return isNames(value) && value.length > 0 && value.every((one) => form.test(one));
}
