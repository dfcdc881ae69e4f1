/** Which part of an expression decided, in words, and what that part read. For traces: it may take its time. */
import type { ReadFact, RequestState } from "../model/state.js";
import { factsOf } from "./node.js";
import type { Node } from "./node.js";
import type { Vocabulary } from "./roots.js";
import { Failure } from "./values.js";

export interface Explanation {
  readonly reason: string;
  readonly read: readonly ReadFact[];
}

/** Parts beyond this many are summed up. */
const MAX_PARTS = 4;

export function explainNode(node: Node, state: RequestState, vocabulary: Vocabulary): Explanation {
  const decisive = deciders(node, state);
  const told = decisive.slice(0, MAX_PARTS).map((part) => tell(part, state));
  const more = decisive.length > MAX_PARTS ? [`and ${decisive.length - MAX_PARTS} more parts`] : [];
  const facts = new Map(decisive.flatMap(factsOf).map((fact) => [fact.name, fact]));
  const read = [...facts.values()].map(({ name, shown }) => factValue(name, shown, state, vocabulary));
  return { reason: [...told, ...more].join("; "), read };
}

function tell(node: Node, state: RequestState): string {
  const value = node.run(state);
  if (value instanceof Failure) return `\`${node.text}\` cannot be evaluated: ${value.error}`;
  return typeof value === "boolean" ? `\`${node.text}\` is ${value}` : `\`${node.text}\` was computed`;
}

/** The smallest parts that settle the result: one true side of `||` is enough, but all its sides had to be false. */
function deciders(node: Node, state: RequestState): Node[] {
  switch (node.role) {
    case "or":
      return settled(node, state, true);
    case "and":
      return settled(node, state, false);
    case "not":
      return node.parts.flatMap((part) => deciders(part, state));
    case "choice":
      return chosen(node, state);
    case "plain":
      return [node];
  }
}

function settled(node: Node, state: RequestState, decisive: boolean): Node[] {
  const value = node.run(state);
  const wanted =
    value === decisive
      ? node.parts.filter((part) => part.run(state) === decisive).slice(0, 1)
      : node.parts.filter((part) => isOpen(part, value, state));
  return wanted.flatMap((part) => deciders(part, state));
}

/** Where nothing decided: after an error the parts that failed, else all of them. */
function isOpen(part: Node, value: unknown, state: RequestState): boolean {
  return value instanceof Failure ? typeof part.run(state) !== "boolean" : true;
}

function chosen(node: Node, state: RequestState): Node[] {
  const [condition, yes, no] = node.parts;
  if (condition === undefined) return [node];
  const value = condition.run(state);
  const branch = value === true ? yes : value === false ? no : undefined;
  const first = deciders(condition, state);
  return branch === undefined || branch.constant !== undefined
    ? first
    : [...first, ...deciders(branch, state)];
}

/** Never a value of a header, cookie, query or body, nor a claim that looks like a credential. */
function factValue(name: string, shown: boolean, state: RequestState, vocabulary: Vocabulary): ReadFact {
  const [root, member, ...rest] = name.split(".");
  const access = shown ? vocabulary.roots.get(root ?? "")?.access(member ?? "") : undefined;
  let value = access?.get(state);
  for (const segment of rest) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, segment)
        ? (value as Record<string, unknown>)[segment]
        : undefined;
  }
  return isTellable(value) ? { fact: name, value } : { fact: name };
}

/** Scalars and lists of texts; whole objects may hold anything. */
function isTellable(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= 50 && value.every((item) => typeof item === "string");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
