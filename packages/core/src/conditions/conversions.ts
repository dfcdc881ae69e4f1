/** `int()`, `double()`, `string()`, `bool()`, `dyn()`, `timestamp()` and `duration()`. What a text must look like is spelled out: nothing is guessed. */
import type { ASTNode } from "./ast.js";
import type { Compiler } from "./compiler.js";
import { lift1 } from "./compiler.js";
import type { Node } from "./node.js";
import {
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampOfSeconds,
} from "./time.js";
import { BOOL, DOUBLE, DURATION, DYN, INT, isTime, STRING, TIMESTAMP } from "./types.js";
import type { CelType } from "./types.js";
import { Failure } from "./values.js";

const NO_INT = new Failure("not an integer within ±(2^53 − 1)");
const NO_DOUBLE = new Failure("not a number");
const NO_STRING = new Failure("a list, map or null has no text form");
const NO_BOOL = new Failure("not a bool");
const NO_TIME = new Failure("neither text nor seconds");

interface Conversion {
  readonly result: CelType;
  /** Kinds that it takes besides `dyn`. */
  readonly takes: readonly CelType["kind"][];
  readonly convert: (value: unknown, kind: CelType["kind"]) => unknown;
}

const TABLE: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ["int", { result: INT, takes: ["int", "double", "string", "timestamp"], convert: toInt }],
  ["double", { result: DOUBLE, takes: ["int", "double", "string"], convert: toDouble }],
  [
    "string",
    { result: STRING, takes: ["string", "int", "double", "bool", "timestamp", "duration"], convert: toText },
  ],
  ["bool", { result: BOOL, takes: ["bool", "string"], convert: toBool }],
  ["timestamp", { result: TIMESTAMP, takes: ["string", "int", "timestamp"], convert: toTimestamp }],
  ["duration", { result: DURATION, takes: ["string", "duration"], convert: toDuration }],
]);

export const CONVERSIONS: readonly string[] = [...TABLE.keys(), "dyn"];

export function compileConversion(
  compiler: Compiler,
  ast: ASTNode,
  name: string,
  nodes: readonly Node[],
): Node | undefined {
  const [node] = nodes;
  if (node === undefined || nodes.length !== 1)
    return compiler.mismatch(ast, nodes, `\`${name}\` takes one value`);
  if (name === "dyn") return compileDyn(compiler, ast, node);
  const conversion = TABLE.get(name);
  const { kind } = node.type;
  if (conversion === undefined || (kind !== "dyn" && !conversion.takes.includes(kind)))
    return compiler.mismatch(ast, nodes);
  const { convert, result } = conversion;
  if (node.constant !== undefined)
    return constant(compiler, ast, node, result, convert(node.constant.value, kind));
  return compiler.node(
    ast,
    result,
    lift1(node.run, (value) => convert(value, kind)),
    { parts: [node] },
  );
}

/** A literal that can never be converted could only misfire while serving. */
function constant(
  compiler: Compiler,
  ast: ASTNode,
  node: Node,
  type: CelType,
  value: unknown,
): Node | undefined {
  if (value instanceof Failure)
    return compiler.error("condition-type", `\`${node.text}\` cannot be converted: ${value.error}`);
  return compiler.node(ast, type, () => value, { parts: [node] });
}

function compileDyn(compiler: Compiler, ast: ASTNode, node: Node): Node | undefined {
  if (isTime(node.type)) return compiler.mismatch(ast, [node], "instants and durations keep their type");
  return compiler.node(ast, DYN, node.run, { parts: [node] });
}

function toInt(value: unknown, kind: CelType["kind"]): unknown {
  if (typeof value === "string") return /^[+-]?\d{1,16}$/.test(value) ? safe(Number(value)) : NO_INT;
  if (typeof value !== "number") return NO_INT;
  return kind === "timestamp" ? Math.floor(value / 1000) : safe(Math.trunc(value));
}

function safe(value: number): number | Failure {
  return Number.isSafeInteger(value) ? value + 0 : NO_INT;
}

function toDouble(value: unknown): unknown {
  if (typeof value === "number") return value;
  const decimal =
    typeof value === "string" &&
    value.length <= 400 &&
    /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/.test(value);
  return decimal ? Number(value) : NO_DOUBLE;
}

function toText(value: unknown, kind: CelType["kind"]): unknown {
  if (typeof value === "number" && kind === "timestamp") return formatTimestamp(value);
  if (typeof value === "number" && kind === "duration") return formatDuration(value);
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : NO_STRING;
}

const TRUE = new Set(["1", "t", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "false", "FALSE", "False"]);

function toBool(value: unknown): unknown {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return NO_BOOL;
  return TRUE.has(value) || (FALSE.has(value) ? false : NO_BOOL);
}

function toTimestamp(value: unknown, kind: CelType["kind"]): unknown {
  if (typeof value === "string") return parseTimestamp(value);
  if (typeof value !== "number") return NO_TIME;
  return kind === "timestamp" ? value : timestampOfSeconds(value);
}

function toDuration(value: unknown, kind: CelType["kind"]): unknown {
  if (typeof value === "string") return parseDuration(value);
  return kind === "duration" ? value : NO_TIME;
}
