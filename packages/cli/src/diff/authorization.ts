/**
 * Who may call, compared case by case: for each kind of caller that both sides can know, the demands of both are formulas over the
 * same unknowns, and every case of those is tried.
 */
import { readCondition, type AuthorizeEntry, type ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { alike, canonical } from "./canonical.js";
import { and, FALSE, formulaOf, not, or, TRUE, type Formula } from "./condition.js";
import { Facts, roleClasses, type Apart, type Who } from "./facts.js";
import { notShown, SHOWN, type Proof, type Side } from "./model.js";
import { principalWithin } from "./principals.js";
import { ABSENT, ODD, Variables, type Assignment, type Value, type Variable } from "./variables.js";

/** More cases than this are not tried. */
const MOST_CASES = 30_000;
/** Of the cases that tell the sides apart so many are put to the engine. */
const MOST_MODELS = 8;

/** A case that tells the sides apart: what to bring about, and by whom. */
export interface Model {
  readonly who: { readonly old: Who; readonly new: Who };
  readonly given: Assignment;
  readonly variables: readonly Variable[];
}

export interface Compared {
  readonly proof: Proof;
  readonly models: readonly Model[];
}

type Demand = "authenticated" | "anyone" | readonly AuthorizeEntry[];

/** Whether whoever passes `inner` passes `outer`. */
export function authorizationWithin(inner: Side, outer: Side, apart: Apart): Compared {
  const models: Model[] = [];
  let proof: Proof = SHOWN;
  for (const [a, b] of casesOf(inner, outer)) {
    const compared = compareCase(inner, a, outer, b, apart, demandsOf);
    if (proof.shown) proof = compared.proof;
    // Whoever is let in by both is to be told of alike.
    if (proof.shown) proof = principalWithin(inner, a, outer, b);
    models.push(...compared.models);
  }
  return { proof, models };
}

/** A condition over the same callers: whether `inner` implies `outer`. Used where a redaction depends on who asks. */
export function conditionWithin(
  inner: Side,
  outer: Side,
  apart: Apart,
  formulas: (facts: Facts, side: Side, variables: Variables) => Formula,
): Proof {
  for (const [a, b] of casesOf(inner, outer)) {
    const { proof } = compareCase(inner, a, outer, b, apart, formulas);
    if (!proof.shown) return proof;
  }
  return SHOWN;
}

type FormulaMaker = (facts: Facts, side: Side, variables: Variables) => Formula;

function compareCase(inner: Side, a: Who, outer: Side, b: Who, apart: Apart, make: FormulaMaker): Compared {
  const variables = new Variables();
  const authenticators = (who: Who): ResolvedAuthenticator[] =>
    who.authenticator === undefined ? [] : [who.authenticator];
  const sides = [
    [inner.analysed.policy, authenticators(a)],
    [outer.analysed.policy, authenticators(b)],
  ] as const;
  const classes = roleClasses(rolesNamed([inner, outer]), sides);
  const sameRoles =
    alike(inner.analysed.policy.document.roles ?? {}, outer.analysed.policy.document.roles ?? {}) &&
    alike(a.authenticator?.settings.confers, b.authenticator?.settings.confers) &&
    alike(mapOf(a), mapOf(b));
  const factsOf = (side: Side, who: Who): Facts => new Facts(side, who, apart, variables, sameRoles, classes);
  const first = make(factsOf(inner, a), inner, variables);
  const second = make(factsOf(outer, b), outer, variables);
  if (first.key === second.key || second.key === "true" || first.key === "false")
    return { proof: SHOWN, models: [] };
  const who = inner.name === "old" ? { old: a, new: b } : { old: b, new: a };
  return search(first, second, variables.all, who);
}

function mapOf({ authenticator }: Who): unknown {
  const settings = authenticator?.settings;
  return settings !== undefined && "principal" in settings ? settings.principal : undefined;
}

function search(inner: Formula, outer: Formula, variables: readonly Variable[], who: Model["who"]): Compared {
  const used = variables.filter(({ id }) => inner.key.includes(id) || outer.key.includes(id));
  const cases = used.reduce((product, { domain }) => product * domain.size, 1);
  const models: Model[] = [];
  let tried = 0;
  const given = new Map<string, Value>();
  const visit = (at: number): void => {
    if (tried >= MOST_CASES) return;
    const variable = used[at];
    if (variable === undefined) {
      tried += 1;
      if (inner.of(given) === true && outer.of(given) !== true)
        models.push({ who, given: new Map(given), variables: used });
      return;
    }
    for (const value of variable.domain) {
      given.set(variable.id, value);
      visit(at + 1);
    }
  };
  visit(0);
  models.sort((a, b) => strangeness(a) - strangeness(b));
  const kept = models.slice(0, MOST_MODELS);
  if (models.length > 0) {
    const proof = notShown("there is a case in which one lets in whom the other does not");
    return { proof, models: kept };
  }
  return cases > MOST_CASES
    ? { proof: notShown(`the conditions have ${cases} cases, more than are tried`), models: [] }
    : { proof: SHOWN, models: [] };
}

/** The plainest cases go first: they are the ones that can be brought about. */
function strangeness({ given, variables }: Model): number {
  let sum = 0;
  for (const { id, origin } of variables) {
    const value = given.get(id);
    if (value === "error") sum += 4;
    if (value === ABSENT) sum += 2;
    if (value === ODD || value === null) sum += 3;
    if (origin.kind === "opaque") sum += 1;
    if (value === true && (origin.kind === "role" || origin.kind === "scope")) sum += 0.1;
  }
  return sum;
}

/** Kinds of callers that both sides can meet at once in one request. */
function casesOf(a: Side, b: Side): readonly (readonly [Who, Who])[] {
  const cases: (readonly [Who, Who])[] = [];
  const kinds = (side: Side): readonly (ResolvedAuthenticator | undefined)[] => {
    const { mode, anyOf } = side.route.authenticate;
    const known = [...new Set(anyOf.flatMap((together) => together.at(-1) ?? []))];
    return mode === "required" ? known : [...known, undefined];
  };
  for (const first of kinds(a)) {
    for (const second of kinds(b)) {
      if (!canMeet(first, second, a, b)) continue;
      cases.push([whoOf(a, first, second), whoOf(b, second, first)]);
    }
  }
  return cases;
}

function canMeet(
  first: ResolvedAuthenticator | undefined,
  second: ResolvedAuthenticator | undefined,
  a: Side,
  b: Side,
): boolean {
  if (first === undefined) return second === undefined || !reads(a, second);
  if (second === undefined) return !reads(b, first);
  if (placeOf(first) === placeOf(second))
    return carrierOf(first) === carrierOf(second) && !excludeEachOther(first, second);
  // Two credentials in one request: a side that reads both refuses them, unless it asks for both.
  const passes = (side: Side): boolean =>
    ![first, second].every((one) => reads(side, one)) || together(side, first, second);
  return passes(a) && passes(b);
}

function reads({ route }: Side, one: ResolvedAuthenticator): boolean {
  return route.authenticate.anyOf.flat().some((other) => placeOf(other) === placeOf(one));
}

function together({ route }: Side, first: ResolvedAuthenticator, second: ResolvedAuthenticator): boolean {
  return route.authenticate.anyOf.some((all) =>
    [first, second].every((one) => all.some((other) => placeOf(other) === placeOf(one))),
  );
}

/** One place holds one credential, whatever its scheme. */
function placeOf({ carrier }: ResolvedAuthenticator): string {
  return `${carrier.in}:${carrier.name}`;
}

/** No token has two issuers. */
function excludeEachOther(a: ResolvedAuthenticator, b: ResolvedAuthenticator): boolean {
  if (a.settings.type !== "jwt" || b.settings.type !== "jwt") return a.settings.type !== b.settings.type;
  const issuers = [a.settings.issuer, b.settings.issuer];
  return !issuers.includes("unchecked") && issuers[0] !== issuers[1];
}

function whoOf(
  side: Side,
  authenticator: ResolvedAuthenticator | undefined,
  other: ResolvedAuthenticator | undefined,
): Who {
  if (authenticator === undefined) return { authenticator, tag: "anonymous" };
  const shared =
    other !== undefined &&
    carrierOf(other) === carrierOf(authenticator) &&
    other.settings.type === authenticator.settings.type;
  return { authenticator, tag: shared ? carrierOf(authenticator) : `${side.name} ${authenticator.name} ` };
}

export function carrierOf({ carrier }: ResolvedAuthenticator): string {
  return `${carrier.in}:${carrier.name}:${carrier.scheme ?? ""}`;
}

/** Roles that anything of the routes names; one too many does no harm. */
function rolesNamed(sides: readonly Side[]): ReadonlySet<string> {
  const text = sides
    .map(({ route }) => JSON.stringify([route.require, route.authorize, route.response.redact]))
    .join("");
  const declared = sides.flatMap(({ analysed }) => [...analysed.policy.roles.keys()]);
  return new Set(declared.filter((role) => text.includes(role)));
}

function demandsOf(facts: Facts, { route }: Side, variables: Variables): Formula {
  const demands: Demand[] = [...route.require.map(({ value }) => value), route.authorize.value];
  return and(demands.map((demand) => demandOf(demand, facts, variables)));
}

function demandOf(demand: Demand, facts: Facts, variables: Variables): Formula {
  if (demand === "anyone") return TRUE;
  if (demand === "authenticated") return facts.anonymous ? FALSE : TRUE;
  const entries = demand.map((entry) => entryOf(entry, facts, variables));
  // Whichever entry holds, what is forbidden stays so, and what cannot be told is.
  const forbidden = demand.flatMap(({ forbid }) =>
    forbid === undefined ? [] : [isFalse(written(forbid, facts, variables))],
  );
  return and([or(entries), ...forbidden]);
}

function entryOf(entry: AuthorizeEntry, facts: Facts, variables: Variables): Formula {
  const parts: Formula[] = [];
  const { roles, scopes, claims, when, check, stepUp } = entry;
  if (roles !== undefined) parts.push(or(roles.map((role) => facts.role(role))));
  for (const scope of scopes ?? []) parts.push(facts.scope(scope));
  for (const [path, value] of Object.entries(claims ?? {}))
    parts.push(claimIs(path, value, facts, variables));
  if (when !== undefined) parts.push(isTrue(written(when, facts, variables)));
  if (stepUp !== undefined) {
    // How somebody was authenticated is not looked into: only that the same is asked.
    const id = variables.flag(`(stepUp ${canonical(stepUp)})`, { kind: "opaque" });
    parts.push({ key: id, of: (given) => given.get(id) === true });
  }
  for (const name of check === undefined ? [] : [check].flat()) parts.push(facts.check(name));
  return and(parts);
}

function claimIs(path: string, wanted: unknown, facts: Facts, variables: Variables): Formula {
  const fact = facts.claim(path);
  if (fact.kind === "constant") return FALSE;
  if (typeof wanted === "object" && wanted !== null) {
    const id = variables.flag(`(is ${fact.id} ${JSON.stringify(wanted)})`, { kind: "opaque" });
    return { key: id, of: (given) => given.get(id) === true };
  }
  const value = wanted as Value;
  variables.compared(fact.id, [value]);
  return {
    key: `(is ${fact.id} ${JSON.stringify(wanted)})`,
    of: (given) => given.get(fact.id) === value,
  };
}

export function written(text: string, facts: Facts, variables: Variables): Formula {
  const tree = readCondition(text);
  if (tree !== undefined) return formulaOf(tree, facts, variables);
  const id = variables.truth(`unread ${text}`, { kind: "opaque" });
  return { key: id, of: (given) => given.get(id) === true };
}

/** Only `true` grants. */
export function isTrue(formula: Formula): Formula {
  if (formula === TRUE || formula === FALSE) return formula;
  return { key: `(true ${formula.key})`, of: (given) => formula.of(given) === true };
}

function isFalse(formula: Formula): Formula {
  return not({ key: `(met ${formula.key})`, of: (given) => formula.of(given) !== false });
}
