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

/** What is not read finer than that must be alike: a setting that the language gains later is not taken for no difference. */
export function othersAlike(a: object, b: object, read: ReadonlySet<string>): boolean {
  const others = (settings: object): unknown =>
    Object.fromEntries(Object.entries(settings).filter(([key]) => !read.has(key)));
  return alike(others(a), others(b));
}

/** As sets. */
export function subset(a: Iterable<string>, b: Iterable<string>): boolean {
  const there = new Set(b);
  return [...a].every((one) => there.has(one));
}
