/** `has()`, and `in` where a root is asked for a name. */
import type { ASTNode } from "./ast.js";
import type { Root } from "./access.js";
import type { Compiler } from "./compiler.js";
import { lift1 } from "./compiler.js";
import { accessOf, deeper, factNamed, memberType, rootOf } from "./facts.js";
import type { Node } from "./node.js";
import { sourceOf } from "./source.js";
import { BOOL, STRING } from "./types.js";
import { Failure, isObject, memberOf } from "./values.js";

/** `has(a.b)`: is it there? Whatever leads to it must be, as CEL has it. */
export function compileHas(
  compiler: Compiler,
  ast: ASTNode,
  argument: ASTNode | undefined,
): Node | undefined {
  if (argument?.op !== ".")
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` asks for no field`,
      "write `has(name.field)`",
    );
  const [target, name] = argument.args;
  if (!isChain(target))
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` asks for a field of what has no name`,
      "write `has(name.field)`",
    );
  const root = rootOf(compiler, target);
  if (root === undefined) return hasMember(compiler, ast, target, name);
  const access = accessOf(compiler, root, name);
  if (access === undefined) return undefined;
  return compiler.node(ast, BOOL, (state) => access.get(state) !== undefined, {
    fact: factNamed(`${root.name}.${name}`, access),
  });
}

/** `has()` follows names alone: what a call or an index leads to, it does not ask. */
function isChain(ast: ASTNode): boolean {
  let rest = ast;
  while (rest.op === ".") [rest] = rest.args;
  return rest.op === "id";
}

function hasMember(compiler: Compiler, ast: ASTNode, target: ASTNode, name: string): Node | undefined {
  const node = compiler.compile(compiler, target);
  if (node === undefined || memberType(compiler, ast, node, name) === undefined) return undefined;
  const noObject = new Failure(`\`${node.text}\` has no fields`);
  const run = lift1(node.run, (value) => (isObject(value) ? memberOf(value, name) !== undefined : noObject));
  if (node.fact === undefined) return compiler.node(ast, BOOL, run, { parts: [node] });
  return compiler.node(ast, BOOL, run, { fact: deeper(node.fact, name) });
}

/** `"x-purpose" in headers`: names of query, headers and cookies that are no identifiers, which `has()` cannot ask for. */
export function compilePresence(
  compiler: Compiler,
  ast: ASTNode,
  name: ASTNode,
  root: Root,
): Node | undefined {
  if (root.record.others !== STRING || name.op !== "value" || typeof name.args !== "string") {
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` does not fit: \`${root.name}\` is no list`,
      `write \`has(${root.name}.name)\``,
    );
  }
  const access = accessOf(compiler, root, name.args);
  if (access === undefined) return undefined;
  return compiler.node(ast, BOOL, (state) => access.get(state) !== undefined, {
    fact: factNamed(`${root.name}.${name.args}`, access),
  });
}
