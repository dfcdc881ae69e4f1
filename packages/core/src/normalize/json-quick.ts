/**
 * The reading of a body with which nothing is wrong, which most are: the platform's parser first, then one walk over the value that it
 * made. What the parser hides (a name that stands twice) is found by counting. Where anything might be refused this has no answer, and
 * the scanner reads the text: it alone can name the place.
 */
import { type JsonGuards, MAX_NAMES, refusedName, refusedText } from "./json-guards.js";

/** Three counts of a block share one number, ten bits each. */
const BLOCK = 1023;
const COMMA = 2 ** 10;
const OPENING = 2 ** 20;

/** What a byte counts for. A table, because the branches that it replaces are guessed wrong at each quote. */
const WEIGHT = new Int32Array(256);
WEIGHT[0x22] = 1;
WEIGHT[0x2c] = COMMA;
WEIGHT[0x5b] = OPENING;
WEIGHT[0x7b] = OPENING;

/** Objects and lists for so many bytes, and some more: text that has more of them is made of brackets, and dear to the parser. */
const BYTES_A_HOLDER = 8;
const MORE_HOLDERS = 32;

/** Names that were judged good, so that those of a list's items are judged once. */
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 64;

const C1_OR_DELETE = /[\u007f-\u009f]/u;

/** What nobody has added members to, unless somebody added them to every object. */
const EMPTY: object = {};

/** Reused for every body of a route: a reading is synchronous, so two never overlap. */
export class QuickReader {
  readonly #guards: JsonGuards;
  readonly #maxDepth: number;
  readonly #known = new Set<string>();
  /** Strings of the value, names among them. */
  #strings = 0;
  /** The text may hold a character that a guard refuses. */
  #judgesTexts = false;

  constructor(guards: JsonGuards) {
    this.#guards = guards;
    this.#maxDepth = guards.maxDepth;
  }

  /**
   * @param text what the bytes say
   * @returns undefined: not to be told here
   */
  read(bytes: Uint8Array, text: string): { readonly value: unknown } | undefined {
    const quotes = quotesOf(bytes);
    if (quotes < 0 || isPolluted()) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined;
    }
    const escapes = text.includes("\\");
    this.#strings = 0;
    this.#judgesTexts = mayHoldRefused(bytes, text, escapes);
    const good = typeof value === "object" && value !== null ? this.#walk(value, 0) : this.#judge(value);
    if (!good) return undefined;
    // Each string that the text writes has two quotes. One that is not in the value belonged to a member that another took the place of:
    // where names may stand twice, what the first one held was not looked at.
    const written = escapes ? quotes - escapedQuotes(text) : quotes;
    return written === this.#strings * 2 ? { value } : undefined;
  }

  /** Recursion is bounded by the guard on depth. */
  #walk(holder: object, depth: number): boolean {
    if (depth >= this.#maxDepth) return false;
    if (Array.isArray(holder)) {
      const items: readonly unknown[] = holder;
      for (let index = 0; index < items.length; index++) {
        if (!this.#meet(items[index], depth)) return false;
      }
      return true;
    }
    const members = holder as Readonly<Record<string, unknown>>;
    // The parser makes own members alone; that nothing is inherited was asked before.
    for (const name in members) {
      if (!this.#known.has(name) && !this.#learn(name)) return false;
      this.#strings++;
      if (!this.#meet(members[name], depth)) return false;
    }
    return true;
  }

  #meet(value: unknown, depth: number): boolean {
    return typeof value === "object" && value !== null ? this.#walk(value, depth + 1) : this.#judge(value);
  }

  #judge(value: unknown): boolean {
    if (typeof value === "string") {
      this.#strings++;
      return !this.#judgesTexts || refusedText(value, this.#guards) === undefined;
    }
    // The parser reads a number that is too large as infinite.
    return typeof value !== "number" || Number.isFinite(value);
  }

  #learn(name: string): boolean {
    if ((refusedName(name, this.#guards) ?? refusedText(name, this.#guards)) !== undefined) return false;
    if (name.length <= MAX_KNOWN_LENGTH) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.add(name);
    }
    return true;
  }
}

/**
 * Quotes of the text, those behind a backslash among them. -1 where the parser may not be asked: one object could have more members than
 * are accepted, or the text be nested so deeply that to make a value of it costs far more than to refuse it.
 */
function quotesOf(bytes: Uint8Array): number {
  let quotes = 0;
  let commas = 0;
  let holders = 0;
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, bytes.length);
    let sum = 0;
    // `| 0`: a whole number of 32 bits, which the loop need not look at to add to.
    for (let at = start; at < end; at++) sum = (sum + (WEIGHT[bytes[at] ?? 0] ?? 0)) | 0;
    quotes += sum & BLOCK;
    commas += (sum >>> 10) & BLOCK;
    holders += sum >>> 20;
    if (commas >= MAX_NAMES || holders > end / BYTES_A_HOLDER + MORE_HOLDERS) return -1;
  }
  return quotes;
}

/** Of text that the parser took: a backslash begins an escape, and stands in strings alone. */
function escapedQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at + 2)) {
    if (text.charCodeAt(at + 1) === 0x22) count++;
  }
  return count;
}

/** Control characters and halves of surrogate pairs that the parser lets pass come by an escape, or are beyond ASCII, or U+007F. */
function mayHoldRefused(bytes: Uint8Array, text: string, escapes: boolean): boolean {
  if (escapes && (text.includes("\\u") || text.includes("\\b") || text.includes("\\f"))) return true;
  return bytes.length === text.length ? text.includes("\u007f") : C1_OR_DELETE.test(text);
}

/** Members of Object.prototype would be met as if they were the caller's. */
function isPolluted(): boolean {
  for (const _name in EMPTY) return true;
  return false;
}
