/** A text without the secrets that were found written out in it: a report ends up in build logs. */
import type { Diagnostic } from "@gatehouse/core";

/** Of the same shape, so that every position still holds. */
export function maskSecrets(text: string, diagnostics: readonly Diagnostic[]): string {
  let masked = text;
  for (const { code, line, column } of diagnostics) {
    if (code !== "literal-secret" || line === undefined || column === undefined) continue;
    const start = offsetOf(text, line, column);
    const [from, to] = valueAt(text, start);
    masked = masked.slice(0, from) + text.slice(from, to).replaceAll(/[^\r\n]/gu, "*") + masked.slice(to);
  }
  return masked;
}

function offsetOf(text: string, line: number, column: number): number {
  let offset = text.startsWith("\uFEFF") ? 1 : 0;
  const lines = /\r\n|\n|\r/gu;
  for (let passed = 1; passed < line; passed += 1) {
    if (lines.exec(text) === null) return text.length;
    offset = lines.lastIndex;
  }
  return offset + column - 1;
}

/** The member's value where the place is a member's name, else the value that begins there. */
function valueAt(text: string, start: number): readonly [from: number, to: number] {
  const name = endOfString(text, start);
  if (name !== undefined) {
    const colon = skipBlanks(text, name);
    if (text[colon] === ":") {
      const from = skipBlanks(text, colon + 1);
      return [from, endOfValue(text, from)];
    }
  }
  return [start, endOfValue(text, start)];
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const string = endOfString(text, at);
    const comment = string === undefined ? skipBlanks(text, at) : at;
    if (string !== undefined) at = string;
    else if (comment > at) at = comment;
    else {
      const sign = text[at] ?? "";
      if ("[{".includes(sign)) depth += 1;
      else if ("]}".includes(sign)) depth -= 1;
      else if (depth === 0 && sign === ",") return at;
      if (depth < 0) return at;
      at += 1;
    }
    if (depth === 0 && '"]}'.includes(text[at - 1] ?? "")) return at;
  }
  return at;
}

function endOfString(text: string, at: number): number | undefined {
  const string = /"(?:[^"\\]|\\.)*"/uy;
  string.lastIndex = at;
  return string.exec(text) === null ? undefined : string.lastIndex;
}

/** Blanks and comments. */
function skipBlanks(text: string, at: number): number {
  const blanks = /(?:\s|\/\/[^\n\r]*|\/\*[^]*?\*\/)*/uy;
  blanks.lastIndex = at;
  blanks.exec(text);
  return Math.max(at, blanks.lastIndex);
}
