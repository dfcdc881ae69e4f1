/** Distinguished names as text (RFC 4514). Each value is escaped, so that no value can write a second part. */
import { strictText, toHex } from "./bytes.js";
import { derInside, oidOf, type DerValue } from "./der.js";

const SEQUENCE = 0x30;
const SET = 0x31;
const OID = 0x06;

/** RFC 4514 section 3, and the short names that certificates are usually shown with. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.4", "SN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.12", "title"],
  ["2.5.4.42", "GN"],
  ["2.5.4.43", "initials"],
  ["2.5.4.46", "dnQualifier"],
  ["2.5.4.65", "pseudonym"],
  ["2.5.4.97", "organizationIdentifier"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
]);

/** Most specific part first; undefined where the bytes are no name. */
export function distinguishedName(name: DerValue): string | undefined {
  const parts = name.tag === SEQUENCE ? derInside(name) : undefined;
  if (parts === undefined) return undefined;
  const texts: string[] = [];
  for (const part of parts) {
    const text = relativeName(part);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.reverse().join(",");
}

function relativeName(set: DerValue): string | undefined {
  const pairs = set.tag === SET ? derInside(set) : undefined;
  if (pairs === undefined || pairs.length === 0) return undefined;
  const texts: string[] = [];
  for (const pair of pairs) {
    const [type, value, ...others] = (pair.tag === SEQUENCE ? derInside(pair) : undefined) ?? [];
    const oid = type?.tag === OID ? oidOf(type.content) : undefined;
    if (oid === undefined || value === undefined || others.length > 0) return undefined;
    const text = textOf(value);
    // What is no text stands as its bytes: RFC 4514 section 2.4.
    const written = text === undefined ? `#${toHex(value.whole)}` : escaped(text);
    texts.push(`${NAMES.get(oid) ?? oid}=${written}`);
  }
  return texts.join("+");
}

/** Undefined for what is no string type, or holds other characters than its type has. */
function textOf({ tag, content }: DerValue): string | undefined {
  switch (tag) {
    case 0x0c:
      return strictText(content);
    case 0x12:
    case 0x13:
    case 0x16:
    case 0x1a:
      return content.every((byte) => byte < 0x80) ? strictText(content) : undefined;
    case 0x14:
      return String.fromCharCode(...content);
    case 0x1e:
      return utf16(content);
    default:
      return undefined;
  }
}

function utf16(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  let text = "";
  for (let at = 0; at < content.length; at += 2)
    text += String.fromCharCode(((content[at] ?? 0) << 8) | (content[at + 1] ?? 0));
  return text.isWellFormed() ? text : undefined;
}

function escaped(text: string): string {
  return text
    .replaceAll(/[,+"\\<>;]/gu, "\\$&")
    .replaceAll(
      /[\0-\x1f\x7f]/gu,
      (control) => `\\${control.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
    )
    .replace(/^[ #]/u, "\\$&")
    .replace(/(?<!^\\?) $/u, "\\ ");
}
