/**
 * `format`, asserted (JSON Schema validation section 7). Written here for one meaning under every validator, and because the
 * usual tables take more than the standards do: a blank between date and time, `urn:uuid:` before a UUID. Every expression
 * moves through the text once.
 */
import type { FormatName } from "../lib/format-names.js";
import { isIpv4, isIpv6 } from "./formats-ip.js";
import { parsePointer } from "../lib/pointer.js";
import { isIri, isIriReference, isUri, isUriReference, isUriTemplate } from "./formats-uri.js";

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/u;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/u;
const DURATION_DATE = /^(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?$/u;
const DURATION_TIME = /^(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)$/u;
const DURATION_WEEKS = /^\d+W$/u;
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/u;
const LABEL = /^[A-Za-z0-9-]{1,63}$/u;
const UUID = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/u;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export const FORMATS: Readonly<Record<FormatName, (text: string) => boolean>> = {
  "date-time": isDateTime,
  date: isDate,
  time: isTime,
  duration: isDuration,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  uri: isUri,
  "uri-reference": isUriReference,
  iri: isIri,
  "iri-reference": isIriReference,
  "uri-template": isUriTemplate,
  uuid: (text) => UUID.test(text),
  "json-pointer": (text) => parsePointer(text) !== undefined,
  "relative-json-pointer": isRelativePointer,
};

/** Undefined: no such format. */
export function formatNamed(name: string): ((text: string) => boolean) | undefined {
  return Object.hasOwn(FORMATS, name) ? FORMATS[name as FormatName] : undefined;
}

/** RFC 3339 section 5.6; the `T` may be lower case, a blank is not offered. */
function isDateTime(text: string): boolean {
  const separator = text.charAt(10);
  return (separator === "T" || separator === "t") && isDate(text.slice(0, 10)) && isTime(text.slice(11));
}

function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  return day >= 1 && day <= (DAYS[month - 1] ?? 0) + leap;
}

/** A 60th second only where one can be: in the last minute of a day in UTC. */
function isTime(text: string): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [zoneHour, zoneMinute] = [Number(match[5] ?? 0), Number(match[6] ?? 0)];
  if (hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) return false;
  if (second < 60) return true;
  const offset = (zoneHour * 60 + zoneMinute) * (match[4] === "-" ? -1 : 1);
  return (hour * 60 + minute - offset + 2880) % 1440 === 1439;
}

/** RFC 3339 appendix A: between two units that stand, none is left out (`PT1H0M30S`). */
function isDuration(text: string): boolean {
  if (!text.startsWith("P") || text.length < 3) return false;
  const time = text.indexOf("T");
  if (time === -1) return DURATION_WEEKS.test(text.slice(1)) || DURATION_DATE.test(text.slice(1));
  return DURATION_DATE.test(text.slice(1, time)) && DURATION_TIME.test(text.slice(time + 1));
}

/** RFC 5321 section 4.1.2 without quoted local parts and address literals, which most software refuses too. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  return at > 0 && at <= 64 && LOCAL_PART.test(text.slice(0, at)) && isHostname(text.slice(at + 1));
}

/** RFC 1123 section 2.1. */
function isHostname(text: string): boolean {
  if (text.length > 253) return false;
  return text.split(".").every(isLabel);
}

/** `--` in the third place is kept for encoded names (RFC 5891 section 4.2.3.1). */
function isLabel(label: string): boolean {
  if (!LABEL.test(label) || label.startsWith("-") || label.endsWith("-")) return false;
  return label.slice(2, 4) !== "--" || label.slice(0, 2).toLowerCase() === "xn";
}

/** draft-bhutton-relative-json-pointer-00: steps up, then a pointer or `#`. */
function isRelativePointer(text: string): boolean {
  const digits = /^(?:0|[1-9]\d*)/u.exec(text)?.[0];
  if (digits === undefined) return false;
  const rest = text.slice(digits.length);
  return rest === "#" || parsePointer(rest) !== undefined;
}
