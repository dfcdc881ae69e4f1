/** What a limit reads on a route, for those who need not compile it. */
import { Report } from "../errors/diagnostics.js";
import { asList } from "../lib/lists.js";
import type { LimitSettings } from "../model/policy.js";
import type { ConditionScope } from "./condition.js";
import { compileCondition, compileNumber } from "./expressions.js";

/** Names of facts, as conditions name them. What is wrong with the limit is for its own kind to say. */
export function limitReads({ by, when, cost }: LimitSettings, scope: ConditionScope): readonly string[] {
  const unheard = new Report();
  const facts = asList(by ?? []).map((entry) => (typeof entry === "string" ? entry : entry.fact));
  const priced = typeof cost === "object" ? cost.estimate : cost;
  const condition = when === undefined ? undefined : compileCondition(when, scope, "", unheard);
  const price = typeof priced === "string" ? compileNumber(priced, scope, "", unheard) : undefined;
  return [...facts, ...(condition?.reads ?? []), ...(price?.reads ?? [])];
}
