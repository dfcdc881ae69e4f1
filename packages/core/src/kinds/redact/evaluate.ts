/** Projects and redacts a handler's value: one walk, a new value, the handler's own is never changed. */
import type { RequestState } from "../../model/state.js";
import { GONE, type Hash, redacted } from "./action.js";
import { ARRAY, bitOf, BOOLEAN, NULL, OBJECT, STRING } from "./json-type.js";
import { isPlainNumber, type Node, type NodeAction } from "./node.js";
import { isOrdinary, isOrdinaryAnswer, MAX_DEPTH, plainValue } from "./plain.js";
import { branchFor } from "./union.js";

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

  isActive({ condition, rule }: NodeAction): boolean {
    const active = condition < 0 || this.active[condition] !== false;
    if (this.state.tracing) this.state.note({ reached: [{ rule, came: active ? "applied" : "exempted" }] });
    return active;
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
  const ordinary = depth === 0 ? isOrdinaryAnswer(value) : isOrdinary(value);
  const plain = ordinary ? value : plainValue(value, key);
  return plain === undefined ? undefined : projectPlain(node, plain, depth, walk);
}

function projectPlain(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  return node.special ? projectSpecial(node, value, depth, walk) : projectShape(node, value, depth, walk);
}

function projectShape(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  if (typeof value !== "object" || value === null) {
    return (node.types & bitOf(value)) === 0 ? mismatched(node, value, depth, walk) : value;
  }
  if (Array.isArray(value)) {
    return (node.types & ARRAY) === 0
      ? mismatched(node, value, depth, walk)
      : projectItems(node, value, depth, walk);
  }
  if ((node.types & OBJECT) === 0) return mismatched(node, value, depth, walk);
  return projectMembers(node, value as Readonly<Record<string, unknown>>, depth, walk);
}

/** Redacted, or of several shapes. */
function projectSpecial(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  if (node.choice !== undefined) return projectChoice(node, value, depth, walk);
  for (const action of node.actions)
    if (walk.isActive(action)) return redacted(action.action, value, walk.hash);
  return projectShape(node, value, depth, walk);
}

export function mismatched(node: Node, value: unknown, depth: number, walk: Walk): unknown {
  walk.mismatch(node);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0)
    walk.withhold("response-mismatch", `the answer is not of the shape declared at ${node.at}`);
  return GONE;
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

export function tooDeep(depth: number, walk: Walk): boolean {
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
  const plan = node.members;
  const left = new node.Left();
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
  // A copy first: it keeps the compact form of the list, and each item is read once.
  const left = copyOf(value);
  const { length } = left;
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const step =
      index < head.length ? head[index] : named.size > 0 && named.has(index) ? named.get(index) : rest;
    const item = left[index];
    let leaves: unknown = GONE;
    if (step !== undefined) {
      // An item that JSON has no value for is written as null.
      leaves = isPlain(step, item)
        ? item
        : projectPlain(
            step,
            isOrdinary(item) ? item : (plainValue(item, String(index)) ?? null),
            depth + 1,
            walk,
          );
    }
    if (leaves !== GONE) left[kept++] = leaves;
    else if (walk.withheld !== undefined) return GONE;
    else if (tuple && index < head.length) left[kept++] = null;
  }
  if (kept < length) left.length = kept;
  return left;
}

/** `slice` keeps the compact form, but asks a subclass how to copy. */
export function copyOf(list: readonly unknown[]): unknown[] {
  const { constructor }: { readonly constructor: unknown } = list;
  return constructor === Array ? list.slice() : Array.from(list);
}

/** Leaves as it is: what nearly every member and item of a usual answer is. */
export function isPlain(node: Node, value: unknown): boolean {
  // Comparisons of `typeof` with a literal, not a switch over it: engines compile those to one test of a tag.
  if (typeof value === "string") return (node.plain & STRING) !== 0;
  if (typeof value === "number") return isPlainNumber(node, value);
  if (typeof value === "boolean") return (node.plain & BOOLEAN) !== 0;
  return value === null && (node.plain & NULL) !== 0;
}
