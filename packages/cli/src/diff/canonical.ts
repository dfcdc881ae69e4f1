/** Equality of what was written: members in any order, references followed. */

export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? "undefined";
}

function sorted(value: unknown): unknown {
  if (value instanceof Map) return sorted(Object.fromEntries(value as ReadonlyMap<string, unknown>));
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

export function alike(a: unknown, b: unknown): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** As sets. */
export function subset(a: Iterable<string>, b: Iterable<string>): boolean {
  const there = new Set(b);
  return [...a].every((one) => there.has(one));
}
