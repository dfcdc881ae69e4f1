/** What expressions compute with: JSON values, instants and durations in whole milliseconds, and errors that are values. */
import type { RequestState } from "../model/state.js";
import type { ConditionError } from "./condition.js";

/** An error of the evaluation. Made while compiling wherever its text is known then, so that failing costs nothing. */
export class Failure implements ConditionError {
  constructor(readonly error: string) {}
}

/** One compiled part: its value, or a `Failure`. */
export type Run = (state: RequestState) => unknown;

/** Sets of text that stand behind `principal.roles` and `principal.scopes` beside their lists. */
export type ReadSet = (state: RequestState) => ReadonlySet<string> | undefined;

export type Json = Readonly<Record<string, unknown>>;

/** Anything with members that is no list: what `.name` and `["name"]` may look into. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own members only: `constructor` and `__proto__` are plain names, and no host object is reached through them. */
export function memberOf(value: Json, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * CEL equality: values of different types differ; numbers compare by value; lists and maps member by member. Works off a list of
 * its own instead of calling itself: a claim may be nested deeper than the stack is.
 */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  const open: unknown[] = [left, right];
  while (open.length > 0) {
    const b = open.pop();
    const a = open.pop();
    if (a === b) continue;
    const same = Array.isArray(a)
      ? Array.isArray(b) && pairItems(a, b, open)
      : isObject(a) && isObject(b) && pairMembers(a, b, open);
    if (!same) return false;
  }
  return true;
}

function pairItems(left: readonly unknown[], right: readonly unknown[], open: unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) open.push(left[index], right[index]);
  return true;
}

function pairMembers(left: Json, right: Json, open: unknown[]): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name)) return false;
    open.push(left[name], right[name]);
  }
  return true;
}

/** Code points, as CEL counts them. */
export function lengthOf(text: string): number {
  let length = text.length;
  for (let index = 0; index + 1 < text.length; index += 1) {
    if (isHigh(text.charCodeAt(index)) && isLow(text.charCodeAt(index + 1))) length -= 1;
  }
  return length;
}

/** Code point order, as CEL has it; JavaScript's own `<` puts astral characters before U+E000 to U+FFFF. */
export function compareText(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Instants of the years 1 to 9999: the range of CEL's timestamp. */
export function isInstant(milliseconds: number): boolean {
  return milliseconds >= -62_135_596_800_000 && milliseconds <= 253_402_300_799_999;
}

/** Ten thousand years either way: the range of CEL's duration. */
export function isSpan(milliseconds: number): boolean {
  return Math.abs(milliseconds) <= 315_576_000_000_000;
}
