/** Keywords that put schemas together for one and the same value. */
import { type Node, Seen } from "./evaluation.js";
import type { SchemaObject } from "./prepare.js";

type Compile = (schema: unknown) => Node;

export function composedKeywords(schema: SchemaObject, compile: Compile): Node[] {
  const nodes: Node[] = [];
  const { allOf, anyOf, oneOf, not } = schema;
  if (Array.isArray(allOf)) nodes.push(...allOf.map(compile));
  if (Array.isArray(anyOf)) nodes.push(anyFitting(anyOf.map(compile)));
  if (Array.isArray(oneOf)) nodes.push(oneFitting(oneOf.map(compile)));
  if (not !== undefined) nodes.push(noneFitting(compile(not)));
  if (schema["if"] !== undefined) nodes.push(conditional(schema, compile));
  return nodes;
}

/** Where somebody asks what is spoken for, every branch is asked: each that fits may speak for more. */
function anyFitting(branches: readonly Node[]): Node {
  return (value, walk, seen) => {
    let fits = false;
    for (const branch of branches) {
      if (walk.ask(branch, value, seen)) fits = true;
      if (fits && seen === undefined) return true;
    }
    if (!fits && seen !== undefined) seen.uncertain = true;
    return fits || walk.fail("anyOf");
  };
}

function oneFitting(branches: readonly Node[]): Node {
  return (value, walk, seen) => {
    let fitting = 0;
    for (const branch of branches) if (walk.ask(branch, value, seen)) fitting++;
    if (fitting !== 1 && seen !== undefined) seen.uncertain = true;
    return fitting === 1 || walk.fail("oneOf");
  };
}

function noneFitting(node: Node): Node {
  return (value, walk) => !walk.ask(node, value, undefined) || walk.fail("not");
}

function conditional(schema: SchemaObject, compile: Compile): Node {
  const test = compile(schema["if"]);
  const consequence = compile(schema["then"] ?? true);
  const alternative = compile(schema["else"] ?? true);
  return (value, walk, seen) => (walk.ask(test, value, seen) ? consequence : alternative)(value, walk, seen);
}

/** A schema with `unevaluated…` keeps its own account, and hands it on to those who keep one above it. */
export function accounting(nodes: readonly Node[], last: readonly Node[]): Node {
  return (value, walk, seen) => {
    const own = new Seen();
    let fits = true;
    for (const node of nodes) {
      if (node(value, walk, own)) continue;
      fits = false;
      if (walk.done) return false;
    }
    // What no branch spoke for, because none fitted, is no further problem.
    if (!own.uncertain) {
      for (const node of last) {
        if (node(value, walk, own)) continue;
        fits = false;
        if (walk.done) return false;
      }
    }
    seen?.merge(own);
    return fits;
  };
}
