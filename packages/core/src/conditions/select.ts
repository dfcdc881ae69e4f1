/** `.name`, `["name"]`, `[0]` and `has()`. Every read is of an own member, and of the type that was promised, or an error. */
import type { ASTNode } from "@marcbachmann/cel-js";
import { didYouMean } from "../errors/did-you-mean.js";
import type { Compiler } from "./compiler.js";
import { lift1, lift2 } from "./compiler.js";
import type { Node } from "./node.js";
import type { Access, Root } from "./roots.js";
import { sourceOf } from "./source.js";
import { BOOL, DYN, guardOf, STRING } from "./types.js";
import type { CelType } from "./types.js";
import { Failure, isObject, memberOf } from "./values.js";
import type { Run } from "./values.js";

/** Claims whose values are, or lead to, credentials: never shown. */
const SENSITIVE =
  /token|secret|passw|credential|session|assertion|signature|nonce|otp|pin|key|jti|cnf|hash|code/i;

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

/** The root that a part names, unless a comprehension uses the name for something else. */
export function rootOf(compiler: Compiler, ast: ASTNode): Root | undefined {
  if (ast.op !== "id" || compiler.variables.has(ast.args)) return undefined;
  return compiler.vocabulary.roots.get(ast.args);
}

/** The fact behind `root.name`, with a diagnostic where there is none. */
function accessOf(compiler: Compiler, root: Root, name: string): Access | undefined {
  if (root.name === "principal" && compiler.vocabulary.scope.principal === "none") {
    return compiler.error(
      "principal-on-open-route",
      `\`principal.${name}\` is read where nobody is known: the route says \`"authenticate": "none"\``,
      "name an authenticator on the route, or take the condition out",
    );
  }
  if (root.name === "headers" && name !== name.toLowerCase()) {
    return compiler.error(
      "unknown-name",
      `\`headers["${name}"]\` can never be read`,
      `header names are lower case here: \`headers["${name.toLowerCase()}"]\``,
    );
  }
  return root.access(name) ?? unknownMember(compiler, root.record.title, root.record.fields, name);
}

function unknownMember(
  compiler: Compiler,
  title: string,
  fields: ReadonlyMap<string, CelType>,
  name: string,
): undefined {
  const known = fields.size === 0 ? "it has none" : `it has ${compiler.namesOf(fields)}`;
  return compiler.error(
    "unknown-name",
    `\`${title}\` has no \`${name}\``,
    didYouMean(name, fields.keys()) ?? known,
  );
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

export function factNamed(
  name: string,
  access: Access,
): { readonly name: string; readonly needs: Access["needs"]; readonly shown: boolean } {
  return { name, needs: access.needs, shown: access.shown && !SENSITIVE.test(name) };
}

/** Absent facts, and facts that are not of their schema's type, are errors of the evaluation. */
export function reading(access: Access, name: string): Run {
  const { get } = access;
  const absent = new Failure(`\`${name}\` is absent`);
  const guard = access.trusted ? undefined : guardOf(access.type);
  if (guard === undefined) {
    return (state) => {
      const value = get(state);
      return value === undefined ? absent : value;
    };
  }
  const wrong = new Failure(`\`${name}\` is not of its schema's type`);
  return (state) => {
    const value = get(state);
    if (value === undefined) return absent;
    return guard(value) ? value : wrong;
  };
}

function memberType(compiler: Compiler, ast: ASTNode, node: Node, name: string): CelType | undefined {
  const { type } = node;
  if (type.kind === "dyn") return DYN;
  if (type.kind === "map") return type.of;
  if (type.kind !== "record") return compiler.mismatch(ast, [node]);
  const { record } = type;
  return (
    record.fields.get(name) ?? record.others ?? unknownMember(compiler, record.title, record.fields, name)
  );
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

/** Inside claims a scalar may be shown, unless its name says that it is a credential. */
function deeper(fact: NonNullable<Node["fact"]>, name: string): NonNullable<Node["fact"]> {
  const longer = `${fact.name}.${name}`;
  const shown = (fact.shown || fact.name === "principal.claims") && !SENSITIVE.test(name);
  return { name: longer, needs: fact.needs, shown };
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
  const root = rootOf(compiler, target);
  if (root === undefined) return hasMember(compiler, ast, target, name);
  const access = accessOf(compiler, root, name);
  if (access === undefined) return undefined;
  return compiler.node(ast, BOOL, (state) => access.get(state) !== undefined, {
    fact: factNamed(`${root.name}.${name}`, access),
  });
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
