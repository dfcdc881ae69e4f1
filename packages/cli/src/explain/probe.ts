/** What of a route's demands a caller does not meet: each part is asked of the engine alone, in place of all the others. */
import { PolicyError, parsePolicy, type PolicyDocument, type TraceStep } from "@gatehouse/core";
import { routesOf, type AuthorizeEntry, type Demand, type RouteView } from "../lib/routes.js";
import { pointerTo } from "../lib/pointer.js";
import type { Asked } from "./ask.js";

export interface UnmetPart {
  readonly pointer: string;
  /** What would do. */
  readonly needs: string;
  /** Why it does not hold, as the engine tells it. */
  readonly why?: string | undefined;
}

/** One of these must be met; within it, all parts. */
export interface UnmetDemand {
  readonly pointer: string;
  readonly alternatives: readonly { readonly pointer: string; readonly parts: readonly UnmetPart[] }[];
}

/** Demands that none of their entries meets, and what each entry lacks. */
export async function unmetDemands(
  view: RouteView,
  file: string | undefined,
  ask: (policy: PolicyDocument) => Promise<Asked>,
): Promise<readonly UnmetDemand[]> {
  const unmet: UnmetDemand[] = [];
  for (const demand of view.demands) {
    if (demand.entries === "authenticated") {
      const why = await failureOf("authenticated", view, file, ask);
      if (why !== undefined) unmet.push({ pointer: demand.pointer, alternatives: [known(demand)] });
      continue;
    }
    const alternatives: UnmetDemand["alternatives"][number][] = [];
    for (const { pointer, entry } of demand.entries) {
      const parts: UnmetPart[] = [];
      for (const part of partsOf(entry, pointer, view.document)) {
        const why = await failureOf(part.entry, view, file, ask);
        if (why !== undefined) parts.push({ pointer: part.pointer, needs: part.needs, why });
      }
      alternatives.push({ pointer, parts });
    }
    if (alternatives.every(({ parts }) => parts.length > 0))
      unmet.push({ pointer: demand.pointer, alternatives });
  }
  return unmet;
}

function known({ pointer }: Demand): UnmetDemand["alternatives"][number] {
  return { pointer, parts: [{ pointer, needs: "a caller who is known: any good credential" }] };
}

interface Part {
  readonly pointer: string;
  readonly entry: AuthorizeEntry;
  readonly needs: string;
}

function partsOf(entry: AuthorizeEntry, pointer: string, document: PolicyDocument): Part[] {
  const { roles, scopes, claims, when, forbid, check, stepUp } = entry;
  const parts: Part[] = [];
  const add = (name: string, part: AuthorizeEntry, needs: string): void =>
    void parts.push({ pointer: pointerTo(pointer, ...name.split(" ")), entry: part, needs });
  if (roles !== undefined) add("roles", { roles }, rolesText(roles, document));
  if (scopes !== undefined)
    for (const scope of scopes) add("scopes", { scopes: [scope] }, `the scope \`${scope}\``);
  for (const [path, value] of Object.entries(claims ?? {}))
    parts.push({
      pointer: pointerTo(pointer, "claims", path),
      entry: { claims: { [path]: value } },
      needs: `the claim \`${path}\` with the value ${JSON.stringify(value)}`,
    });
  if (when !== undefined) add("when", { when }, `\`${when}\` to be true`);
  if (stepUp !== undefined)
    add("stepUp", { stepUp }, `a login as \`stepUp\` asks for: ${stepUpText(stepUp)}`);
  if (forbid !== undefined) add("forbid", { forbid }, `\`${forbid}\` to be false`);
  for (const name of check === undefined ? [] : [check].flat())
    add("check", { check: name }, `the application's check \`${name}\` to say yes`);
  return parts;
}

function stepUpText({ acr, maxAge }: NonNullable<AuthorizeEntry["stepUp"]>): string {
  const strength = acr === undefined ? [] : [`\`acr\` of ${acr.map((one) => `\`${one}\``).join(" or ")}`];
  const age = maxAge === undefined ? [] : [`at most ${maxAge} ago`];
  return [...strength, ...age].join(", ");
}

function rolesText(roles: readonly string[], document: PolicyDocument): string {
  const wanted = roles.map((role) => `\`${role}\``).join(", ");
  const including = Object.keys(document.roles ?? {})
    .filter((role) => !roles.includes(role) && roles.some((one) => includes(document, role, one)))
    .map((role) => `\`${role}\``);
  const first = roles.length === 1 ? `the role ${wanted}` : `one of the roles ${wanted}`;
  return including.length === 0 ? first : `${first} (or ${including.join(", ")}, by inclusion)`;
}

function includes(document: PolicyDocument, role: string, wanted: string, seen = new Set<string>()): boolean {
  if (role === wanted) return true;
  if (seen.has(role)) return false;
  seen.add(role);
  return (document.roles?.[role] ?? []).some((inner) => includes(document, inner, wanted, seen));
}

/** Undefined: it holds, or nothing can be said of it. */
async function failureOf(
  part: AuthorizeEntry | "authenticated",
  view: RouteView,
  file: string | undefined,
  ask: (policy: PolicyDocument) => Promise<Asked>,
): Promise<string | undefined> {
  let asked: Asked;
  try {
    asked = await ask(variant(view, file, part));
  } catch (error) {
    // A part that cannot stand alone is not judged alone.
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
  const { outcome, stage, reason, trace } = asked.event;
  const judged = stage === "authorize" || stage === "authorize-body" || stage === "check";
  return outcome === "refuse" && judged
    ? (factsOf(trace?.at(-1)) ?? reason ?? "it does not hold")
    : undefined;
}

/** What the part read, where it may be told: that says more than that it does not hold. */
function factsOf(step: TraceStep | undefined): string | undefined {
  const told = (step?.read ?? []).flatMap((fact) =>
    "value" in fact ? [`${fact.fact} is ${JSON.stringify(fact.value)}`] : [],
  );
  return told.length === 0 ? undefined : told.join(", ");
}

/** The policy with this route's demands replaced, and nobody else's in the way. */
export function variant(
  view: RouteView,
  file: string | undefined,
  authorize: AuthorizeEntry | "authenticated",
): PolicyDocument {
  const { document, key } = view;
  const routes = routesOf(document).map((route) => {
    if (route.open) return [route.key, route.settings];
    if (route.key === key) return [key, { ...route.settings, authorize, conceal: false, mode: "enforce" }];
    return [route.key, { ...route.settings, authorize: "authenticated" }];
  });
  const groups = Object.entries(document.groups ?? {}).map(([prefix, { require: _replaced, ...rest }]) => [
    prefix,
    rest,
  ]);
  const { authorize: _replaced, ...defaults } = document.defaults ?? {};
  const changed = {
    ...document,
    ...(document.groups === undefined ? {} : { groups: Object.fromEntries(groups) as object }),
    ...(document.defaults === undefined ? {} : { defaults }),
    routes: Object.fromEntries(routes) as object,
  };
  // Read again, so that files and secrets are still looked up beside the policy.
  return parsePolicy(JSON.stringify(changed), file);
}
