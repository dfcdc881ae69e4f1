/** From what was granted to who calls: roles held against the document and closed over the hierarchy, once per credential. */
import type { Identity, Principal } from "../../model/principal.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import type { Accepted } from "./judgement.js";
import type { Grant } from "./principal-map.js";

export type IdentityMaker = (grant: Grant) => Accepted;

type RoleClosure = ReadonlyMap<string, ReadonlySet<string>>;

export function identityMaker(authenticator: ResolvedAuthenticator, declared: RoleClosure): IdentityMaker {
  const { name, carrier, settings } = authenticator;
  const confers = settings.confers === undefined ? undefined : new Set(settings.confers);
  return (grant) => {
    const roles = grant.roles.length === 0 ? NO_TEXTS : new Set<string>();
    let undeclared = 0;
    let unconferred = 0;
    for (const role of grant.roles) {
      const closure = declared.get(role);
      if (closure === undefined) undeclared += 1;
      else if (confers !== undefined && !confers.has(role)) unconferred += 1;
      else for (const included of closure) roles.add(included);
    }
    const scopes = grant.scopes.length === 0 ? NO_TEXTS : new Set(grant.scopes);
    const principal: Principal = Object.freeze({
      ...grant.attributes,
      id: grant.id,
      roles: listOf(roles),
      scopes: listOf(scopes),
      claims: grant.claims,
      authenticator: name,
    });
    const key = keyOf(name, grant.id);
    const identity = { principal, authenticator: name, roles, scopes, ambient: carrier.ambient, key };
    const reports = undeclared + unconferred === 0 ? NONE : reportsOf(name, undeclared, unconferred);
    return Object.freeze({ kind: "accepted", identity: Object.freeze(identity), reports });
  };
}

/** Shared by the many callers who have none: thousands of identities are remembered. Nothing is ever added to it. */
const NO_TEXTS = new Set<string>();
const NONE: readonly never[] = Object.freeze([]);

function listOf(texts: ReadonlySet<string>): readonly string[] {
  return texts.size === 0 ? NONE : Object.freeze([...texts]);
}

/** The length in front keeps (`a`, `b1`) and (`ab`, `1`) apart. */
function keyOf(authenticator: string, id: string): string {
  return `${authenticator.length}:${authenticator}${id}`;
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
