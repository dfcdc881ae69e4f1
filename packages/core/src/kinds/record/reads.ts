/** Which facts a route's decisions read: what is recorded where its author names none. */
import {
  compileCondition,
  limitReads,
  readableFact,
  type ConditionScope,
  type ReadableFact,
} from "../../conditions/index.js";
import { Report } from "../../errors/diagnostics.js";
import { parsePointer } from "../../lib/pointer.js";
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

/** Each once, in the order of their names. Who calls, with roles and scopes, stands in every event and is none of them. */
export function factsRead(
  policy: ResolvedPolicy,
  route: ResolvedRoute,
  scope: ConditionScope,
): readonly ReadableFact[] {
  const names = new Set([
    ...entriesOf(route).flatMap((entry) => entryReads(entry, scope)),
    ...[...policy.globalLimits, ...route.limits].flatMap(({ value }) => {
      const limit = policy.limits.get(value);
      return limit === undefined ? [] : limitReads(limit.value, scope);
    }),
  ]);
  return [...names]
    .filter((name) => !IN_EVERY_EVENT.has(name))
    .sort()
    .map((name) => readableFact(name, scope))
    .filter((fact): fact is ReadableFact => fact?.shown === true);
}

const IN_EVERY_EVENT: ReadonlySet<string> = new Set([
  "principal.id",
  "principal.authenticator",
  "principal.authenticated",
  "principal.roles",
  "principal.scopes",
  "request.method",
  "request.route",
  "request.time",
]);

function entriesOf({ authorize, require }: ResolvedRoute): readonly AuthorizeEntry[] {
  return [authorize, ...require].flatMap(({ value }) => (typeof value === "string" ? [] : value));
}

function entryReads({ when, forbid, claims }: AuthorizeEntry, scope: ConditionScope): readonly string[] {
  // What is wrong with a condition is for its own kind to say.
  const unheard = new Report();
  const conditions = [when, forbid].flatMap((text) =>
    text === undefined ? [] : (compileCondition(text, scope, "", unheard)?.reads ?? []),
  );
  const paths = Object.keys(claims ?? {}).map((path) =>
    path.startsWith("/") ? (parsePointer(path) ?? []) : path.split("."),
  );
  // A fact has no name for a claim with a dot in its own: it would be told as absent, or as another claim.
  const named = paths.filter((path) => !path.some((name) => name.includes(".")));
  return [...conditions, ...named.map((path) => ["principal", "claims", ...path].join("."))];
}
