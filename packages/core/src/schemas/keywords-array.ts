/** Keywords that look at the items of an array. */
import { itemsAreUnique } from "./equality.js";
import type { Node, Seen, Walk } from "./evaluation.js";
import type { SchemaObject } from "./prepare.js";

type Compile = (schema: unknown) => Node;
type Items = readonly unknown[];

/** Only for arrays. Sizes first: they bound all the rest. */
export function arrayKeywords(schema: SchemaObject, compile: Compile): Node[] {
  const nodes: Node[] = [];
  const { minItems, maxItems, uniqueItems } = schema;
  if (typeof maxItems === "number") {
    nodes.push((value, walk) => (value as Items).length <= maxItems || walk.fail("maxItems", maxItems));
  }
  if (typeof minItems === "number") {
    nodes.push((value, walk) => (value as Items).length >= minItems || walk.fail("minItems", minItems));
  }
  const items = itemNode(schema, compile);
  if (items !== undefined) nodes.push(items);
  if (schema["contains"] !== undefined) nodes.push(containing(schema, compile(schema["contains"])));
  if (uniqueItems === true)
    nodes.push((value, walk) => itemsAreUnique(value as Items) || walk.fail("uniqueItems"));
  return nodes;
}

/** After everything that may speak for an item. */
export function unevaluatedItems(schema: SchemaObject, compile: Compile): Node | undefined {
  const rest = schema["unevaluatedItems"];
  if (rest === undefined) return undefined;
  const node = compile(rest);
  return (value, walk, seen) => {
    if (seen === undefined) return true;
    const items = value as Items;
    let fits = true;
    for (let index = seen.items; index < items.length; index++) {
      if (seen.contained.has(index)) continue;
      if (rest === false) fits = walk.fail("unevaluatedItems", undefined, index);
      else if (!walk.child(node, items[index], index)) fits = false;
      if (!fits && walk.done) return false;
    }
    seen.items = items.length;
    return fits;
  };
}

function itemNode(schema: SchemaObject, compile: Compile): Node | undefined {
  const { prefixItems, items } = schema;
  if (prefixItems === undefined && items === undefined) return undefined;
  const prefix = Array.isArray(prefixItems) ? prefixItems.map(compile) : [];
  const rest = items === undefined ? undefined : compile(items);
  return (value, walk, seen) => {
    const list = value as Items;
    const end = rest === undefined ? Math.min(prefix.length, list.length) : list.length;
    let fits = true;
    for (let index = 0; index < end; index++) {
      const node = prefix[index] ?? rest;
      if (node === undefined || walk.child(node, list[index], index)) continue;
      fits = false;
      if (walk.done) return false;
    }
    if (seen !== undefined && end > seen.items) seen.items = end;
    return fits;
  };
}

function containing(schema: SchemaObject, node: Node): Node {
  const atLeast = typeof schema["minContains"] === "number" ? schema["minContains"] : 1;
  const atMost = typeof schema["maxContains"] === "number" ? schema["maxContains"] : Infinity;
  return (value, walk, seen) => {
    const count = countFitting(value as Items, node, walk, seen);
    if (count < atLeast) return walk.fail("contains");
    return count <= atMost || walk.fail("maxContains");
  };
}

function countFitting(items: Items, node: Node, walk: Walk, seen: Seen | undefined): number {
  let count = 0;
  for (const [index, item] of items.entries()) {
    if (!walk.ask(node, item, undefined)) continue;
    count++;
    seen?.contained.add(index);
  }
  return count;
}
