/** One stage of limits. With a store in memory nothing here waits. */
import type { Fault, Refusal } from "../../model/outcome.js";
import { PASS } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { LimitOp } from "../../ports/state-store.js";
import type { Rule } from "./rule.js";
import { take, type LimitServices, type Taken } from "./take.js";

type Run = (state: RequestState) => Taken | Promise<Taken>;

/** @param rules those of the stage that refuse, and those that only observe */
export function limitStage(rules: readonly Rule[], services: LimitServices): Run {
  const enforced = rules.filter(({ terms }) => !terms.observe);
  const observed = rules.filter(({ terms }) => terms.observe);
  const enforce: Run = (state) => takeAll(enforced, state, services);
  if (observed.length === 0) return enforce;
  const observe = observer(observed, services);
  return (state) => {
    const verdict = enforced.length === 0 ? PASS : enforce(state);
    if (verdict instanceof Promise) return verdict.then((settled) => settled ?? observe(state));
    return verdict ?? observe(state);
  };
}

function takeAll(
  rules: readonly Rule[],
  state: RequestState,
  services: LimitServices,
): Taken | Promise<Taken> {
  const [only] = rules;
  if (rules.length === 1 && only !== undefined) return takeOne(only, rules, state, services);
  const taken: Rule[] = [];
  const ops: LimitOp[] = [];
  for (const rule of rules) {
    const { applies, terms } = rule;
    if (applies !== undefined && !applies(state)) continue;
    const key = rule.key(state);
    if (key === undefined) {
      if (terms.onMissing === "refuse") return rule.missing;
      continue;
    }
    taken.push(rule);
    ops.push(rule.op(key, rule.cost(state), state));
  }
  return ops.length === 0 ? PASS : take(taken, ops, state, services);
}

/** Most stages have one limit: no list is made that could have been made when the policy was compiled. */
function takeOne(
  rule: Rule,
  rules: readonly Rule[],
  state: RequestState,
  services: LimitServices,
): Taken | Promise<Taken> {
  if (rule.applies !== undefined && !rule.applies(state)) return PASS;
  const key = rule.key(state);
  if (key === undefined) return rule.terms.onMissing === "refuse" ? rule.missing : PASS;
  return take(rules, [rule.op(key, rule.cost(state), state)], state, services);
}

/** Counts and tells, each limit for itself, and never refuses: what another would have refused is no reason not to count. */
function observer(rules: readonly Rule[], services: LimitServices): Run {
  const single = rules.map((rule) => [rule] as const);
  return (state) => {
    let waiting: Promise<unknown> | undefined;
    for (const [rule] of single) {
      const verdict = takeAll([rule], state, services);
      if (verdict instanceof Promise) {
        const told = verdict.then((settled) => tell(rule, settled, state));
        waiting = waiting === undefined ? told : Promise.all([waiting, told]);
      } else tell(rule, verdict, state);
    }
    return waiting === undefined ? PASS : waiting.then(() => PASS);
  };
}

function tell({ terms }: Rule, verdict: Refusal | Fault | undefined, state: RequestState): void {
  if (verdict === undefined) return;
  const reason = `limit \`${terms.name}\` only observes: it would have refused, ${verdict.reason}`;
  state.report(reason);
  if (state.tracing) state.note({ rule: terms.pointer, reason });
}
