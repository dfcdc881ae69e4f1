/** Compiles one route's cors: the lists are texts before the first request, and a preflight is a few look-ups. */
import { parseDuration } from "../../lib/duration.js";
import type { HeaderContribution, Stage } from "../../model/compiled.js";
import type { CompiledKind } from "../../model/kind.js";
import type { CorsSettings } from "../../model/policy.js";
import type { Placed, ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { webhookForm } from "../../model/webhook-form.js";
import { corsFields, enforceStage, preflightStage } from "./evaluate.js";
import type { RouteCors } from "./evaluate.js";
import { exposedFields } from "./exposed.js";
import { foreignMethods, routesApart } from "./methods.js";
import { compileOrigins } from "./origins.js";
import type { OriginMatcher } from "./origins.js";

/** Every field of the protocol, so that none of the handler's own is left beside the policy's. */
const CORS_FIELDS: readonly string[] = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "access-control-max-age",
];

const CLOSED: HeaderContribution = { remove: CORS_FIELDS };

export function compileCors(policy: ResolvedPolicy): CompiledKind {
  const compiled = new Map<ResolvedRoute, RouteCors>();
  const matchers = new Map<CorsSettings, OriginMatcher>();
  const apart = routesApart(policy);
  const corsOf = (route: ResolvedRoute): RouteCors | undefined => {
    const { cors } = route;
    if (cors === undefined || !isOpen(cors)) return undefined;
    const known = compiled.get(route);
    if (known !== undefined) return known;
    const matcher = matchers.get(cors.value) ?? compileOrigins(cors.value.origins);
    matchers.set(cors.value, matcher);
    const fresh = {
      ...compileRouteCors(route, cors, matcher, policy),
      foreignMethods: foreignMethods(route, apart(route)),
    };
    compiled.set(route, fresh);
    return fresh;
  };
  return {
    stages: (route) => stagesOf(corsOf(route)),
    preflight: (route) => {
      const cors = corsOf(route);
      return cors === undefined ? undefined : [...stagesOf(cors), preflightStage(cors)];
    },
    headers: (route) => {
      const cors = corsOf(route);
      if (cors !== undefined) return { remove: CORS_FIELDS, vary: ["Origin"], dynamic: corsFields(cors) };
      // Where the policy is silent on cors the application may have its own; `"none"` closes that too.
      return route.cors === undefined ? undefined : CLOSED;
    },
  };
}

function isOpen(cors: Placed<CorsSettings | "none">): cors is Placed<CorsSettings> {
  return cors.value !== "none";
}

function stagesOf(cors: RouteCors | undefined): readonly Stage[] {
  return cors?.enforce === true ? [enforceStage(cors)] : [];
}

function compileRouteCors(
  route: ResolvedRoute,
  cors: Placed<CorsSettings>,
  matcher: OriginMatcher,
  policy: ResolvedPolicy,
): Omit<RouteCors, "foreignMethods"> {
  const settings = cors.value;
  const requestHeaders = settings.requestHeaders ?? defaultRequestHeaders(route);
  const maxAge = settings.maxAge === undefined ? undefined : parseDuration(settings.maxAge);
  return {
    rule: cors.pointer,
    matcher,
    credentials: settings.credentials === true,
    enforce: settings.enforce === true,
    requestHeaders: new Set(requestHeaders.map((name) => name.toLowerCase())),
    requestHeadersText: requestHeaders.join(", "),
    exposeText: exposedFields(settings, route, policy).join(", "),
    maxAgeText: maxAge === undefined ? undefined : String(Math.floor(maxAge / 1000)),
  };
}

function defaultRequestHeaders(route: ResolvedRoute): readonly string[] {
  const names = new Map([
    ["content-type", "Content-Type"],
    ["authorization", "Authorization"],
  ]);
  for (const authenticator of route.authenticate.anyOf.flat()) {
    for (const name of headersOf(authenticator))
      if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  }
  return [...names.values()];
}

function headersOf({ carrier, settings }: ResolvedAuthenticator): readonly string[] {
  if (settings.type === "http-signature") return ["Signature-Input", "Signature", "Content-Digest"];
  if (settings.type === "signature") {
    const { header, timeHeader, idHeader } = webhookForm(settings);
    return [header, timeHeader, idHeader].filter((name) => name !== undefined);
  }
  if (carrier.in !== "header") return [];
  const written = "name" in settings ? (settings.name ?? carrier.name) : carrier.name;
  return carrier.scheme === "dpop" ? [written, "DPoP"] : [written];
}
