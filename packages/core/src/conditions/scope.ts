/** From a resolved route to the names that its conditions may use. */
import type { ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import type { ConditionScope } from "./condition.js";

const scopes = new WeakMap<ResolvedRoute, ConditionScope>();

/** One scope a route: everything that is compiled for it shares the types made from it. */
export function scopeOf(policy: ResolvedPolicy, route: ResolvedRoute): ConditionScope {
  const known = scopes.get(route);
  if (known !== undefined) return known;
  const scope = makeScope(policy, route);
  scopes.set(route, scope);
  return scope;
}

function makeScope(policy: ResolvedPolicy, route: ResolvedRoute): ConditionScope {
  const { request, authenticate } = route;
  const accepted = [...new Set(authenticate.anyOf.flat())];
  const principals = authenticate.anyOf.flatMap((together) => together.slice(-1));
  return {
    params: request.params?.value ?? {},
    paramNames: route.pattern.flatMap((part) => (part.kind === "param" ? [part.name] : [])),
    query: request.query?.value ?? {},
    headers: request.headers?.value ?? {},
    cookies: request.cookies?.value ?? {},
    body: request.body?.value,
    schemas: policy.schemas,
    principal: authenticate.mode,
    principalFields: [...new Set(principals.flatMap(fieldsOf))],
    anyPrincipalField: principals.some(hasOpenFields),
    companions: accepted
      .filter((one) => authenticate.anyOf.some((together) => together.slice(0, -1).includes(one)))
      .map(({ name }) => name),
    roles: new Set(policy.roles.keys()),
  };
}

function fieldsOf({ settings }: ResolvedAuthenticator): string[] {
  switch (settings.type) {
    case "api-key": {
      const records = Array.isArray(settings.keys) ? settings.keys : [];
      return records.flatMap((record: { readonly attributes?: object }) =>
        Object.keys(record.attributes ?? {}),
      );
    }
    case "mtls":
      return settings.match.flatMap(({ attributes }) => Object.keys(attributes ?? {}));
    case "http-signature":
      return settings.keys.flatMap(({ attributes }) => Object.keys(attributes ?? {}));
    case "basic":
      return [];
    default:
      return Object.keys(settings.principal ?? {});
  }
}

/** Attributes of keys and users that stand in a secret, or that code looks up, are not in the document. */
function hasOpenFields({ settings }: ResolvedAuthenticator): boolean {
  return settings.type === "basic" || (settings.type === "api-key" && !Array.isArray(settings.keys));
}
