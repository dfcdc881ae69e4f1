/** `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3): one field, made when the policy is compiled. */
import type { HeaderField } from "../../model/request.js";
import type { Carrier, ResolvedAuthenticator } from "../../model/resolved.js";

const BEARER = "bearer";

/** @param refused scheme of the credential that was refused: only then is an error named, and only for Bearer (RFC 6750 section 3.1) */
export function challengeFields(
  authenticators: readonly ResolvedAuthenticator[],
  realm: string,
  refused?: string,
): readonly HeaderField[] {
  const challenges = new Set(authenticators.map((one) => challengeOf(one, realm, refused)));
  return challenges.size === 0 ? [] : [["WWW-Authenticate", [...challenges].join(", ")]];
}

function challengeOf(
  { carrier, settings }: ResolvedAuthenticator,
  realm: string,
  refused: string | undefined,
): string {
  const parameters: [string, string][] = [["realm", realm]];
  if (carrier.scheme === undefined) return unregistered(carrier, parameters);
  if (carrier.scheme === BEARER && refused === BEARER) parameters.push(["error", "invalid_token"]);
  if ("resourceMetadata" in settings && settings.resourceMetadata !== undefined) {
    parameters.push(["resource_metadata", settings.resourceMetadata]);
  }
  return challenge(settings.scheme ?? "Bearer", parameters);
}

/** No scheme is registered for these; a 401 must name some challenge all the same, and may as well say where the credential goes. */
function unregistered(carrier: Carrier, parameters: [string, string][]): string {
  if (carrier.in === "cookie") return challenge("Cookie", [...parameters, ["cookie-name", carrier.name]]);
  return challenge("ApiKey", [...parameters, ["in", carrier.in], ["name", carrier.name]]);
}

function challenge(scheme: string, parameters: readonly [string, string][]): string {
  return `${scheme} ${parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(", ")}`;
}

/** A quoted-string (RFC 9110 section 5.6.4) of ASCII alone: what else stands in a policy's name must not break the field. */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "_").replaceAll(/["\\]/gu, "\\$&");
}
