/** The walk of `evaluate.ts`, with its answer written as it is found: of what leaves no copy is made that would have to be looked at again. */
import { type JsonWriter, keyOf } from "../../lib/json-writer.js";
import { GONE, redacted } from "./action.js";
import { copyOf, isPlain, mismatched, tooDeep, type Walk } from "./evaluate.js";
import { ARRAY, bitOf, OBJECT } from "./json-type.js";
import type { Node } from "./node.js";
import { isOrdinary, isOrdinaryAnswer, plainValue } from "./plain.js";
import { branchFor } from "./union.js";

export const WROTE = 0;
/** It does not leave; what was written of it is to be taken back. */
export const LEFT_OUT = 1;
/** JSON has no such value. */
export const NO_VALUE = 2;
/** The object has another layout; nothing was reported of it that the walk would not report. */
export const OTHER = 3;
/** What became of a value: one of these. */
export type Became = number;

export function write(
  node: Node,
  value: unknown,
  key: string,
  depth: number,
  walk: Walk,
  out: JsonWriter,
): Became {
  const ordinary = depth === 0 ? isOrdinaryAnswer(value) : isOrdinary(value);
  const plain = ordinary ? value : plainValue(value, key);
  return plain === undefined ? NO_VALUE : writePlain(node, plain, depth, walk, out);
}

function writePlain(node: Node, value: unknown, depth: number, walk: Walk, out: JsonWriter): Became {
  return node.special
    ? writeSpecial(node, value, depth, walk, out)
    : writeShape(node, value, depth, walk, out);
}

function writeShape(node: Node, value: unknown, depth: number, walk: Walk, out: JsonWriter): Became {
  if (typeof value !== "object" || value === null) {
    if ((node.types & bitOf(value)) === 0) walk.mismatch(node);
    return writeScalar(value, out);
  }
  if (Array.isArray(value)) {
    if ((node.types & ARRAY) !== 0) return writeItems(node, value, depth, walk, out);
  } else if ((node.types & OBJECT) !== 0) {
    return writeMembers(node, value as Readonly<Record<string, unknown>>, depth, walk, out);
  }
  mismatched(node, value, depth, walk);
  return LEFT_OUT;
}

function writeScalar(value: unknown, out: JsonWriter): Became {
  if (typeof value === "string") out.string(value);
  else if (typeof value === "number") out.number(value);
  else if (typeof value === "boolean") out.boolean(value);
  else out.null();
  return WROTE;
}

/** Redacted, or of several shapes. */
function writeSpecial(node: Node, value: unknown, depth: number, walk: Walk, out: JsonWriter): Became {
  if (node.choice !== undefined) return writeChoice(node, value, depth, walk, out);
  return writeRedacted(node, value, walk, out) ?? writeShape(node, value, depth, walk, out);
}

/** @returns undefined: no redaction is in force */
function writeRedacted(node: Node, value: unknown, walk: Walk, out: JsonWriter): Became | undefined {
  const action = node.actions.find((one) => walk.isActive(one));
  if (action === undefined) return undefined;
  const left = redacted(action.action, value, walk.hash);
  if (left === GONE) return LEFT_OUT;
  if (typeof left === "string") out.string(left);
  else out.json(JSON.stringify(left));
  return WROTE;
}

function writeChoice(node: Node, value: unknown, depth: number, walk: Walk, out: JsonWriter): Became {
  const { choice } = node;
  if (choice === undefined) return LEFT_OUT;
  const bit = bitOf(value);
  // The tag must be read from what is then written: a getter could answer differently the second time.
  const snapshot = bit === OBJECT ? { ...(value as object) } : value;
  const index = branchFor(choice.union, bit, snapshot);
  const branch = index === undefined ? undefined : node.branch(choice, index);
  if (branch !== undefined) return writePlain(branch, snapshot, depth, walk, out);
  if (index !== undefined) return LEFT_OUT;
  const became = writeRedacted(node, value, walk, out);
  if (became !== undefined) return became;
  walk.withhold("response-mismatch", `the value fits no branch of ${choice.union.at}`);
  return LEFT_OUT;
}

function writeMembers(
  node: Node,
  value: Readonly<Record<string, unknown>>,
  depth: number,
  walk: Walk,
  out: JsonWriter,
): Became {
  if (tooDeep(depth, walk)) return LEFT_OUT;
  const plan = node.members;
  const start = out.at;
  for (const writer of plan.writers) {
    const became = writer(value, depth, walk, out);
    if (became !== OTHER) return became;
    out.at = start;
  }
  const { guessedNames, guessedSteps, guessedKeys } = plan;
  let index = 0;
  // Reads what JSON.stringify would: own enumerable members, each once, and no getter of one that does not leave.
  for (const name in value) {
    const guessed = guessedNames[index] === name;
    const step = guessed ? guessedSteps[index] : plan.find(name, index);
    const place = index++;
    if (step === undefined || !Object.prototype.hasOwnProperty.call(value, name)) continue;
    const member = value[name];
    const begin = out.at;
    // A name that stands there for the first time may be data, and never be written again. While the member was read, another
    // answer may have been written that has other names there.
    if (guessed && guessedNames[place] === name) out.key((guessedKeys[place] ??= keyOf(name)));
    else out.name(name);
    const became = isPlain(step, member)
      ? writeScalar(member, out)
      : write(step, member, name, depth + 1, walk, out);
    if (became === WROTE) continue;
    if (walk.withheld !== undefined) return LEFT_OUT;
    out.at = begin;
  }
  plan.walked(index, depth === 0, write);
  out.close(start);
  return WROTE;
}

function writeItems(
  node: Node,
  value: readonly unknown[],
  depth: number,
  walk: Walk,
  out: JsonWriter,
): Became {
  if (tooDeep(depth, walk)) return LEFT_OUT;
  const { head, named, rest, tuple } = node.items;
  // A copy first: each item is read once, and no code of the handler's that runs meanwhile can change what is still to come.
  const list = copyOf(value);
  const { length } = list;
  out.openList();
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const step =
      index < head.length ? head[index] : named.size > 0 && named.has(index) ? named.get(index) : rest;
    const begin = out.at;
    if (kept > 0) out.comma();
    const became = step === undefined ? LEFT_OUT : writeItem(step, list[index], index, depth + 1, walk, out);
    if (became === WROTE) {
      kept++;
      continue;
    }
    if (walk.withheld !== undefined) return LEFT_OUT;
    out.at = begin;
    if (!tuple || index >= head.length) continue;
    if (kept++ > 0) out.comma();
    out.null();
  }
  out.closeList();
  return WROTE;
}

/** An item that JSON has no value for is written as null. */
function writeItem(
  step: Node,
  item: unknown,
  index: number,
  depth: number,
  walk: Walk,
  out: JsonWriter,
): Became {
  if (isPlain(step, item)) return writeScalar(item, out);
  const plain = isOrdinary(item) ? item : (plainValue(item, String(index)) ?? null);
  return writePlain(step, plain, depth, walk, out);
}
