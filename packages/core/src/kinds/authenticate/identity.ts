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
    const roles = new Set<string>();
    const dropped = { undeclared: 0, unconferred: 0 };
    for (const role of new Set(grant.roles)) {
      const closure = declared.get(role);
      if (closure === undefined) dropped.undeclared += 1;
      else if (confers !== undefined && !confers.has(role)) dropped.unconferred += 1;
      else for (const included of closure) roles.add(included);
    }
    const scopes = new Set(grant.scopes);
    const principal: Principal = Object.freeze({
      ...grant.attributes,
      id: grant.id,
      roles: Object.freeze([...roles]),
      scopes: Object.freeze([...scopes]),
      claims: grant.claims,
      authenticator: name,
    });
    const identity = {
      principal,
      authenticator: name,
      roles,
      scopes,
      ambient: carrier.ambient,
      key: keyOf(name, grant.id),
    };
    return Object.freeze({
      kind: "accepted",
      identity: Object.freeze(identity),
      reports: reportsOf(name, dropped),
    });
  };
}

/** The length in front keeps (`a`, `b1`) and (`ab`, `1`) apart. */
function keyOf(authenticator: string, id: string): string {
  return `${authenticator.length}:${authenticator}${id}`;
}

/** How many, not which: the names came with a credential. */
function reportsOf(
  name: string,
  dropped: { readonly undeclared: number; readonly unconferred: number },
): readonly string[] {
  const reports: string[] = [];
  if (dropped.undeclared > 0) {
    reports.push(
      `dropped ${dropped.undeclared} of the roles from \`${name}\`: \`roles\` does not declare them`,
    );
  }
  if (dropped.unconferred > 0) {
    reports.push(
      `dropped ${dropped.unconferred} of the roles from \`${name}\`: \`confers\` does not list them`,
    );
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
