/**
 * One linear pass over JSON text, before the platform's parser makes a value of it: what that parser hides (a name that
 * stands twice, depth, a number without a value) is seen only here. It judges no grammar: the parser does that next, so on
 * text that is no JSON any finding, or none, is as good as another.
 */
import type { InputProblem } from "../model/outcome.js";
import {
  type GuardRule,
  type JsonGuards,
  MAX_NAMES,
  MAX_PROBLEMS,
  isControl,
  problemAt,
  refusedName,
  refusedText,
  segmentOf,
} from "./json-guards.js";

/** Up to so many names of one object are compared by hash in a row; more go into a Set. */
const NARROW = 24;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Reused for every body of a route: a scan is synchronous, so two never overlap. */
export class JsonScanner {
  #text = "";
  #depth = 0;
  #problems: InputProblem[] = [];
  readonly #guards: JsonGuards;
  readonly #maxDepth: number;
  readonly #controls: boolean;
  // One entry a level. Which name or index the scan stands at is kept as numbers, and made a pointer only for a problem.
  readonly #isObject: Uint8Array;
  readonly #index: Int32Array;
  readonly #nameStart: Int32Array;
  readonly #nameEnd: Int32Array;
  readonly #base: Int32Array;
  readonly #names: (Set<string> | undefined)[] = [];
  // A stack of the names seen in the objects that are open.
  #top = 0;
  #hashes: number[] = [];
  #starts: number[] = [];
  #ends: number[] = [];

  constructor(guards: JsonGuards) {
    this.#guards = guards;
    this.#maxDepth = guards.maxDepth;
    this.#controls = guards.controlCharacters;
    const levels = guards.maxDepth + 1;
    this.#isObject = new Uint8Array(levels);
    this.#index = new Int32Array(levels);
    this.#nameStart = new Int32Array(levels);
    this.#nameEnd = new Int32Array(levels);
    this.#base = new Int32Array(levels);
  }

  /** Problems, at most {@link MAX_PROBLEMS}; undefined when there are none. */
  scan(text: string): readonly InputProblem[] | undefined {
    this.#text = text;
    this.#depth = 0;
    this.#top = 0;
    this.#problems = [];
    this.#run(text);
    this.#text = "";
    return this.#problems.length === 0 ? undefined : this.#problems;
  }

