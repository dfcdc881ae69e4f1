/** Whom a route lets in, as far as roles, scopes and claims tell, and who only just falls short. */
import type { Arbitrary } from "fast-check";
import type { AuthorizeEntry } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { canBring, constantOf, fieldsFrom, freeAttributes } from "./bringable.js";
import type { FastCheck } from "./fast-check.js";
import { changed, claimsOf, personOf, spoilings, together, type Spoil } from "./persons.js";
import { admitsAnonymous, clausesOf, isCertain, tiesOf, type Caller, type Rights, type Way } from "./ways.js";

export interface CallerMiss {
  readonly fault: string;
  readonly caller: Arbitrary<Caller>;
}

/** More ways than these show nothing new. */
const MOST_WAYS = 64;

export class Callers {
  constructor(
    private readonly fc: FastCheck,
    private readonly policy: ResolvedPolicy,
  ) {}

  /** Undefined: no way in is known. */
  allowed(route: ResolvedRoute): Arbitrary<Caller> | undefined {
    const callers = this.ways(route).flatMap((way) => this.through(way, route) ?? []);
    // On an open route nothing is left to authorize by but conditions.
    if (admitsAnonymous(route))
      callers.push(this.fc.constant({ ...NOBODY, certain: clausesOf(route).length === 0 }));
    return callers.length === 0 ? undefined : this.fc.oneof(...callers);
  }

  near(route: ResolvedRoute): readonly CallerMiss[] {
    const { mode } = route.authenticate;
    if (mode === "none") return [];
    const misses: CallerMiss[] =
      mode === "required" ? [{ fault: "no credential", caller: this.fc.constant(NOBODY) }] : [];
    for (const way of this.ways(route)) {
      const caller = this.through(way, route);
      if (caller === undefined) continue;
      for (const [fault, spoil] of spoilings(way.principal))
        misses.push({ fault, caller: caller.map((one) => changed(one, way, spoil)) });
      misses.push(...this.short(way, route, caller));
    }
    return misses;
  }

  /**
   * Anybody with credentials that a route looks at (any of the policy's, where it looks at none), whatever rights they bring.
   * @param rights undefined: no such credential is to be had from that authenticator
   */
  anybody(
    route: ResolvedRoute,
    rights: (authenticator: ResolvedAuthenticator) => Arbitrary<Rights> | undefined,
  ): Arbitrary<Caller> | undefined {
    const { anyOf, mode } = route.authenticate;
    const alternatives =
      mode === "none" ? [...this.policy.authenticators.values()].map((one) => [one]) : anyOf;
    const people = alternatives.filter(canBeMade).flatMap((authenticators) => {
      const principal = authenticators.at(-1);
      const granted = principal && rights(principal);
      if (principal === undefined || granted === undefined) return [];
      const way: Way = { authenticators, principal, entries: [] };
      return this.fc.tuple(granted, this.attributes(principal)).map(([rights, attributes]): Caller => {
        const person = together(way, personOf(principal, rights, attributes, {}));
        return { as: () => person, certain: false };
      });
    });
    return people.length === 0 ? undefined : this.fc.oneof(...people);
  }

  /** Any of the roles and scopes that a policy speaks of, in a credential that can bring them. */
  rights(
    authenticator: ResolvedAuthenticator,
    admits: { readonly role?: (role: string) => boolean; readonly scope?: (scope: string) => boolean } = {},
  ): Arbitrary<Rights> | undefined {
    const { fc } = this;
    const { role = () => true, scope = () => true } = admits;
    // What the policy itself gives to everybody with such a credential nobody can be without.
    if (constantOf(authenticator, "roles")?.every(role) === false) return undefined;
    if (constantOf(authenticator, "scopes")?.every(scope) === false) return undefined;
    const roles = this.conferrable(authenticator).filter(role);
    const scopes = canBring(authenticator, "scopes") ? this.scopes().filter(scope) : [];
    const few = fc.record({ roles: fc.subarray([...roles]), scopes: fc.subarray([...scopes]) });
    // Whoever has everything gets furthest.
    return fc.oneof(few, fc.constant({ roles, scopes }));
  }

  /** This role alone, with any scopes; undefined where a credential cannot bring it, or brings others by itself. */
  role(authenticator: ResolvedAuthenticator, role: string): Arbitrary<Rights> | undefined {
    const constant = constantOf(authenticator, "roles");
    const own = constant?.every((one) => one === role) === true && constant.length > 0;
    if (!own && !this.conferrable(authenticator).includes(role)) return undefined;
    const roles = own ? [] : [role];
    return this.rights(authenticator, { role: (one) => one === role })?.map(({ scopes }) => ({
      roles,
      scopes,
    }));
  }

  /** Whether who has `role` has `wanted` too. */
  includes(role: string, wanted: string): boolean {
    return this.policy.roles.get(role)?.has(wanted) === true;
  }

  conferrable(authenticator: ResolvedAuthenticator): readonly string[] {
    if (!canBring(authenticator, "roles")) return [];
    const { confers } = authenticator.settings;
    return [...this.policy.roles.keys()].filter((role) => confers === undefined || confers.includes(role));
  }

  private scopes(): readonly string[] {
    const clauses = this.policy.routes.flatMap((route) => clausesOf(route)).flat();
    return [...new Set(clauses.flatMap(({ scopes = [] }) => scopes))];
  }

  private ways(route: ResolvedRoute): readonly Way[] {
    if (route.authenticate.mode === "none") return [];
    let combinations: readonly (readonly AuthorizeEntry[])[] = [[]];
    for (const clause of clausesOf(route))
      combinations = combinations
        .flatMap((way) => clause.map((entry) => [...way, entry]))
        .slice(0, MOST_WAYS);
    return route.authenticate.anyOf.filter(canBeMade).flatMap((authenticators) => {
      const principal = authenticators.at(-1);
      if (principal === undefined) return [];
      return combinations.map((entries) => ({ authenticators, principal, entries }));
    });
  }

