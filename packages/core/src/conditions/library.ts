/** The CEL library: its parser reads the text, and its type checker has a say beside ours. Its evaluator is not used here. */
import { Environment } from "@marcbachmann/cel-js";
import type { ASTNode } from "@marcbachmann/cel-js";
import { LRUCache } from "lru-cache";
import type { Vocabulary } from "./roots.js";
import { libraryType } from "./types.js";

/** Longest text of an expression, and how often `!` and `-` may follow each other: the parser calls itself for each. */
const MAX_TEXT = 16_384;
const MAX_PREFIXES = 32;

const LIMITS = {
  maxAstNodes: 1000,
  maxDepth: 64,
  maxListElements: 500,
  maxMapEntries: 100,
  maxCallArguments: 32,
};

/** Roots whose names need not be identifiers, so that presence is asked with `in`. */
const ASKED_BY_NAME = ["Root_query", "Root_headers", "Root_cookies"];

/** How a record type is given to the library; the library's evaluator (in tests) tells objects apart by it. */
export interface LibraryTypes {
  readonly environment: Environment;
  /** By the record type's name. */
  readonly constructors: ReadonlyMap<string, new () => object>;
}

/** Conversions of standard CEL that the library does not declare. */
const MISSING_CONVERSIONS = [
  "int(google.protobuf.Timestamp): int",
  "string(google.protobuf.Timestamp): string",
  "string(google.protobuf.Duration): string",
  "timestamp(google.protobuf.Timestamp): google.protobuf.Timestamp",
  "duration(google.protobuf.Duration): google.protobuf.Duration",
];

/** The library as every scope extends it. Made once: its tables are large. */
let base: Environment | undefined;

function baseEnvironment(): Environment {
  if (base !== undefined) return base;
  const environment = new Environment({ limits: LIMITS });
  // Numbers compare by value across int and double, also where both types are known.
  environment.registerOperator("int == double", (a: bigint, b: number) => Number(a) === b);
  for (let ranges = 1; ranges < LIMITS.maxCallArguments; ranges += 1) {
    environment.registerFunction(
      `inRange(${Array.from({ length: ranges + 1 }, () => "string").join(", ")}): bool`,
      () => false,
    );
  }
  for (const signature of MISSING_CONVERSIONS) environment.registerFunction(signature, () => undefined);
  base = environment;
  return environment;
}

/** Routes with the same parameters and principals ask for the same one, and making it costs more than all else of an expression. */
const libraries = new LRUCache<string, LibraryTypes>({ max: 64 });

/**
 * @param names every member that the expression names: the library knows no records that are open
 */
export function libraryFor(vocabulary: Vocabulary, names: Iterable<string>): LibraryTypes {
  const asked = [...names];
  const records = vocabulary.records.map((record): readonly [string, Record<string, string>] => {
    const fields = Object.create(null) as Record<string, string>;
    if (record.others !== undefined) for (const name of asked) fields[name] = libraryType(record.others);
    for (const [name, type] of record.fields) fields[name] = libraryType(type);
    return [record.name, fields];
  });
  const variables = [...vocabulary.roots.values()].map((root): [string, string] => [
    root.name,
    root.record.name,
  ]);
  if (vocabulary.body !== undefined) variables.push(["body", libraryType(vocabulary.body.type)]);
  const key = JSON.stringify([records, variables]);
  const known = libraries.get(key);
  if (known !== undefined) return known;
  const made = makeLibrary(records, variables);
  libraries.set(key, made);
  return made;
}

function makeLibrary(
  records: readonly (readonly [name: string, fields: Record<string, string>])[],
  variables: readonly (readonly [name: string, type: string])[],
): LibraryTypes {
  const environment = baseEnvironment().clone();
  const constructors = new Map<string, new () => object>();
  for (const [name, fields] of records) {
    const ctor = recordConstructor();
    constructors.set(name, ctor);
    environment.registerType(name, { ctor, fields });
    if (ASKED_BY_NAME.includes(name)) environment.registerOperator(`string in ${name}`, () => false);
  }
  for (const [name, type] of variables) environment.registerVariable(name, type);
  return { environment, constructors };
}

/** The library tells record types apart by their constructor. */
function recordConstructor(): new () => object {
  return class extends Object {};
}

export interface Rejection {
  readonly code: "condition-syntax" | "condition-too-large" | "condition-type";
  readonly message: string;
  readonly help?: string;
}

/** The syntax tree, or why there is none. */
export function parse(text: string): ASTNode | Rejection {
  if (text.length > MAX_TEXT)
    return { code: "condition-too-large", message: `an expression has at most ${MAX_TEXT} characters` };
  if (longestPrefix(text) > MAX_PREFIXES)
    return { code: "condition-too-large", message: `more than ${MAX_PREFIXES} \`!\` or \`-\` in a row` };
  try {
    return baseEnvironment().parse(text).ast;
  } catch (error) {
    const { code, summary } = detailsOf(error);
    const at = positionOf(error);
    return code === "limit_exceeded"
      ? { code: "condition-too-large", message: `the expression is too large or too deep (${summary})` }
      : {
          code: "condition-syntax",
          message: `no expression: ${summary}${at === undefined ? "" : ` at character ${at + 1}`}`,
          ...(summary.endsWith("character: =") ? { help: "CEL compares with `==`" } : {}),
        };
  }
}

export function isRejection(parsed: ASTNode | Rejection): parsed is Rejection {
  return "code" in parsed;
}

/** What the library's type checker has against the text; undefined: nothing. */
export function typeProblem(text: string, library: LibraryTypes): Rejection | undefined {
  const { valid, error } = library.environment.check(text);
  return valid ? undefined : { code: "condition-type", message: detailsOf(error).summary };
}

/** Blanks do not end a row: `! ! !a`. */
function longestPrefix(text: string): number {
  let longest = 0;
  let row = 0;
  for (const char of text) {
    if (char === "!" || char === "-") row += 1;
    else if (char.trim() !== "") row = 0;
    longest = Math.max(longest, row);
  }
  return longest;
}

function detailsOf(error: unknown): { readonly code: string; readonly summary: string } {
  const text =
    error instanceof Error && "summary" in error && typeof error.summary === "string"
      ? error.summary
      : "the expression cannot be read";
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return { code, summary: text.charAt(0).toLowerCase() + text.slice(1) };
}

function positionOf(error: unknown): number | undefined {
  if (
    !(error instanceof Error) ||
    !("range" in error) ||
    typeof error.range !== "object" ||
    error.range === null
  )
    return undefined;
  return "start" in error.range && typeof error.range.start === "number" ? error.range.start : undefined;
}
