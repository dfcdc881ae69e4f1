/**
 * Code made for objects that are written in one order: `Scan.rest`, laid out member by member. Each member has branches of its own then,
 * which processors foresee, and what is known of it is a number in the code. Where an object is written otherwise `rest` goes on from there.
 * No name comes into the code, whether the policy's or the data's: those of the policy are compared as numbers.
 */
import type { JsonBytes } from "../../lib/json-bytes.js";
import { afterPlainString, afterString, afterValue, before, oddIn } from "../../lib/json-steps.js";
import { INTEGER, STRING } from "./json-type.js";
import type { Node } from "./node.js";
import { afterWrittenNumber } from "./scan-number.js";
import { type Member, stands } from "./scan-plan.js";

/** What the code needs of a scan. */
export interface Scanning {
  readonly text: JsonBytes;
  /** What stands from here on leaves, and is not written yet. */
  from: number;
  value(node: Node, at: number, depth: number): number;
  rest(
    node: Node,
    at: number,
    index: number,
    depth: number,
    kept: number,
    cutting: boolean,
    seen: number,
  ): number;
  write(end: number): void;
  /** In place of a value that begins there. */
  mask(at: number): void;
}

/** @param at where the name of the first member begins @returns where the object ends */
export type MemberScanner = (scan: Scanning, at: number, depth: number) => number;

/** @returns undefined: no code can be made */
export type MakeMemberScanner = (node: Node, members: readonly Member[]) => MemberScanner | undefined;

const TOOLS = { stands, afterPlainString, afterString, afterValue, afterWrittenNumber, before, oddIn };

/** For platforms that let code be made from text; a process may forbid it all the same. */
export const makeMemberScanner: MakeMemberScanner = (node, members) => {
  const fates = members.map(fateOf);
  if (fates.includes("unknown") || areRepeated(members)) return undefined;
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- what this file is for
    const make = new Function("node", "members", "tools", sourceOf(members, fates));
    return (make as Make)(node, members, TOOLS);
  } catch {
    return undefined;
  }
};

type Make = (node: Node, members: readonly Member[], tools: typeof TOOLS) => MemberScanner;

/** Guesses may be of several objects, one in the other; code that takes a name twice would let out both. */
function areRepeated(members: readonly Member[]): boolean {
  const leaving = members.filter(({ bit }) => bit !== 0);
  return new Set(leaving).size < leaving.length;
}

/** What always becomes of a member; unknown: that depends. */
type Fate = "leaves" | "masked" | "cut" | "unknown";

function fateOf({ step, words }: Member): Fate {
  if (words.length === 0) return "unknown";
  if (step === undefined) return "cut";
  if (!step.special) return "leaves";
  const [first] = step.actions;
  if (step.choice !== undefined || first === undefined || first.condition >= 0) return "unknown";
  if (first.action === "mask") return "masked";
  return first.action === "remove" ? "cut" : "unknown";
}

function sourceOf(members: readonly Member[], fates: readonly Fate[]): string {
  const bound: string[] = [];
  const parts: string[] = [];
  let [kept, seen, cutting] = [0, 0, false];
  for (const [index, member] of members.entries()) {
    const fate = fates[index];
    bound.push(`const member${index} = members[${index}], step${index} = members[${index}].step;`);
    parts.push(
      `if (!(${standsThere(member, index)})) return scan.rest(node, at, ${index}, depth, ${kept}, ${cutting}, ${seen});`,
    );
    // As `Scan` keeps and cuts: with the comma before it, unless nothing left before it.
    const edge = kept === 0 ? "at" : "at - 1";
    if (fate === "cut" && !cutting) parts.push(`scan.write(${edge});`);
    if (fate !== "cut" && cutting) parts.push(`scan.from = ${edge};`);
    parts.push(`at += ${member.length};`, stepOver(member, fate, index));
    cutting = fate === "cut";
    if (!cutting) kept++;
    seen |= member.bit;
    parts.push(`code = view.getUint8(at);
  if (code !== 0x2c) {
    if (code !== 0x7d) return -1;
    ${cutting ? "scan.from = at;" : ""}
    return at + 1;
  }
  at++;`);
  }
  return `"use strict";
const { ${Object.keys(TOOLS).join(", ")} } = tools;
${bound.join("\n")}
return function members(scan, start, depth) {
  const { text } = scan;
  const { view } = text;
  let at = start, code, odd;
  ${parts.join("\n  ")}
  return scan.rest(node, at, ${members.length}, depth, ${kept}, ${cutting}, ${seen});
};`;
}

/**
 * In order, so that nothing is read beyond the end: no word is looked at before the one in front of it was found to be text. Of a name that no
 * policy has the code knows nothing.
 */
function standsThere({ words, last, step }: Member, index: number): string {
  if (step === undefined) return `stands(text, at, member${index})`;
  return words
    .map((word, place) => `view.getInt32(at + ${Math.min(place * 4, last)}) === ${word}`)
    .join(" && ");
}

function stepOver({ step }: Member, fate: Fate | undefined, index: number): string {
  if (fate === "masked") return `scan.mask(at); ${skipped()} scan.from = at;`;
  if (step === undefined || fate === "cut") return skipped();
  const otherwise = `{ at = scan.value(step${index}, at, depth); if (at < 0) return -1; }`;
  if ((step.types & STRING) !== 0) return string("afterPlainString", otherwise);
  if ((step.types & INTEGER) === 0) return otherwise;
  return `code = view.getUint8(at);
  if (code >= 0x30 && code <= 0x39) { at = afterWrittenNumber(text, at, ${step.types}); if (at < 0) return -1; }
  else ${otherwise}`;
}

function skipped(): string {
  return string("afterString", `{ at = afterValue(text, at, depth); if (at < 0) return -1; }`);
}

/** The usual letters here, and all others there. */
function string(there: string, otherwise: string): string {
  return `if (view.getUint8(at) === 0x22) {
    at++;
    while ((odd = oddIn(view.getInt32(at, true))) === 0) at += 4;
    at += before(odd);
    if (view.getUint8(at) === 0x22) at++;
    else { at = ${there}(text, at); if (at < 0) return -1; }
  } else ${otherwise}`;
}
