/** From what was granted to who calls: roles held against the document and closed over the hierarchy, once per credential. */
import type { Identity, Principal } from "../../model/principal.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import type { Accepted } from "./judgement.js";
import type { Grant } from "./principal-map.js";
import type { Texts } from "./texts.js";

export type IdentityMaker = (grant: Grant) => Accepted;

type RoleClosure = ReadonlyMap<string, ReadonlySet<string>>;

export function identityMaker(authenticator: ResolvedAuthenticator, declared: RoleClosure): IdentityMaker {
  const { name, carrier, settings } = authenticator;
  const hold = roleHolder(name, settings.confers, declared);
  const keyed = keyPrefix(name);
  return (grant) => {
    const roles = hold(grant.roles);
    const { scopes } = grant;
    const principal = principalOf(grant, roles.list, scopes.list, name);
    const identity: Identity = Object.freeze({
      principal,
      authenticator: name,
      roles: roles.set,
      scopes: scopes.set,
      ambient: carrier.ambient,
      key: keyed + grant.id,
    });
    return Object.freeze({ kind: "accepted", identity, reports: roles.reports });
  };
}

/** Member by member: what is spread or assigned at once costs several times as much, and is made for every token that is new. */
function principalOf(
  { attributes, id, claims }: Grant,
  roles: readonly string[],
  scopes: readonly string[],
  authenticator: string,
): Principal {
  const principal = {} as { -readonly [Name in keyof Principal]: Principal[Name] };
  // Whoever let the names in let no `__proto__` in, and what all objects were given is nobody's attribute. The fields that every
  // principal has win.
  for (const name of Object.keys(attributes)) principal[name] = attributes[name];
  principal.id = id;
  principal.roles = roles;
  principal.scopes = scopes;
  principal.claims = claims;
  principal.authenticator = authenticator;
  return Object.freeze(principal);
}

/** Roles that are declared and conferred, with all that they include. */
interface HeldRoles {
  readonly list: readonly string[];
  /** Nothing is ever added to it. */
  readonly set: ReadonlySet<string>;
  readonly reports: readonly string[];
}

/** Worked out once for each list of roles, and shared by all who have it. */
function roleHolder(
  name: string,
  confers: readonly string[] | undefined,
  declared: RoleClosure,
): (granted: Texts) => HeldRoles {
  const conferred = confers === undefined ? undefined : new Set(confers);
  const known = new WeakMap<Texts, HeldRoles>();
  const hold = (granted: Texts): HeldRoles => {
    const set = new Set<string>();
    let undeclared = 0;
    let unconferred = 0;
    for (const role of granted.all) {
      const closure = declared.get(role);
      if (closure === undefined) undeclared += 1;
      else if (conferred !== undefined && !conferred.has(role)) unconferred += 1;
      else for (const included of closure) set.add(included);
    }
    return Object.freeze({
      list: Object.freeze([...set]),
      set,
      reports: reportsOf(name, undeclared, unconferred),
    });
  };
  return (granted) => {
    const before = known.get(granted);
    if (before !== undefined) return before;
    const held = hold(granted);
    known.set(granted, held);
    return held;
  };
}

/** What stands before an id in a key. The length in front keeps (`a`, `b1`) and (`ab`, `1`) apart. */
function keyPrefix(authenticator: string): string {
  return `${authenticator.length}:${authenticator}`;
}

/** How many, not which: the names came with a credential. */
function reportsOf(name: string, undeclared: number, unconferred: number): readonly string[] {
  const reports: string[] = [];
  if (undeclared > 0) {
    reports.push(`dropped ${undeclared} of the roles from \`${name}\`: \`roles\` does not declare them`);
  }
  if (unconferred > 0) {
    reports.push(`dropped ${unconferred} of the roles from \`${name}\`: \`confers\` does not list them`);
  }
  return Object.freeze(reports);
}

/** The last of several that had to pass together is the principal; the others stand beside it. */
export function identityWith(identities: readonly Identity[], last: Identity): Identity {
  const beside: Record<string, Principal> = {};
  for (const other of identities) if (other !== last) beside[other.authenticator] = other.principal;
  const principal: Principal = Object.freeze({ ...last.principal, with: Object.freeze(beside) });
  // One of them is enough for a cross-site request to ride on, as far as anybody can tell from here.
  return Object.freeze({ ...last, principal, ambient: identities.some((identity) => identity.ambient) });
}
