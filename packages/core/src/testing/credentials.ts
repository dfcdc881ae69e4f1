/** What is sent for each kind of authenticator, and what the kit's half of it knows. */
import { createHash } from "node:crypto";
import type { Report } from "../errors/diagnostics.js";
import type { ClientCertificate, CustomVerdict, HeaderField } from "../index.js";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../lib/jws.js";
import { pointerTo } from "../lib/pointer.js";
import type {
  ApiKeySettings,
  CustomSettings,
  IntrospectionSettings,
  JwtSettings,
  PrincipalMap,
} from "../model/policy.js";
import type { ResolvedAuthenticator } from "../model/resolved.js";
import { certificateBinding, shownBy, type Holder } from "./certificates.js";
import { claimsFor, statedFields, type Claims } from "./claims.js";
import { keyId, signature } from "./keys.js";
import { confirmationOf, proofAlgorithm, proofOf, type BoundSettings, type ProofTarget } from "./proofs.js";
import type { TestCredential } from "./policy-test.gen.js";
import type { Unsigned } from "./signers.js";

/** When a credential is made: what the clock says, and what it said when the test began. */
export interface Moment {
  readonly now: number;
  readonly start: number;
}

/** A credential that can be sent at any time. */
export interface IssuedCredential {
  readonly authenticator: ResolvedAuthenticator;
  /** What its carrier holds, without the scheme. */
  readonly text: (moment: Moment) => string;
  /** Where it is a signature of the request itself: the fields that carry it, in place of `text`. */
  readonly sign?: (request: Unsigned, moment: Moment) => readonly HeaderField[];
  /** With which the connection is made. */
  readonly certificate?: (moment: Moment) => ClientCertificate;
  /** What the header `DPoP` holds beside it. */
  readonly proof?: (token: string, target: ProofTarget, moment: Moment) => string;
  /** SHA-256 of an API key and its record; nothing for a forged one. */
  readonly record?: { readonly sha256: string; readonly of: (start: number) => unknown };
  /** The record of a user, in the list that the reference stands for. One with a forged password has one, too. */
  readonly user?: {
    readonly reference: string;
    readonly id: string;
    readonly of: (start: number) => unknown;
  };
  /** What the issuer of an opaque token says of it; nothing for a forged one. */
  readonly introspected?: { readonly text: string; readonly of: (moment: Moment) => Claims };
  /** What the stub of a custom authenticator answers to it; nothing for a forged one. */
  readonly verdict?: { readonly text: string; readonly of: (moment: Moment) => CustomVerdict };
}

export interface CredentialParts {
  readonly name: string;
  readonly authenticator: ResolvedAuthenticator;
  readonly credential: TestCredential;
  readonly pointer: string;
  readonly report: Report;
  readonly expires: ((start: number) => number) | undefined;
  /** Text of a key that nobody else has. */
  readonly key: string;
  /** Of the certificate that comes with the person's connection, where a credential asks for one. */
  readonly holder: Holder;
}

/** Seconds for which a token is good that is made afresh for each request. */
const FRESH_SECONDS = 300;

/** Undefined where the map is not written (`docs/policy.md`, "The principal"). */
function tokenMap(written: PrincipalMap | undefined): PrincipalMap {
  return written === undefined ? { id: "sub", scopes: "scope" } : { id: "sub", ...written };
}

