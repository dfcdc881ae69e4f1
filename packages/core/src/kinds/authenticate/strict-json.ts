/** JSON objects out of tokens: read in one way or not at all, and frozen, because every request with the token shares them. */

type JsonObject = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON object, names a member twice (RFC 7519 section 4) or has one called `__proto__`. */
export function parseStrictObject(text: string): JsonObject | undefined {
  // What cannot be an object never costs an exception.
  if (!text.startsWith("{") && !text.trimStart().startsWith("{")) return undefined;
  const value = parseJson(text);
  // The text has one colon outside strings for each member that it writes; the value has those that are left.
  return isObject(value) && freezeDeep(value) === countColons(text) ? value : undefined;
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
    return isObject(copy) && freezeDeep(copy) >= 0 ? copy : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Freezes the value and all that hangs on it, without recursion: depth is the caller's choice.
 *
 * @returns the number of members of all objects in it; -1 when one is called `__proto__`, which would become a prototype
 *   wherever somebody copies the object carelessly
 */
export function freezeDeep(root: object): number {
  const pending: object[] = [root];
  let members = 0;
  for (const holder of pending) {
    // Of own members only; JSON makes no others.
    for (const name in holder) {
      if (name === "__proto__") return -1;
      const value: unknown = holder[name as keyof typeof holder];
      if (typeof value === "object" && value !== null) pending.push(value);
      members += 1;
    }
    if (Array.isArray(holder)) members -= holder.length;
    Object.freeze(holder);
  }
  return members;
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
