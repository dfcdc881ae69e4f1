/** Whom a route lets in, as far as roles, scopes and claims tell, and who only just falls short. */
import type { Arbitrary } from "fast-check";
import { parseDuration } from "../../lib/duration.js";
import { parsePointer } from "../../lib/pointer.js";
import type { AuthorizeEntry, PrincipalMap } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { textsOf } from "../claims.js";
import type { TestCredential, TestPerson } from "../policy-test.gen.js";
import type { FastCheck } from "./fast-check.js";
import { isRecord } from "./plain-schema.js";

export type Params = Readonly<Record<string, string>>;

/** Somebody who may depend on what is asked for: whose tenant is the one in the path. */
export interface Caller {
  /** Undefined: anonymous. */
  readonly as: (params: Params) => TestPerson | undefined;
  /** Nothing that this does not understand has a say in whether the route admits it. */
  readonly certain: boolean;
}

export interface CallerMiss {
  readonly fault: string;
  readonly caller: Arbitrary<Caller>;
}

type Clause = readonly AuthorizeEntry[];

/** One way through all clauses of a route. */
interface Way {
  readonly authenticators: readonly ResolvedAuthenticator[];
  readonly principal: ResolvedAuthenticator;
  readonly entries: readonly AuthorizeEntry[];
}

