/** What an introspection endpoint says of a token (RFC 7662 section 2.2), held to what the policy asks. */
import { parseDuration } from "../../lib/duration.js";
import type { Fault } from "../../model/outcome.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import { compileAudience, isDate, UNCHECKED } from "./claims.js";
import type { IdentityMaker } from "./identity.js";
import { bad, type Accepted, type Bad } from "./judgement.js";
import { compilePrincipalMap, tokenMap } from "./principal-map.js";

type Claims = Readonly<Record<string, unknown>>;

/** Holds for every later use, as long as it is remembered. */
export interface Introspected {
  readonly kind: "introspected";
  readonly outcome: Accepted | Bad;
  /** Milliseconds since the epoch, tolerance included. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const INACTIVE = bad("the token is not active");
const OTHER_ISSUER = bad("the token is of another issuer");
const OTHER_AUDIENCE = bad("the token is not meant for this audience");
const BAD_DATE = bad("a date of the token is no number");
const BOUND = bad("the token is bound to a key (`cnf`), and no proof is asked for here");

export type JudgeAnswer = (claims: Claims) => Introspected | Fault;

export function compileAnswer(
  settings: IntrospectionSettings,
  pointer: string,
  identify: IdentityMaker,
): JudgeAnswer {
  const { issuer } = settings;
  const admitsAudience = compileAudience(settings.audience);
  const tolerance = parseDuration(settings.clockTolerance ?? "0s") ?? 0;
  const map = compilePrincipalMap(tokenMap(settings.principal));
  const problemOf = (claims: Claims): Bad | undefined => {
    if (issuer !== UNCHECKED && claims["iss"] !== issuer) return OTHER_ISSUER;
    if (!admitsAudience(claims)) return OTHER_AUDIENCE;
    if (claims["cnf"] !== undefined && claims["cnf"] !== null) return BOUND;
    return ["exp", "nbf", "iat"].every((name) => isAbsent(claims[name]) || isDate(claims[name]))
      ? undefined
      : BAD_DATE;
  };
  return (claims) => {
    const { active } = claims;
    if (active === false) return refused(INACTIVE);
    // Neither yes nor no, and certainly no yes.
    if (active !== true) {
      const reason = "the introspection endpoint did not say whether the token is active";
      return { kind: "fault", where: "outside", reason, rule: pointer };
    }
    const problem = problemOf(claims);
    if (problem !== undefined) return refused(problem);
    const grant = map(claims, {});
    if (grant.kind === "bad") return refused(grant);
    const notBefore =
      Math.max(instantOf(claims["nbf"], -Infinity), instantOf(claims["iat"], -Infinity)) - tolerance;
    const notAfter = instantOf(claims["exp"], Infinity) + tolerance;
    return { kind: "introspected", outcome: identify(grant), notBefore, notAfter };
  };
}

function refused(outcome: Bad): Introspected {
  return { kind: "introspected", outcome, notBefore: -Infinity, notAfter: Infinity };
}

function isAbsent(claim: unknown): boolean {
  return claim === undefined || claim === null;
}

function instantOf(claim: unknown, absent: number): number {
  return typeof claim === "number" ? claim * 1000 : absent;
}
