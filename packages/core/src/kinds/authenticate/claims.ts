/** The registered claims (RFC 7519 section 4.1). Judged only after the signature; what time decides is kept for every later use. */
import { parseDuration } from "../../lib/duration.js";
import type { JwtSettings } from "../../model/policy.js";
import { bad, type Bad } from "./judgement.js";

type Claims = Readonly<Record<string, unknown>>;

/** The span in which a token is good, in milliseconds since the epoch, tolerance included. */
export interface Validity {
  readonly kind: "validity";
  readonly notBefore: number;
  /** The first instant at which it is good no more (RFC 7519 section 4.1.4: "on or after"). */
  readonly notAfter: number;
}

const OTHER_ISSUER = bad("the token names another issuer");
const OTHER_AUDIENCE = bad("the token is not meant for this audience");
const NO_EXPIRY = bad("the token has no `exp`, or one that is no number");
const BAD_DATE = bad("a date claim of the token is no number");
const NO_ISSUE_DATE = bad("the token has no `iat`, which `maxAge` needs");
const INCOMPLETE = bad("the token lacks a claim that every access token has (RFC 9068)");
const BOUND = bad("the token is bound to a key (`cnf`), and no proof is asked for here");

export const UNCHECKED = "unchecked";

export interface ClaimRules {
  /** Could this authenticator accept a token of that issuer at all? */
  admitsIssuer(issuer: unknown): boolean;
  /** All that holds for good: issuer, audience, binding, and the dates as dates. */
  judge(claims: Claims): Validity | Bad;
}

export function compileClaims(settings: JwtSettings): ClaimRules {
  const { issuer } = settings;
  // One exact string: an array, a prefix or another case is another issuer.
  const admitsIssuer = (claim: unknown): boolean => issuer === UNCHECKED || claim === issuer;
  const admitsAudience = compileAudience(settings.audience);
  const tolerance = parseDuration(settings.clockTolerance ?? "0s") ?? 0;
  const maxAge = settings.maxAge === undefined ? undefined : parseDuration(settings.maxAge);
  const unproven = settings.senderConstrained === undefined;
  return {
    admitsIssuer,
    judge(claims) {
      if (!admitsIssuer(claims["iss"])) return OTHER_ISSUER;
      if (!admitsAudience(claims)) return OTHER_AUDIENCE;
      if (settings.profile === "rfc9068" && !isAccessToken(claims)) return INCOMPLETE;
      // A sender-constrained token without its proof is a stolen one (RFC 9449 section 7.2, RFC 8705 section 3).
      if (unproven && claims["cnf"] !== undefined && claims["cnf"] !== null) return BOUND;
      return validityOf(claims, tolerance, maxAge);
    },
  };
}

/** RFC 9068 section 2.2; `exp` is asked of every token. */
function isAccessToken(claims: Claims): boolean {
  if (claims["aud"] === undefined || typeof claims["iat"] !== "number") return false;
  return ["iss", "sub", "client_id", "jti"].every((name) => {
    const claim = claims[name];
    return typeof claim === "string" && claim !== "";
  });
}

export function compileAudience(audience: JwtSettings["audience"]): (claims: Claims) => boolean {
  if (audience === UNCHECKED) return () => true;
  if (typeof audience === "object" && "claim" in audience) {
    const values = new Set(audience.values);
    return (claims) => Object.hasOwn(claims, audience.claim) && meets(claims[audience.claim], values);
  }
  const values = new Set(typeof audience === "string" ? [audience] : audience);
  return (claims) => meets(claims["aud"], values);
}

/** A string, or a list of nothing but strings, of which one is wanted. `[]`, `{}`, a number or a nested list is none. */
function meets(claim: unknown, wanted: ReadonlySet<string>): boolean {
  if (typeof claim === "string") return wanted.has(claim);
  if (!Array.isArray(claim)) return false;
  const names: readonly unknown[] = claim;
  return (
    names.every((name) => typeof name === "string") &&
    names.some((name) => typeof name === "string" && wanted.has(name))
  );
}

/** NumericDate may carry a fraction; a string, null or what overflows to infinity is no date. */
export function isDate(claim: unknown): claim is number {
  return typeof claim === "number" && Number.isFinite(claim);
}

function validityOf(claims: Claims, tolerance: number, maxAge: number | undefined): Validity | Bad {
  const { exp, nbf, iat } = claims;
  if (!isDate(exp)) return NO_EXPIRY;
  if ((nbf !== undefined && !isDate(nbf)) || (iat !== undefined && !isDate(iat))) return BAD_DATE;
  let notAfter = exp * 1000;
  // A token from the future is no less wrong than one that is not yet valid.
  let notBefore = Math.max(nbf ?? -Infinity, iat ?? -Infinity) * 1000;
  if (maxAge !== undefined) {
    if (iat === undefined) return NO_ISSUE_DATE;
    notAfter = Math.min(notAfter, iat * 1000 + maxAge);
  }
  notBefore -= tolerance;
  notAfter += tolerance;
  return { kind: "validity", notBefore, notAfter };
}
