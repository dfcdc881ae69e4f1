/** What is refused in JSON beyond its grammar, and how each finding is told: place and rule, never the value. */
import type { InputProblem } from "../model/outcome.js";
import { escapeSegment } from "../lib/pointer.js";

/** Each guard has its own switch: an author may turn off one and keep the others. */
export interface JsonGuards {
  /** Deepest nesting of objects and arrays that is read; `{}` is 1. */
  readonly maxDepth: number;
  /** `__proto__`, `constructor`, `prototype` as names: they poison the merge helpers of handlers. */
  readonly prototypeKeys: boolean;
  /** Unicode category Cc except TAB, LF and CR, in names and strings. */
  readonly controlCharacters: boolean;
  /** A surrogate without its other half: two readers make two texts of it. */
  readonly loneSurrogates: boolean;
  /** Two members of one name: readers differ in which one counts (RFC 8259 section 4). */
  readonly duplicateKeys: boolean;
  /** Names that begin with `$` or contain `.`: query operators of document databases. */
  readonly operatorKeys: boolean;
}

export type GuardRule = keyof typeof MESSAGES;

const MESSAGES = {
  encoding: "is not UTF-8 without a byte order mark",
  syntax: "is not JSON",
  depth: "is nested too deeply",
  "too-many-keys": "has too many members",
  "duplicate-key": "is a member name that stands twice",
  "prototype-key": "is a member name that is never accepted",
  "operator-key": "is a member name that begins with `$` or contains `.`",
  "control-character": "holds a control character",
  "lone-surrogate": "holds half of a surrogate pair",
  "number-range": "is a number that cannot be represented",
} as const;

/** Refusals list problems up to here; a hostile body would otherwise choose the size of the answer. */
export const MAX_PROBLEMS = 20;
/** Members of one object: beyond it the cost of colliding names is the caller's to choose (hash flooding). */
export const MAX_NAMES = 10_000;

const EVERY_GUARD: JsonGuards = {
  maxDepth: 1,
  prototypeKeys: true,
  controlCharacters: true,
  loneSurrogates: true,
  duplicateKeys: true,
  operatorKeys: true,
};

const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function problemAt(pointer: string, rule: GuardRule): InputProblem {
  return { pointer, rule, message: MESSAGES[rule] };
}

/** A name as it stands in a pointer; cut short, because the caller chose its length. */
export function segmentOf(name: string | number): string {
  const text = String(name);
  return `/${escapeSegment(text.length > 64 ? `${text.slice(0, 64).toWellFormed()}…` : text)}`;
}

/** Is the name itself refused? What it holds is looked at elsewhere. */
export function refusedName(name: string, guards: JsonGuards): GuardRule | undefined {
  if (guards.prototypeKeys && PROTOTYPE_NAMES.has(name)) return "prototype-key";
  if (guards.operatorKeys && (name.startsWith("$") || name.includes("."))) return "operator-key";
  return undefined;
}

/** Is there a guard that would refuse the name? False of what no guard refuses, however it is set. */
export function mayBeGuarded(name: string): boolean {
  return refusedName(name, EVERY_GUARD) !== undefined;
}

/** A framework that reads `a[$ne]=1` as an object makes names of what stands in brackets, so those are judged too. */
export function refusedQueryName(name: string, guards: JsonGuards): GuardRule | undefined {
  const whole = refusedName(name, guards);
  if (whole !== undefined || !name.includes("[")) return whole;
  for (const part of name.split(/[[\]]/u)) {
    const rule = refusedName(part, guards);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

/** Looks at text that was decoded already. */
export function refusedText(text: string, guards: JsonGuards): GuardRule | undefined {
  if (guards.loneSurrogates && !text.isWellFormed()) return "lone-surrogate";
  if (!guards.controlCharacters) return undefined;
  for (let index = 0; index < text.length; index++) {
    if (isControl(text.charCodeAt(index))) return "control-character";
  }
  return undefined;
}

/** Category Cc without TAB, LF and CR. */
export function isControl(code: number): boolean {
  if (code >= 0x20) return code >= 0x7f && code <= 0x9f;
  return code !== 0x09 && code !== 0x0a && code !== 0x0d;
}