  #run(text: string): void {
    const end = text.length;
    let at = 0;
    let nameNext = false;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = nameNext ? this.#name(text, at + 1) : this.#string(text, at + 1);
        nameNext = false;
      } else if (code === 0x2c) {
        nameNext = this.#next();
        at++;
      } else if (code === 0x7b || code === 0x5b) {
        nameNext = code === 0x7b;
        if (!this.#open(nameNext)) return;
        at++;
      } else if (code === 0x7d || code === 0x5d) {
        if (!this.#close()) return;
        nameNext = false;
        at++;
      } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) at = this.#number(text, at);
      else at++;
      if (this.#problems.length >= MAX_PROBLEMS) return;
    }
  }

  /** False: too deep, and nothing below is worth a look. */
  #open(isObject: boolean): boolean {
    if (this.#depth >= this.#maxDepth) {
      this.#found("depth");
      return false;
    }
    const depth = ++this.#depth;
    this.#isObject[depth] = isObject ? 1 : 0;
    this.#index[depth] = 0;
    this.#nameStart[depth] = 0;
    this.#nameEnd[depth] = 0;
    this.#base[depth] = this.#top;
    this.#names[depth] = undefined;
    return true;
  }

  #close(): boolean {
    if (this.#depth === 0) return false;
    this.#top = this.#base[this.#depth] ?? 0;
    this.#depth--;
    return true;
  }

  /** True: a member name follows. */
  #next(): boolean {
    const depth = this.#depth;
    this.#index[depth] = (this.#index[depth] ?? 0) + 1;
    return this.#isObject[depth] === 1 && depth > 0;
  }

  /** @returns the position after the closing quote */
  #string(text: string, from: number): number {
    const controls = this.#controls;
    const end = text.length;
    for (let at = from; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) at = this.#escape(text, at);
      else if (controls && code >= 0x7f && code <= 0x9f) this.#found("control-character");
    }
    return end;
  }

  /** @returns the position of the last character that belongs to the escape */
  #escape(text: string, at: number): number {
    const kind = text.charCodeAt(at + 1);
    if (kind !== 0x75) {
      // `\b` and `\f`; the other short escapes stand for TAB, LF, CR and plain characters.
      if (this.#controls && (kind === 0x62 || kind === 0x66)) this.#found("control-character");
      return at + 1;
    }
    const code = Number.parseInt(text.slice(at + 2, at + 6), 16);
    if (this.#controls && isControl(code)) this.#found("control-character");
    if (code < 0xd800 || code > 0xdfff || !this.#guards.loneSurrogates) return at + 5;
    if (code <= 0xdbff && /^\\u[dD][c-fC-F]/u.test(text.slice(at + 6, at + 10))) return at + 11;
    this.#found("lone-surrogate");
    return at + 5;
  }

  #name(text: string, from: number): number {
    const guards = this.#guards;
    const end = text.length;
    let hash = 0;
    let suspect = text.charCodeAt(from) === 0x24;
    let at = from;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) return this.#escapedName(text, from);
      if (code === 0x2e || (code >= 0x7f && code <= 0x9f)) suspect = true;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    this.#nameStart[this.#depth] = from;
    this.#nameEnd[this.#depth] = at;
    const length = at - from;
    // The names that are refused by themselves have 9 or 11 characters, or one of the characters looked for above.
    if (suspect || length === 9 || length === 11) this.#judge(text.slice(from, at));
    if (guards.duplicateKeys) this.#remember(text, from, at, hash);
    this.#count();
    return at + 1;
  }

  /** Names are compared as the parser will read them: `"\u0061"` is `"a"`. */
  #escapedName(text: string, from: number): number {
    const depth = this.#depth;
    const at = endOfString(text, from);
    this.#nameStart[depth] = from;
    this.#nameEnd[depth] = at;
    const name = decoded(text, from, at);
    if (name === undefined) return at + 1;
    this.#judge(name);
    if (this.#guards.duplicateKeys) this.#addWide(name);
    this.#count();
    return at + 1;
  }

  #judge(name: string): void {
    const rule = refusedName(name, this.#guards) ?? refusedText(name, this.#guards);
    if (rule !== undefined) this.#found(rule);
  }

  #remember(text: string, from: number, to: number, hash: number): void {
    const depth = this.#depth;
    if (this.#names[depth] !== undefined) return this.#addWide(text.slice(from, to));
    const base = this.#base[depth] ?? 0;
    const top = this.#top;
    if (top - base >= NARROW) return this.#addWide(text.slice(from, to));
    for (let seen = base; seen < top; seen++) {
      if (this.#hashes[seen] === hash && this.#spelled(seen) === text.slice(from, to))
        this.#found("duplicate-key");
    }
    this.#hashes[top] = hash;
    this.#starts[top] = from;
    this.#ends[top] = to;
    this.#top = top + 1;
  }

  /** The first name that needs it brings those before it along. */
  #addWide(name: string): void {
    const depth = this.#depth;
    let names = this.#names[depth];
    if (names === undefined) {
      names = new Set();
      for (let seen = this.#base[depth] ?? 0; seen < this.#top; seen++) names.add(this.#spelled(seen));
      this.#names[depth] = names;
    }
    if (names.has(name)) this.#found("duplicate-key");
    else names.add(name);
  }

  #spelled(seen: number): string {
    return this.#text.slice(this.#starts[seen], this.#ends[seen]);
  }

  /** Members are counted by the commas between them: the index of the last one is their number less one. */
  #count(): void {
    if ((this.#index[this.#depth] ?? 0) === MAX_NAMES) this.#found("too-many-keys");
  }

  #number(text: string, from: number): number {
    const end = text.length;
    let at = from + 1;
    let exponent = false;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x30 && code <= 0x39) continue;
      if (code === 0x65 || code === 0x45) exponent = true;
      else if (code !== 0x2e && code !== 0x2b && code !== 0x2d) break;
    }
    if ((exponent || at - from > 300) && Math.abs(Number(text.slice(from, at))) === Infinity)
      this.#found("number-range");
    return at;
  }

  #found(rule: GuardRule): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problemAt(this.#pointer(), rule));
  }

  #pointer(): string {
    let pointer = "";
    for (let level = 1; level <= this.#depth; level++) {
      const from = this.#nameStart[level] ?? 0;
      if (this.#isObject[level] === 0) pointer += segmentOf(this.#index[level] ?? 0);
      else if (from > 0) pointer += segmentOf(decoded(this.#text, from, this.#nameEnd[level] ?? from) ?? "");
    }
    return pointer;
  }
}

function endOfString(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at, text.length);
}

/** Undefined: no string of JSON's; the parser will say so. */
function decoded(text: string, from: number, to: number): string | undefined {
  const spelled = text.slice(from, to);
  if (!spelled.includes("\\")) return spelled;
  try {
    const name: unknown = JSON.parse(`"${spelled}"`);
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
