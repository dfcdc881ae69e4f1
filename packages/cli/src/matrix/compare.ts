/** What of a reviewed matrix is no longer so. */

type Table = readonly (readonly string[])[];

/** One line a change, in the order of the table that is now; empty where nothing changed. */
export function matrixChanges(reviewed: Table, now: Table): readonly string[] {
  const [oldHead = [], ...oldRows] = reviewed;
  const [newHead = [], ...newRows] = now;
  const before = new Map(oldRows.map((row) => [row[0] ?? "", row]));
  const after = new Map(newRows.map((row) => [row[0] ?? "", row]));
  const changes: string[] = [];
  for (const caller of newHead.slice(1))
    if (!oldHead.includes(caller)) changes.push(`new caller \`${caller}\``);
  for (const caller of oldHead.slice(1))
    if (!newHead.includes(caller)) changes.push(`caller \`${caller}\` is gone`);
  for (const [route, row] of after) {
    const old = before.get(route);
    for (const [index, caller] of newHead.entries()) {
      const is = row[index] ?? "";
      const was = old?.[oldHead.indexOf(caller)];
      if (index === 0 || (old !== undefined && was === undefined) || was === is) continue;
      changes.push(
        old === undefined
          ? `new route \`${route}\` for \`${caller}\`: ${is}`
          : `\`${route}\` for \`${caller}\`: was ${was ?? ""}, is ${is}`,
      );
    }
  }
  for (const route of before.keys()) if (!after.has(route)) changes.push(`route \`${route}\` is gone`);
  return changes;
}
