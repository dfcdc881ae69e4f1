/** `.name`, `["name"]` and `[0]`. Every read is of an own member, and of the type that was promised, or an error. */
import type { ASTNode } from "./ast.js";
import type { Root } from "./access.js";
import type { Compiler } from "./compiler.js";
import { lift1, lift2 } from "./compiler.js";
import { accessOf, deeper, factNamed, memberType, reading, rootOf } from "./facts.js";
import type { Node } from "./node.js";
import { sourceOf } from "./source.js";
import { DYN, guardOf } from "./types.js";
import type { CelType } from "./types.js";
import { Failure, isObject, memberOf } from "./values.js";

type Select = Extract<ASTNode, { op: "." }>;
type Index = Extract<ASTNode, { op: "[]" }>;

export function compileSelect(compiler: Compiler, ast: Select): Node | undefined {
  return selectMember(compiler, ast, ast.args[0], ast.args[1]);
}

export function compileIndex(compiler: Compiler, ast: Index): Node | undefined {
  const [target, key] = ast.args;
  if (key.op === "value" && typeof key.args === "string")
    return selectMember(compiler, ast, target, key.args);
  const node = compiler.compile(compiler, target);
  const index = compiler.value(key);
  if (node === undefined || index === undefined) return undefined;
  if (node.type.kind === "record") {
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` looks up a name that is not written here`,
      'write the name: `["name"]`',
    );
  }
  return elementOf(compiler, ast, node, index);
}

/** A name after a root, or inside a value. */
function selectMember(compiler: Compiler, ast: ASTNode, target: ASTNode, name: string): Node | undefined {
  const root = rootOf(compiler, target);
  if (root !== undefined) return readRoot(compiler, ast, root, name);
  const node = compiler.compile(compiler, target);
  if (node === undefined) return undefined;
  const type = memberType(compiler, ast, node, name);
  return type === undefined ? undefined : readMember(compiler, ast, node, name, type);
}

function readRoot(compiler: Compiler, ast: ASTNode, root: Root, name: string): Node | undefined {
  const access = accessOf(compiler, root, name);
  if (access === undefined) return undefined;
  const fact = factNamed(`${root.name}.${name}`, access);
  const { set } = access;
  return compiler.node(ast, access.type, reading(access, fact.name), {
    fact,
    ...(set === undefined ? {} : { set }),
  });
}

function readMember(compiler: Compiler, ast: ASTNode, node: Node, name: string, type: CelType): Node {
  const absent = new Failure(`no \`${name}\` in \`${node.text}\``);
  const wrong = new Failure(`\`${name}\` in \`${node.text}\` is not of its schema's type`);
  const guard = guardOf(type);
  const run = lift1(node.run, (value) => {
    const member = isObject(value) ? memberOf(value, name) : undefined;
    if (member === undefined) return absent;
    return guard === undefined || guard(member) ? member : wrong;
  });
  if (node.fact === undefined) return compiler.node(ast, type, run, { parts: [node] });
  return compiler.node(ast, type, run, { fact: deeper(node.fact, name) });
}

function elementOf(compiler: Compiler, ast: Index, node: Node, index: Node): Node | undefined {
  const { type } = node;
  const of = type.kind === "list" || type.kind === "map" ? type.of : DYN;
  const wanted = type.kind === "list" ? "int" : type.kind === "map" ? "string" : undefined;
  if (wanted === undefined && type.kind !== "dyn") return compiler.mismatch(ast, [node, index]);
  if (wanted !== undefined && index.type.kind !== wanted && index.type.kind !== "dyn")
    return compiler.mismatch(ast, [node, index]);
  const absent = new Failure(`nothing at \`${sourceOf(ast)}\``);
  const wrong = new Failure(`\`${sourceOf(ast)}\` is not of its schema's type`);
  const guard = guardOf(of);
  const run = lift2(node.run, index.run, (value, key) => {
    const element = lookUp(value, key);
    if (element === undefined) return absent;
    return guard === undefined || guard(element) ? element : wrong;
  });
  return compiler.node(ast, of, run, { parts: [node, index] });
}

function lookUp(value: unknown, key: unknown): unknown {
  if (Array.isArray(value))
    return typeof key === "number" && Number.isInteger(key) ? (value as unknown[])[key] : undefined;
  return isObject(value) && typeof key === "string" ? memberOf(value, key) : undefined;
}
