/** From who somebody is to what is sent: a person's credentials, each for its authenticator. */
import { createHash } from "node:crypto";
import { didYouMean } from "../errors/did-you-mean.js";
import type { Report } from "../errors/diagnostics.js";
import { parseDuration } from "../lib/duration.js";
import { parseInstant } from "../lib/http-date.js";
import { pointerTo } from "../lib/pointer.js";
import type { Carrier, ResolvedAuthenticator, ResolvedPolicy } from "../model/resolved.js";
import { holderOf, type Holder } from "./certificates.js";
import { planCustom, planKey, planOpaque, planToken, type IssuedCredential } from "./credentials.js";
import { matchOf, planCertificate } from "./holders.js";
import { planPassword } from "./passwords.js";
import type { TestCredential, TestPerson } from "./policy-test.gen.js";
import { planMessage, planWebhook } from "./signers.js";

/** Somebody whose credentials can be made, whatever the clock says. */
export interface KnownPerson {
  readonly name: string;
  readonly credentials: readonly IssuedCredential[];
}

export interface PeopleContext {
  readonly policy: ResolvedPolicy;
  /** Text of the secret that a reference stands for. */
  readonly secret: (reference: string) => string;
  readonly report: Report;
}

/** What is wrong is reported; what comes out then is of no use. */
export function knowPerson(
  name: string,
  person: TestPerson,
  pointer: string,
  context: PeopleContext,
): KnownPerson {
  const { credentials: several, authenticator: _named, about: _about, ...one } = person;
  if (several === undefined) {
    const authenticator = soleAuthenticator(person, pointer, context);
    if (authenticator === undefined) return { name, credentials: [] };
    const holder = holderFor(name, pointer, [[authenticator, one]]);
    return { name, credentials: [issueCredential(name, authenticator, one, pointer, holder, context)] };
  }
  for (const key of Object.keys(person)) {
    if (key === "credentials" || key === "about") continue;
    const help = "say it of one of the `credentials`";
    context.report.error(
      "conflicting-keys",
      pointerTo(pointer, key),
      `\`${key}\` stands beside \`credentials\``,
      help,
    );
  }
  const place = (authenticator: string): string => pointerTo(pointer, "credentials", authenticator);
  const known = Object.entries(several).flatMap(([authenticator, credential]) => {
    const found = authenticatorNamed(authenticator, place(authenticator), context);
    return found === undefined ? [] : [[found, credential] as const];
  });
  const holder = holderFor(name, pointer, known);
  const issued = known.map(([authenticator, credential]) =>
    issueCredential(name, authenticator, credential, place(authenticator.name), holder, context),
  );
  checkCarriers(issued, pointerTo(pointer, "credentials"), context.report);
  return { name, credentials: issued };
}

function issueCredential(
  name: string,
  authenticator: ResolvedAuthenticator,
  credential: TestCredential,
  pointer: string,
  holder: Holder,
  { policy, secret, report }: PeopleContext,
): IssuedCredential {
  checkRoles(credential.roles ?? [], pointerTo(pointer, "roles"), policy, report);
  const parts = {
    name,
    authenticator,
    credential,
    pointer,
    report,
    expires: expiryOf(credential.expires),
    key: keyText([name, pointer, authenticator.name, credential.forged === true]),
    holder,
  };
  const { settings } = authenticator;
  switch (settings.type) {
    case "jwt":
      return planToken(parts, settings, secret);
    case "api-key":
      checkRoutes(credential.routes ?? [], pointerTo(pointer, "routes"), policy, report);
      return planKey(parts, settings);
    case "introspection":
      return planOpaque(parts, settings);
    case "custom":
      return planCustom(parts, settings);
    case "signature":
      return planWebhook(parts, settings, secret);
    case "http-signature":
      return planMessage(parts, settings, secret);
    case "mtls":
      return planCertificate(parts, settings);
    case "basic":
      checkRoutes(credential.routes ?? [], pointerTo(pointer, "routes"), policy, report);
      return planPassword(parts, settings);
  }
}

