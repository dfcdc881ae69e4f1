/** Equality, order, membership and arithmetic. Numbers are doubles: an int outside ±(2^53 − 1) is an error, never a wrong number. */
import type { ASTNode } from "./ast.js";
import { agree, isNumeric, isOrdered, mixesTime } from "./agreement.js";
import type { Compiler } from "./compiler.js";
import { lift1, lift2, TOO_MANY_STEPS } from "./compiler.js";
import type { Node } from "./node.js";
import { BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP } from "./types.js";
import type { CelType } from "./types.js";
import { compareText, equal, Failure, isInstant, isSpan } from "./values.js";

type Binary<Op extends ASTNode["op"]> = Extract<ASTNode, { op: Op }>;

const SCALARS = new Set(["bool", "string", "int", "double", "null", "timestamp", "duration"]);

export function compileEquality(compiler: Compiler, ast: Binary<"==" | "!=">): Node | undefined {
  const parts = compiler.values(ast.args);
  const [left, right] = parts ?? [];
  if (parts === undefined || left === undefined || right === undefined) return undefined;
  if (mixesTime(left.type, right.type))
    return compiler.mismatch(ast, parts, "convert the other side: `timestamp(…)` or `duration(…)`");
  if (!agree(left.type, right.type) && !(isNumeric(left.type) && isNumeric(right.type)))
    return compiler.clash(ast.op, left, right);
  const scalar = SCALARS.has(left.type.kind) || SCALARS.has(right.type.kind);
  return compiler.node(ast, BOOL, lift2(left.run, right.run, comparator(ast.op, scalar)), { parts });
}

/** With a scalar on one side no members need comparing: values of different types differ. */
function comparator(op: "==" | "!=", scalar: boolean): (a: unknown, b: unknown) => boolean {
  if (op === "==") return scalar ? (a, b) => a === b : equal;
  return scalar ? (a, b) => a !== b : (a, b) => !equal(a, b);
}

const NO_ORDER = new Failure("values of these types have no order");

type Order = "<" | "<=" | ">" | ">=";

export function compileOrder(compiler: Compiler, ast: Binary<Order>): Node | undefined {
  const parts = compiler.values(ast.args);
  const [left, right] = parts ?? [];
  if (parts === undefined || left === undefined || right === undefined) return undefined;
  if (mixesTime(left.type, right.type))
    return compiler.mismatch(ast, parts, "convert the other side: `timestamp(…)` or `duration(…)`");
  if (!haveOrder(left.type, right.type)) return compiler.clash(ast.op, left, right);
  return compiler.node(ast, BOOL, lift2(left.run, right.run, ORDERS[ast.op]), { parts });
}

function haveOrder(left: CelType, right: CelType): boolean {
  const comparable = agree(left, right) || (isNumeric(left) && isNumeric(right));
  return comparable && isOrdered(left) && isOrdered(right);
}

const ORDERS: Readonly<Record<Order, (a: unknown, b: unknown) => unknown>> = {
  "<": ordered((sign) => sign < 0),
  "<=": ordered((sign) => sign <= 0),
  ">": ordered((sign) => sign > 0),
  ">=": ordered((sign) => sign >= 0),
};

/** NaN is neither below, nor above, nor equal to anything: its sign is NaN, and every test of it is false. */
function ordered(test: (sign: number) => boolean): (a: unknown, b: unknown) => unknown {
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number")
      return test(a === b ? 0 : a < b ? -1 : a > b ? 1 : Number.NaN);
    if (typeof a === "string" && typeof b === "string") return test(compareText(a, b));
    if (typeof a === "boolean" && typeof b === "boolean") return test(Number(a) - Number(b));
    return NO_ORDER;
  };
}

const OVERFLOW = new Failure("an integer leaves the range of ±(2^53 − 1)");
const BY_ZERO = new Failure("division by zero");
const TEXT_TOO_LONG = new Failure("a text grows beyond a million characters");
const TIME_OVERFLOW = new Failure("an instant leaves the years 1 to 9999, or a duration 10,000 years");

const MAX_TEXT = 1_000_000;

function asInt(value: number): number | Failure {
  // `+ 0`: there is no negative zero among integers.
  return Number.isSafeInteger(value) ? value + 0 : OVERFLOW;
}

type Compute = (a: number, b: number) => number | Failure;

const INT_OPERATORS: Readonly<Record<string, Compute>> = {
  "+": (a, b) => asInt(a + b),
  "-": (a, b) => asInt(a - b),
  "*": (a, b) => asInt(a * b),
  "/": (a, b) => (b === 0 ? BY_ZERO : (a - (a % b)) / b + 0),
  "%": (a, b) => (b === 0 ? BY_ZERO : (a % b) + 0),
};

