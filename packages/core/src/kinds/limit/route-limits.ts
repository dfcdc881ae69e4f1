/** Which limits a route takes besides the global ones. */
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

/** What is taken for every request is not taken a second time because a route names it too. */
export function routeLimits(policy: ResolvedPolicy, route: ResolvedRoute): readonly Placed<string>[] {
  const global = new Set(policy.globalLimits.map(({ value }) => value));
  return route.limits.filter(({ value }) => !global.has(value));
}
