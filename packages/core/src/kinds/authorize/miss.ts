/** Refusals of this kind, each made once. */
import type { ErrorCode } from "../../errors/codes.js";
import type { Refusal } from "../../model/outcome.js";
import type { Miss } from "./plan.js";

/** A new login and scopes can be asked for, so a caller is best told of them; a condition that failed to evaluate says least. */
const RANKS = {
  "insufficient-authentication": 4,
  "insufficient-scope": 3,
  forbidden: 2,
  "condition-error": 1,
} as const satisfies Partial<Record<ErrorCode, number>>;

export interface MissMaker {
  /** @param challenge what the refusal of a token says to its client (RFC 6750 section 3, RFC 9449 section 7.1) */
  (code: keyof typeof RANKS, rule: string, reason: string, challenge?: string): Miss;
}

/**
 * @param optional the route lets anonymous callers in: one that fails gets 401, because known it might pass
 */
export function missMaker(optional: boolean): MissMaker {
  return (code, rule, reason, challenge) => {
    const refusal: Refusal = Object.freeze({ kind: "refusal", code, reason, rule });
    const anonymous: Refusal = Object.freeze({
      kind: "refusal",
      code: "unauthenticated",
      reason: `an anonymous caller: ${reason}`,
      rule,
    });
    return Object.freeze({
      rank: RANKS[code],
      refusal,
      ...(challenge === undefined
        ? {}
        : {
            challenging: challenging(refusal, `Bearer ${challenge}`),
            proving: challenging(refusal, `DPoP ${challenge}`),
          }),
      ...(optional ? { anonymous } : {}),
    });
  };
}

function challenging(refusal: Refusal, value: string): Refusal {
  return Object.freeze({
    ...refusal,
    headers: Object.freeze([Object.freeze(["WWW-Authenticate", value] as const)]),
  });
}

/** The more helpful of two; of equals the same one in any order of entries. */
export function better(a: Miss | undefined, b: Miss): Miss {
  if (a === undefined || b.rank > a.rank) return b;
  return b.rank === a.rank && textOf(b) < textOf(a) ? b : a;
}

function textOf(miss: Miss): string {
  return miss.challenging?.headers?.[0]?.[1] ?? miss.refusal.reason;
}
