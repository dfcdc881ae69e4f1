/**
 * JSON Schema 2020-12 as closures: no code is generated, so it runs where `new Function` is refused (a content security
 * policy, a worker). It also lists the problems of what ajv turned down, so that an answer does not depend on the platform,
 * and so that a hostile body cannot choose how many there are.
 */
import { type Cut, type Node, Walk } from "./evaluation.js";
import { arrayKeywords, unevaluatedItems } from "./keywords-array.js";
import { accounting, composedKeywords } from "./keywords-composed.js";
import { objectKeywords, unevaluatedProperties } from "./keywords-object.js";
import { compileEnum, compileType, numberKeywords, stringKeywords } from "./keywords-scalar.js";
import type { PatternCache } from "../lib/linear-regexp.js";
import { type PreparedSchema, type SchemaObject, isObject } from "./prepare.js";
import type { InputProblem } from "../model/outcome.js";

/** One schema, ready to be asked. */
export interface InterpretedSchema {
  fits(value: unknown): boolean;
  /** At most `limit`; empty when the value fits. */
  problems(value: unknown, limit: number): readonly InputProblem[];
  /** What `unknown` would take out; undefined when the value does not fit even without it. Nothing is changed. */
  cuts(value: unknown): readonly Cut[] | undefined;
}

/** @throws Error for a schema that did not pass the checks of the document */
export function interpretSchema(prepared: PreparedSchema, patterns: PatternCache): InterpretedSchema {
  const root = new Interpreter(prepared, patterns).compile(prepared.schema);
  return {
    fits: (value) => root(value, new Walk(0), undefined),
    problems: (value, limit) => {
      const walk = new Walk(limit);
      return root(value, walk, undefined) ? [] : (walk.problems ?? []);
    },
    cuts: (value) => {
      const cuts: Cut[] = [];
      return root(value, new Walk(0, cuts), undefined) ? cuts : undefined;
    },
  };
}

class Interpreter {
  readonly #prepared: PreparedSchema;
  readonly #patterns: PatternCache;
  readonly #referenced = new Map<string, Node>();

  constructor(prepared: PreparedSchema, patterns: PatternCache) {
    this.#prepared = prepared;
    this.#patterns = patterns;
  }

  readonly compile = (schema: unknown): Node => {
    if (schema === true) return () => true;
    if (schema === false) return (_value, walk) => walk.fail("false");
    if (!isObject(schema)) throw new Error("a schema is neither an object nor a boolean");
    const node = inOrder(this.#keywords(schema));
    const last = this.#lastKeywords(schema);
    return last.length === 0 ? node : accounting([node], last);
  };

  #keywords(schema: SchemaObject): Node[] {
    const implied = this.#prepared.implied.has(schema);
    const nodes: Node[] = [];
    if (schema["type"] !== undefined) nodes.push(compileType(schema["type"]));
    if (Array.isArray(schema["enum"])) nodes.push(compileEnum(schema["enum"], "enum"));
    if (Object.hasOwn(schema, "const")) nodes.push(compileEnum([schema["const"]], "const"));
    const byType = forTypes({
      number: numberKeywords(schema),
      string: stringKeywords(schema, this.#patterns),
      array: arrayKeywords(schema, this.compile),
      object: objectKeywords(schema, implied, this.compile, this.#patterns),
    });
    if (byType !== undefined) nodes.push(byType);
    if (typeof schema["$ref"] === "string") nodes.push(this.#reference(schema["$ref"]));
    nodes.push(...composedKeywords(schema, this.compile));
    return nodes;
  }

  #lastKeywords(schema: SchemaObject): Node[] {
    const implied = this.#prepared.implied.has(schema);
    const nodes: Node[] = [];
    const items = unevaluatedItems(schema, this.compile);
    if (items !== undefined)
      nodes.push((value, walk, seen) => !Array.isArray(value) || items(value, walk, seen));
    const members = unevaluatedProperties(schema, implied, this.compile);
    if (members !== undefined)
      nodes.push((value, walk, seen) => !isObject(value) || members(value, walk, seen));
    return nodes;
  }

  /** A schema may refer to itself: its node is looked up when it is first walked. */
  #reference(reference: string): Node {
    let target: Node | undefined;
    return (value, walk, seen) => {
      target ??= this.#definition(reference);
      return target(value, walk, seen);
    };
  }

  #definition(reference: string): Node {
    let node = this.#referenced.get(reference);
    if (node === undefined) {
      const { schema } = this.#prepared;
      const definitions = isObject(schema) ? schema["$defs"] : undefined;
      const name = reference.slice("#/$defs/".length);
      node = this.compile(isObject(definitions) ? definitions[name] : undefined);
      this.#referenced.set(reference, node);
    }
    return node;
  }
}

/** Every keyword is asked while problems are collected; else the first misfit decides. */
function inOrder(nodes: readonly Node[]): Node {
  const [only] = nodes;
  if (nodes.length === 1 && only !== undefined) return only;
  return (value, walk, seen) => {
    let fits = true;
    for (const node of nodes) {
      if (node(value, walk, seen)) continue;
      fits = false;
      if (walk.done) return false;
    }
    return fits;
  };
}

type JsonKind = "number" | "string" | "array" | "object";

/** Keywords of one type pass every value of another. */
function forTypes(keywords: Readonly<Record<JsonKind, Node[]>>): Node | undefined {
  if (Object.values(keywords).every((nodes) => nodes.length === 0)) return undefined;
  const [number, string, array, object] = [
    keywords.number,
    keywords.string,
    keywords.array,
    keywords.object,
  ].map(inOrder);
  return (value, walk, seen) => {
    let node: Node | undefined;
    if (typeof value === "string") node = string;
    else if (typeof value === "number") node = number;
    else if (Array.isArray(value)) node = array;
    else if (typeof value === "object" && value !== null) node = object;
    return node === undefined || node(value, walk, seen);
  };
}
