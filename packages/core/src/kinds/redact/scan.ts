/**
 * Projects and redacts JSON that is text already: what leaves is copied from it, what does not leave is stepped over. It answers
 * only where its answer is, character for character, what parsing, walking and writing would make; all else is left to those.
 */
import type { TextOfAscii } from "../../lib/bytes.js";
import { JsonBytes } from "../../lib/json-bytes.js";
import { afterPlainName, afterPlainString, afterValue, afterWord } from "../../lib/json-steps.js";
import type { WrittenJson } from "../../model/compiled.js";
import type { RedactAction } from "../../model/policy.js";
import { GONE, MASK } from "./action.js";
import { project, type Walk } from "./evaluate.js";
import { ARRAY, BOOLEAN, NULL, OBJECT, STRING } from "./json-type.js";
import type { Node, Step } from "./node.js";
import type { Scanning } from "./scan-code.js";
import { afterWrittenNumber } from "./scan-number.js";
import { ScanOutput } from "./scan-output.js";
import { stands } from "./scan-plan.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Deeper text is parsed: the scan calls itself once a level. */
const DEEPEST = 64;

/** In place of where something ends. */
const STOP = -1;

const MASKED = JSON.stringify(MASK);

/**
 * @param walk one that withholds where a value has another shape: the walk over the value is to tell of it, once
 * @returns undefined: parse it
 */
export function scan(
  node: Node,
  text: string | Uint8Array,
  walk: Walk,
  textOfAscii: TextOfAscii | undefined,
): WrittenJson | undefined {
  return node.special || asksForJson()
    ? undefined
    : new Scan(JsonBytes.of(text), walk).whole(node, textOfAscii);
}

/** A `toJSON` that somebody gave to all objects has a say in what JSON.stringify writes. */
export function asksForJson(): boolean {
  return "toJSON" in Object.prototype || "toJSON" in Array.prototype;
}

/** How far the members of one object, or the items of one list, have come. */
interface Run {
  /** How many leave. */
  kept: number;
  /** The last one does not leave, and what leaves before it is written. */
  cutting: boolean;
}

class Scan implements Scanning {
  readonly #out: ScanOutput;
  /** Unless something is being cut: what stands from here on leaves, and is not written yet. */
  from = 0;

  constructor(
    readonly text: JsonBytes,
    private readonly walk: Walk,
  ) {
    this.#out = new ScanOutput(text);
  }

