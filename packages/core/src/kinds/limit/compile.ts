/** A route's limits as stages: each at the first one where all that it reads is known, and one call of the store for each. */
import { scopeOf } from "../../conditions/index.js";
import type { Report } from "../../errors/diagnostics.js";
import type { Stage } from "../../model/compiled.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { LimitSettings } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import type { Clock } from "../../ports/clock.js";
import type { CallContext } from "../../ports/state-store.js";
import { rankOf, type StageName } from "../../stages.js";
import { Asks } from "./asks.js";
import { limitStage } from "./evaluate.js";
import { LIMIT_FIELDS } from "./fields.js";
import { readingOf, STAGE_OF, type Reading } from "./reading.js";
import { ruleOf, type Rule } from "./rule.js";
import { routeLimits } from "./route-limits.js";
import { durationUs, termsOf, type Terms } from "./terms.js";
import { shareOf } from "./share.js";
import type { InstantOf, LimitServices } from "./take.js";

/**
 * From here on something may have been waited for since the exchange opened: a credential's verification, a body. Counting by the
 * opening then would let exchanges that were held back count in a past whose room is long given to others.
 */
const FIRST_WAIT = rankOf("authenticate");

type ByStage = ReadonlyMap<StageName, readonly Rule[]>;

type RuleFor = (name: string, limit: Placed<LimitSettings>, reading: Reading, observing: boolean) => Rule;

export function compileLimits(policy: ResolvedPolicy, environment: CompileEnvironment): CompiledKind {
  const services = servicesOf(policy, environment, false);
  const waited = servicesOf(policy, environment, true);
  const servicesAt = (at: StageName): LimitServices => (rankOf(at) < FIRST_WAIT ? services : waited);
  const ruleFor = ruleMaker(environment);
  const compiled = new Map<ResolvedRoute, ByStage>();
  const rulesOf = (route: ResolvedRoute): ByStage => {
    const known = compiled.get(route) ?? compileRoute(policy, route, ruleFor, environment.report);
    compiled.set(route, known);
    return known;
  };
  const stages = (route: ResolvedRoute, only?: StageName): Stage[] =>
    [...rulesOf(route)]
      .filter(([at]) => only === undefined || at === only)
      .map(([at, rules]) => ({ at, rule: pointerOf(route, rules), run: limitStage(rules, servicesAt(at)) }));
  const all = (route: ResolvedRoute): readonly Rule[] => [...rulesOf(route).values()].flat();
  return {
    stages: (route) => stages(route),
    preflight: (route) => stages(route, "global-limit"),
    headers: (route) => (all(route).some(({ fields }) => fields !== undefined) ? LIMIT_FIELDS : undefined),
    readsAnswer: (route) => all(route).some(({ terms }) => terms.settle !== undefined),
  };
}

function compileRoute(
  policy: ResolvedPolicy,
  route: ResolvedRoute,
  ruleFor: RuleFor,
  report: Report,
): ByStage {
  const stages = new Map<StageName, Rule[]>();
  const add = ({ value: name }: Placed<string>, global: boolean): void => {
    const limit = policy.limits.get(name);
    const scope = scopeOf(policy, global ? policy.unmatched : route);
    const reading = limit === undefined ? undefined : readingOf(limit, scope, report);
    if (limit === undefined || reading === undefined) return;
    const at = global ? "global-limit" : STAGE_OF[reading.needs];
    const rules = stages.get(at) ?? [];
    rules.push(ruleFor(name, limit, reading, route.mode === "observe"));
    stages.set(at, rules);
  };
  for (const named of byName(policy.globalLimits)) add(named, true);
  for (const named of byName(routeLimits(policy, route))) add(named, false);
  return stages;
}

/** What routes have in common of a limit is made once: a caller who is known on one of them is known on all. */
function ruleMaker({ store, platform }: CompileEnvironment): RuleFor {
  // Asked for once: routes that are put together later count in the same buckets.
  const share = store.scope === "process" ? shareOf(store) : 1;
  const common = { share, repeats: store.repeats === true, sha256Hex: platform.sha256Hex };
  const termsByName = new Map<string, Terms>();
  const [enforced, observed] = [new Map<string, Asks>(), new Map<string, Asks>()];
  return (name, limit, reading, observing) => {
    const terms = termsByName.get(name) ?? termsOf(name, limit);
    termsByName.set(name, terms);
    const observe = observing || terms.observe;
    const known = observe ? observed : enforced;
    const price = typeof reading.cost === "number" ? reading.cost : undefined;
    const asks = known.get(name) ?? new Asks({ ...common, terms, observe, price });
    known.set(name, asks);
    return ruleOf({ terms, settings: limit.value, reading, asks });
  };
}

/** The author's order decides nothing. */
function byName(names: readonly Placed<string>[]): readonly Placed<string>[] {
  return names.toSorted((a, b) => (a.value < b.value ? -1 : 1));
}

function pointerOf(route: ResolvedRoute, [first, second]: readonly Rule[]): string {
  return first !== undefined && second === undefined ? first.terms.pointer : route.pointer;
}

/** @throws Error where the clock is broken: counted at no time, a request would be let through uncounted */
function microsecondsOf(clock: Clock): number {
  const milliseconds = clock.monotonic();
  if (!Number.isFinite(milliseconds)) throw new Error("the clock does not tell the time");
  return Math.floor(milliseconds * 1000);
}

const DEFAULT_DEADLINE_US = 50_000;

/** When a store is called: at once the two instants, and what is the same for all calls of its kind. */
class Instant implements CallContext {
  nowUs = 0;
  wallUs = 0;

  constructor(
    readonly deadlineUs: number,
    readonly final: boolean,
  ) {}
}

function servicesOf(
  policy: ResolvedPolicy,
  { store, fallback, clock }: CompileEnvironment,
  waited: boolean,
): LimitServices {
  const written = policy.document.store?.deadline;
  const deadlineUs = written === undefined ? DEFAULT_DEADLINE_US : durationUs(written);
  /** `exact`: the exchange may have been open for long; else it happened when it opened. */
  const at = (instant: Instant, state: RequestState, exact: boolean): Instant => {
    const openedUs = state.monotonicUs;
    const nowUs = exact ? Math.max(openedUs, microsecondsOf(clock)) : openedUs;
    instant.nowUs = nowUs;
    instant.wallUs = Math.floor(state.now * 1000) + (nowUs - openedUs);
    return instant;
  };
  const now = (state: RequestState, exact: boolean): CallContext =>
    at(new Instant(deadlineUs, false), state, exact);
  const instants = (final: boolean): InstantOf => {
    if (store.repeats !== true) return (state) => at(new Instant(deadlineUs, final), state, waited);
    const again = new Instant(deadlineUs, final);
    return (state) => at(again, state, waited);
  };
  return { store, fallback, deadlineMs: deadlineUs / 1000, now, instants };
}
