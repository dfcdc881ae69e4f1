/** Durations of the policy language. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; undefined where the text is no duration. */
export function durationOf(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d+)(ms|s|m|h|d)$/u.exec(text) ?? [];
  const size = UNITS[unit];
  return count === undefined || size === undefined ? undefined : Number(count) * size;
}
