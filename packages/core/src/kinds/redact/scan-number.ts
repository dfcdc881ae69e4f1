/** Numbers that are copied: those which JSON.stringify would write as they stand in the text. */
import type { JsonBytes } from "../../lib/json-bytes.js";
import { afterNumber } from "../../lib/json-steps.js";
import { INTEGER, NUMBER } from "./json-type.js";

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Digits and dot of a number that comes back from a double as it was written: 15 digits do (DBL_DIG). */
const EXACT = 15;

/** Smaller ones are written with an exponent: `0.000001` is the last that is not. */
const LONGEST_BELOW_ONE = "0.000000".length;

/** No double takes more to be written. */
const LONGEST = 25;

/** Powers that a double holds exactly. */
const TENS: readonly number[] = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** @returns where it ends; -1: it is no number, is written differently, or its type does not fit */
export function afterWrittenNumber(text: JsonBytes, at: number, types: number): number {
  const { view } = text;
  const start = view.getUint8(at) === MINUS ? at + 1 : at;
  let end = start;
  let dot = -1;
  let code = view.getUint8(end);
  for (; (code >= ZERO && code <= 0x39) || (code === DOT && dot < 0); code = view.getUint8(++end)) {
    if (code === DOT) dot = end;
  }
  const whole = (dot < 0 ? end : dot) - start;
  const leadingZero = view.getUint8(start) === ZERO;
  const simple =
    whole > 0 &&
    end - start <= EXACT &&
    (code | 0x20) !== 0x65 &&
    (leadingZero ? whole === 1 && (dot < 0 ? start === at : end - start <= LONGEST_BELOW_ONE) : true) &&
    (dot < 0 || (end > dot + 1 && view.getUint8(end - 1) !== ZERO));
  if (!simple) return afterOddNumber(text, at, types);
  return fits(dot < 0, types) ? end : -1;
}

/** Long, or with an exponent: the number itself tells how it is written. */
function afterOddNumber(text: JsonBytes, at: number, types: number): number {
  const { view } = text;
  const end = afterNumber(text, at);
  if (end < 0 || end - at > LONGEST) return -1;
  // A number that is written so is the one that stands there, however it was come by: what is written reads as itself.
  let value = nearlyAt(view, at, end);
  if (!isWrittenAt(view, at, end, value)) {
    value = Number(text.slice(at, end));
    if (!isWrittenAt(view, at, end, value)) return -1;
  }
  return fits(Number.isInteger(value), types) ? end : -1;
}

function isWrittenAt(view: DataView, at: number, end: number, value: number): boolean {
  const written = String(value);
  if (written.length !== end - at) return false;
  for (let index = at; index < end; index++) {
    if (view.getUint8(index) !== written.charCodeAt(index - at)) return false;
  }
  return true;
}

/**
 * The number of some digits and a dot, nearly always to the last bit: to make a text of them and have it read takes several times as long.
 * The first digits are exact in a double, and so are the others; what is lost where they are put together is known, and made good.
 */
function nearlyAt(view: DataView, at: number, end: number): number {
  const start = view.getUint8(at) === MINUS ? at + 1 : at;
  let first = 0;
  let others = 0;
  let count = 0;
  let dot = end;
  for (let index = start; index < end; index++) {
    const code = view.getUint8(index);
    if (code === DOT) dot = index + 1;
    else if (count++ < EXACT) first = first * 10 + (code - ZERO);
    else others = others * 10 + (code - ZERO);
  }
  const shift = TENS[Math.max(0, count - EXACT)] ?? 1;
  const scale = TENS[end - dot] ?? 1;
  const digits = first * shift;
  const near = digits / scale;
  const product = near * scale;
  const lost = errorOf(first, shift, digits) + others - errorOf(near, scale, product);
  const value = near + (digits - product + lost) / scale;
  return start === at ? value : -value;
}

/** What rounding took from a product (T. J. Dekker, A floating-point technique for extending the available precision, 1971). */
function errorOf(a: number, b: number, product: number): number {
  const aHigh = highOf(a);
  const bHigh = highOf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** Half of the digits of a double. */
function highOf(value: number): number {
  const much = value * 0x8000001;
  return much - (much - value);
}

function fits(integer: boolean, types: number): boolean {
  return (types & NUMBER) === NUMBER || (integer && (types & INTEGER) !== 0);
}
