/** Entries in the order of their names: what is built from them cannot depend on the order in which an author wrote. */

/** By UTF-16 code unit, as RFC 8785 sorts: the same on every machine, whatever its locale. */
export function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function sortedEntries<T>(record: Readonly<Record<string, T>> | undefined): [string, T][] {
  if (record === undefined) return [];
  // Without a comparison of its own `sort` goes by UTF-16 code units too, and needs no call for each pair.
  return Object.keys(record)
    .sort()
    .map((name): [string, T] => [name, record[name] as T]);
}
