/** Durations of the policy language: an integer and a unit, nothing else, so that none can be read two ways. */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Longest duration: what stays an exact integer in microseconds, and far longer than any sensible setting. */
const MAX_MS = 100 * 366 * 86_400_000;

/** Milliseconds of `500ms`, `10s`, `1m`, `2h` or `1d`; undefined for anything else. A month is no duration: its length varies. */
export function parseDuration(text: string): number | undefined {
  const match = /^(0|[1-9][0-9]{0,14})(ms|s|m|h|d)$/u.exec(text);
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * (UNIT_MS.get(match[2] ?? "") ?? Number.NaN);
  return milliseconds <= MAX_MS ? milliseconds : undefined;
}
