/**
 * Code made for objects of one layout: the same members in the same order. It does what `write` does, without a look-up for each
 * member; whatever is not as usual goes that way, member by member.
 * Only names that the policy declares come into the code, as string literals and as numbers: names of the data stay data.
 */
import { type JsonWriter, keyOf, type Written, writtenOf } from "../../lib/json-writer.js";
import { MASK } from "./action.js";
import type { Walk } from "./evaluate.js";
import { BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, STRING } from "./json-type.js";
import type { Node, Step } from "./node.js";
import { MAX_DEPTH } from "./plain.js";
import { type Became, LEFT_OUT, OTHER, WROTE } from "./write.js";

/** @returns `OTHER`: the object has another layout, and what was written of it is to be taken back */
export type LayoutWriter = (value: object, depth: number, walk: Walk, out: JsonWriter) => Became;

/** A member that is none of the scalars that leave as they are. */
export type Odd = (
  node: Node,
  value: unknown,
  name: string,
  depth: number,
  walk: Walk,
  out: JsonWriter,
) => Became;

/** Names of the members of an object, and where each leads. */
export interface Layout {
  readonly names: readonly string[];
  readonly steps: readonly Step[];
  /** Of whole answers, rather than of what stands in them. */
  readonly whole: boolean;
}

/** @returns undefined: no code can be made for it */
export type MakeLayoutWriter = (layout: Layout, odd: Odd) => LayoutWriter | undefined;

/** For platforms that let code be made from text; a process may forbid it all the same. */
export const makeLayoutWriter: MakeLayoutWriter = ({ names, steps, whole }, odd) => {
  const inners = steps.map((step) => (step === undefined ? undefined : innerOf(step)));
  const keys = names.map(keyOf);
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- what this file is for
    const make = new Function("names", "keys", "steps", "inners", "odd", sourceOf(names, steps, whole));
    return (make as Make)(names, keys, steps, inners, odd);
  } catch {
    return undefined;
  }
};

type Inners = readonly (LayoutWriter | undefined)[];

type Make = (
  names: readonly string[],
  keys: readonly Written[],
  steps: readonly Step[],
  inners: Inners,
  odd: Odd,
) => LayoutWriter;

function sourceOf(names: readonly string[], steps: readonly Step[], whole: boolean): string {
  const members: Member[] = [];
  const bound: string[] = [];
  for (const [index, name] of names.entries()) {
    const step = steps[index];
    if (step === undefined) continue;
    bound.push(
      `const node${index} = steps[${index}], write${index} = inners[${index}], key${index} = keys[${index}];`,
    );
    members.push({ index, key: literal(name), writes: writing(step, name, index) });
  }
  return `"use strict";
const { getPrototypeOf, prototype } = Object;
const { hasOwnProperty } = prototype;
const { isArray } = Array;
${bound.join("\n")}
return function write(value, depth, walk, out) {
  let index = 0;
  for (const name in value) {
    if (name !== names[index++] || !hasOwnProperty.call(value, name)) return ${OTHER};
  }
  if (index !== ${names.length}) return ${OTHER};
  const start = out.at;
  let member, begin, at, view;
  ${whole ? readInLoop(members) : readByName(members)}
  out.close(start);
  return ${WROTE};
};`;
}

interface Member {
  readonly index: number;
  /** Its name, as code. */
  readonly key: string;
  /** What is done with it. */
  readonly writes: string;
}

function readByName(members: readonly Member[]): string {
  return members.map(({ key, writes }) => `member = value[${key}];\n  ${writes}`).join("\n  ");
}

/**
 * A loop's own name leads to its member without the engine having met the kind of object before. Each object is of a kind of its own
 * where a spread is followed by new members (`{ ...row, total }`, in Node 20), and looking for a name that is written out then
 * costs more than all the rest. Where kinds are shared the loop is the dearer one, though little: of whole answers there is one.
 */
function readInLoop(members: readonly Member[]): string {
  if (members.length === 0) return "";
  return `index = 0;
  for (const name in value) {
    // A getter that was just called may have changed the others. One that went is left out by the walk, too.
    if (name !== names[index]) return ${OTHER};
    switch (index++) {
      ${members.map(({ index, writes }) => `case ${index}: member = value[name];\n  ${writes} break;`).join("\n      ")}
    }
  }`;
}