export function planToken(
  parts: CredentialParts,
  settings: JwtSettings,
  secret: (reference: string) => string,
): IssuedCredential {
  const { authenticator, credential, pointer, report } = parts;
  refuseMembers(parts, ["routes"], "a token has no routes: only an API key has");
  const stated = statedFields(credential, parts.name, pointer);
  const own: Claims = { ...standardClaims(settings), ...credential.claims };
  const claims = claimsFor(tokenMap(settings.principal), stated, own, authenticator.name, report);
  const header: Claims = { typ: settings.typ?.[0] ?? "at+jwt", ...credential.header };
  const algorithm = algorithmOf(header["alg"], settings, pointerTo(pointer, "header", "alg"), report);
  const key = "secret" in settings.keys ? Buffer.from(secret(settings.keys.secret)) : undefined;
  let last: { readonly now: number; readonly start: number; readonly text: string } | undefined;
  const { cnf, shown } = bindingFor(settings, parts.holder);
  return {
    authenticator,
    ...shown,
    text(moment) {
      // Hundreds of requests at one instant need no more than one signature.
      if (last?.now === moment.now && last.start === moment.start) return last.text;
      const dated = {
        ...datesOf(moment, parts.expires),
        ...profileClaims(settings, parts),
        ...cnf,
        ...claims,
      };
      // A shared secret has no name, and neither has a token under it.
      const kid = key === undefined ? { kid: keyId(algorithm) } : {};
      const head = { alg: algorithm, ...kid, ...header };
      const input = `${encode(written(head, moment.now))}.${encode(written(dated, moment.now))}`;
      const forged = credential.forged === true;
      const mac = forged ? Buffer.from(parts.key) : key;
      const text = `${input}.${signature(algorithm, forged ? "stranger" : "issuer", input, mac)}`;
      last = { ...moment, text };
      return text;
    },
  };
}

/** What a token says of its binding where the policy asks for one, and what its holder shows with each request. */
function bindingFor(
  settings: BoundSettings,
  holder: Holder,
): { readonly cnf: Claims; readonly shown: Pick<IssuedCredential, "certificate" | "proof"> } {
  if (settings.senderConstrained === "mtls")
    return { cnf: { cnf: certificateBinding(holder) }, shown: { certificate: shownBy(holder, undefined) } };
  const algorithm = proofAlgorithm(settings);
  if (algorithm === undefined) return { cnf: {}, shown: {} };
  return {
    cnf: { cnf: confirmationOf(algorithm) },
    shown: { proof: (token, target, { now }) => proofOf(algorithm, token, target, now) },
  };
}

/** What the policy wants to find, whoever the token is for. */
function standardClaims({ issuer, audience }: Pick<JwtSettings, "issuer" | "audience">): Claims {
  const claims: Claims = { iss: issuer === "unchecked" ? "https://issuer.test/" : issuer };
  if (typeof audience === "object" && "claim" in audience) claims[audience.claim] = audience.values[0];
  else if (audience !== "unchecked") claims["aud"] = typeof audience === "string" ? audience : audience[0];
  return claims;
}

/** What every access token has, where the policy asks for such tokens alone. */
function profileClaims({ profile }: JwtSettings, { name, key }: CredentialParts): Claims {
  return profile === "rfc9068" ? { sub: name, client_id: "client", jti: key } : {};
}

function datesOf({ now, start }: Moment, expires: CredentialParts["expires"]): Claims {
  if (expires === undefined) {
    const seconds = Math.floor(now / 1000);
    return { iat: seconds, exp: seconds + FRESH_SECONDS };
  }
  const end = expires(start);
  const begin = end > start ? start : end - FRESH_SECONDS * 1000;
  return { iat: Math.floor(begin / 1000), exp: end / 1000 };
}

function algorithmOf(
  wanted: unknown,
  { algorithms }: JwtSettings,
  pointer: string,
  report: Report,
): JwsAlgorithm {
  const known = algorithms.filter(isJwsAlgorithm);
  const first = known[0] ?? "ES256";
  if (typeof wanted !== "string") return first;
  if (!isJwsAlgorithm(wanted)) {
    report.error("unknown-value", pointer, "the runner signs with no such algorithm");
    return first;
  }
  // Another algorithm than the policy's: signed with what it asks for, as an attacker would.
  const { scheme } = JWS_ALGORITHMS[wanted];
  if (scheme === "hmac" && JWS_ALGORITHMS[first].scheme !== "hmac") return first;
  return wanted;
}

