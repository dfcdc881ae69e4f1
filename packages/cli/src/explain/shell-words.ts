/** One command line as a POSIX shell splits it (POSIX.1-2024, XCU 2.2, and `$'…'`), as far as no shell is needed for it. */
import { UsageError } from "../cli/io.js";

export interface ShellWords {
  readonly words: readonly string[];
  /** The sign at which the command ended, where something stood behind it that is not of this command. */
  readonly endedBy: string | undefined;
}

const OPERATORS = new Set(["|", "&", ";", "<", ">", "(", ")"]);

/** @throws UsageError for an open quote, and for what only a shell could fill in */
export function shellWords(line: string): ShellWords {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const sign = line[at] ?? "";
    if (sign === "\\" && (line[at + 1] === "\n" || line.startsWith("\r\n", at + 1))) {
      at += line[at + 1] === "\n" ? 2 : 3;
    } else if (sign === "\n" || OPERATORS.has(sign)) {
      const rest = line.slice(at + 1).trim();
      if (words.length > 0 || word !== undefined) {
        const left = sign === "\n" ? rest : line.slice(at).trim();
        return {
          words: ended(words, word),
          endedBy: left === "" ? undefined : sign === "\n" ? "a line feed" : sign,
        };
      }
      at += 1;
    } else if (/\s/u.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else if (sign === "#" && word === undefined) {
      const end = line.indexOf("\n", at);
      at = end === -1 ? line.length : end;
    } else {
      const [text, next] = piece(line, at);
      word = (word ?? "") + text;
      at = next;
    }
  }
  return { words: ended(words, word), endedBy: undefined };
}

function ended(words: readonly string[], word: string | undefined): readonly string[] {
  return word === undefined ? words : [...words, word];
}

/** Part of a word, unquoted. */
function piece(line: string, at: number): readonly [text: string, next: number] {
  const sign = line[at] ?? "";
  if (sign === "'") return untilQuote(line, at);
  if (sign === '"') return doubleQuoted(line, at + 1);
  if (sign === "$" && line[at + 1] === "'") return ansiQuoted(line, at + 2);
  if (sign === "\\") return [line.slice(at + 1, at + 2), at + 2];
  refuseSubstitution(line, at);
  return [sign, at + 1];
}

function untilQuote(line: string, at: number): readonly [string, number] {
  const end = line.indexOf("'", at + 1);
  if (end === -1) throw openQuote("'");
  return [line.slice(at + 1, end), end + 1];
}

function doubleQuoted(line: string, start: number): readonly [string, number] {
  let text = "";
  for (let at = start; at < line.length; at += 1) {
    const sign = line[at] ?? "";
    if (sign === '"') return [text, at + 1];
    if (sign !== "\\") {
      refuseSubstitution(line, at);
      text += sign;
      continue;
    }
    at += 1;
    const next = line[at] ?? "";
    // Only these lose their backslash between double quotes.
    if ('$`"\\'.includes(next)) text += next;
    else if (next !== "\n") text += `\\${next}`;
  }
  throw openQuote('"');
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  e: "\u001B",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** `$'…'`, in which browsers write what they copy. */
function ansiQuoted(line: string, start: number): readonly [string, number] {
  const escape = /\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|([^]))/uy;
  let text = "";
  let at = start;
  while (at < line.length) {
    const sign = line[at] ?? "";
    if (sign === "'") return [text, at + 1];
    escape.lastIndex = at;
    const found = sign === "\\" ? escape.exec(line) : null;
    if (found === null) {
      text += sign;
      at += 1;
      continue;
    }
    const [all, hex, short, long, octal, letter = ""] = found;
    const code = hex ?? short ?? long;
    if (code !== undefined) text += String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10_ff_ff));
    else if (octal === undefined) text += ESCAPES[letter] ?? letter;
    else text += String.fromCodePoint(Number.parseInt(octal, 8) & 0xff);
    at += all.length;
  }
  throw openQuote("$'");
}

function refuseSubstitution(line: string, at: number): void {
  const found = /^(?:`|\$(?:[A-Za-z_]\w*|\{[^}]*\}?|\())/u.exec(line.slice(at))?.[0];
  if (found !== undefined)
    throw new UsageError(
      `\`${found}\` is for a shell to fill in, and none reads this`,
      "write the value itself, or quote it with '…'",
    );
}

function openQuote(quote: string): UsageError {
  return new UsageError(`a quote is left open: ${quote}`, "paste the whole command");
}
