/** JSON objects out of tokens: read in one way or not at all, and frozen, because every request with the token shares them. */

type JsonObject = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON object, names a member twice (RFC 7519 section 4) or has one called `__proto__`. */
export function parseStrictObject(text: string): JsonObject | undefined {
  // What cannot be an object never costs an exception.
  if (!text.startsWith("{") && !text.trimStart().startsWith("{")) return undefined;
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { members, shortest } = freezeWhole(value);
  // No text for the same value could be shorter: so it writes no member in vain. Nearly all issuers write like that.
  if (shortest === text.length) return value;
  // The text has one colon outside strings for each member that it writes; the value has those that are left.
  return members === countColons(text) ? value : undefined;
}

/** `Array.isArray` would make the elements `any`. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What application code handed over, as JSON holds it: a copy, frozen. Undefined for what is no JSON object, holds code or turns in
 * a circle, in which everything that walks it later would be caught.
 */
export function frozenCopy(value: unknown): JsonObject | undefined {
  try {
    // JSON.stringify would leave a function out in silence; structuredClone says that it cannot copy it.
    const copy: unknown = JSON.parse(JSON.stringify(structuredClone(value)));
    return isObject(copy) && freezeDeep(copy) ? copy : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Freezes the value and all that hangs on it.
 *
 * @returns false when a member is called `__proto__`, which would become a prototype wherever somebody copies the object carelessly
 */
export function freezeDeep(root: object): boolean {
  return freezeWhole(root).members >= 0;
}

interface Counted {
  /** Of all objects in the value; -1 when one is called `__proto__`. */
  readonly members: number;
  /** Characters of the shortest JSON text that stands for the value, or fewer; NaN where that takes too long to say. */
  readonly shortest: number;
}

/** Without recursion: depth is the caller's choice. */
function freezeWhole(root: object): Counted {
  const walk = new Walk();
  for (let holder: object | undefined = root; holder !== undefined; holder = walk.next()) {
    if (isList(holder)) walk.enterList(holder);
    else if (!walk.enterObject(holder)) break;
    Object.freeze(holder);
  }
  return walk;
}

class Walk implements Counted {
  members = 0;
  shortest = 0;
  /** Most tokens hold one list, if any: room for more is not made before there are more. */
  #found: object[] | undefined = undefined;
  #next = 0;

  next(): object | undefined {
    return this.#found?.[this.#next++];
  }

  /** By number: to go through a list by its members' names makes a text of each number. JSON has none beside its elements. */
  enterList(list: readonly unknown[]): void {
    for (const value of list) this.#see(value);
    this.#close(list.length);
  }

  /** @returns false for a member that is called `__proto__` */
  enterObject(holder: object): boolean {
    let count = 0;
    for (const name in holder) {
      // JSON makes own members alone. An object that was given to all objects would be met in itself, without end.
      if (!Object.prototype.hasOwnProperty.call(holder, name)) continue;
      if (name === "__proto__") {
        this.members = -1;
        return false;
      }
      this.#see(holder[name as keyof typeof holder]);
      this.shortest += name.length + '"":'.length;
      count += 1;
    }
    this.members += count;
    this.#close(count);
    return true;
  }

  #see(value: unknown): void {
    if (typeof value !== "object" || value === null) this.shortest += shortestOf(value);
    else if (this.#found === undefined) this.#found = [value];
    else this.#found.push(value);
  }

  /** Both brackets, and what stands between two. */
  #close(count: number): void {
    this.shortest += 2 + Math.max(0, count - 1);
  }
}

/** What is not written by its own digits in the shortest way (`1e3`, `1e-7`) is not counted. */
function shortestOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length + 2;
    case "number":
      return value > 0 && value % 1000 !== 0 && Number.isSafeInteger(value) ? digitsOf(value) : NaN;
    case "boolean":
      return value ? 4 : 5;
    default:
      return value === null ? 4 : NaN;
  }
}

function digitsOf(whole: number): number {
  let digits = 1;
  for (let above = 10; whole >= above; above *= 10) digits += 1;
  return digits;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Of valid JSON: every string ends. */
function countColons(text: string): number {
  let colons = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COLON) colons += 1;
    else if (code === QUOTE) index = endOfString(text, index + 1);
  }
  return colons;
}

function endOfString(text: string, from: number): number {
  let index = from;
  for (; text.charCodeAt(index) !== QUOTE; index += 1) if (text.charCodeAt(index) === BACKSLASH) index += 1;
  return index;
}
