/** Ways through what a route asks of its callers, and what is understood of them. */
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedRoute } from "../../model/resolved.js";
import type { TestPerson } from "../policy-test.gen.js";
import { freeAttributes } from "./bringable.js";

export type Params = Readonly<Record<string, string>>;

/** Somebody who may depend on what is asked for: whose tenant is the one in the path. */
export interface Caller {
  /** Undefined: anonymous. */
  readonly as: (params: Params) => TestPerson | undefined;
  /** Nothing that this does not understand has a say in whether the route admits it. */
  readonly certain: boolean;
}

type Clause = readonly AuthorizeEntry[];

/** One way through all clauses of a route. */
export interface Way {
  readonly authenticators: readonly ResolvedAuthenticator[];
  readonly principal: ResolvedAuthenticator;
  readonly entries: readonly AuthorizeEntry[];
}

/** What a credential says beyond who it is. */
export interface Rights {
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

export function clausesOf(route: ResolvedRoute): readonly Clause[] {
  return [...route.require, route.authorize].flatMap(({ value }) =>
    typeof value === "string" ? [] : [value],
  );
}

export function admitsAnonymous({ authenticate, authorize, require }: ResolvedRoute): boolean {
  if (authenticate.mode === "none") return true;
  return authenticate.mode === "optional" && authorize.value === "anyone" && require.length === 0;
}

const TIE = /^\s*(?:principal\.(\w+)\s*==\s*params\.(\w+)|params\.(\w+)\s*==\s*principal\.(\w+))\s*$/u;

/** `principal.tenant == params.tenant`: the only condition that is understood. */
export function tiesOf(
  entries: readonly AuthorizeEntry[],
): readonly (readonly [attribute: string, param: string])[] {
  return entries.flatMap(({ when }) => {
    const found = when === undefined ? null : TIE.exec(when);
    if (found === null) return [];
    return [[found[1] ?? found[4] ?? "", found[2] ?? found[3] ?? ""] as const];
  });
}

export function isCertain(
  { entries, principal }: Way,
  route: ResolvedRoute,
  ties: readonly (readonly string[])[],
): boolean {
  const conditions = entries.filter(({ when }) => when !== undefined).length;
  const forbids = clausesOf(route).some((clause) => clause.some(({ forbid }) => forbid !== undefined));
  const bringable = ties.every(
    ([attribute = ""]) =>
      attribute !== "id" &&
      (principal.settings.type === "api-key" || freeAttributes(principal).includes(attribute)),
  );
  // When somebody logged in depends on the time of the request.
  const logins = entries.some(({ stepUp }) => stepUp?.maxAge !== undefined);
  return conditions === ties.length && bringable && !forbids && !logins;
}
