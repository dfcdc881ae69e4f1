/**
 * What a document must be before anything walks it by recursion: JSON, finite, and of a size that a policy can have.
 * One look at a policy that an editor's macro blew up to a hundred megabytes must not take the process down.
 */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { kindOf, quote } from "./words.js";

/** Characters of a document's text. */
export const MAX_TEXT = 4 * 1024 * 1024;
/** Objects and lists inside of each other. */
export const MAX_DEPTH = 128;
/** Values of a document, all counted. */
const MAX_VALUES = 1_000_000;
/** Problems of this kind that are reported one by one. */
const MAX_REPORTED = 100;

const LONE_SURROGATE = /\p{Surrogate}/u;

interface Visit {
  readonly value: unknown;
  readonly pointer: string;
  readonly depth: number;
}

/** False: nothing else may look at the document. */
export function checkBounds(document: unknown, report: Report): boolean {
  const before = report.diagnostics.length;
  const open: Visit[] = [{ value: document, pointer: "", depth: 0 }];
  let values = 0;
  // A list and a counter in place of recursion: a document may be deeper than the stack.
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    values += 1;
    if (values > MAX_VALUES) {
      report.error(
        "too-large",
        "",
        `the document has more than ${MAX_VALUES} values`,
        "split the API, or its policy",
      );
      return false;
    }
    if (visit.depth > MAX_DEPTH) {
      report.error(
        "too-deep",
        "",
        `the document is nested more than ${MAX_DEPTH} levels deep`,
        "name inner schemas under `schemas`",
      );
      return false;
    }
    checkValue(visit.value, visit.pointer, report);
    if (report.diagnostics.length - before >= MAX_REPORTED) return false;
    addMembers(visit, open);
  }
  return report.diagnostics.length === before;
}

function addMembers({ value, pointer, depth }: Visit, open: Visit[]): void {
  if (typeof value !== "object" || value === null) return;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, member] of entries)
    open.push({ value: member, pointer: pointerTo(pointer, key), depth: depth + 1 });
}

function checkValue(value: unknown, pointer: string, report: Report): void {
  switch (typeof value) {
    case "string":
      if (LONE_SURROGATE.test(value)) loneSurrogate(pointer, report);
      return;
    case "number":
      return checkSafeNumber(value, pointer, report);
    case "boolean":
      return;
    case "object":
      if (value !== null) checkKeys(value, pointer, report);
      return;
    case "undefined":
      return report.error("not-json", pointer, "undefined is no JSON value", "leave the key out");
    case "bigint":
    case "function":
    case "symbol":
      return report.error(
        "not-json",
        pointer,
        `${kindOf(value)} is no JSON value`,
        "a policy is data: code has a name in it",
      );
  }
}

function checkKeys(value: object, pointer: string, report: Report): void {
  if (Array.isArray(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    return report.error(
      "not-json",
      pointer,
      "an instance of a class is no JSON value",
      "write a plain object",
    );
  }
  for (const key of Object.keys(value)) checkKey(key, pointerTo(pointer, key), report);
}

/** Text that is no Unicode, and the one key that sets an object's prototype wherever a copy is made of it. */
function checkKey(key: string, pointer: string, report: Report): void {
  if (LONE_SURROGATE.test(key)) loneSurrogate(pointer, report);
  if (key === "__proto__") {
    report.error(
      "prototype-key",
      pointer,
      `key ${quote(key)} would reach into an object's prototype`,
      "choose another name",
    );
  }
}

function loneSurrogate(pointer: string, report: Report): void {
  report.error("lone-surrogate", pointer, "the text has half a surrogate pair", "write the whole character");
}

/** Beyond 2^53 two readers of the same digits may hold two numbers. */
function checkSafeNumber(value: number, pointer: string, report: Report): void {
  if (!Number.isFinite(value)) {
    report.error("not-json", pointer, `\`${value}\` is no JSON number`, "write a finite number");
  } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    report.error(
      "unsafe-number",
      pointer,
      "the number is beyond what is read alike everywhere (2^53)",
      "write a smaller number",
    );
  }
}
