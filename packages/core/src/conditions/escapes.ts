/** Escape sequences of text literals, as CEL has them: what is none is an error, never taken literally. */
import { SyntaxProblem } from "./syntax-problem.js";

const PLAIN: ReadonlyMap<string, string> = new Map([
  ["\\", "\\"],
  ["?", "?"],
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

const MAX_CODE_POINT = 0x10_ff_ff;

/** @param offset where the raw text begins in the whole */
export function unescape(raw: string, offset: number, bytes: boolean): string {
  if (!raw.includes("\\")) return raw;
  let text = "";
  for (let index = 0; index < raw.length;) {
    if (raw.charAt(index) !== "\\" || index + 1 === raw.length) {
      text += raw.charAt(index);
      index += 1;
      continue;
    }
    const [value, length] = sequence(raw, index, offset + index, bytes);
    text += value;
    index += length;
  }
  return text;
}

type Sequence = readonly [value: string, length: number];

function sequence(raw: string, index: number, place: number, bytes: boolean): Sequence {
  const next = raw.charAt(index + 1);
  const plain = PLAIN.get(next);
  if (plain !== undefined) return [plain, 2];
  if (next === "u" || next === "U") {
    if (bytes) throw new SyntaxProblem(`\\${next} not allowed in bytes literals`, place);
    return unicode(next, raw.slice(index + 2, index + (next === "u" ? 6 : 10)), place);
  }
  if (next === "x" || next === "X") return hexadecimal(next, raw.slice(index + 2, index + 4), place);
  if (next >= "0" && next <= "7") return octal(raw.slice(index + 1, index + 4), place);
  throw new SyntaxProblem(`Invalid escape sequence: \\${next}`, place);
}

function unicode(kind: "u" | "U", digits: string, place: number): Sequence {
  const code = Number.parseInt(digits, 16);
  const length = kind === "u" ? 4 : 8;
  if (digits.length !== length || !/^[0-9a-f]+$/iu.test(digits) || code > MAX_CODE_POINT)
    throw new SyntaxProblem(`Invalid Unicode escape: \\${kind}${digits}`, place);
  if (code >= 0xd8_00 && code <= 0xdf_ff)
    throw new SyntaxProblem(`Invalid Unicode surrogate: \\${kind}${digits}`, place);
  return [String.fromCodePoint(code), length + 2];
}

function hexadecimal(kind: "x" | "X", digits: string, place: number): Sequence {
  if (!/^[0-9a-f]{2}$/iu.test(digits))
    throw new SyntaxProblem(`Invalid hex escape: \\${kind}${digits}`, place);
  return [String.fromCodePoint(Number.parseInt(digits, 16)), 4];
}

function octal(digits: string, place: number): Sequence {
  if (!/^[0-7]{3}$/u.test(digits)) throw new SyntaxProblem("Octal escape must be 3 digits", place);
  const code = Number.parseInt(digits, 8);
  if (code > 0xff) throw new SyntaxProblem(`Octal escape out of range: \\${digits}`, place);
  return [String.fromCodePoint(code), 4];
}