  whole(node: Node, textOfAscii: TextOfAscii | undefined): WrittenJson | undefined {
    const { text } = this;
    const first = text.view.getUint8(0);
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) return undefined;
    const end = this.value(node, 0, 0);
    if (end < 0 || !isBlankFrom(text, end)) return undefined;
    this.write(end);
    return this.#out.taken(textOfAscii);
  }

  write(end: number): void {
    this.#out.copy(this.from, end);
  }

  /** A value that leaves as far as it is declared. */
  value(node: Node, at: number, depth: number): number {
    const { text } = this;
    const { types } = node;
    const code = text.view.getUint8(at);
    if (code === QUOTE) return (types & STRING) === 0 ? STOP : afterPlainString(text, at + 1);
    if (code === OPEN_OBJECT) {
      if ((types & OBJECT) === 0) return STOP;
      return node.scanned.members ? this.#members(node, at + 1, depth + 1) : this.#parsed(node, at, depth);
    }
    if (code === OPEN_LIST) {
      if ((types & ARRAY) === 0) return STOP;
      return node.scanned.items ? this.#items(node, at + 1, depth + 1) : this.#parsed(node, at, depth);
    }
    if (code === MINUS || (code >= 0x30 && code <= 0x39)) return afterWrittenNumber(text, at, types);
    const bit = code === 0x6e ? NULL : BOOLEAN;
    return (types & bit) === 0 ? STOP : afterWord(text, at);
  }

  #members(node: Node, start: number, depth: number): number {
    if (depth > DEEPEST) return STOP;
    if (this.text.view.getUint8(start) === CLOSE_OBJECT) return start + 1;
    const { code } = node.scanned;
    return code === undefined ? this.rest(node, start, 0, depth, 0, false, 0) : code(this, start, depth);
  }

  /**
   * The members of an object from one of them on.
   * @param at where its name begins
   * @param index the how-manieth it is
   * @param kept how many left before it
   * @param cutting the one before it does not leave
   * @param seen bits of those before it
   */
  rest(
    node: Node,
    start: number,
    first: number,
    depth: number,
    kept: number,
    cutting: boolean,
    before: number,
  ): number {
    const { text } = this;
    const plan = node.scanned;
    const { guessed } = plan;
    const run: Run = { kept, cutting };
    let seen = before;
    let at = start;
    for (let index = first; ; index++) {
      let member = guessed[index];
      if (member === undefined || !stands(text, at, member)) {
        const end = afterPlainName(text, at);
        if (end < 0) return STOP;
        member = plan.find(text.slice(at + 1, end - 2), index, end - at);
      }
      // Of a name that is written twice the last value leaves, at the place of the first: parsing sees to that.
      if ((seen & member.bit) !== 0) return STOP;
      seen |= member.bit;
      const { step, length } = member;
      if (step !== undefined && !step.special && !run.cutting) {
        run.kept++;
        at = this.value(step, at + length, depth);
      } else at = this.#part(step, at, at - 1, at + length, run, depth);
      if (at < 0) return STOP;
      const code = text.view.getUint8(at);
      if (code === CLOSE_OBJECT) {
        if (run.cutting) this.from = at;
        plan.scanned(node, index + 1);
        return at + 1;
      }
      if (code !== COMMA) return STOP;
      at++;
    }
  }

  #items(node: Node, start: number, depth: number): number {
    if (depth > DEEPEST) return STOP;
    const { text } = this;
    const { rest } = node.items;
    const run: Run = { kept: 0, cutting: false };
    let comma = start;
    let at = start;
    if (text.view.getUint8(at) === CLOSE_LIST) return at + 1;
    for (;;) {
      at = this.#part(rest, at, comma, at, run, depth);
      if (at < 0) return STOP;
      const code = text.view.getUint8(at);
      if (code === CLOSE_LIST) {
        if (run.cutting) this.from = at;
        return at + 1;
      }
      if (code !== COMMA) return STOP;
      comma = at++;
    }
  }

  /**
   * A member or an item.
   * @param begin of it, its name included
   * @param comma the one before it, unless it is the first
   * @param at where its value begins
   */
  #part(step: Step, begin: number, comma: number, at: number, run: Run, depth: number): number {
    if (step !== undefined && !step.special) {
      this.#keep(begin, comma, run);
      return this.value(step, at, depth);
    }
    const end = afterValue(this.text, at, depth);
    if (end < 0) return STOP;
    const left = step === undefined ? undefined : this.#special(step, at, end, depth);
    if (this.walk.withheld !== undefined) return STOP;
    if (left === undefined) this.#cut(begin, comma, run);
    else {
      this.#keep(begin, comma, run);
      this.#replace(at, end, left);
    }
    return end;
  }

  #keep(begin: number, comma: number, run: Run): void {
    if (run.cutting) this.from = run.kept === 0 ? begin : comma;
    run.cutting = false;
    run.kept++;
  }

  #cut(begin: number, comma: number, run: Run): void {
    if (!run.cutting) this.write(run.kept === 0 ? begin : comma);
    run.cutting = true;
  }

  #replace(at: number, end: number, json: string): void {
    this.write(at);
    this.#out.write(json);
    this.from = end;
  }

  mask(at: number): void {
    this.write(at);
    this.#out.write(MASKED);
  }

  /** Redacted, or of several shapes. @returns what leaves; undefined: nothing */
  #special(node: Node, at: number, end: number, depth: number): string | undefined {
    const action = node.choice === undefined ? this.#actionOn(node) : undefined;
    if (action === "mask") return MASKED;
    if (action === "remove") return undefined;
    return this.#written(node, at, end, depth);
  }

  /** A part whose members are not all known by name, or whose items are not all alike. */
  #parsed(node: Node, at: number, depth: number): number {
    const end = afterValue(this.text, at, depth);
    if (end < 0) return STOP;
    const left = this.#written(node, at, end, depth);
    if (left === undefined || this.walk.withheld !== undefined) return STOP;
    this.#replace(at, end, left);
    return end;
  }

  /** What leaves of a value that has to be made. */
  #written(node: Node, at: number, end: number, depth: number): string | undefined {
    const json = this.text.slice(at, end);
    // It may have been half a surrogate pair, which the value would have.
    if (json.includes("\ufffd")) this.walk.withhold("unreadable-response", "left to parsing");
    const left = project(node, JSON.parse(json), "", depth, this.walk);
    return left === GONE ? undefined : JSON.stringify(left);
  }

  #actionOn(node: Node): RedactAction | undefined {
    return node.actions.find((action) => this.walk.isActive(action))?.action;
  }
}

function isBlankFrom({ view, length }: JsonBytes, at: number): boolean {
  for (let index = at; index < length; index++) {
    const code = view.getUint8(index);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
  }
  return true;
}
