/** Where each authenticator's credential sits, worked out once: challenges, CORS, csrf and authentication all ask. */
import { pointerTo } from "../lib/pointer.js";
import { PROTECTED_RESOURCE, wellKnownUrl } from "../lib/well-known.js";
import { sortedEntries } from "../lib/sorted.js";
import { webhookForm } from "../model/webhook-form.js";
import type {
  BasicSettings,
  IntrospectionSettings,
  JwtSettings,
  MessageSignatureSettings,
  MtlsSettings,
  PolicyDocument,
} from "../model/policy.js";
import type { Carrier, CarrierPlace, ResolvedAuthenticator } from "../model/resolved.js";

export function resolveAuthenticators(document: PolicyDocument): Map<string, ResolvedAuthenticator> {
  const resolved = new Map<string, ResolvedAuthenticator>();
  for (const [name, settings] of sortedEntries(document.authenticators)) {
    const pointer = pointerTo("/authenticators", name);
    resolved.set(name, {
      name,
      pointer,
      settings: withMetadata(settings, document),
      carrier: carrierOf(settings),
      late: isProvedLate(settings),
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

const PASSWORDS: Carrier = { in: "header", name: "authorization", scheme: "basic", ambient: true };
const CERTIFICATES: Carrier = { in: "tls", name: "", scheme: undefined, ambient: true };

function carrierOf(settings: ResolvedAuthenticator["settings"]): Carrier {
  // Passwords that a browser asked for, cookies and TLS certificates are sent by itself, also when another site made the request.
  if (settings.type === "basic") return PASSWORDS;
  if (settings.type === "mtls") return CERTIFICATES;
  if (settings.type === "http-signature") return headerCarrier("Signature-Input", undefined);
  if (settings.type === "signature") return headerCarrier(webhookForm(settings).header, settings.scheme);
  const place: CarrierPlace = settings.in ?? "header";
  const ambient = place === "cookie" || place === "tls";
  if (place !== "header") return { in: place, name: settings.name ?? "", scheme: undefined, ambient };
  return headerCarrier(settings.name ?? "Authorization", schemeOf(settings));
}

function headerCarrier(written: string, writtenScheme: string | undefined): Carrier {
  const name = written.toLowerCase();
  const scheme = name === "authorization" ? (writtenScheme ?? "Bearer").toLowerCase() : undefined;
  return { in: "header", name, scheme, ambient: false };
}

/** Signatures of which a part, or all, is known to be good only with the body. */
function isProvedLate({ type }: ResolvedAuthenticator["settings"]): boolean {
  return type === "signature" || type === "http-signature";
}

function schemeOf(
  settings: Exclude<
    ResolvedAuthenticator["settings"],
    BasicSettings | MtlsSettings | MessageSignatureSettings
  >,
): string {
  return settings.scheme ?? ("senderConstrained" in settings && isDpop(settings) ? "DPoP" : "Bearer");
}

function isDpop({ senderConstrained }: JwtSettings | IntrospectionSettings): boolean {
  return senderConstrained === "dpop" || typeof senderConstrained === "object";
}
