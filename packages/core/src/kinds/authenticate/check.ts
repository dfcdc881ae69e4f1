/** Cross-checks of the authenticators and of the routes that name them. */
import type { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { carrierKey } from "./carrier.js";
import { checkApiKey } from "./check-api-key.js";
import { checkIntrospection } from "./check-introspection.js";
import { checkResource } from "./check-resource.js";
import { checkJwt, checkPrincipalMap, checkRoles } from "./check-jwt.js";
import { checkMessage } from "./check-message.js";
import { checkWebhook } from "./check-webhook.js";
import { checkBasic } from "./check-basic.js";
import { checkMtls } from "./check-mtls.js";
import { checkSender } from "./check-sender.js";
import { DEFAULT_NONCE_LIFE, dpopSettings } from "./compile-sender.js";
import { checkRevocation } from "./revocation-settings.js";
import { authenticatorsOf } from "./plan.js";

export function checkAuthenticate(policy: ResolvedPolicy, report: Report): void {
  const { revocation } = policy.document;
  if (revocation !== undefined) checkRevocation(revocation, report);
  for (const authenticator of policy.authenticators.values())
    checkAuthenticator(authenticator, policy, report);
  checkResource(policy, report);
  const told = new Set<string>();
  for (const route of policy.routes) checkRoute(route, told, report);
}

function checkAuthenticator(
  authenticator: ResolvedAuthenticator,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const { pointer, settings } = authenticator;
  checkCarrier(authenticator, report);
  checkRoles(settings.confers ?? [], pointerTo(pointer, "confers"), policy, report);
  if (settings.type === "api-key") {
    checkApiKey(authenticator, settings, policy, report);
    return;
  }
  if (settings.type === "http-signature") {
    checkMessage(settings, pointer, policy, report);
    return;
  }
  if (settings.type === "signature") checkWebhook(settings, pointer, report);
  if (settings.type === "basic") {
    checkBasic(authenticator, settings, report);
    return;
  }
  if (settings.type === "mtls") {
    checkMtls(authenticator, settings, policy, report);
    return;
  }
  if (settings.type === "jwt") checkJwt(authenticator, settings, report);
  if (settings.type === "introspection") checkIntrospection(settings, pointer, report);
  if (settings.type === "jwt" || settings.type === "introspection")
    checkSender(authenticator, settings, report);
  checkPrincipalMap(settings.principal ?? {}, pointer, policy, report);
}

function checkCarrier({ pointer, settings, carrier }: ResolvedAuthenticator, report: Report): void {
  if (settings.type === "http-signature") return;
  if (carrier.in !== "header" && carrier.in !== "tls" && carrier.name === "") {
    report.error(
      "missing-name",
      pointer,
      `a credential in a ${carrier.in} needs the \`name\` of the ${carrier.in}`,
    );
  }
  if ("scheme" in settings && settings.scheme !== undefined && carrier.scheme === undefined) {
    const help = "only `Authorization` has schemes: leave `scheme` out, or leave `name` out";
    report.error(
      "scheme-without-authorization",
      pointerTo(pointer, "scheme"),
      "`scheme` means nothing here",
      help,
    );
  }
}

/** @param told pairs that were reported: many routes share one list */
function checkRoute(route: ResolvedRoute, told: Set<string>, report: Report): void {
  const { pointer, anyOf } = route.authenticate;
  for (const together of anyOf) checkTogether(together, pointer, told, report);
  const authenticators = authenticatorsOf(route);
  checkNonces(authenticators, pointer, told, report);
  for (const [index, one] of authenticators.entries()) {
    for (const other of authenticators.slice(index + 1)) checkPair(one, other, pointer, told, report);
  }
}

function checkTogether(
  together: readonly ResolvedAuthenticator[],
  pointer: string,
  told: Set<string>,
  report: Report,
): void {
  const places = new Map<string, ResolvedAuthenticator>();
  for (const one of together) {
    const place = carrierKey(one.carrier);
    const other = places.get(place);
    if (other !== undefined && isNews(told, "all-of", one, other)) {
      const message = `\`${other.name}\` and \`${one.name}\` must both pass, and both read the same field`;
      report.error(
        "all-of-one-carrier",
        pointer,
        message,
        "one field holds one credential: give one of them another `name`",
      );
    }
    places.set(place, one);
  }
}

/** Tokens of several issuers may share a field, because each names its issuer. Other kinds of credential do not say whose they are. */
function checkPair(
  one: ResolvedAuthenticator,
  other: ResolvedAuthenticator,
  pointer: string,
  told: Set<string>,
  report: Report,
): void {
  const shared =
    carrierKey(one.carrier) === carrierKey(other.carrier) && one.carrier.scheme === other.carrier.scheme;
  if (!shared || saysWhose(one, other) || !isNews(told, "carrier", one, other)) return;
  const message = `\`${one.name}\` (${one.settings.type}) and \`${other.name}\` (${other.settings.type}) read the same field in the same scheme`;
  report.error("carrier-conflict", pointer, message, "give one of them another `name` or `scheme`");
}

/** A token names its issuer, a key is looked up. Of two signatures in one place the first would be waited for, and the other never asked. */
function saysWhose(one: ResolvedAuthenticator, other: ResolvedAuthenticator): boolean {
  // An opaque token names nobody: it would be shown to every issuer that is asked.
  return one.settings.type === other.settings.type && !one.late && one.settings.type !== "introspection";
}

/** One answer carries one `DPoP-Nonce`: a caller of the other one would be asked for another for ever. */
function checkNonces(
  authenticators: readonly ResolvedAuthenticator[],
  pointer: string,
  told: Set<string>,
  report: Report,
): void {
  const asking = authenticators.filter((one) => nonceKey(one) !== undefined);
  const [first] = asking;
  const other = asking.find((one) => first !== undefined && nonceKey(one) !== nonceKey(first));
  if (first === undefined || other === undefined || !isNews(told, "nonces", first, other)) return;
  const message = `\`${first.name}\` and \`${other.name}\` ask for different nonces`;
  report.error("dpop-nonces-differ", pointer, message, "give both the same `nonce` and `nonceLife`");
}

function nonceKey({ settings }: ResolvedAuthenticator): string | undefined {
  const dpop = dpopSettings(settings);
  if (dpop?.nonce === undefined) return undefined;
  return JSON.stringify([dpop.nonce.secret, parseDuration(dpop.nonceLife ?? DEFAULT_NONCE_LIFE)]);
}

function isNews(
  told: Set<string>,
  kind: string,
  one: ResolvedAuthenticator,
  other: ResolvedAuthenticator,
): boolean {
  const key = JSON.stringify([kind, one.name, other.name]);
  if (told.has(key)) return false;
  told.add(key);
  return true;
}
