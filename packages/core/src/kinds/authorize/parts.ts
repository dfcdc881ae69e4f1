/** The parts of an entry: roles, scopes, claims and conditions, each compiled to one closure. */
import { isConditionError, equalValues } from "../../conditions/index.js";
import type { Condition } from "../../conditions/index.js";
import { parsePointer, pointerTo, valueAt } from "../../lib/pointer.js";
import type { ReadFact, RequestState } from "../../model/state.js";
import type { MissMaker } from "./miss.js";
import type { Miss, Test } from "./plan.js";

type Told = ReturnType<Test["explain"]>;

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function listFact(state: RequestState, fact: "roles" | "scopes"): readonly ReadFact[] {
  return [{ fact: `principal.${fact}`, value: [...(state.identity?.[fact] ?? [])] }];
}

/** Any of the roles. The hierarchy is in the caller's set already. */
export function rolesTest(roles: readonly string[], rule: string, miss: MissMaker): Test {
  const missed = miss("forbidden", rule, `the caller has none of the roles ${quoted(roles)}`);
  const [only] = roles;
  const run =
    roles.length === 1 && only !== undefined
      ? (state: RequestState): Miss | undefined =>
          state.identity?.roles.has(only) === true ? undefined : missed
      : (state: RequestState): Miss | undefined => (hasAny(state, roles) ? undefined : missed);
  const explain = (state: RequestState): Told => {
    const held = roles.filter((role) => state.identity?.roles.has(role));
    return {
      reason: held.length > 0 ? `the caller has role ${quoted(held)}` : missed.refusal.reason,
      read: listFact(state, "roles"),
    };
  };
  if (roles.length < 2) return { rule, run, explain };
  const parts: Test["parts"] = ({ identity }) =>
    roles.flatMap((role, index) =>
      identity?.roles.has(role) === true ? [{ rule: pointerTo(rule, index), came: "held" }] : [],
    );
  return { rule, run, explain, parts };
}

function hasAny({ identity }: RequestState, roles: readonly string[]): boolean {
  if (identity === undefined) return false;
  for (const role of roles) if (identity.roles.has(role)) return true;
  return false;
}

/** All of the scopes. */
export function scopesTest(scopes: readonly string[], rule: string, miss: MissMaker): Test {
  const missed = miss(
    "insufficient-scope",
    rule,
    `the caller lacks one of the scopes ${quoted(scopes)}`,
    // RFC 6750 section 3.1: the scopes with which the request would get on.
    `error="insufficient_scope", scope="${scopes.join(" ")}"`,
  );
  const run = ({ identity }: RequestState): Miss | undefined => {
    if (identity === undefined) return missed;
    for (const scope of scopes) if (!identity.scopes.has(scope)) return missed;
    return undefined;
  };
  const explain = (state: RequestState): Told => {
    const lacking = scopes.filter((scope) => state.identity?.scopes.has(scope) !== true);
    const reason =
      lacking.length === 0
        ? `the caller has scopes ${quoted(scopes)}`
        : `the caller lacks scopes ${quoted(lacking)}`;
    return { reason, read: listFact(state, "scopes") };
  };
  if (scopes.length < 2) return { rule, run, explain };
  const parts: Test["parts"] = ({ identity }) =>
    scopes.flatMap((scope, index) =>
      identity?.scopes.has(scope) === true ? [] : [{ rule: pointerTo(rule, index), came: "missed" }],
    );
  return { rule, run, explain, parts };
}

/** A dotted path, or a JSON Pointer when it begins with `/`; undefined for a pointer that is none. */
export function claimPath(path: string): readonly string[] | undefined {
  return path.startsWith("/") ? parsePointer(path) : path.split(".");
}

/** One claim equals one value, and nothing is converted: `"1"` is not `1`, and a list that holds the value is not the value. */
export function claimTest(path: string, expected: unknown, rule: string, miss: MissMaker): Test {
  const segments = claimPath(path) ?? [];
  const missed = miss("forbidden", rule, `claim \`${path}\` is not the value that the policy asks for`);
  const run = ({ identity }: RequestState): Miss | undefined => {
    if (identity === undefined) return missed;
    const value = valueAt(identity.principal.claims, segments);
    return value !== undefined && equalValues(value, expected) ? undefined : missed;
  };
  const explain = (state: RequestState): Told => ({
    reason:
      run(state) === undefined
        ? `claim \`${path}\` is the value that the policy asks for`
        : missed.refusal.reason,
    read: [{ fact: `principal.claims.${segments.join(".")}` }],
  });
  return { rule, run, explain };
}

/** Only the value true grants; what cannot be evaluated is not met. */
export function whenTest(condition: Condition, rule: string, miss: MissMaker): Test {
  const unmet = miss("forbidden", rule, `condition \`${condition.text}\` is not met`);
  const failed = miss("condition-error", rule, `condition \`${condition.text}\` could not be evaluated`);
  const run = (state: RequestState): Miss | undefined => {
    const result = condition.evaluate(state);
    if (result === true) return undefined;
    return isConditionError(result) ? failed : unmet;
  };
  return conditionTest(condition, rule, run);
}

/** Refuses where it is true, and where nobody can tell. */
export function forbidTest(condition: Condition, rule: string, miss: MissMaker): Test {
  const met = miss("forbidden", rule, `\`forbid\` is met: \`${condition.text}\``);
  const failed = miss(
    "condition-error",
    rule,
    `\`forbid\` could not be evaluated, so it is met: \`${condition.text}\``,
  );
  const run = (state: RequestState): Miss | undefined => {
    const result = condition.evaluate(state);
    if (result === false) return undefined;
    return isConditionError(result) ? failed : met;
  };
  return conditionTest(condition, rule, run);
}

function conditionTest(condition: Condition, rule: string, run: Test["run"]): Test {
  return {
    rule,
    run,
    explain: (state) => condition.explain(state),
    parts: (state) => condition.reached(state, rule),
  };
}

/** Any known caller. */
export function knownTest(rule: string, miss: MissMaker): Test {
  const missed = miss("forbidden", rule, "the caller is not authenticated");
  return {
    rule,
    run: (state) => (state.identity === undefined ? missed : undefined),
    explain: (state) => ({
      reason:
        state.identity === undefined ? "the caller is not authenticated" : "the caller is authenticated",
      read: [{ fact: "principal.authenticated", value: state.identity !== undefined }],
    }),
  };
}
