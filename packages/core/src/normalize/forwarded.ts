/** What proxies say about the caller: X-Forwarded-For and Forwarded (RFC 7239), read from the nearest hop outwards. */
import { parseHop } from "../lib/ip.js";
import type { Address } from "../lib/ip.js";
import { trimmed } from "./fields.js";
import { isToken } from "./names.js";

/** More hops than any real chain has; a longer one ends the walk here. */
const MAX_HOPS = 32;

/**
 * Walks a comma-separated chain from its last entry to the first address that is not a trusted proxy.
 * @param peer a trusted proxy
 * @returns the last address that was read well: an entry that does not parse ends the walk, and its text is never used
 */
export function walkList(chain: string, peer: Address, trusts: (address: Address) => boolean): Address {
  let current = peer;
  let end = chain.length;
  for (let hop = 0; hop < MAX_HOPS && end >= 0; hop += 1) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(",", end - 1);
    const address = parseHop(trimmed(chain.slice(comma + 1, end)));
    if (address === undefined) return current;
    current = address;
    if (!trusts(address)) return current;
    end = comma;
  }
  return current;
}

/** The last entry of a comma-separated list. */
export function lastEntry(list: string): string {
  const comma = list.lastIndexOf(",");
  return comma < 0 ? list : trimmed(list.slice(comma + 1));
}

/** One hop of Forwarded: lower-case parameter name to value, unquoted. */
export type ForwardedElement = ReadonlyMap<string, string>;

/** What the outermost trusted proxy said: the client's address and the element that describes its hop. */
export interface ForwardedClient {
  readonly address: Address;
  readonly element: ForwardedElement | undefined;
}

/**
 * The walk over Forwarded. An element whose `for` is absent, obfuscated or unreadable ends it, but its `proto` and `host` still
 * stand: they were written by a proxy that is trusted.
 */
export function walkForwarded(
  chain: readonly ForwardedElement[],
  peer: Address,
  trusts: (address: Address) => boolean,
): ForwardedClient {
  let address = peer;
  let element: ForwardedElement | undefined;
  for (let hop = 1; hop <= Math.min(MAX_HOPS, chain.length); hop += 1) {
    element = chain[chain.length - hop];
    const next = parseNode(element?.get("for"));
    if (next === undefined) break;
    address = next;
    if (!trusts(next)) break;
  }
  return { address, element };
}

/** RFC 7239 section 6: an IPv6 address stands in brackets. */
function parseNode(text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(":");
  const bare = colon >= 0 && text.includes(":", colon + 1) && !text.startsWith("[");
  return bare ? undefined : parseHop(text);
}

/** Undefined when the field breaks the grammar anywhere: half of it cannot be told from the caller's own part. */
export function parseForwarded(field: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  const cursor = new Cursor(field);
  for (;;) {
    const element = readElement(cursor);
    if (element === undefined) return undefined;
    elements.push(element);
    if (cursor.atEnd) return elements;
    if (!cursor.take(",")) return undefined;
  }
}

function readElement(cursor: Cursor): ForwardedElement | undefined {
  const element = new Map<string, string>();
  do {
    cursor.skipBlanks();
    const name = cursor.token().toLowerCase();
    if (name === "" || !cursor.take("=")) return undefined;
    const value = cursor.value();
    if (value === undefined || element.has(name)) return undefined;
    element.set(name, value);
    cursor.skipBlanks();
  } while (cursor.take(";"));
  return element;
}

class Cursor {
  private at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  skipBlanks(): void {
    while (this.text[this.at] === " " || this.text[this.at] === "\t") this.at += 1;
  }

  token(): string {
    const start = this.at;
    while (!this.atEnd && isToken(this.text.charAt(this.at))) this.at += 1;
    return this.text.slice(start, this.at);
  }

  /** A token, or a quoted string (RFC 9110 section 5.6.4). */
  value(): string | undefined {
    if (!this.take('"')) {
      const token = this.token();
      return token === "" ? undefined : token;
    }
    let value = "";
    while (!this.atEnd) {
      if (this.take('"')) return value;
      if (this.take("\\") && this.atEnd) return undefined;
      value += this.text.charAt(this.at);
      this.at += 1;
    }
    return undefined;
  }
}
