/** Keywords that look at the members of an object. Only its own: `constructor` is no member of `{}`. */
import type { Node, Seen, Walk } from "./evaluation.js";
import { type PatternCache, linearRegExp } from "../lib/linear-regexp.js";
import { type SchemaObject, isObject } from "./prepare.js";

type Compile = (schema: unknown) => Node;
type Members = Readonly<Record<string, unknown>>;

/** Only for objects. `implied`: `unknown` closed this schema, and its word is given back to it. */
export function objectKeywords(
  schema: SchemaObject,
  implied: boolean,
  compile: Compile,
  patterns: PatternCache,
): Node[] {
  const nodes: Node[] = [];
  const { minProperties, maxProperties, required, propertyNames, dependentRequired, dependentSchemas } =
    schema;
  if (typeof minProperties === "number") {
    nodes.push((value, walk) => sizeOf(value) >= minProperties || walk.fail("minProperties", minProperties));
  }
  if (typeof maxProperties === "number") {
    nodes.push((value, walk) => sizeOf(value) <= maxProperties || walk.fail("maxProperties", maxProperties));
  }
  if (Array.isArray(required)) nodes.push(requiring(required.map(String), "required"));
  if (propertyNames !== undefined) nodes.push(namesFitting(compile(propertyNames)));
  if (isObject(dependentRequired)) nodes.push(...dependentNames(dependentRequired));
  if (isObject(dependentSchemas)) nodes.push(...dependent(dependentSchemas, compile));
  const members = memberNode(schema, implied, compile, patterns);
  if (members !== undefined) nodes.push(members);
  return nodes;
}

/** After everything that may speak for a member: compositions too. */
export function unevaluatedProperties(
  schema: SchemaObject,
  implied: boolean,
  compile: Compile,
): Node | undefined {
  if (schema["unevaluatedProperties"] === undefined) return undefined;
  const rest = restNode(schema["unevaluatedProperties"], implied, "unevaluatedProperties", compile);
  return (value, walk, seen) => {
    if (seen === undefined || seen.allNames) return true;
    let fits = true;
    const members = value as Members;
    for (const name of Object.keys(members)) {
      if (seen.names.has(name) || rest(members, name, walk)) continue;
      fits = false;
      if (walk.done) return false;
    }
    seen.allNames = true;
    return fits;
  };
}

type Rest = (members: Members, name: string, walk: Walk) => boolean;

/** What befalls a member that nobody named. */
function restNode(
  schema: unknown,
  implied: boolean,
  rule: "additionalProperties" | "unevaluatedProperties",
  compile: Compile,
): Rest {
  if (schema === true) return () => true;
  if (implied) {
    return (members, name, walk) => {
      if (walk.cuts === undefined) return walk.fail("unknown", undefined, name);
      walk.cuts.push({ from: members, name });
      return true;
    };
  }
  if (schema === false) return (_members, name, walk) => walk.fail(rule, undefined, name);
  const node = compile(schema);
  return (members, name, walk) => walk.child(node, members[name], name);
}

function memberNode(
  schema: SchemaObject,
  implied: boolean,
  compile: Compile,
  patterns: PatternCache,
): Node | undefined {
  const { properties, patternProperties, additionalProperties } = schema;
  if (properties === undefined && patternProperties === undefined && additionalProperties === undefined)
    return undefined;
  const named = new Map(
    Object.entries(isObject(properties) ? properties : {}).map(([name, it]) => [name, compile(it)]),
  );
  const matched = Object.entries(isObject(patternProperties) ? patternProperties : {}).map(
    ([pattern, it]) => [linearRegExp(pattern, patterns), compile(it)] as const,
  );
  const rest =
    additionalProperties === undefined
      ? undefined
      : restNode(additionalProperties, implied, "additionalProperties", compile);
  return (value, walk, seen) => {
    const members = value as Members;
    let fits = true;
    for (const name of Object.keys(members)) {
      if (memberFits(members, name, walk, seen)) continue;
      fits = false;
      if (walk.done) return false;
    }
    return fits;
  };

  function memberFits(members: Members, name: string, walk: Walk, seen: Seen | undefined): boolean {
    const node = named.get(name);
    let known = node !== undefined;
    let fits = node === undefined || walk.child(node, members[name], name);
    for (const [pattern, patterned] of matched) {
      if (!pattern.test(name)) continue;
      known = true;
      if (!walk.child(patterned, members[name], name)) fits = false;
    }
    if (!known && rest !== undefined) {
      known = true;
      fits = rest(members, name, walk);
    }
    if (known) seen?.names.add(name);
    return fits;
  }
}

function requiring(names: readonly string[], rule: "required" | "dependentRequired"): Node {
  return (value, walk) => {
    let fits = true;
    for (const name of names) {
      if (Object.hasOwn(value as object, name)) continue;
      fits = walk.fail(rule, undefined, name);
      if (walk.done) return false;
    }
    return fits;
  };
}

function namesFitting(node: Node): Node {
  return (value, walk) => {
    for (const name of Object.keys(value as object)) {
      if (!walk.ask(node, name, undefined)) return walk.fail("propertyNames", undefined, name);
    }
    return true;
  };
}

function dependentNames(map: SchemaObject): Node[] {
  return Object.entries(map).map(([name, names]): Node => {
    const node = requiring(Array.isArray(names) ? names.map(String) : [], "dependentRequired");
    return (value, walk, seen) => !Object.hasOwn(value as object, name) || node(value, walk, seen);
  });
}

function dependent(map: SchemaObject, compile: Compile): Node[] {
  return Object.entries(map).map(([name, schema]): Node => {
    const node = compile(schema);
    return (value, walk, seen) => !Object.hasOwn(value as object, name) || node(value, walk, seen);
  });
}

function sizeOf(value: unknown): number {
  return Object.keys(value as object).length;
}
