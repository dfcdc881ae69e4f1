/** The limits of a route: the nearest list, with `"inherited"` spelled out. */
import type { Level } from "./levels.js";
import { pointerTo } from "../lib/pointer.js";
import type { LimitSettings, SharedSettings } from "../model/policy.js";
import type { Placed } from "../model/resolved.js";
import { readsPrincipal } from "./reads-principal.js";

/** What a list of limits says in place of all that would hold without it. */
export const INHERITED = "inherited";

/** @param open nobody is known on the route, so inherited limits that read the principal are not asked */
export function resolveLimits(
  levels: readonly Level<SharedSettings>[],
  limits: ReadonlyMap<string, Placed<LimitSettings>>,
  open: boolean,
): readonly Placed<string>[] {
  const named = new Map<string, Placed<string>>();
  for (const placed of spellOut(levels)) {
    const limit = limits.get(placed.value);
    if (limit === undefined || named.has(placed.value)) continue;
    if (open && placed.from !== "route" && readsPrincipal(limit.value)) continue;
    named.set(placed.value, placed);
  }
  return [...named.values()];
}

function spellOut(levels: readonly Level<SharedSettings>[]): Placed<string>[] {
  const index = levels.findIndex(({ settings }) => settings.limits !== undefined);
  const level = levels[index];
  if (level === undefined) return [];
  const names = level.settings.limits ?? [];
  return names.flatMap((value, at): Placed<string>[] => {
    if (value === INHERITED) return spellOut(levels.slice(index + 1));
    return [{ value, pointer: pointerTo(level.pointer, "limits", at), from: level.from }];
  });
}