/** Statements that write the member, its name first, or nothing. */
function writing(step: Node, name: string, index: number): string {
  const odd = `odd(node${index}, member, ${literal(name)}, depth + 1, walk, out)`;
  const took = `{ if (walk.withheld !== undefined) return ${LEFT_OUT}; out.at = begin; }`;
  const [key, usual] = [keyOf(name), "begin = out.at;"];
  const writesKey = inPlace(key, `out.key(key${index});`);
  const constant = constantOf(step);
  if (constant !== undefined) {
    const whole = constant === "" ? "" : constantIn(name, constant);
    return `${usual} if (typeof member === "string") { ${whole} }
  else { ${writesKey} if (${odd} !== ${WROTE}) ${took} }`;
  }
  if (innerOf(step) !== undefined) {
    return `${usual} ${writesKey}
  {
    let became = ${isOrdinary()} ? write${index}(member, depth + 1, walk, out) : ${OTHER};
    if (became === ${OTHER}) { out.at = begin + ${key.length}; became = ${odd}; }
    if (became !== ${WROTE}) ${took}
  }`;
  }
  const scalars = scalarsOf(step.plain).map(({ test, writes }) => `if (${test}) ${writes} else `);
  return `${usual} ${writesKey}\n  ${scalars.join("")}if (${odd} !== ${WROTE}) ${took}`;
}

/** Names as long as that are moved by a call. */
const LONG = 64;

/** Four bytes at a time, as numbers in the code. */
function inPlace({ words, length, ascii }: Written, otherwise: string): string {
  if (length > LONG || !ascii) return otherwise;
  const moves = words.map((word, index) => `view.setInt32(at + ${index * 4}, ${word});`);
  return `at = out.room(${length}); view = out.view; ${moves.join(" ")} out.at = at + ${length};`;
}

function constantIn(name: string, json: string): string {
  return inPlace(
    writtenOf(`,${JSON.stringify(name)}:${json}`),
    `out.name(${literal(name)}); out.json(${literal(json)});`,
  );
}

/** The code of an object inside, if some was made already. */
function innerOf(step: Node): LayoutWriter | undefined {
  return step.special || (step.types & OBJECT) === 0 ? undefined : step.members.writers[0];
}

/**
 * For straight to the code of the object inside. `toJSON` is asked first: engines know by it which kind of object it is, and the
 * questions after it cost nothing.
 */
function isOrdinary(): string {
  return [
    `typeof member === "object"`,
    `member !== null`,
    `member.toJSON === undefined`,
    `getPrototypeOf(member) === prototype`,
    `!isArray(member)`,
    `depth + 1 < ${MAX_DEPTH}`,
  ].join(" && ");
}

/** JSON of what stands in place of every text there; empty: nothing does. */
function constantOf({ actions, choice }: Node): string | undefined {
  const [first] = actions;
  if (choice !== undefined || first === undefined || first.condition >= 0) return undefined;
  if (first.action === "mask") return JSON.stringify(MASK);
  if (first.action === "null") return "null";
  return first.action === "remove" ? "" : undefined;
}

interface Scalar {
  readonly test: string;
  readonly writes: string;
}

/** Each type that leaves as it is. */
function scalarsOf(plain: number): readonly Scalar[] {
  const scalars: Scalar[] = [];
  if ((plain & STRING) !== 0)
    scalars.push({ test: `typeof member === "string"`, writes: "out.string(member);" });
  // Infinity and NaN are written as null.
  const number =
    (plain & NUMBER) === NUMBER
      ? `typeof member === "number" && member - member === 0`
      : (plain & INTEGER) === 0
        ? undefined
        : `Number.isInteger(member)`;
  if (number !== undefined) scalars.push({ test: number, writes: "out.number(member);" });
  if ((plain & BOOLEAN) !== 0)
    scalars.push({ test: `typeof member === "boolean"`, writes: "out.boolean(member);" });
  if ((plain & NULL) !== 0) scalars.push({ test: `member === null`, writes: "out.null();" });
  return scalars;
}

/** U+2028 and U+2029 end a line in engines before ES2019. */
function literal(name: string): string {
  return JSON.stringify(name).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
