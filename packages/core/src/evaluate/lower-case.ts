/** Names of fields in lower case. */

/** A server sends few names; the rest, if a caller could choose some, are made anew each time. */
const MAX_KNOWN = 512;
const MAX_LENGTH = 64;

const known = new Map<string, string>();

/** To look a name up is cheaper than to make it. */
export function lowerCase(name: string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  const lower = name.toLowerCase();
  if (known.size < MAX_KNOWN && name.length <= MAX_LENGTH) known.set(name, lower);
  return lower;
}
