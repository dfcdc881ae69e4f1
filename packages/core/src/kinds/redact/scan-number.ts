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
  const end = afterNumber(text, at);
  if (end < 0 || end - at > LONGEST) return -1;
  const written = asciiOf(text, at, end);
  const value = Number(written);
  return String(value) === written && fits(Number.isInteger(value), types) ? end : -1;
}

/** Of several codes at once: each text that is put together from two costs as much as the call. */
function asciiOf({ view }: JsonBytes, from: number, end: number): string {
  const { fromCharCode } = String;
  const code = (at: number) => view.getUint8(at);
  let text = "";
  let at = from;
  for (; at + 8 <= end; at += 8) {
    text += fromCharCode(
      code(at),
      code(at + 1),
      code(at + 2),
      code(at + 3),
      code(at + 4),
      code(at + 5),
      code(at + 6),
      code(at + 7),
    );
  }
  for (; at < end; at++) text += fromCharCode(code(at));
  return text;
}

function fits(integer: boolean, types: number): boolean {
  return (types & NUMBER) === NUMBER || (integer && (types & INTEGER) !== 0);
}
