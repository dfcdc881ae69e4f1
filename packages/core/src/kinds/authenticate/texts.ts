/**
 * Roles and scopes as they are granted. Thousands of credentials bring the same few lists: equal ones are read once, and the
 * memory for remembered credentials holds one of each.
 */

export interface Texts {
  /** As granted. Frozen, and nobody else's. */
  readonly all: readonly string[];
  /** Each once. */
  readonly list: readonly string[];
  /** The same; nothing is ever added to it. */
  readonly set: ReadonlySet<string>;
}

export const NO_TEXTS: Texts = textsFrom([]);

export function textsFrom(list: readonly string[]): Texts {
  const set = new Set(list);
  return Object.freeze({ all: Object.freeze([...list]), list: Object.freeze([...set]), set });
}

/**
 * A list of strings, or one string with single blanks between its parts (RFC 6749 section 3.3). Nothing for an absent
 * or empty one; undefined for any other shape: half-understood rights are no rights.
 */
export function textsOf(value: unknown): Texts | undefined {
  if (value === undefined || value === null || value === "") return NO_TEXTS;
  const parts: readonly unknown[] | undefined =
    typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : undefined;
  return parts !== undefined && areTexts(parts) ? textsFrom(parts) : undefined;
}

function areTexts(parts: readonly unknown[]): parts is readonly string[] {
  return parts.every((part) => typeof part === "string" && part !== "");
}

/** Lists remembered of each form. Where every caller has a list of their own, it begins anew now and then. */
const MAX_LISTS = 256;
/** Longer ones are not worth their memory. */
const MAX_LENGTH = 512;

/** `textsOf` that answers equal values with the same object. */
export class SharedTexts {
  readonly #written = new Map<string, Texts>();
  readonly #listed = new Map<string, Texts>();
  /** Most credentials bring what the one before brought: comparing costs less than hashing, of a list by a name that is made for it. */
  #lastText = "";
  #ofLastText: Texts = NO_TEXTS;
  #lastList: Texts = NO_TEXTS;

  of(value: unknown): Texts | undefined {
    if (typeof value === "string") return this.#ofText(value);
    return Array.isArray(value) ? this.#ofList(value) : textsOf(value);
  }

  #ofText(value: string): Texts | undefined {
    if (value === this.#lastText) return this.#ofLastText;
    const texts = remembered(this.#written, value, value);
    if (texts === undefined) return undefined;
    this.#lastText = value;
    this.#ofLastText = texts;
    return texts;
  }

  #ofList(value: readonly unknown[]): Texts | undefined {
    if (areSame(this.#lastList.all, value)) return this.#lastList;
    const name = nameOf(value);
    const texts = name === undefined ? textsOf(value) : remembered(this.#listed, name, value);
    if (texts !== undefined) this.#lastList = texts;
    return texts;
  }
}

function areSame(texts: readonly string[], value: readonly unknown[]): boolean {
  if (texts.length !== value.length) return false;
  for (let index = 0; index < texts.length; index += 1) if (texts[index] !== value[index]) return false;
  return true;
}

function remembered(lists: Map<string, Texts>, name: string, value: unknown): Texts | undefined {
  const known = lists.get(name);
  if (known !== undefined || name.length > MAX_LENGTH) return known ?? textsOf(value);
  const texts = textsOf(value);
  if (texts === undefined) return undefined;
  if (lists.size >= MAX_LISTS) lists.clear();
  lists.set(name, texts);
  return texts;
}

/** The lengths keep (`a`, `b`) and (`a1:b`) apart. Undefined: not all of them are strings. */
function nameOf(parts: readonly unknown[]): string | undefined {
  let name = "";
  for (const part of parts) {
    if (typeof part !== "string") return undefined;
    name += `${part.length}:${part}`;
  }
  return name;
}