  /** Undefined: no credential of that authenticator brings what the way asks for. */
  private through(way: Way, route: ResolvedRoute): Arbitrary<Caller> | undefined {
    const { fc } = this;
    const { principal, entries } = way;
    const fixed = constantOf(principal, "roles");
    const wanted = entries.flatMap(({ roles }) => (roles === undefined ? [] : [roles]));
    const choices: (readonly string[])[] = [];
    for (const roles of wanted) {
      const fits = (role: string): boolean => roles.some((one) => this.includes(role, one));
      if (fixed?.some(fits) === true) continue;
      const choice = this.conferrable(principal).filter(fits);
      if (choice.length === 0) return undefined;
      choices.push(choice);
    }
    const scopes = [...new Set(entries.flatMap(({ scopes = [] }) => scopes))];
    if (scopes.length > 0 && !canBring(principal, "scopes")) {
      const constant = constantOf(principal, "scopes") ?? [];
      if (!scopes.every((scope) => constant.includes(scope))) return undefined;
    }
    const claims = claimsOf(entries);
    const own = canBring(principal, "scopes") ? scopes : [];
    const ties = tiesOf(entries);
    const taken = Object.keys(claims);
    // One claim cannot be what two rules ask of it: whoever gets in this way is not to be made up here.
    if (fieldsFrom(principal, taken).some((field) => !freeAttributes(principal).includes(field)))
      return undefined;
    if (ties.some(([attribute]) => fieldsFrom(principal, taken).includes(attribute))) return undefined;
    // The same signed message is refused the second time.
    const certain = isCertain(way, route, ties) && !way.authenticators.some(({ late }) => late);
    const roles = fc.tuple(...choices.map((choice) => fc.constantFrom(...choice)));
    return fc.tuple(roles, this.attributes(principal, taken)).map(([roles, attributes]) => ({
      certain,
      as: (params) => {
        const tied = Object.fromEntries(ties.map(([attribute, param]) => [attribute, params[param] ?? ""]));
        const rights = { roles: [...new Set(roles)], scopes: own };
        return together(way, personOf(principal, rights, { ...attributes, ...tied }, claims));
      },
    }));
  }

  /** The same caller short of one role or scope, or of another tenant, where no other entry would let it in. */
  private short(way: Way, route: ResolvedRoute, caller: Arbitrary<Caller>): readonly CallerMiss[] {
    const misses: CallerMiss[] = [];
    const { principal } = way;
    const scopes = [...new Set(way.entries.flatMap(({ scopes = [] }) => scopes))];
    const asked = clausesOf(route)
      .flat()
      .flatMap(({ roles = [] }) => roles);
    const others = this.conferrable(principal).filter(
      (role) => !asked.some((wanted) => this.includes(role, wanted)),
    );
    const all = this.everyRole(principal);
    if (way.entries.some(({ roles }) => roles !== undefined) && !this.couldPass(route, others, scopes)) {
      const spoil: Spoil = (credential) => ({ ...credential, roles: others });
      if (constantOf(principal, "roles") === undefined)
        misses.push({ fault: "other roles", caller: caller.map((one) => changed(one, way, spoil)) });
    }
    for (const scope of canBring(principal, "scopes") ? scopes : []) {
      if (
        this.couldPass(
          route,
          all,
          scopes.filter((one) => one !== scope),
        )
      )
        continue;
      const spoil: Spoil = (credential) => ({
        ...credential,
        scopes: (credential.scopes ?? []).filter((one) => one !== scope),
      });
      misses.push({ fault: `without scope ${scope}`, caller: caller.map((one) => changed(one, way, spoil)) });
    }
    return misses;
  }

  private everyRole(authenticator: ResolvedAuthenticator): readonly string[] {
    return [...this.conferrable(authenticator), ...(constantOf(authenticator, "roles") ?? [])];
  }

  /** What conditions, claims and checks say is taken for granted. */
  private couldPass(route: ResolvedRoute, roles: readonly string[], scopes: readonly string[]): boolean {
    return clausesOf(route).every((clause) =>
      clause.some((entry) => {
        const held = entry.roles?.some((wanted) => roles.some((role) => this.includes(role, wanted))) ?? true;
        return held && (entry.scopes ?? []).every((scope) => scopes.includes(scope));
      }),
    );
  }

  /** Fields besides id and rights that a credential can bring, with values that are often the same as those in a path. */
  private attributes(
    authenticator: ResolvedAuthenticator,
    taken: readonly string[] = [],
  ): Arbitrary<Readonly<Record<string, unknown>>> {
    const theirs = fieldsFrom(authenticator, taken);
    const names = freeAttributes(authenticator).filter((name) => !theirs.includes(name));
    const value = this.fc.constantFrom(...COMMON_TEXTS);
    return this.fc.record(Object.fromEntries(names.map((name) => [name, value])), { noNullPrototype: true });
  }
}

/** Texts that come up as a tenant and as a segment alike, so that the two are often equal. */
export const COMMON_TEXTS = ["acme", "globex"] as const;

const NOBODY: Caller = { as: () => undefined, certain: true };

/**
 * Who signs messages or shows certificates, and what they may, the policy says one by one. Passwords take too long to check for hundreds
 * of people.
 */
function canBeMade(authenticators: readonly ResolvedAuthenticator[]): boolean {
  return authenticators.every(
    ({ settings: { type } }) => !["basic", "mtls", "http-signature"].includes(type),
  );
}
