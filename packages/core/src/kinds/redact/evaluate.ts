/** Projects and redacts a handler's value: one walk, a new value, the handler's own is never changed. */
import type { RequestState } from "../../model/state.js";
import { GONE, type Hash, redacted } from "./action.js";
import { ARRAY, bitOf, BOOLEAN, NULL, OBJECT, STRING } from "./json-type.js";
import { isPlainNumber, type Node, type NodeAction } from "./node.js";
import { plainValue } from "./plain.js";
import { branchFor } from "./union.js";

/** Deeper values come from loops in the data: no schema is meant so, and walkers die of them. */
export const MAX_DEPTH = 512;

/** Why nothing of an answer leaves. */
export interface Withheld {
  readonly code: "unreadable-response" | "response-mismatch";
  readonly reason: string;
}

/** What one walk knows and finds. */
export class Walk {
  withheld: Withheld | undefined = undefined;
  #reported: Set<string> | undefined = undefined;

  constructor(
    readonly state: RequestState,
    private readonly withholds: boolean,
    /** By condition: is the redaction in force? */
    readonly active: readonly boolean[],
    readonly hash: Hash,
  ) {}

  isActive({ condition }: NodeAction): boolean {
    return condition < 0 || this.active[condition] !== false;
  }

  /** Names the schema, never the value or the names that led to it: those may be data. */
  mismatch(node: Node): void {
    const what = `the value declared at ${node.at} has another shape`;
    if (this.withholds) this.withhold("response-mismatch", what);
    else if (this.#reported?.has(node.at) !== true) {
      (this.#reported ??= new Set()).add(node.at);
      this.state.report(`response: ${what}`);
    }
  }

  withhold(code: Withheld["code"], reason: string): void {
    this.withheld ??= { code, reason };
  }
}

/** @returns what leaves; `GONE` when nothing does; undefined when JSON has no such value */
export function project(node: Node, value: unknown, key: string, depth: number, walk: Walk): unknown {
  const plain = plainValue(value, key);
  return plain === undefined ? undefined : projectPlain(node, plain, depth, walk);
}

function projectPlain(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  if (node.choice !== undefined) return projectChoice(node, value, depth, walk);
  for (const action of node.actions)
    if (walk.isActive(action)) return redacted(action.action, value, walk.hash);
  const bit = bitOf(value);
  if ((node.types & bit) === 0) {
    walk.mismatch(node);
    if (typeof value !== "object" || value === null) return value;
    if (depth === 0)
      walk.withhold("response-mismatch", `the answer is not of the shape declared at ${node.at}`);
    return GONE;
  }
  if (bit === OBJECT) return projectMembers(node, value as Readonly<Record<string, unknown>>, depth, walk);
  return bit === ARRAY ? projectItems(node, value as readonly unknown[], depth, walk) : value;
}

function projectChoice(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  const { choice } = node;
  if (choice === undefined) return GONE;
  const bit = bitOf(value);
  // The tag must be read from what is then projected: a getter could answer differently the second time.
  const snapshot = bit === OBJECT ? { ...(value as object) } : value;
  const index = branchFor(choice.union, bit, snapshot);
  const branch = index === undefined ? undefined : node.branch(choice, index);
  if (branch !== undefined) return projectPlain(branch, snapshot, depth, walk);
  if (index !== undefined) return GONE;
  for (const action of node.actions)
    if (walk.isActive(action)) return redacted(action.action, value, walk.hash);
  walk.withhold("response-mismatch", `the value fits no branch of ${choice.union.at}`);
  return GONE;
}

function tooDeep(depth: number, walk: Walk): boolean {
  if (depth < MAX_DEPTH) return false;
  walk.withhold(
    "unreadable-response",
    `the answer is nested deeper than ${MAX_DEPTH} levels, or in a circle`,
  );
  return true;
}

function projectMembers(
  node: Node,
  value: Readonly<Record<string, unknown>>,
  depth: number,
  walk: Walk,
): unknown {
  if (tooDeep(depth, walk)) return GONE;
  const left: Record<string, unknown> = {};
  const plan = node.members;
  const { guessedNames, guessedSteps } = plan;
  let index = 0;
  // Reads what JSON.stringify would: own enumerable members, each once, and no getter of one that does not leave.
  for (const name in value) {
    const step = guessedNames[index] === name ? guessedSteps[index] : plan.find(name, index);
    index++;
    if (step === undefined || !Object.prototype.hasOwnProperty.call(value, name)) continue;
    const member = value[name];
    const leaves = isPlain(step, member) ? member : project(step, member, name, depth + 1, walk);
    if (leaves === undefined || leaves === GONE) {
      if (walk.withheld !== undefined) return GONE;
    } else if (name === "__proto__") define(left, name, leaves);
    else left[name] = leaves;
  }
  return left;
}

/** Assigning would set the prototype, whose members JSON.stringify does not write. */
function define(left: object, name: string, value: unknown): void {
  Object.defineProperty(left, name, { value, enumerable: true, configurable: true, writable: true });
}

function projectItems(node: Node, value: readonly unknown[], depth: number, walk: Walk): unknown {
  if (tooDeep(depth, walk)) return GONE;
  const { head, named, rest, tuple } = node.items;
  const { length } = value;
  const left: unknown[] = [];
  for (let index = 0; index < length; index++) {
    const step =
      index < head.length ? head[index] : named.size > 0 && named.has(index) ? named.get(index) : rest;
    if (step === undefined) {
      if (tuple && index < head.length) left.push(null);
      continue;
    }
    const item = value[index];
    if (isPlain(step, item)) {
      left.push(item);
      continue;
    }
    // An item that JSON has no value for is written as null.
    const plain = plainValue(item, String(index)) ?? null;
    const leaves = projectPlain(step, plain, depth + 1, walk);
    if (leaves !== GONE) left.push(leaves);
    else if (walk.withheld !== undefined) return GONE;
    else if (tuple) left.push(null);
  }
  return left;
}

/** Leaves as it is: what nearly every member and item of a usual answer is. */
function isPlain(node: Node, value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return (node.plain & STRING) !== 0;
    case "number":
      return isPlainNumber(node, value);
    case "boolean":
      return (node.plain & BOOLEAN) !== 0;
    default:
      return value === null && (node.plain & NULL) !== 0;
  }
}
