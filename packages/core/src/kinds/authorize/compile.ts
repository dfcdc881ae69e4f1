/** A route's demands as stages; a stage that a route does not need is not there. */
import { scopeOf } from "../../conditions/index.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Stage } from "../../model/compiled.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { Check } from "../../ports/application.js";
import { demandsOf, planOf } from "./entries.js";
import { authorizeBodyStage, authorizeStage, checkStage } from "./evaluate.js";
import type { Plan } from "./plan.js";

export function compileAuthorize(policy: ResolvedPolicy, environment: CompileEnvironment): CompiledKind {
  const { report } = environment;
  const missing = new Set<string>();
  const findCheck = (name: string, pointer: string): Check | undefined =>
    find(name, pointer, environment, missing);
  const plan = (route: ResolvedRoute): Plan =>
    planOf({ document: policy.document, route, scope: scopeOf(policy, route), report, findCheck });
  // What a plan names that only the environment has is looked up now and kept: an object of the application's may have changed by
  // the time that the route is first asked for, and a check that is no longer there would be one that nobody asks.
  const checked = new Map<ResolvedRoute, Plan>();
  for (const route of policy.routes) if (namesCheck(route)) checked.set(route, plan(route));
  const routes = new Set(policy.routes);
  return { stages: (route) => (routes.has(route) ? stagesOf(checked.get(route) ?? plan(route)) : []) };
}

function namesCheck(route: ResolvedRoute): boolean {
  return demandsOf(route).some(
    ({ entries }) => entries !== "authenticated" && entries.some(({ check }) => check !== undefined),
  );
}

/** Own names only; each missing name is told once for each place, however many routes inherit it. */
function find(
  name: string,
  pointer: string,
  environment: CompileEnvironment,
  missing: Set<string>,
): Check | undefined {
  const { checks, report } = environment;
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (typeof check === "function") return check;
  if (missing.has(pointer)) return undefined;
  missing.add(pointer);
  const help = didYouMean(name, Object.keys(checks)) ?? "hand the function to createEngine under `checks`";
  report.error("unknown-check", pointer, `no check \`${name}\` was given to the engine`, help);
  return undefined;
}

function stagesOf(plan: Plan): Stage[] {
  const { rule, clauses, forbidHead, forbidBody } = plan;
  const entries = clauses.flatMap((clause) => clause.entries);
  const stages: Stage[] = [];
  if (forbidHead.length > 0 || entries.some(({ head }) => head.length > 0))
    stages.push({ at: "authorize", rule, run: authorizeStage(plan) });
  if (forbidBody.length > 0 || entries.some(({ body }) => body.length > 0))
    stages.push({ at: "authorize-body", rule, run: authorizeBodyStage(plan) });
  if (entries.some(({ checks }) => checks.length > 0))
    stages.push({ at: "check", rule, run: checkStage(plan) });
  return stages;
}
