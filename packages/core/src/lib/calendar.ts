/** Ends of calendar days and months in a named time zone, with its daylight-saving changes. */

export type CalendarUnit = "day" | "month";

/** Milliseconds since the epoch at which the period that holds `nowMs` ends. */
export type PeriodEnd = (nowMs: number) => number;

const HOUR_MS = 3_600_000;

/** Longer than any day or month: 25-hour days and a zone that skips a date included. */
const REACH_MS: Readonly<Record<CalendarUnit, number>> = { day: 50 * HOUR_MS, month: 33 * 24 * HOUR_MS };

export function isTimeZone(zone: string): boolean {
  try {
    // Offsets such as `+02:00` are accepted by some engines only, and know no daylight saving.
    return (
      !/^[+-]/u.test(zone) &&
      new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions().timeZone !== ""
    );
  } catch {
    return false;
  }
}

/** Remembers the current period, so that a request costs two comparisons. A clock that was set back is noticed. */
export function periodEnds(unit: CalendarUnit, zone: string): PeriodEnd {
  const label = labels(unit, zone);
  let from = Infinity;
  let end = -Infinity;
  return (nowMs) => {
    if (nowMs < from || nowMs >= end) {
      from = nowMs;
      end = firstOfNext(label, nowMs, REACH_MS[unit]);
    }
    return end;
  };
}

function labels(unit: CalendarUnit, zone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    ...(unit === "day" ? { day: "2-digit" } : {}),
  });
  return (ms) => format.format(ms);
}

/** By bisection: local midnight may not exist, or come twice, so it cannot be computed from an offset. */
function firstOfNext(label: (ms: number) => string, nowMs: number, reachMs: number): number {
  const current = label(nowMs);
  let inside = Math.floor(nowMs);
  let beyond = inside + reachMs;
  while (beyond - inside > 1) {
    const middle = Math.floor((inside + beyond) / 2);
    if (label(middle) === current) inside = middle;
    else beyond = middle;
  }
  return beyond;
}