/** Null takes a member out; an instant is reckoned from the clock. */
function written(members: Claims, now: number): Claims {
  const seconds = Math.floor(now / 1000);
  return Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, isInstant(value) ? seconds + value.$now : value]),
  );
}

function isInstant(value: unknown): value is { readonly $now: number } {
  return typeof value === "object" && value !== null && "$now" in value && typeof value.$now === "number";
}

function encode(members: Claims): string {
  return Buffer.from(JSON.stringify(members)).toString("base64url");
}

export function planKey(parts: CredentialParts, { prefix = "" }: ApiKeySettings): IssuedCredential {
  const { authenticator, credential, name, expires } = parts;
  const key = prefix + parts.key;
  refuseMembers(parts, ["claims"], "an API key has no claims: write `attributes`");
  refuseMembers(parts, ["header"], "an API key has no header: only a token has");
  const { id = name, roles = [], scopes = [], attributes = {}, routes } = credential;
  const sent = { authenticator, text: () => key };
  if (credential.forged === true) return sent;
  const sha256 = createHash("sha256").update(key).digest("hex");
  const of = (start: number): unknown => ({
    id,
    sha256,
    roles,
    scopes,
    attributes,
    ...(routes === undefined ? {} : { routes }),
    ...(expires === undefined ? {} : { expires: new Date(expires(start)).toISOString() }),
  });
  return { ...sent, record: { sha256, of } };
}

export function planOpaque(parts: CredentialParts, settings: IntrospectionSettings): IssuedCredential {
  const { authenticator, credential, key, name, report, expires } = parts;
  refuseMembers(parts, ["header"], "an opaque token has no header: only a JSON Web Token has");
  refuseMembers(parts, ["routes"], "a token has no routes: only an API key has");
  const stated = statedFields(credential, name, parts.pointer);
  const own: Claims = { ...standardClaims(settings), ...credential.claims };
  const claims = claimsFor(tokenMap(settings.principal), stated, own, authenticator.name, report);
  const { cnf, shown } = bindingFor(settings, parts.holder);
  const sent = { authenticator, ...shown, text: () => key };
  if (credential.forged === true) return sent;
  const of = (moment: Moment): Claims => ({
    active: true,
    ...written({ ...datesOf(moment, expires), ...cnf, ...claims }, moment.now),
  });
  return { ...sent, introspected: { text: key, of } };
}

export function planCustom(parts: CredentialParts, settings: CustomSettings): IssuedCredential {
  const { authenticator, credential, key, name, report, expires } = parts;
  refuseMembers(parts, ["header"], "this credential has no header: only a token has");
  refuseMembers(parts, ["routes"], "this credential has no routes: only an API key has");
  const map = settings.principal ?? {};
  const stated = statedFields(credential, name, parts.pointer);
  // What the map does not name is as the code gives it.
  const mapped = stated.filter(({ field }) => Object.hasOwn(map, field) || !GIVEN.includes(field));
  const claims = claimsFor(map, mapped, { ...credential.claims }, authenticator.name, report);
  const isCertificate = authenticator.carrier.in === "tls";
  const sent = {
    authenticator,
    text: () => key,
    ...(isCertificate ? { certificate: shownBy(parts.holder, undefined) } : {}),
  };
  if (credential.forged === true) return sent;
  const { id = name, roles = [], scopes = [] } = credential;
  const of = ({ now, start }: Moment): CustomVerdict =>
    expires !== undefined && now >= expires(start)
      ? "bad"
      : { principal: { id, roles, scopes, claims: written(claims, now) } };
  return { ...sent, verdict: { text: isCertificate ? parts.holder.fingerprint256 : key, of } };
}

const GIVEN: readonly string[] = ["id", "roles", "scopes"];

export function refuseMembers(
  { credential, pointer, report }: CredentialParts,
  members: readonly (keyof TestCredential)[],
  why: string,
): void {
  for (const member of members) {
    if (credential[member] !== undefined) report.error("conflicting-keys", pointerTo(pointer, member), why);
  }
}
