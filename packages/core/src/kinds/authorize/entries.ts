/** From the entries of a document to a plan. Used by `check` and by `compile`: what compiles is what was checked. */
import { compileCondition } from "../../conditions/index.js";
import type { Condition, ConditionScope } from "../../conditions/index.js";
import type { Report } from "../../errors/diagnostics.js";
import { asList } from "../../lib/lists.js";
import { parsePointer, pointerTo, valueAt } from "../../lib/pointer.js";
import type { AuthorizeEntry, PolicyDocument } from "../../model/policy.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import type { Check } from "../../ports/application.js";
import type { MissMaker } from "./miss.js";
import { missMaker } from "./miss.js";
import { claimTest, forbidTest, knownTest, rolesTest, scopesTest, whenTest } from "./parts.js";
import { stepUpTest } from "./step-up.js";
import type { Clause, Entry, NamedCheck, Plan, Test } from "./plan.js";

/** What is asked in one place of the document. */
export interface Demand {
  readonly entries: "authenticated" | readonly AuthorizeEntry[];
  readonly pointer: string;
  readonly from: string;
}

/** All that a route asks, groups first. Nothing is asked of anyone by `"anyone"`. */
export function demandsOf(route: ResolvedRoute): Demand[] {
  const demands: Demand[] = route.require.map(({ value, pointer, from }) => ({
    entries: value,
    pointer,
    from,
  }));
  const { value, pointer, from } = route.authorize;
  if (value !== "anyone") demands.push({ entries: value, pointer, from });
  return demands;
}

/** Pointer of each entry: a single entry stands without a list. */
export function entryPointer(document: PolicyDocument, demand: Demand, index: number): string {
  const written = valueAt(document, parsePointer(demand.pointer) ?? []);
  return Array.isArray(written) ? pointerTo(demand.pointer, index) : demand.pointer;
}

export interface PlanInput {
  readonly document: PolicyDocument;
  readonly route: ResolvedRoute;
  readonly scope: ConditionScope;
  readonly report: Report;
  /** Undefined: no such check; reported by whoever knows. */
  readonly findCheck: (name: string, pointer: string) => Check | undefined;
}

export function planOf(input: PlanInput): Plan {
  const { route } = input;
  const optional = route.authenticate.mode === "optional";
  const builder = new PlanBuilder(input, missMaker(optional));
  for (const demand of demandsOf(route)) {
    if (demand.entries !== "authenticated") builder.addEntries(demand, demand.entries);
    // Where credentials are required, the stage before has seen to it.
    else if (optional) builder.addKnown(demand.pointer);
  }
  return builder.plan();
}

class PlanBuilder {
  private readonly clauses: Clause[] = [];
  private readonly forbidHead: Test[] = [];
  private readonly forbidBody: Test[] = [];

  constructor(
    private readonly input: PlanInput,
    private readonly miss: MissMaker,
  ) {}

  addKnown(rule: string): void {
    const entry: Entry = {
      rule,
      head: [knownTest(rule, this.miss)],
      body: [],
      checks: [],
      refused: this.refused(rule),
    };
    this.clauses.push({ rule, entries: [entry] });
  }

  addEntries(demand: Demand, entries: readonly AuthorizeEntry[]): void {
    const rule = demand.pointer;
    const built = entries.map((entry, index) =>
      this.entry(entry, entryPointer(this.input.document, demand, index)),
    );
    // An entry with nothing but `forbid` holds for everybody it does not refuse.
    this.clauses.push({ rule, entries: built });
  }

  plan(): Plan {
    const { route } = this.input;
    const under = (scheme: string): ReadonlySet<string> => {
      const all = route.authenticate.anyOf.flat().filter(({ carrier }) => carrier.scheme === scheme);
      return new Set(all.map(({ name }) => name));
    };
    return {
      rule: route.authorize.pointer,
      clauses: this.clauses.filter((clause) => !clause.entries.some(isEmpty)),
      forbidHead: this.forbidHead,
      forbidBody: this.forbidBody,
      bearers: under("bearer"),
      provers: under("dpop"),
    };
  }

  private entry(entry: AuthorizeEntry, rule: string): Entry {
    const head: Test[] = [];
    const body: Test[] = [];
    const { roles, scopes, claims, when, forbid, check, stepUp } = entry;
    if (roles !== undefined) head.push(rolesTest(roles, pointerTo(rule, "roles"), this.miss));
    if (scopes !== undefined) head.push(scopesTest(scopes, pointerTo(rule, "scopes"), this.miss));
    for (const [path, value] of Object.entries(claims ?? {})) {
      head.push(claimTest(path, value, pointerTo(rule, "claims", path), this.miss));
    }
    const condition = this.condition(when, pointerTo(rule, "when"));
    if (condition !== undefined)
      (condition.needs === "body" ? body : head).push(
        whenTest(condition, pointerTo(rule, "when"), this.miss),
      );
    // Last: nobody is sent to log in again who would not get in then either.
    if (stepUp !== undefined) head.push(stepUpTest(stepUp, pointerTo(rule, "stepUp"), this.miss));
    this.addForbid(forbid, pointerTo(rule, "forbid"));
    return {
      rule,
      head,
      body,
      checks: this.checks(check, pointerTo(rule, "check")),
      refused: this.refused(pointerTo(rule, "check")),
    };
  }

  private addForbid(text: string | undefined, rule: string): void {
    const condition = this.condition(text, rule);
    if (condition === undefined) return;
    (condition.needs === "body" ? this.forbidBody : this.forbidHead).push(
      forbidTest(condition, rule, this.miss),
    );
  }

  private condition(text: string | undefined, pointer: string): Condition | undefined {
    return text === undefined
      ? undefined
      : compileCondition(text, this.input.scope, pointer, this.input.report);
  }

  private checks(names: string | readonly string[] | undefined, rule: string): NamedCheck[] {
    if (names === undefined) return [];
    return asList<string>(names).flatMap((name, index) => {
      const pointer = typeof names === "string" ? rule : pointerTo(rule, index);
      const check = this.input.findCheck(name, pointer);
      return check === undefined ? [] : [{ name, rule: pointer, check }];
    });
  }

  private refused(rule: string): Entry["refused"] {
    return this.miss("forbidden", rule, "a check of the application said no");
  }
}

function isEmpty({ head, body, checks }: Entry): boolean {
  return head.length + body.length + checks.length === 0;
}
