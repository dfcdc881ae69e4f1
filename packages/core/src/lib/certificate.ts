/**
 * What a certificate (RFC 5280) says of its holder, read from its bytes. Texts that libraries make of certificates have been
 * forged by names with separators in them (CVE-2021-44531 to 44533); bytes have one reading.
 */
import { derInside, derOf, oidOf, type DerValue } from "./der.js";
import { distinguishedName } from "./distinguished-name.js";
import { formatIPv4, formatIPv6 } from "./ip.js";

export interface CertificateFacts {
  readonly subject: string;
  readonly subjectAltNames: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

const SEQUENCE = 0x30;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const OCTETS = 0x04;
const ALTERNATIVE_NAMES = "2.5.29.17";

/** Undefined for what is no certificate. Nothing here says that anybody vouches for it. */
export function readCertificateFacts(der: Uint8Array): CertificateFacts | undefined {
  const [body] = inside(derOf(der)) ?? [];
  const fields = inside(body);
  if (fields === undefined) return undefined;
  const [, , , validity, subject, , ...rest] = fields[0]?.tag === VERSION ? fields.slice(1) : fields;
  const [from, to] = inside(validity) ?? [];
  const validFrom = instantOf(from);
  const validTo = instantOf(to);
  const name = subject === undefined ? undefined : distinguishedName(subject);
  const subjectAltNames = alternativeNames(rest.find(({ tag }) => tag === EXTENSIONS));
  if (validFrom === undefined || validTo === undefined) return undefined;
  if (name === undefined || subjectAltNames === undefined) return undefined;
  return { subject: name, subjectAltNames, validFrom, validTo };
}

function inside(value: DerValue | undefined): readonly DerValue[] | undefined {
  return value?.tag === SEQUENCE ? derInside(value) : undefined;
}

/** UTCTime until 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5): in UTC, with seconds, without fractions. */
function instantOf(value: DerValue | undefined): number | undefined {
  if (value === undefined || (value.tag !== 0x17 && value.tag !== 0x18)) return undefined;
  const text = String.fromCharCode(...value.content.subarray(0, 16));
  const form =
    value.tag === 0x17
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u;
  const match = form.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const full = value.tag === 0x18 ? year : year < 50 ? 2000 + year : 1900 + year;
  const instant = Date.UTC(full, month - 1, day, hour, minute, second);
  return Number.isFinite(instant) ? instant : undefined;
}

/** None where there is no such extension; undefined where it is malformed or there are two. */
function alternativeNames(extensions: DerValue | undefined): readonly string[] | undefined {
  if (extensions === undefined) return [];
  const [list] = derInside(extensions) ?? [];
  const all = inside(list);
  if (all === undefined) return undefined;
  const found = all
    .map((extension) => inside(extension))
    .filter((parts) => oidIn(parts) === ALTERNATIVE_NAMES);
  if (found.length === 0) return [];
  const value = found[0]?.at(-1);
  if (found.length > 1 || value?.tag !== OCTETS) return undefined;
  const names = inside(derOf(value.content));
  return names?.flatMap((name) => nameOf(name) ?? []);
}

function oidIn(parts: readonly DerValue[] | undefined): string | undefined {
  const [type] = parts ?? [];
  return type?.tag === 0x06 ? oidOf(type.content) : undefined;
}

/** Kinds that rules can ask for. A name with a control character or beyond ASCII is nobody's name, and left out. */
function nameOf({ tag, content }: DerValue): string | undefined {
  switch (tag) {
    case 0x81:
      return printable("email", content);
    case 0x82:
      return printable("DNS", content);
    case 0x86:
      return printable("URI", content);
    case 0x87:
      return address(content);
    default:
      return undefined;
  }
}

function printable(kind: string, content: Uint8Array): string | undefined {
  return content.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? `${kind}:${String.fromCharCode(...content)}`
    : undefined;
}

function address(bytes: Uint8Array): string | undefined {
  const word = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (bytes.length === 4) return `IP:${formatIPv4(word(0) * 65_536 + word(2))}`;
  if (bytes.length !== 16) return undefined;
  return `IP:${formatIPv6(Array.from({ length: 8 }, (_, index) => word(2 * index)))}`;
}
