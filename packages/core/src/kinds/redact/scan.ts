/**
 * Projects and redacts JSON that is text already: what leaves is copied from it, what does not leave is stepped over. It answers
 * only where its answer is, character for character, what parsing, walking and writing would make; all else is left to those.
 */
import { afterPlainString, afterValue, afterWord, stands } from "../../lib/json-steps.js";
import type { RedactAction } from "../../model/policy.js";
import { GONE, MASK } from "./action.js";
import { project, type Walk } from "./evaluate.js";
import { ARRAY, BOOLEAN, NULL, OBJECT, STRING } from "./json-type.js";
import type { Node, Step } from "./node.js";
import { afterWrittenNumber } from "./scan-number.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
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
export function scan(node: Node, text: string, walk: Walk): string | undefined {
  return node.special || asksForJson() ? undefined : new Scan(text, walk).whole(node);
}

/** A `toJSON` that somebody gave to all objects has a say in what JSON.stringify writes. */
function asksForJson(): boolean {
  return "toJSON" in Object.prototype || "toJSON" in Array.prototype;
}

/** How far the members of one object, or the items of one list, have come. */
interface Run {
  /** How many leave. */
  kept: number;
  /** The last one does not leave, and what leaves before it is written. */
  cutting: boolean;
}

class Scan {
  #out = "";
  /** Unless something is being cut: what stands from here on leaves, and is not written yet. */
  #from = 0;

  constructor(
    private readonly text: string,
    private readonly walk: Walk,
  ) {}

  whole(node: Node): string | undefined {
    const { text } = this;
    const first = text.charCodeAt(0);
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) return undefined;
    const end = this.#value(node, 0, 0);
    if (end < 0 || !isBlankFrom(text, end)) return undefined;
    this.#write(end);
    return this.#out;
  }

  #write(end: number): void {
    this.#out += this.text.slice(this.#from, end);
  }

  /** A value that leaves as far as it is declared. */
  #value(node: Node, at: number, depth: number): number {
    const { text } = this;
    const { types } = node;
    const code = text.charCodeAt(at);
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
    const { text } = this;
    const plan = node.scanned;
    const { guessed } = plan;
    const run: Run = { kept: 0, cutting: false };
    let seen = 0;
    let comma = start;
    let at = start;
    if (text.charCodeAt(at) === CLOSE_OBJECT) return at + 1;
    for (let index = 0; ; index++) {
      let member = guessed[index];
      if (member === undefined || stands(text, at, member.written) < 0) {
        const name = nameAt(text, at);
        if (name === undefined) return STOP;
        member = plan.find(name, index);
      }
      // Of a name that is written twice the last value leaves, at the place of the first: parsing sees to that.
      if ((seen & member.bit) !== 0) return STOP;
      seen |= member.bit;
      const { step, length } = member;
      if (step !== undefined && !step.special && !run.cutting) {
        run.kept++;
        at = this.#value(step, at + length, depth);
      } else at = this.#part(step, at, comma, at + length, run, depth);
      if (at < 0) return STOP;
      const code = text.charCodeAt(at);
      if (code === CLOSE_OBJECT) {
        if (run.cutting) this.#from = at;
        return at + 1;
      }
      if (code !== COMMA) return STOP;
      comma = at++;
    }
  }

  #items(node: Node, start: number, depth: number): number {
    if (depth > DEEPEST) return STOP;
    const { text } = this;
    const { rest } = node.items;
    const run: Run = { kept: 0, cutting: false };
    let comma = start;
    let at = start;
    if (text.charCodeAt(at) === CLOSE_LIST) return at + 1;
    for (;;) {
      at = this.#part(rest, at, comma, at, run, depth);
      if (at < 0) return STOP;
      const code = text.charCodeAt(at);
      if (code === CLOSE_LIST) {
        if (run.cutting) this.#from = at;
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
      return this.#value(step, at, depth);
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
    if (run.cutting) this.#from = run.kept === 0 ? begin : comma;
    run.cutting = false;
    run.kept++;
  }

  #cut(begin: number, comma: number, run: Run): void {
    if (!run.cutting) this.#write(run.kept === 0 ? begin : comma);
    run.cutting = true;
  }

  #replace(at: number, end: number, json: string): void {
    this.#write(at);
    this.#out += json;
    this.#from = end;
  }

  /** Redacted, or of several shapes. @returns what leaves; undefined: nothing */
  #special(node: Node, at: number, end: number, depth: number): string | undefined {
    const action = node.choice === undefined ? this.#actionOn(node) : undefined;
    if (action === "mask") return MASKED;
    if (action === "remove") return undefined;
    const value: unknown = JSON.parse(this.text.slice(at, end));
    return written(project(node, value, "", depth, this.walk));
  }

  /** A part whose members are not all known by name, or whose items are not all alike. */
  #parsed(node: Node, at: number, depth: number): number {
    const end = afterValue(this.text, at, depth);
    if (end < 0) return STOP;
    const value: unknown = JSON.parse(this.text.slice(at, end));
    const left = written(project(node, value, "", depth, this.walk));
    if (left === undefined || this.walk.withheld !== undefined) return STOP;
    this.#replace(at, end, left);
    return end;
  }

  #actionOn(node: Node): RedactAction | undefined {
    return node.actions.find((action) => this.walk.isActive(action))?.action;
  }
}

function written(left: unknown): string | undefined {
  return left === GONE ? undefined : JSON.stringify(left);
}

/** A name with its quotes and the colon; undefined: it has escapes, or is none. */
function nameAt(text: string, at: number): string | undefined {
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      return text.charCodeAt(index + 1) === COLON ? text.slice(at + 1, index) : undefined;
    }
    if (code === BACKSLASH || code < 0x20) return undefined;
  }
  return undefined;
}

function isBlankFrom(text: string, at: number): boolean {
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
  }
  return true;
}
