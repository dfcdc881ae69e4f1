/**
 * What a document must be before anything walks it by recursion: JSON, finite, and of a size that a policy can have.
 * One look at a policy that an editor's macro blew up to a hundred megabytes must not take the process down.
 */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { kindOf } from "./words.js";

/** Characters of a document's text. */
export const MAX_TEXT = 4 * 1024 * 1024;
/** Objects and lists inside of each other. */
export const MAX_DEPTH = 128;
/** Values of a document, all counted. */
const MAX_VALUES = 1_000_000;
/** Problems of this kind that are reported one by one. */
const MAX_REPORTED = 100;

/** Under `u` halves of a pair are no characters of their own. Written out: by their name, every start would gather Unicode's categories. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

/** A value and the way to it; a pointer is only spelled out where there is a problem. */
interface Visit {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent: Visit | undefined;
  readonly depth: number;
}

/** False: nothing else may look at the document. */
export function checkBounds(document: unknown, report: Report): boolean {
  // Ways are only kept where something on them will be told, which is in hardly any document.
  return isFine(document) || lookClosely(document, report);
}

/** Whether there is nothing to tell. */
export function isFine(document: unknown): boolean {
  let values = 0;
  // Only as deep as a document may be, so that the stack is deep enough.
  const fine = (value: unknown, depth: number): boolean => {
    values += 1;
    if (values > MAX_VALUES || depth > MAX_DEPTH) return false;
    if (typeof value === "string") return value.isWellFormed();
    if (typeof value === "number") return Number.isSafeInteger(value) || isFraction(value);
    if (typeof value !== "object") return typeof value === "boolean";
    if (value === null) return true;
    if (Array.isArray(value)) {
      for (const member of value) if (!fine(member, depth + 1)) return false;
      return true;
    }
    if (!isPlain(value)) return false;
    const members = value as Readonly<Record<string, unknown>>;
    // What is inherited is looked at too: at worst the closer look is taken, and that one tells the two apart.
    for (const key in members) {
      if (key === "__proto__" || !key.isWellFormed() || !fine(members[key], depth + 1)) return false;
    }
    return true;
  };
  return fine(document, 0);
}

function isFraction(value: number): boolean {
  return Number.isFinite(value) && !Number.isInteger(value);
}

/** Objects of another realm have a prototype that is not ours, and nothing above it. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** The same, with every problem told at its place. */
export function lookClosely(document: unknown, report: Report): boolean {
  const before = report.diagnostics.length;
  const open: Visit[] = [{ value: document, key: "", parent: undefined, depth: 0 }];
  let values = 0;
  // A list and a counter in place of recursion: a document may be deeper than the stack.
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    values += 1;
    if (values > MAX_VALUES) return tooLarge(report);
    if (visit.depth > MAX_DEPTH) return tooDeep(report);
    checkValue(visit, report);
    if (report.diagnostics.length - before >= MAX_REPORTED) return false;
    addMembers(visit, open);
  }
  return report.diagnostics.length === before;
}

function tooLarge(report: Report): false {
  const message = `the document has more than ${MAX_VALUES} values`;
  report.error("too-large", "", message, "split the API, or its policy");
  return false;
}

function tooDeep(report: Report): false {
  const message = `the document is nested more than ${MAX_DEPTH} levels deep`;
  report.error("too-deep", "", message, "name inner schemas under `schemas`");
  return false;
}

function addMembers(visit: Visit, open: Visit[]): void {
  const { value, depth } = visit;
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const [key, member] of value.entries())
      open.push({ value: member, key, parent: visit, depth: depth + 1 });
    return;
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(members))
    open.push({ value: members[key], key, parent: visit, depth: depth + 1 });
}

function pointerOf(visit: Visit): string {
  return visit.parent === undefined ? "" : pointerTo(pointerOf(visit.parent), visit.key);
}

function checkValue(visit: Visit, report: Report): void {
  const { value } = visit;
  switch (typeof value) {
    case "string":
      if (LONE_SURROGATE.test(value)) loneSurrogate(pointerOf(visit), report);
      return;
    case "number":
      if (!Number.isSafeInteger(value) && !isFraction(value)) checkNumber(value, visit, report);
      return;
    case "boolean":
      return;
    case "object":
      if (value !== null && !Array.isArray(value)) checkKeys(value, visit, report);
      return;
    case "undefined":
      return report.error("not-json", pointerOf(visit), "undefined is no JSON value", "leave the key out");
    case "bigint":
    case "function":
    case "symbol":
      return report.error(
        "not-json",
        pointerOf(visit),
        `${kindOf(value)} is no JSON value`,
        "a policy is data: code has a name in it",
      );
  }
}

function checkKeys(value: object, visit: Visit, report: Report): void {
  if (!isPlain(value)) {
    const message = "an instance of a class is no JSON value";
    return report.error("not-json", pointerOf(visit), message, "write a plain object");
  }
  for (const key of Object.keys(value)) {
    if (LONE_SURROGATE.test(key)) loneSurrogate(pointerTo(pointerOf(visit), key), report);
    if (key === "__proto__") prototypeKey(pointerTo(pointerOf(visit), key), report);
  }
}

/** The one key that sets an object's prototype wherever a copy is made of it. */
function prototypeKey(pointer: string, report: Report): void {
  const message = "key `__proto__` would reach into an object's prototype";
  report.error("prototype-key", pointer, message, "choose another name");
}

function loneSurrogate(pointer: string, report: Report): void {
  report.error("lone-surrogate", pointer, "the text has half a surrogate pair", "write the whole character");
}

/** Beyond 2^53 two readers of the same digits may hold two numbers. */
function checkNumber(value: number, visit: Visit, report: Report): void {
  if (!Number.isFinite(value)) {
    report.error("not-json", pointerOf(visit), `\`${value}\` is no JSON number`, "write a finite number");
  } else {
    const message = "the number is beyond what is read alike everywhere (2^53)";
    report.error("unsafe-number", pointerOf(visit), message, "write a smaller number");
  }
}
