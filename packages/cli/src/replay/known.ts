/** What is known of a recorded request under the candidate: only facts that mean there what they meant where they were recorded. */
import type { KnownFacts, KnownPrincipal, ResolvedPolicy } from "@gatehouse/core/analysis";
import { alike } from "../diff/canonical.js";
import { segmentsOf } from "./destinations.js";
import { isHash, type RecordedCaller, type RecordedDecision } from "./line.js";
import type { Pairing } from "./pairing.js";

/** Null: anonymous. Undefined: nobody knows. */
export type Caller =
  | (KnownPrincipal & {
      /** Roles that the caller may have under the candidate; `roles` are those that are certain and all. */
      readonly certain: ReadonlySet<string>;
      readonly possible: ReadonlySet<string>;
    })
  | null
  | undefined;

/** The same credential, read by the same rules: the caller is who was recorded. */
export function sameCaller(pairing: Pairing, caller: RecordedCaller): Caller {
  const named = (side: "old" | "fresh"): unknown =>
    pairing[side].route.authenticate.anyOf.flat().find(({ name }) => name === caller.authenticator)?.settings;
  const same = pairing.keep(`caller ${caller.authenticator}`, () => ({
    holds: named("fresh") !== undefined && alike(named("old"), named("fresh")),
  }));
  if (!same.holds || caller.roles === undefined) return undefined;
  const { certain, possible } = rolesUnder(pairing, caller.roles);
  return {
    authenticator: caller.authenticator,
    id: isHash(caller.id) ? undefined : caller.id,
    roles: certain.size === possible.size ? [...certain] : undefined,
    scopes: caller.scopes,
    certain,
    possible,
  };
}

/**
 * Which roles were granted is not recorded, only what they came to. What no other role of the caller includes was granted for
 * certain; what one includes may have been granted besides.
 */
function rolesUnder(
  { old, fresh }: Pairing,
  held: readonly string[],
): { readonly certain: ReadonlySet<string>; readonly possible: ReadonlySet<string> } {
  const granted = held.filter(
    (role) =>
      !held.some((other) => other !== role && old.analysed.policy.roles.get(other)?.has(role) === true),
  );
  return { certain: closed(fresh.analysed.policy, granted), possible: closed(fresh.analysed.policy, held) };
}

/** A role that the candidate does not declare is none. */
function closed({ roles }: ResolvedPolicy, held: readonly string[]): ReadonlySet<string> {
  return new Set(held.flatMap((role) => [...(roles.get(role) ?? [])]));
}

export function knownFacts(pairing: Pairing, decision: RecordedDecision, caller: Caller): KnownFacts {
  const facts = new Map<string, unknown>();
  const absent = new Set<string>();
  for (const [fact, value] of decision.facts) {
    const name = nameUnder(pairing, fact, caller);
    if (name !== undefined) facts.set(name, value);
  }
  for (const fact of decision.absent) {
    const name = nameUnder(pairing, fact, caller);
    if (name !== undefined) absent.add(name);
  }
  for (const [name, text] of pathFacts(pairing, decision)) facts.set(name, text);
  return { method: decision.method, time: decision.time, principal: caller, facts, absent };
}

/** What the candidate calls the fact; undefined: it means something else there. */
function nameUnder({ apart, old, fresh }: Pairing, fact: string, caller: Caller): string | undefined {
  const [root = "", name = ""] = fact.split(".");
  const rest = fact.slice(root.length + 1);
  switch (root) {
    case "client":
    case "request":
      return apart.has("client") ? undefined : fact;
    case "principal":
      return caller === undefined ? undefined : fact;
    case "body":
      return apart.has("body") ? undefined : fact;
    case "params": {
      // By its place, since a name decides nothing.
      const at = old.route.pattern.findIndex((part) => part.kind === "param" && part.name === name);
      const there = fresh.route.pattern[at];
      return at < 0 || there?.kind !== "param" || apart.has(`params ${at}`)
        ? undefined
        : `params.${there.name}`;
    }
    default:
      return apart.has(`${root} ${rest}`) ? undefined : fact;
  }
}

/** Parameters that the path itself tells, where it was recorded or is static text under the policy that served. */
function pathFacts(
  { old, fresh }: Pairing,
  { path }: RecordedDecision,
): readonly (readonly [string, string])[] {
  const segments = path === undefined ? undefined : segmentsOf(path);
  return fresh.route.pattern.flatMap((part, at) => {
    if (part.kind !== "param" || fresh.route.request.params?.value[part.name] !== undefined) return [];
    const before = old.route.pattern[at];
    const text = segments?.[at] ?? (before?.kind === "static" ? before.text : undefined);
    return text === undefined ? [] : [[`params.${part.name}`, text] as const];
  });
}
