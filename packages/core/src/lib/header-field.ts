/** What may stand in a header field that is written from data (RFC 9110 sections 5.1 and 5.5). */

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

export function isFieldName(name: string): boolean {
  return TOKEN.test(name);
}

/**
 * Printable ASCII and inner blanks. CR, LF and NUL split or truncate an answer; other controls and letters beyond ASCII are
 * read differently by servers and proxies.
 */
export function isFieldValue(value: string): boolean {
  return /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/u.test(value);
}

/** Fields that frame or route a message (RFC 9110 sections 7.6 and 8.6): a constant there breaks every answer. */
const FRAMING: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function isFramingField(lowerName: string): boolean {
  return FRAMING.has(lowerName);
}