/** An entry of `match` has the first word: of what else is shown nothing asks but what is bound to it. */
function holderFor(
  name: string,
  pointer: string,
  credentials: readonly (readonly [ResolvedAuthenticator, TestCredential])[],
): Holder {
  const forged = credentials.some(([, credential]) => credential.forged === true);
  const key = keyText([name, pointer, "certificate", forged]);
  for (const [{ settings }, { id = name, forged = false }] of credentials)
    if (settings.type === "mtls" && !forged) return holderOf(key, matchOf(settings, id));
  return holderOf(key);
}

/** A role that nobody declares is dropped by every policy: a slip here would make a test pass for the wrong reason. */
function checkRoles(roles: readonly string[], pointer: string, policy: ResolvedPolicy, report: Report): void {
  for (const [index, role] of roles.entries()) {
    if (policy.roles.has(role)) continue;
    const message = `role \`${role}\` is not declared in \`roles\` of the policy`;
    report.error("unknown-role", pointerTo(pointer, index), message, didYouMean(role, policy.roles.keys()));
  }
}

function checkRoutes(
  routes: readonly string[],
  pointer: string,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const known = policy.routes.map(({ key }) => key);
  for (const [index, route] of routes.entries()) {
    if (known.includes(route)) continue;
    const message = `the policy has no route \`${route}\``;
    report.error("unknown-route", pointerTo(pointer, index), message, didYouMean(route, known));
  }
}

function soleAuthenticator(
  { authenticator }: TestPerson,
  pointer: string,
  context: PeopleContext,
): ResolvedAuthenticator | undefined {
  if (authenticator !== undefined)
    return authenticatorNamed(authenticator, pointerTo(pointer, "authenticator"), context);
  const [first, ...others] = context.policy.authenticators.values();
  if (first !== undefined && others.length === 0) return first;
  const names = [...context.policy.authenticators.keys()].map((name) => `\`${name}\``).join(", ");
  if (first === undefined) {
    const help = "leave `as` out: every request to it is anonymous";
    context.report.error("unknown-authenticator", pointer, "the policy has no authenticators", help);
  } else context.report.error("missing-key", pointer, "`authenticator` is missing", `write one of ${names}`);
  return undefined;
}

function authenticatorNamed(
  name: string,
  pointer: string,
  { policy, report }: PeopleContext,
): ResolvedAuthenticator | undefined {
  const found = policy.authenticators.get(name);
  if (found === undefined) {
    const help = didYouMean(name, policy.authenticators.keys());
    report.error("unknown-authenticator", pointer, `the policy has no authenticator \`${name}\``, help);
  }
  return found;
}

/** A header or parameter cannot hold two credentials: what is sent would be a third thing. */
function checkCarriers(issued: readonly IssuedCredential[], pointer: string, report: Report): void {
  const seen = new Map<string, string>();
  for (const { authenticator } of issued) {
    const place = placeOf(authenticator.carrier);
    const other = seen.get(place);
    if (other !== undefined) {
      const message = `the credentials of \`${other}\` and \`${authenticator.name}\` travel in the same ${place}`;
      report.error("conflicting-keys", pointerTo(pointer, authenticator.name), message, "send one of them");
    }
    seen.set(place, authenticator.name);
  }
}

function placeOf({ in: place, name }: Carrier): string {
  if (place === "tls") return "client certificate";
  return place === "query" ? `query parameter \`${name}\`` : `${place} \`${name}\``;
}

/** The same in every run, and of no other person, authenticator or policy. */
function keyText(whose: readonly unknown[]): string {
  const digest = createHash("sha256").update(JSON.stringify(whose)).digest("hex");
  return `throwaway-${digest}`;
}

/** Milliseconds since the epoch, from the start of a test; undefined: never. */
function expiryOf(text: string | undefined): ((start: number) => number) | undefined {
  if (text === undefined) return undefined;
  const instant = parseInstant(text);
  if (instant !== undefined) return () => instant;
  const duration = parseDuration(text.replace(/^-/u, "")) ?? 0;
  return (start) => start + (text.startsWith("-") ? -duration : duration);
}
