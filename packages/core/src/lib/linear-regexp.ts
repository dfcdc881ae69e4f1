/**
 * Patterns of authors, in linear time: no text of a caller's makes one run away (`(a+)+$` costs a backtracking engine
 * seconds). The syntax is what ECMA-262 (with the `u` flag) and RE2 both have: no lookaround, no backreferences.
 */
import { linearPatterns } from "#libraries";

export interface LinearRegExp {
  test(text: string): boolean;
  /** Unique to the pattern: ajv files compiled patterns under this text, and equal texts share one. */
  toString(): string;
}

/** Compiled patterns of one policy: the same pattern often stands in several schemas. */
export type PatternCache = Map<string, LinearRegExp>;

/** RE2's `\s` leaves out the vertical tab and all blanks beyond ASCII: `^\S+$` would let them through. */
const BLANK =
  "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const NOT_BLANK =
  "\\x00-\\x08\\x0e-\\x1f!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}" +
  "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
const NOT_LINE_END = "[^\\n\\r\\x{2028}\\x{2029}]";

/** @throws Error when the pattern cannot be compiled; documents with such a pattern do not pass their checks */
export function linearRegExp(pattern: string, cache: PatternCache): LinearRegExp {
  let compiled = cache.get(pattern);
  if (compiled === undefined) {
    compiled = compileLinear(pattern);
    cache.set(pattern, compiled);
  }
  return compiled;
}

/** Patterns that were looked at: the few that an API has stand in many of its schemas. Beyond so many all are forgotten. */
const FAULTS = new Map<string, string | undefined>();
const MAX_FAULTS = 1000;

/** Why a pattern is refused, for its author; undefined when it can be used. Call it while a document is checked. */
export function patternFault(pattern: string): string | undefined {
  if (FAULTS.has(pattern)) return FAULTS.get(pattern);
  if (FAULTS.size >= MAX_FAULTS) FAULTS.clear();
  const fault = faultOf(pattern);
  FAULTS.set(pattern, fault);
  return fault;
}

function faultOf(pattern: string): string | undefined {
  try {
    compileLinear(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function compileLinear(pattern: string): LinearRegExp {
  // Only compiled, never run: what RE2 alone would take (`(?i)`, `\A`, `\Q`) means something else to every other reader of the schema.
  const ecma = new RegExp(pattern, "u");
  const RE2 = linearPatterns();
  const program = RE2.compile(RE2.translateRegExp(asInEcma(ecma.source)));
  return { test: (text) => program.test(text), toString: () => `linear:${pattern}` };
}

/** Writes `\s`, `\S` and `.` out as ECMA-262 has them. */
function asInEcma(pattern: string): string {
  let result = "";
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === "\\") {
      const next = pattern.charAt(++at);
      // RE2 would read them as letters, or as another character.
      if (next === "k" || (inClass && next === "b")) throw new Error(`\`\\${next}\` cannot be used here`);
      const set = next === "s" ? BLANK : next === "S" ? NOT_BLANK : undefined;
      if (set === undefined) result += character + next;
      else result += inClass ? set : `[${set}]`;
      continue;
    }
    if (character === "[" && !inClass) {
      inClass = true;
      if (/^\[\^?\]/u.test(pattern.slice(at, at + 3))) throw new Error("an empty class `[]` cannot be used");
    }
    if (character === "]") inClass = false;
    result += character === "." && !inClass ? NOT_LINE_END : character;
  }
  return result;
}
