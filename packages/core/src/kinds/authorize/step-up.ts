/** `stepUp` (RFC 9470): how, and how lately, the caller must have been authenticated. */
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ReachedRule, RequestState } from "../../model/state.js";
import type { MissMaker } from "./miss.js";
import type { Miss, Test } from "./plan.js";

export type StepUp = NonNullable<AuthorizeEntry["stepUp"]>;

/** Claims of the token, as its issuer has them: `acr` and `auth_time` (OpenID Connect Core 1.0 section 2, RFC 9068 section 2.2.1). */
export function stepUpTest({ acr, maxAge }: StepUp, rule: string, miss: MissMaker): Test {
  const accepted = acr === undefined ? undefined : new Set<unknown>(acr);
  const age = maxAge === undefined ? undefined : (parseDuration(maxAge) ?? 0);
  const reason = "the caller was not authenticated as strongly, or as lately, as the policy asks for";
  const missed = miss("insufficient-authentication", rule, reason, challengeOf(acr, age));
  const run = ({ identity, now }: RequestState): Miss | undefined => {
    if (identity === undefined) return missed;
    const { claims } = identity.principal;
    if (accepted !== undefined && !accepted.has(own(claims, "acr"))) return missed;
    return age === undefined || isRecent(own(claims, "auth_time"), age, now) ? undefined : missed;
  };
  const explain = (state: RequestState): ReturnType<Test["explain"]> => ({
    reason: run(state) === undefined ? "the caller was authenticated as the policy asks for" : reason,
    read: [
      ...(accepted === undefined ? [] : [{ fact: "principal.claims.acr" }]),
      ...(age === undefined ? [] : [{ fact: "principal.claims.auth_time" }]),
    ],
  });
  const parts: Test["parts"] = ({ identity, now }) => {
    const claims = identity?.principal.claims ?? {};
    const strong = acr?.indexOf(String(own(claims, "acr"))) ?? 0;
    return [
      ...(acr === undefined ? [] : [part(rule, "acr", strong >= 0)]),
      ...(acr === undefined || strong < 0
        ? []
        : [{ rule: pointerTo(rule, "acr", strong), came: "held" as const }]),
      ...(age === undefined ? [] : [part(rule, "maxAge", isRecent(own(claims, "auth_time"), age, now))]),
    ];
  };
  return { rule, run, explain, parts };
}

function part(rule: string, name: string, held: boolean): ReachedRule {
  return { rule: pointerTo(rule, name), came: held ? "held" : "missed" };
}

function own(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** A time that is none was never. */
function isRecent(authTime: unknown, age: number, now: number): boolean {
  return typeof authTime === "number" && now - authTime * 1000 <= age;
}

/** RFC 9470 section 3: what a client has to ask its issuer for. */
function challengeOf(acr: readonly string[] | undefined, age: number | undefined): string {
  const parameters = ['error="insufficient_user_authentication"'];
  if (acr !== undefined) parameters.push(`acr_values="${acr.join(" ")}"`);
  if (age !== undefined) parameters.push(`max_age="${Math.floor(age / 1000)}"`);
  return parameters.join(", ");
}
