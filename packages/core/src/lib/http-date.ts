/** Instants as policies write them (RFC 3339) and as header fields show them. */

const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z)?$/u;

/**
 * Milliseconds since the epoch of `2026-06-01` (midnight UTC) or `2026-06-01T12:00:00Z`; undefined for anything else and for
 * days that no calendar has, which `Date.parse` would move into the next month.
 */
export function parseInstant(text: string): number | undefined {
  const day = INSTANT.exec(text)?.[1];
  const time = day === undefined ? Number.NaN : Date.parse(text);
  if (day === undefined || Number.isNaN(time)) return undefined;
  return new Date(time).toISOString().startsWith(day) ? time : undefined;
}

/** IMF-fixdate (RFC 9110 section 5.6.7): `Mon, 01 Jun 2026 12:00:00 GMT`. */
export function imfFixdate(time: number): string {
  return new Date(time).toUTCString();
}
