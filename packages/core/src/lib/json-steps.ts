/**
 * Steps over JSON text without making values of it, as strict as JSON.parse (ECMA-404) and as a decoder of UTF-8. Each function is given
 * where something begins and tells where it ends; -1 where it is not JSON, or nothing to step over so.
 */
import type { JsonBytes } from "./json-bytes.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Deeper text is parsed: stepping calls itself once a level. */
const DEEPEST = 64;

/**
 * Four bytes at once. The lowest bit that is set stands in the first that is a control character, a quote, a backslash, or of a character
 * beyond ASCII; bits above it say nothing.
 */
export function oddIn(word: number): number {
  const control = word - 0x20202020;
  const quote = (word ^ 0x22222222) - 0x01010101;
  const backslash = (word ^ 0x5c5c5c5c) - 0x01010101;
  return (control | quote | backslash | word) & 0x80808080;
}

/** @param odd not 0 @returns how many bytes stand before the first odd one */
export function before(odd: number): number {
  return (31 - Math.clz32(odd & -odd)) >> 3;
}

/**
 * A string that JSON.stringify would write in the same way, so that it may be copied.
 * @param at behind the quote, or wherever else a character of it begins
 */
export function afterPlainString({ view }: JsonBytes, at: number): number {
  let index = at;
  for (;;) {
    const odd = oddIn(view.getInt32(index, true));
    if (odd === 0) {
      index += 4;
      continue;
    }
    index += before(odd);
    const code = view.getUint8(index);
    if (code === QUOTE) return index + 1;
    if (code === BACKSLASH) {
      if (!isShortEscape(view.getUint8(index + 1))) return -1;
      index += 2;
    } else {
      // Half a pair would be written as an escape, and stands here as what is put in place of one.
      if (isReplacement(view, index)) return -1;
      index = afterWide(view, index);
      if (index < 0) return -1;
    }
  }
}

/** `\/` and `\u` are other spellings of what JSON.stringify writes otherwise, or nearly always are. */
function isShortEscape(code: number): boolean {
  switch (code) {
    case QUOTE:
    case BACKSLASH:
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true;
    default:
      return false;
  }
}

/** U+FFFD */
function isReplacement(view: DataView, at: number): boolean {
  return view.getUint8(at) === 0xef && view.getUint8(at + 1) === 0xbf && view.getUint8(at + 2) === 0xbd;
}

/** A character beyond ASCII; anything else is none that may stand in a string (RFC 3629 section 4). */
function afterWide(view: DataView, at: number): number {
  const lead = view.getUint8(at);
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const second = view.getUint8(at + 1);
  if (lead < 0xe0) return isTail(second) ? at + 2 : -1;
  if (lead < 0xf0) {
    // Neither what two bytes hold, nor half a pair.
    const fits = isTail(second) && (lead !== 0xe0 || second >= 0xa0) && (lead !== 0xed || second < 0xa0);
    return fits && isTail(view.getUint8(at + 2)) ? at + 3 : -1;
  }
  const fits = isTail(second) && (lead !== 0xf0 || second >= 0x90) && (lead !== 0xf4 || second < 0x90);
  return fits && isTail(view.getUint8(at + 2)) && isTail(view.getUint8(at + 3)) ? at + 4 : -1;
}

function isTail(code: number): boolean {
  return (code & 0xc0) === 0x80;
}

/** @param at behind the quote, or wherever else a character of the string begins */
export function afterString({ view }: JsonBytes, at: number): number {
  let index = at;
  for (;;) {
    const odd = oddIn(view.getInt32(index, true));
    if (odd === 0) {
      index += 4;
      continue;
    }
    index += before(odd);
    const code = view.getUint8(index);
    if (code === QUOTE) return index + 1;
    index = code === BACKSLASH ? afterEscape(view, index + 1) : afterWide(view, index);
    if (index < 0) return -1;
  }
}

function afterEscape(view: DataView, at: number): number {
  const code = view.getUint8(at);
  if (code === 0x75) return isHex(view, at + 1) ? at + 5 : -1;
  return code === 0x2f || isShortEscape(code) ? at + 1 : -1;
}

function isHex(view: DataView, at: number): boolean {
  for (let index = at; index < at + 4; index++) {
    const code = view.getUint8(index);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x66;
    if (!isDigit(code) && !letter) return false;
  }
  return true;
}

/**
 * A name without escapes, its quotes and the colon.
 * @returns -1 also for one with escapes
 */
export function afterPlainName(text: JsonBytes, at: number): number {
  const { view } = text;
  if (view.getUint8(at) !== QUOTE) return -1;
  const end = afterString(text, at + 1);
  if (end < 0 || view.getUint8(end) !== COLON) return -1;
  for (let index = at; index < end; index++) if (view.getUint8(index) === BACKSLASH) return -1;
  return end + 1;
}

function afterDigits(view: DataView, at: number): number {
  let index = at;
  while (isDigit(view.getUint8(index))) index++;
  return index;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function afterNumber({ view }: JsonBytes, at: number): number {
  const first = view.getUint8(at) === MINUS ? at + 1 : at;
  let end = view.getUint8(first) === ZERO ? first + 1 : afterDigits(view, first);
  if (end === first) return -1;
  if (view.getUint8(end) === DOT) {
    const fraction = end + 1;
    end = afterDigits(view, fraction);
    if (end === fraction) return -1;
  }
  if ((view.getUint8(end) | 0x20) !== 0x65) return end;
  const sign = view.getUint8(end + 1);
  const exponent = sign === 0x2b || sign === MINUS ? end + 2 : end + 1;
  end = afterDigits(view, exponent);
  return end === exponent ? -1 : end;
}

/** `true`, `false` or `null`. */
export function afterWord({ view }: JsonBytes, at: number): number {
  switch (view.getInt32(at)) {
    case 0x74727565: // true
    case 0x6e756c6c: // null
      return at + 4;
    case 0x66616c73: // fals
      return view.getUint8(at + 4) === 0x65 ? at + 5 : -1;
    default:
      return -1;
  }
}

/** Any value, without blanks between its parts. */
export function afterValue(text: JsonBytes, at: number, depth: number): number {
  const code = text.view.getUint8(at);
  if (code === QUOTE) return afterString(text, at + 1);
  if (code === OPEN_OBJECT) return afterObject(text, at + 1, depth + 1);
  if (code === OPEN_LIST) return afterList(text, at + 1, depth + 1);
  return code === MINUS || isDigit(code) ? afterNumber(text, at) : afterWord(text, at);
}

function afterObject(text: JsonBytes, start: number, depth: number): number {
  if (depth > DEEPEST) return -1;
  const { view } = text;
  let at = start;
  if (view.getUint8(at) === CLOSE_OBJECT) return at + 1;
  for (;;) {
    if (view.getUint8(at) !== QUOTE) return -1;
    at = afterString(text, at + 1);
    if (at < 0 || view.getUint8(at) !== COLON) return -1;
    at = afterValue(text, at + 1, depth);
    if (at < 0) return -1;
    const code = view.getUint8(at++);
    if (code === CLOSE_OBJECT) return at;
    if (code !== COMMA) return -1;
  }
}

function afterList(text: JsonBytes, start: number, depth: number): number {
  if (depth > DEEPEST) return -1;
  const { view } = text;
  let at = start;
  if (view.getUint8(at) === CLOSE_LIST) return at + 1;
  for (;;) {
    at = afterValue(text, at, depth);
    if (at < 0) return -1;
    const code = view.getUint8(at++);
    if (code === CLOSE_LIST) return at;
    if (code !== COMMA) return -1;
  }
}
