/** Timestamps and durations (CEL, "Timestamps", "Durations"), counted in whole milliseconds. */
import { Failure, isInstant, isSpan } from "./values.js";

const NO_TIMESTAMP = new Failure("not a timestamp of RFC 3339 between the years 1 and 9999");
const NO_DURATION = new Failure("not a duration such as `90s`, `1h30m` or `250ms`");
const TOO_FINE = new Failure("a duration finer than a millisecond");

const RFC_3339 =
  /^\d{4}-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339, whose days end at 23:59, with seconds and offset; digits beyond milliseconds are cut off. */
export function parseTimestamp(text: string): number | Failure {
  const match = text.length > 40 ? null : RFC_3339.exec(text);
  // Date.parse takes 31 February for 3 March.
  if (match === null || Number(match[2]) > daysIn(Number(text.slice(0, 4)), Number(match[1])))
    return NO_TIMESTAMP;
  const milliseconds = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return isInstant(milliseconds) ? milliseconds : NO_TIMESTAMP;
}

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

export function timestampOfSeconds(seconds: number): number | Failure {
  return isInstant(seconds * 1000) ? seconds * 1000 : NO_TIMESTAMP;
}

export function formatTimestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(".000Z", "Z");
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 0.001],
  ["ns", 0.000_001],
]);

/** Signed numbers with units, as Go's `time.ParseDuration` reads them. */
export function parseDuration(text: string): number | Failure {
  if (text.length > 60 || !/^[+-]?(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) return NO_DURATION;
  let milliseconds = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)) {
    milliseconds += Number(number) * (UNITS.get(unit ?? "") ?? Number.NaN);
  }
  const whole = Math.round(milliseconds);
  if (Math.abs(milliseconds - whole) > 1e-7) return TOO_FINE;
  if (!isSpan(whole)) return NO_DURATION;
  return text.startsWith("-") ? 0 - whole : whole;
}

export function formatDuration(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}

/** What a getter takes from an instant, in UTC or shifted into a zone. */
const FIELDS: ReadonlyMap<string, (date: Date) => number> = new Map([
  ["getFullYear", (date) => date.getUTCFullYear()],
  ["getMonth", (date) => date.getUTCMonth()],
  ["getDate", (date) => date.getUTCDate()],
  ["getDayOfMonth", (date) => date.getUTCDate() - 1],
  ["getDayOfWeek", (date) => date.getUTCDay()],
  ["getDayOfYear", dayOfYear],
  ["getHours", (date) => date.getUTCHours()],
  ["getMinutes", (date) => date.getUTCMinutes()],
  ["getSeconds", (date) => date.getUTCSeconds()],
  ["getMilliseconds", (date) => date.getUTCMilliseconds()],
]);

function dayOfYear(date: Date): number {
  const first = new Date(date.getTime());
  first.setUTCMonth(0, 1);
  first.setUTCHours(0, 0, 0, 0);
  return Math.floor((date.getTime() - first.getTime()) / 86_400_000);
}

const SPANS: ReadonlyMap<string, number> = new Map([
  ["getHours", 3_600_000],
  ["getMinutes", 60_000],
  ["getSeconds", 1000],
  ["getMilliseconds", 1],
]);

export const GETTERS: ReadonlySet<string> = new Set(FIELDS.keys());

/** @param zone from `zoneOffset`; undefined: UTC */
export function instantGetter(
  name: string,
  zone: ((instant: number) => number) | undefined,
): ((instant: number) => number) | undefined {
  const field = FIELDS.get(name);
  if (field === undefined) return undefined;
  return (instant) => field(new Date(zone === undefined ? instant : instant + zone(instant)));
}

/** The whole duration in that unit. */
export function spanGetter(name: string): ((span: number) => number) | undefined {
  const unit = SPANS.get(name);
  return unit === undefined ? undefined : (span) => Math.trunc(span / unit) + 0;
}

/** How far a zone (`Europe/Berlin`, `+02:00`) is ahead of UTC at an instant; undefined for a name that the platform does not know. */
export function zoneOffset(name: string): ((instant: number) => number) | undefined {
  const fixed = /^([+-])?(\d{2}):([0-5]\d)$/.exec(name);
  if (fixed !== null) {
    const offset = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000 * (fixed[1] === "-" ? -1 : 1);
    return () => offset;
  }
  try {
    return namedOffset(
      new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        era: "short",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      }),
    );
  } catch {
    return undefined;
  }
}

function namedOffset(format: Intl.DateTimeFormat): (instant: number) => number {
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const numberOf = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const year = parts.get("era")?.startsWith("B") === true ? 1 - numberOf("year") : numberOf("year");
    const local = new Date(0);
    local.setUTCFullYear(year, numberOf("month") - 1, numberOf("day"));
    local.setUTCHours(numberOf("hour"), numberOf("minute"), numberOf("second"));
    return local.getTime() - Math.floor(instant / 1000) * 1000;
  };
}
