/** `||`, `&&`, `!` and `? :`. An error on one side is absorbed when the other side decides (CEL, "Logical Operators"). */
import type { ASTNode } from "./ast.js";
import { same } from "./agreement.js";
import type { Compiler } from "./compiler.js";
import { lift1 } from "./compiler.js";
import type { Node } from "./node.js";
import { BOOL, DYN, isTime } from "./types.js";
import type { CelType } from "./types.js";
import { Failure } from "./values.js";
import type { Run } from "./values.js";

const NO_BOOL = new Failure("an operand of a logical operator is not a bool");
const NO_CONDITION = new Failure("the condition of `? :` is not a bool");

type Logical = Extract<ASTNode, { op: "||" | "&&" }>;

export function compileLogical(compiler: Compiler, ast: Logical): Node | undefined {
  const parts = compiler.values(chainOf(ast));
  if (parts === undefined) return undefined;
  if (!parts.every(isLogical)) return compiler.mismatch(ast, parts);
  const runs = parts.map((part) => part.run);
  const run = ast.op === "||" ? deciding(runs, true) : deciding(runs, false);
  return compiler.node(ast, BOOL, run, { role: ast.op === "||" ? "or" : "and", parts });
}

/** `a || b || c` leans to the left; run as one list it needs no stack. */
function chainOf(ast: Logical): ASTNode[] {
  const chain: ASTNode[] = [];
  let rest: ASTNode = ast;
  while (rest.op === ast.op) {
    const [left, right]: readonly [ASTNode, ASTNode] = rest.args;
    chain.push(right);
    rest = left;
  }
  chain.push(rest);
  return chain.reverse();
}

function isLogical(node: Node): boolean {
  return node.type.kind === "bool" || node.type.kind === "dyn";
}

/** @param decisive the value with which one side settles the whole */
function deciding(runs: readonly Run[], decisive: boolean): Run {
  const [first, second] = runs;
  if (first !== undefined && second !== undefined && runs.length === 2)
    return decidingTwo(first, second, decisive);
  return (state) => {
    let failure: Failure | undefined;
    for (const run of runs) {
      const value = run(state);
      if (value === decisive) return decisive;
      if (value !== !decisive) failure ??= asFailure(value);
    }
    return failure ?? !decisive;
  };
}

function decidingTwo(left: Run, right: Run, decisive: boolean): Run {
  return (state) => {
    const a = left(state);
    if (a === decisive) return decisive;
    const b = right(state);
    if (b === decisive) return decisive;
    if (a !== !decisive) return asFailure(a);
    return b === !decisive ? b : asFailure(b);
  };
}

function asFailure(value: unknown): Failure {
  return value instanceof Failure ? value : NO_BOOL;
}

export function compileNot(compiler: Compiler, ast: Extract<ASTNode, { op: "!_" }>): Node | undefined {
  const part = compiler.value(ast.args);
  if (part === undefined) return undefined;
  if (!isLogical(part)) return compiler.mismatch(ast, [part]);
  const run = lift1(part.run, (value) => (typeof value === "boolean" ? !value : NO_BOOL));
  return compiler.node(ast, BOOL, run, { role: "not", parts: [part] });
}

export function compileChoice(compiler: Compiler, ast: Extract<ASTNode, { op: "?:" }>): Node | undefined {
  const parts = compiler.values(ast.args);
  const [condition, yes, no] = parts ?? [];
  if (condition === undefined || yes === undefined || no === undefined) return undefined;
  const type = commonType(yes.type, no.type);
  if (!isLogical(condition) || type === undefined) return compiler.mismatch(ast, [condition, yes, no]);
  const run: Run = (state) => {
    const chosen = condition.run(state);
    if (chosen === true) return yes.run(state);
    if (chosen === false) return no.run(state);
    return chosen instanceof Failure ? chosen : NO_CONDITION;
  };
  return compiler.node(ast, type, run, { role: "choice", parts: [condition, yes, no] });
}

function commonType(a: CelType, b: CelType): CelType | undefined {
  if (a.kind === "dyn" || b.kind === "dyn") return isTime(a) || isTime(b) ? undefined : DYN;
  if (a.kind !== b.kind) return undefined;
  if (a.kind !== "list" && a.kind !== "map") return same(a, b) ? a : undefined;
  const of = b.kind === "list" || b.kind === "map" ? commonType(a.of, b.of) : undefined;
  return of === undefined ? undefined : { kind: a.kind, of };
}
