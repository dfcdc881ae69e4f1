/**
 * What callers are told whom both policies refuse: at which stage, by which code, and what a challenge asks for. As in the engine the first
 * part of an entry that does not hold is told of, and of several entries the one that helps most.
 */
import { readCondition, type AuthorizeEntry, type ConditionTree } from "@gatehouse/core/analysis";
import { claimIs, saidAlike, steppedUp, written, type Said } from "./authorization.js";
import { or, type Formula } from "./condition.js";
import type { Apart, Facts } from "./facts.js";
import type { Proof, Side } from "./model.js";
import type { Assignment, Variables } from "./variables.js";

interface Miss {
  readonly rank: number;
  readonly told: string;
}

interface Test {
  readonly key: string;
  readonly missed: (given: Assignment) => Miss | undefined;
}

interface Entry {
  readonly head: readonly Test[];
  readonly body: readonly Test[];
  readonly checks: readonly Formula[];
}

interface Plan {
  readonly forbidHead: readonly Test[];
  readonly forbidBody: readonly Test[];
  readonly clauses: readonly (readonly Entry[])[];
}

const FORBIDDEN: Miss = { rank: 2, told: "forbidden" };
const FAILED: Miss = { rank: 1, told: "condition-error" };

export function refusedAlike(inner: Side, outer: Side, apart: Apart): Proof {
  return saidAlike(inner, outer, apart, (facts, side, variables): Said<string> => {
    const plan = planOf(facts, side, variables);
    return {
      key: `(told ${facts.anonymous ? "nobody" : "somebody"} ${JSON.stringify(plan)})`,
      of: (given) => {
        const [stage, miss] = toldOf(plan, given) ?? [];
        return `${stage ?? ""} ${facts.anonymous ? "" : (miss?.told ?? "")}`;
      },
    };
  });
}

function planOf(facts: Facts, { route }: Side, variables: Variables): Plan {
  const reading = new Reading(facts, variables);
  const demands = [...route.require.map(({ value }) => value), route.authorize.value];
  const entries = demands.filter((one) => typeof one !== "string").flat();
  const forbids = entries.flatMap(({ forbid }) => forbid ?? []);
  return {
    forbidHead: forbids.filter((text) => !readsBody(text)).map((text) => reading.condition(text, false)),
    forbidBody: forbids.filter((text) => readsBody(text)).map((text) => reading.condition(text, false)),
    clauses: demands
      .filter((demand) => demand !== "anyone")
      .map((demand) =>
        demand === "authenticated" ? [reading.known()] : demand.map((one) => reading.entry(one)),
      )
      .filter((clause) => !clause.some(isEmpty)),
  };
}

class Reading {
  constructor(
    private readonly facts: Facts,
    private readonly variables: Variables,
  ) {}

  known(): Entry {
    const { anonymous } = this.facts;
    return {
      head: [{ key: `known ${!anonymous}`, missed: () => (anonymous ? FORBIDDEN : undefined) }],
      body: [],
      checks: [],
    };
  }

  entry({ roles, scopes, claims, when, stepUp, check }: AuthorizeEntry): Entry {
    const { facts, variables } = this;
    const head: Test[] = [];
    if (roles !== undefined) head.push(held(or(roles.map((role) => facts.role(role))), FORBIDDEN));
    if (scopes !== undefined) {
      const lacking = { rank: 3, told: `insufficient-scope "${scopes.join(" ")}"` };
      head.push(...scopes.map((scope) => held(facts.scope(scope), lacking)));
    }
    for (const [path, value] of Object.entries(claims ?? {}))
      head.push(held(claimIs(path, value, facts, variables), FORBIDDEN));
    const late = when !== undefined && readsBody(when);
    const condition = when === undefined ? [] : [this.condition(when, true)];
    if (!late) head.push(...condition);
    if (stepUp !== undefined) {
      const told = `insufficient-authentication ${JSON.stringify([stepUp.acr, stepUp.maxAge])}`;
      head.push(held(steppedUp(stepUp, facts, variables), { rank: 4, told }));
    }
    const names = check === undefined ? [] : [check].flat();
    return { head, body: late ? condition : [], checks: names.map((name) => facts.check(name)) };
  }

  /** @param wanted what it must be */
  condition(text: string, wanted: boolean): Test {
    const formula = written(text, this.facts, this.variables);
    return {
      key: `(${wanted ? "when" : "forbid"} ${formula.key})`,
      missed: (given) => {
        const truth = formula.of(given);
        if (truth === "error") return FAILED;
        return truth === wanted ? undefined : FORBIDDEN;
      },
    };
  }
}

function held(formula: Formula, miss: Miss): Test {
  return {
    key: `${miss.told} unless ${formula.key}`,
    missed: (given) => (formula.of(given) === true ? undefined : miss),
  };
}

/** Undefined: let in. */
function toldOf(
  { forbidHead, forbidBody, clauses }: Plan,
  given: Assignment,
): readonly [stage: string, Miss] | undefined {
  const early = firstMissed(forbidHead, given) ?? firstRefused(clauses, "head", given);
  if (early !== undefined) return ["authorize", early];
  const late = firstMissed(forbidBody, given) ?? firstRefused(open(clauses, "body", given), "body", given);
  if (late !== undefined) return ["authorize-body", late];
  const asked = open(clauses, "checks", given)
    .map((clause) => clause.filter(({ body }) => holds(body, given)))
    .filter((clause) => clause.length > 0 && clause.every(({ checks }) => checks.length > 0));
  const refused = asked.some((clause) =>
    clause.every(({ checks }) => checks.some((check) => check.of(given) !== true)),
  );
  return refused ? ["check", FORBIDDEN] : undefined;
}

/** Of clauses that have something to ask then, the entries that can still hold. */
function open(clauses: Plan["clauses"], phase: "body" | "checks", given: Assignment): Plan["clauses"] {
  return clauses
    .filter((clause) => clause.some((entry) => entry[phase].length > 0))
    .map((clause) => clause.filter(({ head }) => holds(head, given)));
}

function firstRefused(clauses: Plan["clauses"], phase: "head" | "body", given: Assignment): Miss | undefined {
  for (const clause of clauses) {
    const misses = clause.map((entry) => firstMissed(entry[phase], given));
    if (misses.includes(undefined)) continue;
    const [first, ...others] = misses.filter((miss) => miss !== undefined);
    if (first !== undefined) return others.reduce(better, first);
  }
  return undefined;
}

function better(a: Miss, b: Miss): Miss {
  if (a.rank !== b.rank) return a.rank > b.rank ? a : b;
  return b.told < a.told ? b : a;
}

function firstMissed(tests: readonly Test[], given: Assignment): Miss | undefined {
  for (const test of tests) {
    const miss = test.missed(given);
    if (miss !== undefined) return miss;
  }
  return undefined;
}

function holds(tests: readonly Test[], given: Assignment): boolean {
  return firstMissed(tests, given) === undefined;
}

function isEmpty({ head, body, checks }: Entry): boolean {
  return head.length + body.length + checks.length === 0;
}

function readsBody(text: string): boolean {
  const reads = (tree: ConditionTree): boolean => {
    if (tree.kind === "path") return tree.names[0] === "body";
    return tree.kind !== "literal" && tree.parts.some(reads);
  };
  const tree = readCondition(text);
  return tree === undefined ? /\bbody\b/u.test(text) : reads(tree);
}
