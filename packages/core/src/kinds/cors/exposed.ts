/** Fields of an answer that the policy itself sends: a page may always read them, else they would be sent in vain. */
import { limitReads, scopeOf, type ConditionScope } from "../../conditions/index.js";
import type { CorsSettings, LimitSettings } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { isRevealed } from "../../model/reveal.js";

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
  const limits = limitsOf(route, policy);
  if (limits.some(({ limit, scope }) => isRevealed(limit, limitReads(limit, scope)))) {
    names.push("RateLimit", "RateLimit-Policy");
  }
  // Whoever is refused is told when to come back, by hidden limits too.
  if (limits.some(({ limit }) => limit.mode !== "observe")) names.push("Retry-After");
  if (route.errors.correlation !== undefined) names.push(route.errors.correlation);
  if (route.authenticate.mode !== "none") names.push("WWW-Authenticate");
  const signs = route.authenticate.anyOf.flat().some(({ settings }) => settings.type === "http-signature");
  if (signs) names.push("Accept-Signature");
  if (asksForNonces(route)) names.push("DPoP-Nonce");
  if (route.deprecated !== undefined) names.push("Deprecation");
  if (route.deprecated?.value.sunset !== undefined) names.push("Sunset");
  return names;
}

function asksForNonces({ authenticate }: ResolvedRoute): boolean {
  return authenticate.anyOf.flat().some(({ settings }) => {
    const bound = "senderConstrained" in settings ? settings.senderConstrained : undefined;
    return typeof bound === "object" && bound.nonce !== undefined;
  });
}

interface LimitOnRoute {
  readonly limit: LimitSettings;
  readonly scope: ConditionScope;
}

function limitsOf(route: ResolvedRoute, policy: ResolvedPolicy): readonly LimitOnRoute[] {
  const on = (names: readonly Placed<string>[], where: ResolvedRoute): readonly LimitOnRoute[] =>
    names.flatMap(({ value }) => {
      const limit = policy.limits.get(value)?.value;
      return limit === undefined ? [] : { limit, scope: scopeOf(policy, where) };
    });
  return [...on(policy.globalLimits, policy.unmatched), ...on(route.limits, route)];
}
