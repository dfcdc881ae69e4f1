/** The Cookie field, as RFC 6265 section 5.4 has user agents write it. */
import type { Cookies } from "../model/request.js";
import { trimmed } from "./fields.js";

const NONE: ReadonlySet<string> = new Set();

/**
 * Pairs in the order sent; of a repeated name the first wins, because browsers send the more specific path first. Quotes around a value
 * are taken off; nothing is percent-decoded, because no standard says that a cookie is encoded. What is no pair is left out.
 */
export function parseCookies(header: string): Cookies {
  const values = new Map<string, string>();
  let repeated: Set<string> | undefined;
  let start = 0;
  while (start < header.length) {
    const found = header.indexOf(";", start);
    const pair = header.slice(start, found < 0 ? header.length : found);
    const equals = pair.indexOf("=");
    const name = equals > 0 ? trimmed(pair.slice(0, equals)) : "";
    if (values.has(name)) (repeated ??= new Set()).add(name);
    else if (name !== "") values.set(name, unquoted(trimmed(pair.slice(equals + 1))));
    start += pair.length + 1;
  }
  return { values, repeated: repeated ?? NONE };
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
