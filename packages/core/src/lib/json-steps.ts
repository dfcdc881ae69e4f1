/**
 * Steps over JSON text without making values of it, as strict as JSON.parse (ECMA-404). Each function is given where something begins
 * and tells where it ends; -1 where it is not JSON, or nothing to step over so.
 */

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

const ORDINARY = new Uint8Array(256).map((_, code) =>
  code >= 0x20 && code !== QUOTE && code !== BACKSLASH ? 1 : 0,
);

/**
 * A string that JSON.stringify would write in the same way, so that it may be copied.
 * @param at behind the quote
 */
export function afterPlainString(text: string, at: number): number {
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 256 && ORDINARY[code] === 1) continue;
    if (code === QUOTE) return index + 1;
    if (code < 0x20) return -1;
    if (code === BACKSLASH) {
      if (!isShortEscape(text.charCodeAt(++index))) return -1;
    } else if ((code & 0xf800) === 0xd800) {
      // Half a pair would be written as an escape.
      if (code > 0xdbff || (text.charCodeAt(++index) & 0xfc00) !== 0xdc00) return -1;
    }
  }
  return -1;
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

/** @param at behind the quote */
function afterString(text: string, at: number): number {
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 256 && ORDINARY[code] === 1) continue;
    if (code === QUOTE) return index + 1;
    if (code < 0x20) return -1;
    if (code === BACKSLASH) {
      const escape = text.charCodeAt(++index);
      if (escape === 0x75) {
        if (!isHex(text, index + 1)) return -1;
        index += 4;
      } else if (escape !== 0x2f && !isShortEscape(escape)) return -1;
    }
  }
  return -1;
}

function isHex(text: string, at: number): boolean {
  for (let index = at; index < at + 4; index++) {
    const code = text.charCodeAt(index);
    const digit = code >= ZERO && code <= NINE;
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x66;
    if (!digit && !letter) return false;
  }
  return true;
}

function afterDigits(text: string, at: number): number {
  let index = at;
  while (isDigit(text.charCodeAt(index))) index++;
  return index;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function afterNumber(text: string, at: number): number {
  const first = text.charCodeAt(at) === MINUS ? at + 1 : at;
  let end = text.charCodeAt(first) === ZERO ? first + 1 : afterDigits(text, first);
  if (end === first) return -1;
  if (text.charCodeAt(end) === DOT) {
    const fraction = end + 1;
    end = afterDigits(text, fraction);
    if (end === fraction) return -1;
  }
  if ((text.charCodeAt(end) | 0x20) !== 0x65) return end;
  const sign = text.charCodeAt(end + 1);
  const exponent = sign === 0x2b || sign === MINUS ? end + 2 : end + 1;
  end = afterDigits(text, exponent);
  return end === exponent ? -1 : end;
}

/** `true`, `false` or `null`. */
export function afterWord(text: string, at: number): number {
  switch (text.charCodeAt(at)) {
    case 0x74:
      return stands(text, at, TRUE);
    case 0x66:
      return stands(text, at, FALSE);
    case 0x6e:
      return stands(text, at, NULL);
    default:
      return -1;
  }
}

const [TRUE, FALSE, NULL] = [unitsOf("true"), unitsOf("false"), unitsOf("null")];

/** Code units of a text, to look for with `stands`. */
export function unitsOf(text: string): readonly number[] {
  const units: number[] = [];
  for (let index = 0; index < text.length; index++) units.push(text.charCodeAt(index));
  return units;
}

/** Names and words are short: a loop is through before `startsWith` has begun. */
export function stands(text: string, at: number, units: readonly number[]): number {
  for (let index = 0; index < units.length; index++) {
    if (text.charCodeAt(at + index) !== units[index]) return -1;
  }
  return at + units.length;
}

/** Any value, without blanks between its parts. */
export function afterValue(text: string, at: number, depth: number): number {
  const code = text.charCodeAt(at);
  if (code === QUOTE) return afterString(text, at + 1);
  if (code === OPEN_OBJECT) return afterObject(text, at + 1, depth + 1);
  if (code === OPEN_LIST) return afterList(text, at + 1, depth + 1);
  return code === MINUS || isDigit(code) ? afterNumber(text, at) : afterWord(text, at);
}

function afterObject(text: string, start: number, depth: number): number {
  if (depth > DEEPEST) return -1;
  let at = start;
  if (text.charCodeAt(at) === CLOSE_OBJECT) return at + 1;
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) return -1;
    at = afterString(text, at + 1);
    if (at < 0 || text.charCodeAt(at) !== COLON) return -1;
    at = afterValue(text, at + 1, depth);
    if (at < 0) return -1;
    const code = text.charCodeAt(at++);
    if (code === CLOSE_OBJECT) return at;
    if (code !== COMMA) return -1;
  }
}

function afterList(text: string, start: number, depth: number): number {
  if (depth > DEEPEST) return -1;
  let at = start;
  if (text.charCodeAt(at) === CLOSE_LIST) return at + 1;
  for (;;) {
    at = afterValue(text, at, depth);
    if (at < 0) return -1;
    const code = text.charCodeAt(at++);
    if (code === CLOSE_LIST) return at;
    if (code !== COMMA) return -1;
  }
}
