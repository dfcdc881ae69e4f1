/** Text → tokens, one at a time: of two mistakes the first is told. */
import { Unsigned } from "./ast.js";
import type { Literal } from "./ast.js";
import { unescape } from "./escapes.js";
import { SyntaxProblem } from "./syntax-problem.js";

export type TokenKind =
  | "EOF"
  | "NUMBER"
  | "STRING"
  | "BYTES"
  | "BOOLEAN"
  | "NULL"
  | "IDENTIFIER"
  | (typeof MARKS)[keyof typeof MARKS]
  | "IN";

/** Longer marks before those that they begin with. */
const MARKS = {
  "==": "EQ",
  "!=": "NE",
  "<=": "LE",
  ">=": "GE",
  "&&": "AND",
  "||": "OR",
  "<": "LT",
  ">": "GT",
  "!": "NOT",
  "+": "PLUS",
  "-": "MINUS",
  "*": "MULTIPLY",
  "/": "DIVIDE",
  "%": "MODULO",
  "(": "LPAREN",
  ")": "RPAREN",
  "[": "LBRACKET",
  "]": "RBRACKET",
  "{": "LBRACE",
  "}": "RBRACE",
  ".": "DOT",
  ",": "COMMA",
  ":": "COLON",
  "?": "QUESTION",
} as const;

const MARK_KINDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>(Object.entries(MARKS));

const WORDS: ReadonlyMap<string, readonly [TokenKind, Literal]> = new Map<
  string,
  readonly [TokenKind, Literal]
>([
  ["true", ["BOOLEAN", true]],
  ["false", ["BOOLEAN", false]],
  ["null", ["NULL", null]],
  ["in", ["IN", "in"]],
]);

const BLANKS = /(?:[ \t\n\r]|\/\/[^\n]*)*/uy;
const NAME = /[A-Za-z_]\w*/uy;
const HEX = /0[xX][0-9a-fA-F]*/uy;
const DECIMAL = /\d+(?<fraction>\.\d+)?(?<exponent>[eE][+-]?\d*)?/uy;
const QUOTE = /(?<prefix>[bBrR]?)(?<quote>"""|'''|"|')/uy;
const MAX_UNSIGNED = 18_446_744_073_709_551_615n;

export class Tokens {
  kind: TokenKind = "EOF";
  value: Literal = null;
  /** Of the token that was read last. */
  start = 0;
  end = 0;

  constructor(readonly text: string) {}

  next(): void {
    const { text } = this;
    const blanks = this.match(BLANKS, this.end);
    this.start = this.end + (blanks?.[0].length ?? 0);
    this.end = this.start;
    if (this.start >= text.length) return this.take("EOF", 0);
    const quote = this.match(QUOTE, this.start);
    if (quote !== undefined) return this.quoted(quote[1] ?? "", quote[2] ?? "");
    const name = this.match(NAME, this.start)?.[0];
    if (name !== undefined) return this.word(name);
    if (/\d/u.test(text.charAt(this.start))) return this.number();
    for (const length of [2, 1]) {
      const mark = text.slice(this.start, this.start + length);
      const kind = MARK_KINDS.get(mark);
      if (kind !== undefined) return this.take(kind, mark.length);
    }
    throw new SyntaxProblem(`Unexpected character: ${text.charAt(this.start)}`, this.start);
  }

  private match(pattern: RegExp, from: number): RegExpExecArray | undefined {
    pattern.lastIndex = from;
    return pattern.exec(this.text) ?? undefined;
  }

  private take(kind: TokenKind, length: number, value: Literal = null): void {
    this.kind = kind;
    this.value = value;
    this.end = this.start + length;
  }

  private word(name: string): void {
    const [kind, value] = WORDS.get(name) ?? (["IDENTIFIER", name] as const);
    this.take(kind, name.length, value);
  }

  private number(): void {
    const hex = this.match(HEX, this.start)?.[0];
    if (hex !== undefined) {
      if (hex.length === 2) throw new SyntaxProblem(`Invalid hex integer: ${hex}`, this.start);
      return this.integer(hex, "hex integer");
    }
    const [digits = "", fraction = "", exponent = ""] = this.match(DECIMAL, this.start) ?? [];
    if (fraction === "" && exponent === "") return this.integer(digits, "integer");
    if (exponent !== "" && !/\d$/u.test(exponent))
      throw new SyntaxProblem("Invalid exponent", this.start + digits.length);
    const value = Number(digits);
    if (!Number.isFinite(value)) throw new SyntaxProblem(`Invalid number: ${value}`, this.start);
    this.take("NUMBER", digits.length, value);
  }

  private integer(digits: string, what: string): void {
    const value = BigInt(digits);
    if (!/[uU]/u.test(this.text.charAt(this.start + digits.length)))
      return this.take("NUMBER", digits.length, value);
    if (value > MAX_UNSIGNED) throw new SyntaxProblem(`Invalid ${what}: ${digits}`, this.start);
    this.take("NUMBER", digits.length + 1, new Unsigned(value));
  }

  private quoted(prefix: string, quote: string): void {
    const from = this.start + prefix.length + quote.length;
    const verbatim = /[rR]/u.test(prefix);
    const end = this.closing(quote, from, this.start + prefix.length, verbatim);
    const raw = this.text.slice(from, end);
    const length = end + quote.length - this.start;
    if (/[bB]/u.test(prefix)) return this.take("BYTES", length, bytesOf(unescape(raw, from, true)));
    this.take("STRING", length, verbatim ? raw : unescape(raw, from, false));
  }

  /** A backslash keeps the next character from ending the text, except where it is a character like any other: `r'\'`. */
  private closing(quote: string, from: number, opened: number, verbatim: boolean): number {
    const { text } = this;
    for (let index = from; index < text.length; index += 1) {
      const char = text.charAt(index);
      if (text.startsWith(quote, index)) return index;
      if (char === "\\" && !verbatim) index += 1;
      else if (quote.length === 1 && (char === "\n" || char === "\r"))
        throw new SyntaxProblem("Newlines not allowed in single-quoted strings", index);
    }
    throw new SyntaxProblem(`Unterminated ${quote.length === 1 ? "" : "triple-quoted "}string`, opened);
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff);
}
