/** What proxies say about the caller: X-Forwarded-For and Forwarded (RFC 7239), read from the nearest hop outwards. */
import { parseHop } from "../lib/ip.js";
import type { Address } from "../lib/ip.js";
import { trimmed } from "./fields.js";
import { isToken } from "./names.js";

/** More hops than any real chain has; a longer one ends the walk here. */
const MAX_HOPS = 32;

/** Told of each hop as it is read, for whoever explains it; an address of undefined ended the walk. */
export type HopSeen = (text: string, address: Address | undefined) => void;

/**
 * Walks a comma-separated chain from its last entry to the first address that is not a trusted proxy.
 * @param peer a trusted proxy
 * @returns the last address that was read well: an entry that does not parse ends the walk, and its text is never used
 */
export function walkList(
  chain: string,
  peer: Address,
  trusts: (address: Address) => boolean,
  seen?: HopSeen,
): Address {
  let current = peer;
  let end = chain.length;
  for (let hop = 0; hop < MAX_HOPS && end >= 0; hop += 1) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(",", end - 1);
    const text = trimmed(chain.slice(comma + 1, end));
    const address = parseHop(text);
    seen?.(text, address);
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
 *
 * The field is read from its end, because that is what the proxies wrote: were it read from the front, a caller who begins it with
 * rubbish would make all of it unreadable, and with it be taken for the proxy itself.
 */
export function walkForwarded(
  field: string,
  peer: Address,
  trusts: (address: Address) => boolean,
  seen?: HopSeen,
): ForwardedClient {
  let address = peer;
  let element: ForwardedElement | undefined;
  let end = field.length;
  for (let hop = 0; hop < MAX_HOPS && end >= 0; hop += 1) {
    const last = lastElement(field, end);
    if (last === undefined) {
      seen?.(field.slice(0, end), undefined);
      break;
    }
    element = last.element;
    const next = parseNode(element.get("for"));
    seen?.(element.get("for") ?? "", next);
    if (next === undefined) break;
    address = next;
    if (!trusts(next)) break;
    end = last.comma;
  }
  return { address, element };
}

/** Commas inside the quoted strings of one element: more are nobody's who is trusted, and would make a flood of them slow to read. */
const MAX_COMMAS = 8;

/**
 * The shortest text after a comma that is an element. It is the whole one that was written last: a text that begins inside a quoted
 * string has an odd number of quotes, so it never parses.
 */
function lastElement(
  field: string,
  end: number,
): { readonly element: ForwardedElement; readonly comma: number } | undefined {
  let comma = end;
  for (let tries = 0; tries <= MAX_COMMAS && comma >= 0; tries += 1) {
    comma = comma === 0 ? -1 : field.lastIndexOf(",", comma - 1);
    const element = parseElement(field.slice(comma + 1, end));
    if (element !== undefined) return { element, comma };
  }
  return undefined;
}

/** RFC 7239 section 6: an IPv6 address stands in brackets. */
function parseNode(text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(":");
  const bare = colon >= 0 && text.includes(":", colon + 1) && !text.startsWith("[");
  return bare ? undefined : parseHop(text);
}

/** Undefined for what is not one whole element. */
function parseElement(text: string): ForwardedElement | undefined {
  const cursor = new Cursor(text);
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
  return cursor.atEnd ? element : undefined;
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
