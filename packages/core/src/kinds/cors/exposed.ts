/** Fields of an answer that the policy itself sends: a page may always read them, else they would be sent in vain. */
import { asList } from "../../lib/lists.js";
import type { CorsSettings, LimitSettings } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

/** In the author's order, then what the policy sends; each name once. */
export function exposedFields(
  settings: CorsSettings,
  route: ResolvedRoute,
  policy: ResolvedPolicy,
): readonly string[] {
  const names = new Map<string, string>();
  for (const name of [...(settings.expose ?? []), ...sentFields(route, policy)]) {
    const lower = name.toLowerCase();
    if (!names.has(lower)) names.set(lower, name);
  }
  return [...names.values()];
}

function sentFields(route: ResolvedRoute, policy: ResolvedPolicy): string[] {
  const names: string[] = [];
  const limits = [...policy.globalLimits, ...route.limits].map(
    ({ value }) => policy.limits.get(value)?.value,
  );
  if (limits.some((limit) => limit !== undefined && isRevealed(limit))) {
    names.push("RateLimit", "RateLimit-Policy", "Retry-After");
  }
  if (route.errors.correlation !== undefined) names.push(route.errors.correlation);
  if (route.authenticate.mode !== "none") names.push("WWW-Authenticate");
  if (route.deprecated !== undefined) names.push("Deprecation");
  if (route.deprecated?.value.sunset !== undefined) names.push("Sunset");
  return names;
}

/** `reveal` as written; else what concerns the caller's own traffic alone is shown. */
function isRevealed(limit: LimitSettings): boolean {
  if (limit.reveal !== undefined) return limit.reveal;
  if (limit.count !== undefined && limit.count !== "all") return false;
  return !asList(limit.by ?? []).some((entry) => {
    const fact = typeof entry === "string" ? entry : entry.fact;
    return fact.startsWith("body.") || fact.startsWith("headers.");
  });
}
