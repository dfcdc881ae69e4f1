/** Which correlation id a decision goes by. */

/** Tight enough to stand in a header field, a log line and a problem document without escaping. */
const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/u;

/**
 * The caller's id where it is well formed, else the decision's own: nothing else that a caller wrote is ever reflected.
 * @param headerValue the field's one value; repeated fields arrive joined by a comma and are not taken over
 */
export function correlationOf(headerValue: string | undefined, id: string): string {
  return headerValue !== undefined && WELL_FORMED.test(headerValue) ? headerValue : id;
}
