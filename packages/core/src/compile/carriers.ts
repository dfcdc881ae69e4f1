/** Where each authenticator's credential sits, worked out once: challenges, CORS, csrf and authentication all ask. */
import { pointerTo } from "../lib/pointer.js";
import { PROTECTED_RESOURCE, wellKnownUrl } from "../lib/well-known.js";
import { sortedEntries } from "../lib/sorted.js";
import type {
  AuthenticatorSettings,
  PolicyDocument,
  ReservedAuthenticatorSettings,
} from "../model/policy.js";
import type { Carrier, CarrierPlace, ResolvedAuthenticator } from "../model/resolved.js";

export function resolveAuthenticators(document: PolicyDocument): Map<string, ResolvedAuthenticator> {
  const resolved = new Map<string, ResolvedAuthenticator>();
  for (const [name, settings] of sortedEntries(document.authenticators)) {
    if (isReserved(settings)) continue;
    const pointer = pointerTo("/authenticators", name);
    resolved.set(name, {
      name,
      pointer,
      settings: withMetadata(settings, document),
      carrier: carrierOf(settings),
    });
  }
  return resolved;
}

/** A document that describes the API is what its challenges point to, unless an authenticator says otherwise. */
function withMetadata(
  settings: ResolvedAuthenticator["settings"],
  { protectedResource }: PolicyDocument,
): ResolvedAuthenticator["settings"] {
  if (protectedResource === undefined || !("issuer" in settings)) return settings;
  const { resource } = protectedResource;
  // What is no URL is told by the checks.
  if (!URL.canParse(resource)) return settings;
  return { resourceMetadata: wellKnownUrl(resource, PROTECTED_RESOURCE), ...settings };
}

/** The checks refuse a document that names one. */
export function isReserved(settings: AuthenticatorSettings): settings is ReservedAuthenticatorSettings {
  switch (settings.type) {
    case "jwt":
    case "api-key":
    case "introspection":
    case "custom":
      return false;
    case "basic":
    case "mtls":
    case "signature":
      return true;
  }
}

function carrierOf(settings: ResolvedAuthenticator["settings"]): Carrier {
  const place: CarrierPlace = settings.in ?? "header";
  // Cookies and TLS certificates are sent by the browser itself, also when another site made the request.
  const ambient = place === "cookie" || place === "tls";
  if (place !== "header") return { in: place, name: settings.name ?? "", scheme: undefined, ambient };
  const name = (settings.name ?? "Authorization").toLowerCase();
  const scheme = name === "authorization" ? (settings.scheme ?? "Bearer").toLowerCase() : undefined;
  return { in: "header", name, scheme, ambient };
}