/** What a credential says beyond who it is. */
interface Rights {
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
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
    const people = alternatives.flatMap((authenticators) => {
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
    return route.authenticate.anyOf.flatMap((authenticators) => {
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
    const certain = isCertain(way, route, ties);
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

export function clausesOf(route: ResolvedRoute): readonly Clause[] {
  return [...route.require, route.authorize].flatMap(({ value }) =>
    typeof value === "string" ? [] : [value],
  );
}

function admitsAnonymous({ authenticate, authorize, require }: ResolvedRoute): boolean {
  if (authenticate.mode === "none") return true;
  return authenticate.mode === "optional" && authorize.value === "anyone" && require.length === 0;
}

const TIE = /^\s*(?:principal\.(\w+)\s*==\s*params\.(\w+)|params\.(\w+)\s*==\s*principal\.(\w+))\s*$/u;

/** `principal.tenant == params.tenant`: the only condition that is understood. */
function tiesOf(
  entries: readonly AuthorizeEntry[],
): readonly (readonly [attribute: string, param: string])[] {
  return entries.flatMap(({ when }) => {
    const found = when === undefined ? null : TIE.exec(when);
    if (found === null) return [];
    return [[found[1] ?? found[4] ?? "", found[2] ?? found[3] ?? ""] as const];
  });
}

function isCertain(
  { entries, principal }: Way,
  route: ResolvedRoute,
  ties: readonly (readonly string[])[],
): boolean {
  const conditions = entries.filter(({ when }) => when !== undefined).length;
  const forbids = clausesOf(route).some((clause) => clause.some(({ forbid }) => forbid !== undefined));
  const bringable = ties.every(
    ([attribute = ""]) =>
      attribute !== "id" &&
      (principal.settings.type === "api-key" || freeAttributes(principal).includes(attribute)),
  );
  return conditions === ties.length && bringable && !forbids;
}

function mapOf({ settings }: ResolvedAuthenticator): PrincipalMap {
  switch (settings.type) {
    case "jwt":
      return settings.principal === undefined
        ? { id: "sub", scopes: "scope" }
        : { id: "sub", ...settings.principal };
    case "custom":
      return settings.principal ?? {};
    case "api-key":
      return {};
  }
}

/** Whether a credential says it by itself: not where the policy has a constant, or where nothing maps it. */
function canBring(authenticator: ResolvedAuthenticator, field: "roles" | "scopes"): boolean {
  const source = mapOf(authenticator)[field];
  return source === undefined ? authenticator.settings.type !== "jwt" : typeof source === "string";
}

function constantOf(
  authenticator: ResolvedAuthenticator,
  field: "roles" | "scopes",
): readonly string[] | undefined {
  const source = mapOf(authenticator)[field];
  if (source === undefined || typeof source === "string") return undefined;
  return (textsOf(source.value) ?? []).filter((text) => typeof text === "string");
}

const REGISTERED: ReadonlySet<string> = new Set(["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "cnf"]);

/** Those whose claim nothing else has a part in. */
function freeAttributes(authenticator: ResolvedAuthenticator): readonly string[] {
  const sources = Object.entries(mapOf(authenticator));
  const first = (source: unknown): string => (typeof source === "string" ? (stepsOf(source)[0] ?? "") : "");
  return sources
    .filter(([field, source]) => {
      if (["id", "roles", "scopes"].includes(field) || typeof source !== "string") return false;
      const claim = first(source);
      const sharers = sources.filter(([, other]) => first(other) === claim);
      return sharers.length === 1 && !REGISTERED.has(claim);
    })
    .map(([field]) => field);
}

/** Fields of the principal that are read from one of these claims. */
function fieldsFrom(authenticator: ResolvedAuthenticator, claims: readonly string[]): readonly string[] {
  return Object.entries(mapOf(authenticator)).flatMap(([field, source]) =>
    typeof source === "string" && claims.includes(stepsOf(source)[0] ?? "") ? [field] : [],
  );
}

function stepsOf(path: string): readonly string[] {
  return path.startsWith("/") ? (parsePointer(path) ?? []) : path.split(".");
}

function claimsOf(entries: readonly AuthorizeEntry[]): Readonly<Record<string, unknown>> {
  const claims: Record<string, unknown> = {};
  for (const [path, value] of entries.flatMap(({ claims = {} }) => Object.entries(claims))) {
    const steps = stepsOf(path);
    let place = claims;
    for (const step of steps.slice(0, -1)) {
      const there = place[step];
      const inner: Record<string, unknown> = isRecord(there) ? { ...there } : {};
      place[step] = inner;
      place = inner;
    }
    place[steps.at(-1) ?? ""] = value;
  }
  return claims;
}

/** @param claims an API key has none: what it is known by are its attributes */
function personOf(
  authenticator: ResolvedAuthenticator,
  { roles, scopes }: Rights,
  attributes: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): TestPerson {
  const isKey = authenticator.settings.type === "api-key";
  const known = isKey ? { ...attributes, ...claims } : attributes;
  return {
    authenticator: authenticator.name,
    ...(roles.length === 0 ? {} : { roles }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(Object.keys(known).length === 0 ? {} : { attributes: known }),
    ...(isKey || Object.keys(claims).length === 0 ? {} : { claims }),
  };
}

/** The other credentials that have to stand beside it. */
function together({ authenticators, principal }: Way, person: TestPerson): TestPerson {
  if (authenticators.length < 2) return person;
  const { authenticator: _, ...credential } = person;
  return {
    credentials: Object.fromEntries(
      authenticators.map((one) => [one.name, one === principal ? credential : {}]),
    ),
  };
}

type Spoil = (credential: TestCredential) => TestCredential;

function changed(caller: Caller, { principal }: Way, spoil: Spoil): Caller {
  return {
    certain: caller.certain,
    as: (params) => {
      const person = caller.as(params);
      if (person?.credentials === undefined)
        return person === undefined ? undefined : { ...person, ...spoil(person) };
      const own = person.credentials[principal.name] ?? {};
      return { ...person, credentials: { ...person.credentials, [principal.name]: spoil(own) } };
    },
  };
}

/** Credentials that are no more, not yet, or never were good. */
function spoilings({ settings }: ResolvedAuthenticator): readonly (readonly [string, Spoil])[] {
  // The first instant at which it is good no more.
  const tolerance = settings.type === "jwt" ? (parseDuration(settings.clockTolerance ?? "0s") ?? 0) : 0;
  const expires = tolerance === 0 ? "0ms" : `-${tolerance}ms`;
  const spoilings: [string, Spoil][] = [
    ["expired", (credential) => ({ ...credential, expires })],
    ["forged", (credential) => ({ ...credential, forged: true })],
  ];
  if (settings.type !== "jwt") return spoilings;
  const claim =
    (name: string): Spoil =>
    (credential) => ({
      ...credential,
      claims: { ...credential.claims, [name]: "https://elsewhere.invalid/" },
    });
  if (settings.issuer !== "unchecked") spoilings.push(["other issuer", claim("iss")]);
  const { audience } = settings;
  if (typeof audience === "object" && "claim" in audience)
    spoilings.push(["other audience", claim(audience.claim)]);
  else if (audience !== "unchecked") spoilings.push(["other audience", claim("aud")]);
  return spoilings;
}
