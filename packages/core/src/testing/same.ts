/** Equality of JSON: without prototypes, and without regard to the order of members. */
import { isDeepStrictEqual } from "node:util";

export function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

/** With JSON's own types, so that null-prototype records compare by what they hold. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
