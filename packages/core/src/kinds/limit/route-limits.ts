/** Which limits a route takes besides the global ones. */
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

/** What is taken for every request is not taken a second time because a route names it too. */
export function routeLimits(policy: ResolvedPolicy, route: ResolvedRoute): readonly Placed<string>[] {
  if (route.limits.length === 0 || policy.globalLimits.length === 0) return route.limits;
  const global = new Set(policy.globalLimits.map(({ value }) => value));
  return route.limits.filter(({ value }) => !global.has(value));
}
