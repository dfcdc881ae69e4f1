/** The document by which clients find out who issues tokens for this API (RFC 9728): one path that the policy itself answers. */
import { utf8 } from "../lib/bytes.js";
import { PROTECTED_RESOURCE, wellKnownUrl } from "../lib/well-known.js";
import type { Stage } from "../model/compiled.js";
import type { Refusal } from "../model/outcome.js";
import type { ProtectedResourceSettings } from "../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";

export interface MetadataRoute {
  readonly path: string;
  readonly resolved: ResolvedRoute;
  readonly stage: Stage;
}

const RULE = "/protectedResource";
const METHODS = ["GET", "HEAD"];

const OTHER_METHOD: Refusal = Object.freeze({
  kind: "refusal",
  code: "method-not-allowed",
  headers: [["Allow", METHODS.join(", ")] as const],
  reason: "the metadata of the resource is only read",
  rule: RULE,
});

/** Undefined where the policy does not ask for it. */
export function metadataRoute({
  document,
  authenticators,
  unmatched,
}: ResolvedPolicy): MetadataRoute | undefined {
  const settings = document.protectedResource;
  if (settings === undefined) return undefined;
  const body = JSON.stringify(metadataOf(settings, [...authenticators.values()]));
  const answer = Object.freeze({
    kind: "answer",
    status: 200,
    headers: [
      ["Content-Type", "application/json"] as const,
      ["Content-Length", String(utf8(body).length)] as const,
      // Public, and wanted by clients that run in a page of anybody's.
      ["Access-Control-Allow-Origin", "*"] as const,
    ],
    body,
  });
  const { pathname } = new URL(wellKnownUrl(settings.resource, PROTECTED_RESOURCE));
  return {
    path: pathname,
    // What the document says of origins is about its routes.
    resolved: { ...unmatched, cors: undefined },
    stage: {
      at: "route",
      rule: RULE,
      run: ({ request }) => (METHODS.includes(request.method) ? answer : OTHER_METHOD),
    },
  };
}

function metadataOf(
  { resource, authorizationServers, scopes, name, documentation }: ProtectedResourceSettings,
  authenticators: readonly ResolvedAuthenticator[],
): Readonly<Record<string, unknown>> {
  const issuers = authorizationServers ?? issuersOf(authenticators);
  return {
    resource,
    // RFC 9728 section 3.2: a list of nothing is left out.
    ...(issuers.length > 0 && { authorization_servers: issuers }),
    bearer_methods_supported: ["header"],
    ...(scopes !== undefined && { scopes_supported: scopes }),
    ...(name !== undefined && { resource_name: name }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
  };
}

function issuersOf(authenticators: readonly ResolvedAuthenticator[]): readonly string[] {
  const issuers = authenticators.flatMap(({ settings }) => ("issuer" in settings ? [settings.issuer] : []));
  return [...new Set(issuers.filter((issuer) => /^https?:\/\//u.test(issuer)))];
}
