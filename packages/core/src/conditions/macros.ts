/** `all`, `exists`, `exists_one`, `map` and `filter`: all that repeats, under one budget of steps an evaluation. */
import type { ASTNode } from "./ast.js";
import type { Compiler } from "./compiler.js";
import { TOO_MANY_STEPS } from "./compiler.js";
import type { Node } from "./node.js";
import { sourceOf } from "./source.js";
import { BOOL, DYN, guardOf, STRING } from "./types.js";
import type { CelType } from "./types.js";
import { Failure, isObject } from "./values.js";
import type { Run } from "./values.js";

const NO_RANGE = new Failure("what is stepped through is neither a list nor a map");
const NO_PREDICATE = new Failure("the predicate of a comprehension is not a bool");
const WRONG_ITEM = new Failure("an item of a list is not of its schema's type");

export const MACROS: ReadonlyMap<string, readonly number[]> = new Map([
  ["all", [2]],
  ["exists", [2]],
  ["exists_one", [2]],
  ["map", [2, 3]],
  ["filter", [2]],
]);

export function isMacro(name: string, count: number): boolean {
  return MACROS.get(name)?.includes(count) === true;
}

export function compileMacro(compiler: Compiler, ast: Extract<ASTNode, { op: "rcall" }>): Node | undefined {
  const [name, target, args] = ast.args;
  const range = compiler.compile(compiler, target);
  const [variable, ...bodies] = args;
  if (range === undefined) return undefined;
  if (variable?.op !== "id")
    return compiler.error(
      "condition-type",
      `\`${sourceOf(ast)}\` names no variable`,
      `write \`.${name}(x, …)\``,
    );
  const item = itemType(range.type);
  if (item === undefined) return compiler.mismatch(ast, [range]);
  const slot: { value: unknown } = { value: undefined };
  const shadowed = compiler.variables.get(variable.args);
  compiler.variables.set(variable.args, { type: item, slot });
  const parts = compiler.values(bodies);
  if (shadowed === undefined) compiler.variables.delete(variable.args);
  else compiler.variables.set(variable.args, shadowed);
  if (parts === undefined) return undefined;
  return build(compiler, ast, { range, item, slot, parts });
}

interface Comprehension {
  readonly range: Node;
  readonly item: CelType;
  readonly slot: { value: unknown };
  readonly parts: readonly Node[];
}

function itemType(range: CelType): CelType | undefined {
  if (range.kind === "list") return range.of;
  if (range.kind === "map") return STRING;
  return range.kind === "dyn" ? DYN : undefined;
}

function build(
  compiler: Compiler,
  ast: Extract<ASTNode, { op: "rcall" }>,
  it: Comprehension,
): Node | undefined {
  const [name] = ast.args;
  const predicate = name === "map" && it.parts.length === 1 ? undefined : it.parts[0];
  const transform = name === "map" ? it.parts.at(-1) : undefined;
  if (predicate !== undefined && predicate.type.kind !== "bool" && predicate.type.kind !== "dyn")
    return compiler.mismatch(ast, [predicate]);
  const parts = [it.range, ...it.parts];
  switch (name) {
    case "all":
      return compiler.node(ast, BOOL, quantifier(compiler, it, false), { parts });
    case "exists":
      return compiler.node(ast, BOOL, quantifier(compiler, it, true), { parts });
    case "exists_one":
      return compiler.node(ast, BOOL, exactlyOne(compiler, it), { parts });
    default:
      return compiler.node(
        ast,
        { kind: "list", of: transform?.type ?? it.item },
        collecting(compiler, it, predicate, transform),
        { parts },
      );
  }
}

/** Values of a list, keys of a map. */
function itemsOf(range: unknown): readonly unknown[] | Failure {
  if (range instanceof Failure) return range;
  if (Array.isArray(range)) return range as unknown[];
  return isObject(range) ? Object.keys(range) : NO_RANGE;
}

/** Binds the variable to the next item; a failure when that may not be done. */
type Step = (item: unknown) => Failure | undefined;

function stepper(compiler: Compiler, { item: type, slot }: Comprehension): Step {
  const { budget } = compiler;
  const guard = guardOf(type);
  return (item) => {
    budget.left -= 1;
    if (budget.left < 0) return TOO_MANY_STEPS;
    slot.value = item;
    return guard === undefined || guard(item) ? undefined : WRONG_ITEM;
  };
}

/** As `&&` (all) or `||` (exists) over all items: an error counts only when no item decides. */
function quantifier(compiler: Compiler, it: Comprehension, decisive: boolean): Run {
  const step = stepper(compiler, it);
  const range = it.range.run;
  const test = it.parts[0]?.run ?? (() => NO_PREDICATE);
  return (state) => {
    const items = itemsOf(range(state));
    if (items instanceof Failure) return items;
    let failure: Failure | undefined;
    for (const item of items) {
      const value = step(item) ?? test(state);
      if (value === decisive) return decisive;
      if (value === TOO_MANY_STEPS) return value;
      if (value !== !decisive) failure ??= value instanceof Failure ? value : NO_PREDICATE;
    }
    return failure ?? !decisive;
  };
}

function exactlyOne(compiler: Compiler, it: Comprehension): Run {
  const step = stepper(compiler, it);
  const range = it.range.run;
  const test = it.parts[0]?.run ?? (() => NO_PREDICATE);
  return (state) => {
    const items = itemsOf(range(state));
    if (items instanceof Failure) return items;
    let count = 0;
    for (const item of items) {
      const value = step(item) ?? test(state);
      if (typeof value !== "boolean") return value instanceof Failure ? value : NO_PREDICATE;
      if (value) count += 1;
    }
    return count === 1;
  };
}

/** `map` and `filter`: errors are never absorbed. */
function collecting(
  compiler: Compiler,
  it: Comprehension,
  predicate: Node | undefined,
  transform: Node | undefined,
): Run {
  const step = stepper(compiler, it);
  const range = it.range.run;
  return (state) => {
    const items = itemsOf(range(state));
    if (items instanceof Failure) return items;
    const collected: unknown[] = [];
    for (const item of items) {
      const kept = step(item) ?? (predicate === undefined ? true : predicate.run(state));
      if (typeof kept !== "boolean") return kept instanceof Failure ? kept : NO_PREDICATE;
      if (!kept) continue;
      const value = transform === undefined ? item : transform.run(state);
      if (value instanceof Failure) return value;
      collected.push(value);
    }
    return collected;
  };
}
