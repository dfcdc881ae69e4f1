/** One stage of limits. With a store in memory nothing here waits. */
import type { Fault, Refusal } from "../../model/outcome.js";
import { PASS } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { LimitOp } from "../../ports/state-store.js";
import type { Rule } from "./rule.js";
import { anySettles, take, type LimitServices, type Taken, type TakeServices } from "./take.js";

type Run = (state: RequestState) => Taken | Promise<Taken>;

/** @param rules those of the stage that refuse, and those that only observe */
export function limitStage(rules: readonly Rule[], services: LimitServices): Run {
  const enforced = rules.filter(({ terms }) => !terms.observe);
  const observed = rules.filter(({ terms }) => terms.observe);
  const enforce = taker(enforced, services);
  if (observed.length === 0) return enforce;
  const observe = observer(observed, services);
  return (state) => {
    const verdict = enforced.length === 0 ? PASS : enforce(state);
    if (verdict instanceof Promise) return verdict.then((settled) => settled ?? observe(state));
    return verdict ?? observe(state);
  };
}

function taker(rules: readonly Rule[], services: LimitServices): Run {
  const [only] = rules;
  const own: TakeServices = { ...services, instant: services.instants(!anySettles(rules)) };
  return only !== undefined && rules.length === 1
    ? (state) => takeOne(only, rules, state, own)
    : (state) => takeAll(rules, state, own);
}

function takeAll(
  rules: readonly Rule[],
  state: RequestState,
  services: TakeServices,
): Taken | Promise<Taken> {
  const taken: Rule[] = [];
  const ops: LimitOp[] = [];
  for (const rule of rules) {
    const { applies, terms } = rule;
    if (applies !== undefined && !applies(state)) continue;
    const ask = rule.ask(state);
    if (ask === undefined) {
      if (terms.onMissing === "refuse") return rule.missing;
      continue;
    }
    taken.push(rule);
    ops.push(ask[0]);
  }
  return ops.length === 0 ? PASS : take(taken, ops, state, services);
}

/** Most stages have one limit: no list is made that could have been made when the policy was compiled. */
function takeOne(
  rule: Rule,
  rules: readonly Rule[],
  state: RequestState,
  services: TakeServices,
): Taken | Promise<Taken> {
  if (rule.applies !== undefined && !rule.applies(state)) return PASS;
  const ask = rule.ask(state);
  if (ask === undefined) return rule.terms.onMissing === "refuse" ? rule.missing : PASS;
  return take(rules, ask, state, services);
}

/** Counts and tells, each limit for itself, and never refuses: what another would have refused is no reason not to count. */
function observer(rules: readonly Rule[], services: LimitServices): Run {
  const single = rules.map((rule) => ({ rule, run: taker([rule], services) }));
  return (state) => {
    let waiting: Promise<unknown> | undefined;
    for (const { rule, run } of single) {
      const verdict = run(state);
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
