/**
 * Code made for objects of one layout: the same members in the same order. It does what the walk does, without a look-up for each
 * member and with a literal in place of an object that grows; whatever is not as usual goes the walk's way, member by member.
 * Only names that the policy declares come into the code, as string literals: names of the data stay data.
 */
import { MASK } from "./action.js";
import { BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, STRING } from "./json-type.js";
import type { Walk } from "./evaluate.js";
import type { Node, Step } from "./node.js";
import { MAX_DEPTH } from "./plain.js";

/** @returns what leaves; undefined: the object has another layout */
export type Copier = (value: object, depth: number, walk: Walk) => unknown;

/** A member that is none of the scalars that leave as they are. @returns undefined: it does not leave */
export type Odd = (node: Node, value: unknown, name: string, depth: number, walk: Walk) => unknown;

/** Names of the members of an object, and where each leads. */
export interface Layout {
  readonly names: readonly string[];
  readonly steps: readonly Step[];
  /** Of whole answers, rather than of what stands in them. */
  readonly whole: boolean;
}

/** @returns undefined: no code can be made for it */
export type MakeCopier = (layout: Layout, odd: Odd) => Copier | undefined;

/** For platforms that let code be made from text; a process may forbid it all the same. */
export const makeCopier: MakeCopier = ({ names, steps, whole }, odd) => {
  const inners = steps.map((step) => (step === undefined ? undefined : innerOf(step)));
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- what this file is for
    const make = new Function("names", "steps", "inners", "deepest", "odd", sourceOf(names, steps, whole));
    return (make as Make)(names, steps, inners, MAX_DEPTH, odd);
  } catch {
    return undefined;
  }
};

type Inners = readonly (Copier | undefined)[];

type Make = (
  names: readonly string[],
  steps: readonly Step[],
  inners: Inners,
  deepest: number,
  odd: Odd,
) => Copier;

function sourceOf(names: readonly string[], steps: readonly Step[], whole: boolean): string {
  const reads: Read[] = [];
  const bound: string[] = [];
  for (const [index, name] of names.entries()) {
    const step = steps[index];
    if (step === undefined) continue;
    const [key, member, node, inner] = [literal(name), `m${index}`, `n${index}`, `copy${index}`];
    bound.push(`const ${node} = steps[${index}];`);
    bound.push(`const ${inner} = inners[${index}];`);
    const leaves = leaving(step, member, inner, `odd(${node}, ${member}, ${key}, depth, walk)`);
    reads.push({ index, key, member, leaves });
  }
  return `"use strict";
const { getPrototypeOf, prototype } = Object;
const { hasOwnProperty } = prototype;
const { isArray } = Array;
${bound.join("\n")}
return function copy(value, depth, walk) {
  let index = 0;
  for (const name in value) {
    if (name !== names[index++] || !hasOwnProperty.call(value, name)) return undefined;
  }
  if (index !== ${names.length}) return undefined;
  ${whole ? readInLoop(reads) : readByName(reads)}
  return { ${reads.map(({ key, member }) => `${key}: ${member}`).join(", ")} };
};`;
}

interface Read {
  readonly index: number;
  readonly key: string;
  readonly member: string;
  /** What is done to it. */
  readonly leaves: string;
}

function readByName(reads: readonly Read[]): string {
  return reads.map(({ key, member, leaves }) => `let ${member} = value[${key}];\n  ${leaves}`).join("\n  ");
}

/**
 * A loop's own name leads to its member without the engine having met the kind of object before. Each object is of a kind of its own
 * where a spread is followed by new members (`{ ...row, total }`, in Node 20), and looking for a name that is written out then
 * costs more than all the rest. Where kinds are shared the loop is the dearer one, though little: of whole answers there is one.
 */
function readInLoop(reads: readonly Read[]): string {
  if (reads.length === 0) return "";
  return `let ${reads.map(({ member }) => member).join(", ")};
  index = 0;
  for (const name in value) {
    // A getter that was just called may have changed the others. One that went is left out by the walk, too.
    if (name !== names[index]) return undefined;
    switch (index++) {
      ${reads.map(({ index, member, leaves }) => `case ${index}: ${member} = value[name]; ${leaves} break;`).join("\n      ")}
    }
  }`;
}

/** A statement that leaves in the variable what leaves of the member. */
function leaving(step: Node, member: string, node: string, odd: string): string {
  const constant = constantOf(step);
  if (constant !== undefined) return `${member} = typeof ${member} === "string" ? ${constant} : ${odd};`;
  if (innerOf(step) !== undefined) return ofObject(member, node, odd);
  const tests = testsOf(step.plain, member);
  return tests.length === 0 ? `${member} = ${odd};` : `if (!(${tests.join(" || ")})) ${member} = ${odd};`;
}

/** The code of an object inside, if some was made already. */
function innerOf(step: Node): Copier | undefined {
  return step.special || (step.types & OBJECT) === 0 ? undefined : step.members.copiers[0];
}

/**
 * Straight to the code of the object inside. `toJSON` is asked first: engines know by it which kind of object it is, and the
 * questions after it cost nothing.
 */
function ofObject(member: string, node: string, odd: string): string {
  const ordinary = [
    `typeof ${member} === "object"`,
    `${member} !== null`,
    `${member}.toJSON === undefined`,
    `getPrototypeOf(${member}) === prototype`,
    `!isArray(${member})`,
    `depth + 1 < deepest`,
  ];
  return `{
    const copied = ${ordinary.join(" && ")} ? ${node}(${member}, depth + 1, walk) : undefined;
    ${member} = copied === undefined ? ${odd} : copied;
  }`;
}

/** What stands in place of every text there, as code. */
function constantOf({ actions, choice }: Node): string | undefined {
  const [first] = actions;
  if (choice !== undefined || first === undefined || first.condition >= 0) return undefined;
  if (first.action === "mask") return literal(MASK);
  if (first.action === "null") return "null";
  return first.action === "remove" ? "undefined" : undefined;
}

/** Of each type that leaves as it is. */
function testsOf(plain: number, member: string): readonly string[] {
  const tests: string[] = [];
  if ((plain & STRING) !== 0) tests.push(`typeof ${member} === "string"`);
  // Infinity and NaN are written as null.
  if ((plain & NUMBER) === NUMBER) tests.push(`typeof ${member} === "number" && ${member} - ${member} === 0`);
  else if ((plain & INTEGER) !== 0) tests.push(`Number.isInteger(${member})`);
  if ((plain & BOOLEAN) !== 0) tests.push(`typeof ${member} === "boolean"`);
  if ((plain & NULL) !== 0) tests.push(`${member} === null`);
  return tests;
}

/** U+2028 and U+2029 end a line in engines before ES2019. */
function literal(name: string): string {
  return JSON.stringify(name).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
