/** The hierarchy of roles, closed over inclusion. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";

type Declared = Readonly<Record<string, readonly string[]>>;

/** Role to itself and all that it includes. A cycle is reported: in one, no role says what it means. */
export function closeRoles(declared: Declared, report: Report): Map<string, ReadonlySet<string>> {
  const includes = new Map(sortedEntries(declared));
  const closed = new Map<string, ReadonlySet<string>>();
  for (const role of includes.keys()) closed.set(role, reach(role, includes));
  for (const role of includes.keys()) {
    if (includesItself(role, includes, closed)) {
      report.error(
        "role-cycle",
        pointerTo("/roles", role),
        `role \`${role}\` includes itself`,
        "roles include what is below them; break the circle, or make it one role",
      );
    }
  }
  return closed;
}

function reach(role: string, includes: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set([role]);
  for (const next of reached) {
    // A set walks what is added to it meanwhile, so this follows every inclusion once, cycles included.
    for (const below of includes.get(next) ?? []) if (includes.has(below)) reached.add(below);
  }
  return reached;
}

function includesItself(
  role: string,
  includes: ReadonlyMap<string, readonly string[]>,
  closed: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  return (includes.get(role) ?? []).some((below) => closed.get(below)?.has(role) === true);
}
