/** The Cookie field, as RFC 6265 section 5.4 has user agents write it. */
import { trimmed } from "./fields.js";

/**
 * Pairs in the order sent; of a repeated name the first wins, because browsers send the more specific path first. Quotes around a value
 * are taken off; nothing is percent-decoded, because no standard says that a cookie is encoded. What is no pair is left out.
 */
export function parseCookies(header: string): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  let start = 0;
  while (start < header.length) {
    const found = header.indexOf(";", start);
    const end = found < 0 ? header.length : found;
    const equals = header.indexOf("=", start);
    if (equals > start && equals < end) {
      const name = trimmed(header.slice(start, equals));
      if (name !== "" && !cookies.has(name))
        cookies.set(name, unquoted(trimmed(header.slice(equals + 1, end))));
    }
    start = end + 1;
  }
  return cookies;
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
