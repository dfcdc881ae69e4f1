/** What an introspection endpoint says of a token (RFC 7662 section 2.2), held to what the policy asks. */
import { parseDuration } from "../../lib/duration.js";
import type { Fault } from "../../model/outcome.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import { compileAudience, isDate, UNCHECKED } from "./claims.js";
import type { IdentityMaker } from "./identity.js";
import { bad, type Accepted, type Bad } from "./judgement.js";
import { compilePrincipalMap, tokenMap } from "./principal-map.js";
import { bindingOf, type Sender } from "./sender.js";

type Claims = Readonly<Record<string, unknown>>;

/** Holds for every later use, as long as it is remembered. */
export interface Introspected {
  readonly kind: "introspected";
  readonly outcome: Accepted | Bad;
  /** Thumbprint of what the sender must show, lower-case hex; undefined where nothing is asked for. */
  readonly binding: string | undefined;
  /** Milliseconds since the epoch, tolerance included. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const INACTIVE = bad("the token is not active");
const OTHER_ISSUER = bad("the token is of another issuer");
const OTHER_AUDIENCE = bad("the token is not meant for this audience");
const BAD_DATE = bad("a date of the token is no number");
const BOUND = bad("the token is bound to a key (`cnf`), and no proof is asked for here");
const OTHER_TYPE = bad("the `token_type` of the token is not `DPoP`, as a bound token's must be");
const PROOF_TYPE = bad("the `token_type` of the token is `DPoP`, and no such proof is asked for here");

export type JudgeAnswer = (claims: Claims) => Introspected | Fault;

export function compileAnswer(
  settings: IntrospectionSettings,
  pointer: string,
  identify: IdentityMaker,
  sender: Sender | undefined,
): JudgeAnswer {
  const { issuer } = settings;
  const admitsAudience = compileAudience(settings.audience);
  const tolerance = parseDuration(settings.clockTolerance ?? "0s") ?? 0;
  const map = compilePrincipalMap(tokenMap(settings.principal));
  const problemOf = (claims: Claims): Bad | undefined => {
    if (issuer !== UNCHECKED && claims["iss"] !== issuer) return OTHER_ISSUER;
    if (!admitsAudience(claims)) return OTHER_AUDIENCE;
    // A sender-constrained token without its proof is a stolen one (RFC 9449 section 7.2, RFC 8705 section 3).
    if (sender === undefined && !isAbsent(claims["cnf"])) return BOUND;
    const wrongType = typeProblem(claims["token_type"], sender);
    if (wrongType !== undefined) return wrongType;
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
    const binding = sender === undefined ? undefined : bindingOf(claims["cnf"], sender.confirmation);
    if (typeof binding === "object") return refused(binding);
    const grant = map(claims, {});
    if (grant.kind === "bad") return refused(grant);
    const notBefore =
      Math.max(instantOf(claims["nbf"], -Infinity), instantOf(claims["iat"], -Infinity)) - tolerance;
    const notAfter = instantOf(claims["exp"], Infinity) + tolerance;
    return { kind: "introspected", outcome: identify(grant), binding, notBefore, notAfter };
  };
}

function refused(outcome: Bad): Introspected {
  return { kind: "introspected", outcome, binding: undefined, notBefore: -Infinity, notAfter: Infinity };
}

/** RFC 9449 section 6.2: where the issuer says the type of a bound token, it says `DPoP`. Types know no case (RFC 6749 section 5.1). */
function typeProblem(type: unknown, sender: Sender | undefined): Bad | undefined {
  const isDpop = typeof type === "string" && type.toLowerCase() === "dpop";
  if (sender?.confirmation !== "jkt") return isDpop ? PROOF_TYPE : undefined;
  return isDpop || isAbsent(type) ? undefined : OTHER_TYPE;
}

function isAbsent(claim: unknown): boolean {
  return claim === undefined || claim === null;
}

function instantOf(claim: unknown, absent: number): number {
  return typeof claim === "number" ? claim * 1000 : absent;
}
