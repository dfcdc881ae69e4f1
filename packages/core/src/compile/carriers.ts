/** Where each authenticator's credential sits, worked out once: challenges, CORS, csrf and authentication all ask. */
import { pointerTo } from "../lib/pointer.js";
import { sortedEntries } from "../lib/sorted.js";
import type {
  AuthenticatorSettings,
  BasicSettings,
  JwtSettings,
  MtlsSettings,
  PolicyDocument,
  ReservedAuthenticatorSettings,
} from "../model/policy.js";
import type { Carrier, CarrierPlace, ResolvedAuthenticator } from "../model/resolved.js";

export function resolveAuthenticators(document: PolicyDocument): Map<string, ResolvedAuthenticator> {
  const resolved = new Map<string, ResolvedAuthenticator>();
  for (const [name, settings] of sortedEntries(document.authenticators)) {
    if (isReserved(settings)) continue;
    const pointer = pointerTo("/authenticators", name);
    resolved.set(name, { name, pointer, settings, carrier: carrierOf(settings) });
  }
  return resolved;
}

/** The checks refuse a document that names one. */
function isReserved(settings: AuthenticatorSettings): settings is ReservedAuthenticatorSettings {
  switch (settings.type) {
    case "jwt":
    case "api-key":
    case "custom":
    case "basic":
    case "mtls":
      return false;
    case "introspection":
    case "signature":
      return true;
  }
}

const PASSWORDS: Carrier = { in: "header", name: "authorization", scheme: "basic", ambient: true };
const CERTIFICATES: Carrier = { in: "tls", name: "", scheme: undefined, ambient: true };

function carrierOf(settings: ResolvedAuthenticator["settings"]): Carrier {
  // Passwords that a browser asked for, cookies and TLS certificates are sent by itself, also when another site made the request.
  if (settings.type === "basic") return PASSWORDS;
  if (settings.type === "mtls") return CERTIFICATES;
  const place: CarrierPlace = settings.in ?? "header";
  const ambient = place === "cookie" || place === "tls";
  if (place !== "header") return { in: place, name: settings.name ?? "", scheme: undefined, ambient };
  const name = (settings.name ?? "Authorization").toLowerCase();
  const scheme = name === "authorization" ? schemeOf(settings).toLowerCase() : undefined;
  return { in: "header", name, scheme, ambient };
}

function schemeOf(
  settings: Exclude<ResolvedAuthenticator["settings"], BasicSettings | MtlsSettings>,
): string {
  return settings.scheme ?? (settings.type === "jwt" && isDpop(settings) ? "DPoP" : "Bearer");
}

function isDpop({ senderConstrained }: JwtSettings): boolean {
  return senderConstrained === "dpop" || typeof senderConstrained === "object";
}
