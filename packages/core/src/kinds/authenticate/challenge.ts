/** `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9449 section 7.1): one field, made when the policy is compiled. */
import type { HeaderField } from "../../model/request.js";
import type { MessageSignatureSettings } from "../../model/policy.js";
import type { Carrier, ResolvedAuthenticator } from "../../model/resolved.js";
import { dpopSettings, proofAlgorithms } from "./compile-sender.js";
import type { ChallengeError } from "./judgement.js";
import { parseComponent } from "./message-component.js";
import { DEFAULT_COMPONENTS } from "./message-coverage.js";

const BEARER = "bearer";
const DPOP = "dpop";

/** Scheme of the credential that was refused, and why where its scheme has a word for it. */
export interface RefusedCredential {
  readonly scheme: string | undefined;
  readonly error?: ChallengeError | undefined;
}

/** @param refused only then is an error named, and only for Bearer and DPoP (RFC 6750 section 3.1) */
export function challengeFields(
  authenticators: readonly ResolvedAuthenticator[],
  realm: string,
  refused?: RefusedCredential,
): readonly HeaderField[] {
  const challenges = new Set(authenticators.map((one) => challengeOf(one, realm, refused)));
  if (challenges.size === 0) return [];
  const asked = authenticators.flatMap(({ settings }) =>
    settings.type === "http-signature" ? [acceptSignature(settings)] : [],
  );
  const challenge: HeaderField = ["WWW-Authenticate", [...challenges].join(", ")];
  return asked.length === 0 ? [challenge] : [challenge, ["Accept-Signature", asked.join(", ")]];
}

/** RFC 9421 section 5.1: what to cover. A body is covered by `content-digest` besides, where there is one. */
function acceptSignature({ label, tag, components }: MessageSignatureSettings): string {
  const covered = (components ?? DEFAULT_COMPONENTS).map((text) => parseComponent(text)?.written ?? "");
  return `${label ?? "sig1"}=(${covered.join(" ")});created${tag === undefined ? "" : `;tag="${tag}"`}`;
}

function challengeOf(
  { carrier, settings }: ResolvedAuthenticator,
  realm: string,
  refused: RefusedCredential | undefined,
): string {
  const parameters: [string, string][] = [["realm", realm]];
  if (settings.type === "http-signature") return challenge("Signature", parameters);
  const { scheme } = carrier;
  if (settings.type === "signature" && scheme === undefined)
    return challenge("Signature", [...parameters, ["header", carrier.name]]);
  if (scheme === undefined) return unregistered(carrier, parameters);
  if (settings.type === "basic") return challenge("Basic", [...parameters, ["charset", "UTF-8"]]);
  if ((scheme === BEARER || scheme === DPOP) && refused?.scheme === scheme)
    parameters.push(["error", (scheme === DPOP ? refused.error : undefined) ?? "invalid_token"]);
  const dpop = dpopSettings(settings);
  if (dpop !== undefined) parameters.push(["algs", proofAlgorithms(dpop).join(" ")]);
  if ("resourceMetadata" in settings && settings.resourceMetadata !== undefined) {
    parameters.push(["resource_metadata", settings.resourceMetadata]);
  }
  return challenge(schemeName(scheme, settings), parameters);
}

function schemeName(scheme: string, settings: ResolvedAuthenticator["settings"]): string {
  if ("scheme" in settings && settings.scheme !== undefined) return settings.scheme;
  return scheme === DPOP ? "DPoP" : "Bearer";
}

/** No scheme is registered for these; a 401 must name some challenge all the same, and may as well say where the credential goes. */
function unregistered(carrier: Carrier, parameters: [string, string][]): string {
  if (carrier.in === "cookie") return challenge("Cookie", [...parameters, ["cookie-name", carrier.name]]);
  if (carrier.in === "tls") return challenge("ClientCertificate", parameters);
  return challenge("ApiKey", [...parameters, ["in", carrier.in], ["name", carrier.name]]);
}

function challenge(scheme: string, parameters: readonly [string, string][]): string {
  return `${scheme} ${parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(", ")}`;
}

/** A quoted-string (RFC 9110 section 5.6.4) of ASCII alone: what else stands in a policy's name must not break the field. */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "_").replaceAll(/["\\]/gu, "\\$&");
}
