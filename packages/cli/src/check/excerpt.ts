/** The line of a text that a diagnostic means, with carets below what it means. */

export interface Excerpt {
  /** What is shown of the line; tabs are blanks. */
  readonly line: string;
  /** Blanks, then carets. */
  readonly carets: string;
}

/** Characters of a line that are shown: a policy may be written in one. */
const WIDEST = 100;
/** Of those, before the place that is meant. */
const BEFORE = 30;
const LONGEST = 60;

/** @param line and column are 1-based, in UTF-16 code units; undefined where the text has no such line */
export function excerptOf(text: string, line: number, column: number): Excerpt | undefined {
  // A byte order mark is no character of the first line.
  const whole = text.replace(/^\uFEFF/u, "").split(/\r\n|\n|\r/u)[line - 1];
  if (whole === undefined || column < 1) return undefined;
  const at = Math.min(column - 1, whole.length);
  const length = Math.min(tokenLength(whole, at), LONGEST);
  const start = whole.length <= WIDEST ? 0 : Math.max(0, Math.min(at - BEFORE, whole.length - WIDEST));
  const end = Math.min(whole.length, start + WIDEST);
  const head = start === 0 ? "" : "…";
  const tail = end === whole.length ? "" : "…";
  const shown = whole.slice(start, end).replaceAll("\t", " ");
  const indent = head.length + columns(whole.slice(start, at));
  const marked = Math.max(1, columns(whole.slice(at, Math.min(at + length, end))));
  return { line: `${head}${shown}${tail}`.trimEnd(), carets: " ".repeat(indent) + "^".repeat(marked) };
}

/** A terminal shows a pair of surrogates in one place, near enough. */
function columns(text: string): number {
  return Array.from(text).length;
}

/** A string with its quotes, a number or word, or one sign. */
function tokenLength(line: string, at: number): number {
  const rest = line.slice(at);
  const token = /^"(?:[^"\\]|\\.)*"?|^[\w.+-]+/u.exec(rest);
  return token?.[0].length ?? 1;
}
