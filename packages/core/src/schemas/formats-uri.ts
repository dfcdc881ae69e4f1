/** URIs and their kin: RFC 3986, RFC 3987, RFC 6570. Split by the five marks first, so that every part is read once. */

import { isIpv6 } from "./formats-ip.js";

/** RFC 3986 appendix B. */
const PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/su;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/u;
const AUTHORITY =
  /^(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?(?:\[[0-9A-Fa-f:.]+\]|\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/u;
const PATH = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/u;
const TAIL = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/u;
const TEMPLATE = /^(?:[^\u0000-\u0020\u007f"<>%\\^`{|}]|%[0-9A-Fa-f]{2}|\{[+#./;?&=,!@|]?[^{}]+\})*$/u;
const EXPRESSION = /\{[+#./;?&=,!@|]?([^{}]+)\}/gu;
const VARIABLE =
  /^(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*(?::[1-9]\d{0,3}|\*)?$/u;
/** Private use, surrogates and non-characters are no `ucschar`; blanks and format marks would make two URIs look alike. */
const NOT_IN_IRIS =
  /[\u0080-\u009f\u200e\u200f\u202a-\u202e\ud800-\uf8ff\ufdd0-\ufdef\ufff0-\uffff]|[\u{e0000}-\u{e0fff}]|[\u{f0000}-\u{10ffff}]/u;

export function isUri(text: string): boolean {
  return isReference(text, true);
}

export function isUriReference(text: string): boolean {
  return isReference(text, false);
}

export function isIri(text: string): boolean {
  return !NOT_IN_IRIS.test(text) && isReference(withoutUnicode(text), true);
}

export function isIriReference(text: string): boolean {
  return !NOT_IN_IRIS.test(text) && isReference(withoutUnicode(text), false);
}

export function isUriTemplate(text: string): boolean {
  if (!TEMPLATE.test(text)) return false;
  for (const [, variables = ""] of text.matchAll(EXPRESSION)) {
    if (!variables.split(",").every((variable) => VARIABLE.test(variable))) return false;
  }
  return true;
}

function isReference(text: string, absolute: boolean): boolean {
  const match = PARTS.exec(text);
  if (match === null) return false;
  const [, scheme, authority, path = "", query = "", fragment = ""] = match;
  if (scheme === undefined) {
    // A colon before the first slash would read as a scheme, and there is none that is well formed.
    if (absolute || text.startsWith(":")) return false;
  } else if (!SCHEME.test(scheme)) return false;
  if (authority === undefined) {
    if (path.startsWith("//")) return false;
  } else if (!isAuthority(authority)) return false;
  return PATH.test(path) && TAIL.test(query) && TAIL.test(fragment);
}

function isAuthority(authority: string): boolean {
  if (!AUTHORITY.test(authority)) return false;
  const literal = /\[([^\]vV][^\]]*)\]/u.exec(authority)?.[1];
  return literal === undefined || isIpv6(literal);
}

/** Where RFC 3987 takes a character beyond ASCII, RFC 3986 takes a letter. */
function withoutUnicode(text: string): string {
  return text.replaceAll(/[^\u0000-\u007f]/gu, "x");
}
