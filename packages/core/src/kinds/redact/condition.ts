/** `unless` and `when`: for whom a redaction is in force. Whatever cannot be told, redacts. */
import {
  compileCondition,
  isConditionError,
  scopeOf,
  type Condition,
  type ConditionScope,
} from "../../conditions/index.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { RedactEntry } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";

/** Is the redaction in force for this request? */
export type InForce = (state: RequestState) => boolean;

/** Who is excepted; every part must hold. */
interface Exception {
  readonly roles: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly when: Asked | undefined;
}

/** A condition, and where it stands. */
interface Asked {
  readonly condition: Condition;
  readonly pointer: string;
}

export interface ConditionPlace {
  readonly policy: ResolvedPolicy;
  readonly route: ResolvedRoute;
  /** Of the entry. */
  readonly pointer: string;
  /** False: inherited, and may ask for what this route does not have. */
  readonly own: boolean;
  readonly report: Report;
}

/** Undefined: it is always in force, or something was reported. */
export function compileInForce(entry: RedactEntry, place: ConditionPlace): InForce | undefined {
  const { unless, when } = entry;
  const scope = scopeFor(place);
  const compile = (text: string | undefined, ...at: readonly string[]): Asked | undefined => {
    if (text === undefined) return undefined;
    const pointer = pointerTo(place.pointer, ...at);
    const condition = compileCondition(text, scope, pointer, place.report);
    return condition === undefined ? undefined : { condition, pointer };
  };
  const condition = compile(when, "when");
  if (unless === undefined)
    return condition === undefined ? undefined : (state) => isMetOrFails(condition, state);
  const exception =
    typeof unless === "string"
      ? { roles: undefined, scopes: undefined, when: compile(unless, "unless") }
      : { roles: unless.roles, scopes: unless.scopes, when: compile(unless.when, "unless", "when") };
  if (typeof unless !== "string") checkException(exception, place);
  return (state) =>
    (condition === undefined || isMetOrFails(condition, state)) && !isExcepted(exception, state);
}

/** What a group redacts holds on its open routes too: there nobody is excepted. */
function scopeFor({ policy, route, own }: ConditionPlace): ConditionScope {
  const scope = scopeOf(policy, route);
  return own || scope.principal !== "none" ? scope : { ...scope, principal: "optional" };
}

/** That the roles are declared is checked where all names are. */
function checkException({ roles, scopes }: Exception, { route, pointer, own, report }: ConditionPlace): void {
  if (!own || route.authenticate.mode !== "none" || (roles === undefined && scopes === undefined)) return;
  report.error(
    "principal-on-open-route",
    pointerTo(pointer, "unless"),
    "nobody is known on an open route, so nobody has roles or scopes",
    "let the route authenticate, at least with `optional`",
  );
}

function ask({ condition, pointer }: Asked, state: RequestState): ReturnType<Condition["evaluate"]> {
  if (state.tracing) state.note({ reached: condition.reached(state, pointer) });
  return condition.evaluate(state);
}

function isMetOrFails(asked: Asked, state: RequestState): boolean {
  const result = ask(asked, state);
  return isConditionError(result) || result;
}

function isExcepted({ roles, scopes, when }: Exception, state: RequestState): boolean {
  const { identity } = state;
  if (roles !== undefined && !roles.some((role) => identity?.roles.has(role) === true)) return false;
  if (scopes !== undefined && !scopes.every((scope) => identity?.scopes.has(scope) === true)) return false;
  return when === undefined ? roles !== undefined || scopes !== undefined : ask(when, state) === true;
}
