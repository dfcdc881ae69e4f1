/** `in`: a value of a list, a key of a map. Literal lists and the caller's roles and scopes are sets, not searched. */
import type { ASTNode } from "./ast.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { agree, mixesTime } from "./agreement.js";
import type { Compiler } from "./compiler.js";
import { lift1, lift2 } from "./compiler.js";
import type { Node } from "./node.js";
import { rootOf } from "./facts.js";
import { compilePresence } from "./has.js";
import { BOOL, DYN, STRING } from "./types.js";
import type { CelType } from "./types.js";
import { equal, Failure, isObject } from "./values.js";
import type { ReadSet, Run } from "./values.js";

const NO_CONTAINER = new Failure("the right side of `in` is neither a list nor a map");

export function compileIn(compiler: Compiler, ast: Extract<ASTNode, { op: "in" }>): Node | undefined {
  const root = rootOf(compiler, ast.args[1]);
  if (root !== undefined) return compilePresence(compiler, ast, ast.args[0], root);
  const parts = compiler.values(ast.args);
  const [left, right] = parts ?? [];
  if (parts === undefined || left === undefined || right === undefined) return undefined;
  const member = memberTypeOf(right.type);
  if (!isContainer(right) || mixesTime(left.type, member)) return compiler.mismatch(ast, parts);
  if (!agree(left.type, member)) return compiler.clash("in", left, right);
  if (!knownRole(compiler, left, right)) return undefined;
  return compiler.node(ast, BOOL, membership(left, right), { parts });
}

function isContainer({ type }: Node): boolean {
  return type.kind === "list" || type.kind === "map" || type.kind === "dyn";
}

/** Keys of a map are text. */
function memberTypeOf(container: CelType): CelType {
  if (container.kind === "map") return STRING;
  return container.kind === "list" ? container.of : DYN;
}

/** A role that no document declares is dropped when it is granted: such a test could never be true. */
function knownRole(compiler: Compiler, left: Node, right: Node): boolean {
  const role = left.constant?.value;
  const { roles } = compiler.vocabulary.scope;
  if (right.fact?.name !== "principal.roles" || typeof role !== "string" || roles.has(role)) return true;
  compiler.error(
    "unknown-role",
    `unknown role \`${role}\``,
    didYouMean(role, roles) ?? "declare it under `roles`",
  );
  return false;
}

function membership(left: Node, right: Node): Run {
  if (right.set !== undefined) return inSet(left, right.set);
  if (right.constant !== undefined && Array.isArray(right.constant.value)) {
    const values = new Set<unknown>(right.constant.value);
    if ([...values].every((value) => typeof value !== "object"))
      return lift1(left.run, (value) => values.has(value));
  }
  return lift2(left.run, right.run, (value, container) => {
    if (Array.isArray(container)) return contains(container, value);
    return isObject(container) ? typeof value === "string" && Object.hasOwn(container, value) : NO_CONTAINER;
  });
}

/** The case of most conditions: `"clerk" in principal.roles`. */
function inSet(left: Node, set: ReadSet): Run {
  const literal = left.constant?.value;
  if (typeof literal === "string") return (state) => set(state)?.has(literal) === true;
  const { run } = left;
  return (state) => {
    const value = run(state);
    if (value instanceof Failure) return value;
    return typeof value === "string" && set(state)?.has(value) === true;
  };
}

function contains(list: readonly unknown[], value: unknown): boolean {
  for (const item of list) if (equal(item, value)) return true;
  return false;
}
