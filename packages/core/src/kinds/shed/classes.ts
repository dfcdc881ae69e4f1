/** Classes of routes, and what is kept for each. */
import { sortedEntries } from "../../lib/sorted.js";
import type { ShedSettings } from "../../model/policy.js";
import type { ResolvedRoute } from "../../model/resolved.js";

/** Of routes that name no class. */
export const DEFAULT_CLASS = "default";

/** On a route: it is not asked. */
export const NEVER = "never";

/** Share by name, in the order of the names; `default` is always one of them. */
export function sharesOf({ classes }: ShedSettings): ReadonlyMap<string, number> {
  return new Map([[DEFAULT_CLASS, 0], ...sortedEntries(classes)]);
}

export function classOf({ shed }: ResolvedRoute): string {
  return shed?.value ?? DEFAULT_CLASS;
}

/** Decimal fractions are not exact: 0.29 of 100 is 29. */
export function partOf(share: number, whole: number): number {
  return Math.floor(share * whole + 1e-9);
}
