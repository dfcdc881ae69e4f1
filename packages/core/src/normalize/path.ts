/**
 * One reading of a path, or none. Servers, frameworks and proxies disagree on encoded slashes, dot segments, `;` and a second
 * decoding; a path on which they could disagree is refused instead of guessed at.
 */
import type { Refusal } from "../model/outcome.js";
import { refusal } from "./refusals.js";

const EMPTY_SEGMENT = refusal("ambiguous-path", "the path has an empty segment");
const DOT_SEGMENT = refusal("ambiguous-path", "the path has a dot segment");
const SEPARATOR = refusal("ambiguous-path", "the path has a backslash or an encoded separator");
const PARAMETER = refusal("ambiguous-path", "the path has a semicolon");
const FRAGMENT = refusal("ambiguous-path", "the target has a fragment");
const CONTROL = refusal("ambiguous-path", "the path has a blank or a control character");
const NOT_ASCII = refusal("ambiguous-path", "the path has an unencoded character beyond ASCII");
const BAD_PERCENT = refusal("ambiguous-path", "the path has an invalid percent-encoding");
const BAD_UTF8 = refusal("ambiguous-path", "the path is not UTF-8");
const DOUBLE = refusal("ambiguous-path", "the path is percent-encoded twice");

const SLASH = 47;
const DOT = 46;
const PERCENT = 37;

/** What a character means in a path: 0 plain, 1 `/`, 2 `%`, 3 refused. */
const PLAIN = 0;
const SPLITS = 1;
const ENCODED = 2;
const REFUSED = 3;
const CLASS = classTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(128).fill(REFUSED, 0, 33);
  table[127] = REFUSED;
  for (const character of "#;\\?") table[character.charCodeAt(0)] = REFUSED;
  table[SLASH] = SPLITS;
  table[PERCENT] = ENCODED;
  return table;
}

/** What stands for itself to every reader, and the slashes between. */
const ALL_PLAIN = /^[!"$&-:<->@-[\]-~]*$/;

/**
 * @param path begins with `/`
 * @param into receives the decoded segments; `/` is one empty segment
 * @returns undefined when every reader would see these segments
 */
export function readSegments(path: string, into: string[]): Refusal | undefined {
  return ALL_PLAIN.test(path) ? splitPlain(path, into) : readEach(path, into);
}

/** Most paths: nothing in them has a meaning but the slash. */
function splitPlain(path: string, into: string[]): Refusal | undefined {
  let start = 1;
  for (let slash = path.indexOf("/", 1); slash >= 0; slash = path.indexOf("/", start)) {
    if (slash === start) return EMPTY_SEGMENT;
    const problem = addSegment(path, start, slash, false, into);
    if (problem !== undefined) return problem;
    start = slash + 1;
  }
  return addSegment(path, start, path.length, false, into);
}

function readEach(path: string, into: string[]): Refusal | undefined {
  let start = 1;
  let encoded = false;
  for (let i = start; i < path.length; i += 1) {
    const code = path.charCodeAt(i);
    const meaning = code < 128 ? CLASS[code] : REFUSED;
    if (meaning === PLAIN) continue;
    if (meaning === REFUSED) return refusedCharacter(code);
    if (meaning === ENCODED) encoded = true;
    else {
      if (i === start) return EMPTY_SEGMENT;
      const problem = addSegment(path, start, i, encoded, into);
      if (problem !== undefined) return problem;
      start = i + 1;
      encoded = false;
    }
  }
  return addSegment(path, start, path.length, encoded, into);
}

function refusedCharacter(code: number): Refusal {
  switch (code) {
    case 35:
      return FRAGMENT;
    case 59:
      return PARAMETER;
    case 92:
      return SEPARATOR;
    default:
      return code < 128 ? CONTROL : NOT_ASCII;
  }
}

function addSegment(
  path: string,
  start: number,
  end: number,
  encoded: boolean,
  into: string[],
): Refusal | undefined {
  const text = path.slice(start, end);
  if (encoded) return addDecoded(text, into);
  if (isDots(text)) return DOT_SEGMENT;
  into.push(text);
  return undefined;
}

function isDots(text: string): boolean {
  if (text.length === 0 || text.length > 2 || text.charCodeAt(0) !== DOT) return false;
  return text.length === 1 || text.charCodeAt(1) === DOT;
}

function addDecoded(text: string, into: string[]): Refusal | undefined {
  if (!hasValidTriplets(text)) return BAD_PERCENT;
  const decoded = decode(text);
  if (decoded === undefined) return BAD_UTF8;
  if (isDots(decoded)) return DOT_SEGMENT;
  const problem = decodedProblem(decoded);
  if (problem !== undefined) return problem;
  into.push(decoded);
  return undefined;
}

function hasValidTriplets(text: string): boolean {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 3)) {
    if (!isTriplet(text, at)) return false;
  }
  return true;
}

function isTriplet(text: string, at: number): boolean {
  return isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2));
}

function isHex(code: number): boolean {
  const lower = code | 32;
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 102);
}

/** Percent-decoding with fatal UTF-8 (overlong forms and surrogates refused); undefined when it fails. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * A decoded segment must be one more time undecodable: where `%2e` is left over, a second decoding somewhere behind us would read
 * another path than the one that was decided on. A lone `%` is data.
 */
function decodedProblem(decoded: string): Refusal | undefined {
  for (let i = 0; i < decoded.length; i += 1) {
    const code = decoded.charCodeAt(i);
    if (code === SLASH || code === 92) return SEPARATOR;
    if (code === 59) return PARAMETER;
    if (code === PERCENT && isTriplet(decoded, i)) return DOUBLE;
    if (isControl(code)) return CONTROL;
  }
  return undefined;
}

/** C0, DEL, C1, and the line and paragraph separators at which a pattern's `.` would stop. */
function isControl(code: number): boolean {
  return code < 32 || (code >= 127 && code < 160) || code === 0x2028 || code === 0x2029;
}