const DOUBLE_OPERATORS: Readonly<Record<string, Compute>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

const TIME_RESULTS: Readonly<Record<string, CelType>> = {
  "timestamp+duration": TIMESTAMP,
  "duration+timestamp": TIMESTAMP,
  "duration+duration": DURATION,
  "timestamp-timestamp": DURATION,
  "timestamp-duration": TIMESTAMP,
  "duration-duration": DURATION,
};

export function compileArithmetic(
  compiler: Compiler,
  ast: Binary<"+" | "-" | "*" | "/" | "%">,
): Node | undefined {
  const parts = compiler.values(ast.args);
  const [left, right] = parts ?? [];
  if (parts === undefined || left === undefined || right === undefined) return undefined;
  if (joinsLists(ast.op, left, right)) {
    if (mixesTime(left.type, right.type)) return compiler.mismatch(ast, parts);
    if (!agree(left.type, right.type)) return compiler.clash(ast.op, left, right);
  }
  const [type, compute] = arithmetic(compiler, ast.op, left.type, right.type) ?? [];
  if (type !== undefined && compute !== undefined)
    return compiler.node(ast, type, lift2(left.run, right.run, compute), { parts });
  return compiler.mismatch(ast, parts, arithmeticHelp(left.type, right.type));
}

function joinsLists(op: string, left: Node, right: Node): boolean {
  return op === "+" && left.type.kind === "list" && right.type.kind === "list";
}

type General = (a: unknown, b: unknown) => unknown;

function arithmetic(
  compiler: Compiler,
  op: string,
  left: CelType,
  right: CelType,
): readonly [CelType, General] | undefined {
  const time = TIME_RESULTS[`${left.kind}${op}${right.kind}`];
  if (time !== undefined) return [time, numeric((a, b) => within(time, op === "+" ? a + b : a - b))];
  if (left.kind !== right.kind) return undefined;
  if (left.kind === "int") return [INT, numeric(INT_OPERATORS[op])];
  if (left.kind === "double" && op !== "%") return [DOUBLE, numeric(DOUBLE_OPERATORS[op])];
  if (op !== "+") return undefined;
  if (left.kind === "string") return [STRING, joinTexts];
  return left.kind === "list" ? [left, joinLists(compiler)] : undefined;
}

function numeric(compute: Compute | undefined): General {
  return (a, b) =>
    typeof a === "number" && typeof b === "number" && compute !== undefined ? compute(a, b) : NO_ORDER;
}

function within(type: CelType, milliseconds: number): number | Failure {
  const fits = type.kind === "timestamp" ? isInstant(milliseconds) : isSpan(milliseconds);
  return fits ? milliseconds : TIME_OVERFLOW;
}

function joinTexts(a: unknown, b: unknown): unknown {
  if (typeof a !== "string" || typeof b !== "string") return NO_ORDER;
  return a.length + b.length > MAX_TEXT ? TEXT_TOO_LONG : a + b;
}

/** A list that grows while it is mapped would double with every step: its length is paid for like steps. */
function joinLists(compiler: Compiler): General {
  const { budget } = compiler;
  return (a, b) => {
    if (!Array.isArray(a) || !Array.isArray(b)) return NO_ORDER;
    budget.left -= a.length + b.length;
    return budget.left < 0 ? TOO_MANY_STEPS : [...(a as unknown[]), ...(b as unknown[])];
  };
}

function arithmeticHelp(left: CelType, right: CelType): string | undefined {
  if (left.kind === "dyn" || right.kind === "dyn")
    return "its type is only known while serving: write `int(…)`, `double(…)` or `string(…)` around it";
  const kinds = [left.kind, right.kind];
  if (kinds.includes("int") && kinds.includes("double"))
    return "write `double(…)` around the integer, or `2.0` for `2`";
  return undefined;
}

export function compileMinus(compiler: Compiler, ast: Binary<"-_">): Node | undefined {
  const part = compiler.value(ast.args);
  if (part === undefined) return undefined;
  const { type, constant } = part;
  if (type.kind !== "int" && type.kind !== "double")
    return compiler.mismatch(ast, [part], arithmeticHelp(type, type));
  const negate =
    type.kind === "int" ? (value: unknown) => 0 - Number(value) : (value: unknown) => -Number(value);
  const extras =
    constant === undefined
      ? { parts: [part] }
      : { parts: [part], constant: { value: negate(constant.value) } };
  return compiler.node(ast, type, lift1(part.run, negate), extras);
}
