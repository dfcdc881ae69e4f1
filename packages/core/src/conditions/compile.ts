/** Every construct of the language to the file that compiles it. */
import type { ASTNode } from "./ast.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { same } from "./agreement.js";
import type { Compiler } from "./compiler.js";
import { compileCall, compileMethod } from "./functions.js";
import { compileChoice, compileLogical, compileNot } from "./logic.js";
import { compileIn } from "./membership.js";
import type { Node } from "./node.js";
import { compileArithmetic, compileEquality, compileMinus, compileOrder } from "./operators.js";
import { factNamed, reading, rootOf } from "./facts.js";
import { compileIndex, compileSelect } from "./select.js";
import { sourceOf } from "./source.js";
import { BOOL, DOUBLE, DYN, INT, NULL, STRING, typeName } from "./types.js";
import type { CelType } from "./types.js";
import { Failure } from "./values.js";

export function compileNode(compiler: Compiler, ast: ASTNode): Node | undefined {
  switch (ast.op) {
    case "value":
      return compileLiteral(compiler, ast);
    case "id":
      return compileName(compiler, ast);
    case ".":
      return compileSelect(compiler, ast);
    case "[]":
      return compileIndex(compiler, ast);
    case "call":
      return compileCall(compiler, ast);
    case "rcall":
      return compileMethod(compiler, ast);
    case "list":
      return compileList(compiler, ast);
    case "map":
      return compileMap(compiler, ast);
    case "?:":
      return compileChoice(compiler, ast);
    case "||":
    case "&&":
      return compileLogical(compiler, ast);
    case "!_":
      return compileNot(compiler, ast);
    case "-_":
      return compileMinus(compiler, ast);
    case "==":
    case "!=":
      return compileEquality(compiler, ast);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compileOrder(compiler, ast);
    case "in":
      return compileIn(compiler, ast);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return compileArithmetic(compiler, ast);
  }
}

function compileLiteral(compiler: Compiler, ast: Extract<ASTNode, { op: "value" }>): Node | undefined {
  const value = ast.args;
  if (typeof value === "bigint") return compileInteger(compiler, ast, value);
  const type = literalType(value);
  if (type === undefined)
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` is of a type that no fact has`,
      "there are int, double, string, bool and null",
    );
  return compiler.node(ast, type, () => value, { constant: { value } });
}

function literalType(value: unknown): CelType | undefined {
  if (typeof value === "string") return STRING;
  if (typeof value === "number") return DOUBLE;
  if (typeof value === "boolean") return BOOL;
  return value === null ? NULL : undefined;
}

function compileInteger(compiler: Compiler, ast: ASTNode, literal: bigint): Node | undefined {
  const value = Number(literal);
  if (Number.isSafeInteger(value)) return compiler.node(ast, INT, () => value, { constant: { value } });
  return compiler.error(
    "condition-type",
    `\`${sourceOf(ast)}\` is beyond 2^53 − 1`,
    "JSON cannot carry such integers exactly: compare them as text",
  );
}

/** A name by itself: a variable of a comprehension, or the body. */
function compileName(compiler: Compiler, ast: Extract<ASTNode, { op: "id" }>): Node | undefined {
  const name = ast.args;
  const variable = compiler.variables.get(name);
  if (variable !== undefined) return compiler.node(ast, variable.type, () => variable.slot.value);
  const { body, roots } = compiler.vocabulary;
  if (name === "body" && body !== undefined) {
    const fact = factNamed("body", body);
    return compiler.node(ast, body.type, reading(body, "body"), { fact });
  }
  if (name === "body") {
    return compiler.error(
      "body-without-schema",
      "`body` is read on a route that has no `request.body`",
      "write a schema for the body under `request`",
    );
  }
  const root = rootOf(compiler, ast);
  if (root === undefined) {
    const names = [...compiler.variables.keys(), ...roots.keys(), "body"];
    return compiler.error(
      "unknown-name",
      `\`${name}\` is no name here`,
      didYouMean(name, names) ?? `there are ${names.map((one) => `\`${one}\``).join(", ")}`,
    );
  }
  return compiler.error(
    "condition-type",
    `\`${name}\` is used as a value`,
    `name a field of it: \`${name}.…\``,
  );
}

function compileList(compiler: Compiler, ast: Extract<ASTNode, { op: "list" }>): Node | undefined {
  const parts = compiler.values(ast.args);
  if (parts === undefined) return undefined;
  const of = typeOfAll(compiler, ast.args, parts, "List elements must have the same type");
  if (of === undefined) return undefined;
  const type: CelType = { kind: "list", of };
  const literals = parts.flatMap((part) => part.constant ?? []);
  if (literals.length === parts.length) {
    const values = Object.freeze(literals.map((literal) => literal.value));
    return compiler.node(ast, type, () => values, { parts, constant: { value: values } });
  }
  const runs = parts.map((part) => part.run);
  return compiler.node(
    ast,
    type,
    (state) => {
      const values: unknown[] = [];
      for (const run of runs) {
        const value = run(state);
        if (value instanceof Failure) return value;
        values.push(value);
      }
      return values;
    },
    { parts },
  );
}

/** Parts of a literal are of one type; `[]` and `{}` are of any, and so they say nothing of what stands beside them. */
function typeOfAll(
  compiler: Compiler,
  asts: readonly ASTNode[],
  parts: readonly Node[],
  problem: string,
): CelType | undefined {
  const typed = parts.filter((_, index) => !isEmptyLiteral(asts[index]));
  const [first] = typed;
  const other = typed.find(({ type }) => first !== undefined && !same(type, first.type));
  if (first === undefined || other === undefined) return (first ?? parts[0])?.type ?? DYN;
  return compiler.error(
    "condition-type",
    `${problem}, expected type '${typeName(first.type)}' but found '${typeName(other.type)}'`,
  );
}

function isEmptyLiteral(ast: ASTNode | undefined): boolean {
  return (ast?.op === "list" || ast?.op === "map") && ast.args.length === 0;
}

/** Keys are literal texts: what a request sends never becomes a name here. */
function compileMap(compiler: Compiler, ast: Extract<ASTNode, { op: "map" }>): Node | undefined {
  const keys = ast.args.map(([key]) =>
    key.op === "value" && typeof key.args === "string" ? key.args : undefined,
  );
  const parts = compiler.values(ast.args.map(([, value]) => value));
  const names = keys.filter((key) => key !== undefined);
  if (names.length < keys.length || new Set(names).size < keys.length) {
    return compiler.error(
      "condition-type",
      `the keys of \`${sourceOf(ast)}\` are not different literal texts`,
    );
  }
  if (parts === undefined) return undefined;
  const values = ast.args.map(([, value]) => value);
  const of = typeOfAll(compiler, values, parts, "Map value uses wrong type");
  if (of === undefined) return undefined;
  const type: CelType = { kind: "map", of };
  return compiler.node(
    ast,
    type,
    (state) => {
      const map = Object.create(null) as Record<string, unknown>;
      for (const [index, part] of parts.entries()) {
        const value = part.run(state);
        if (value instanceof Failure) return value;
        map[names[index] ?? ""] = value;
      }
      return map;
    },
    { parts },
  );
}
