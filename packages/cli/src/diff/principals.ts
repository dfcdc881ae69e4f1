/** What the handler is told of a caller whom both sides know by the same credential: more roles and more fields are more. */
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { alike } from "./canonical.js";
import { LISTING, sourceOf, type Who } from "./facts.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";

/** Who is known to the one by another credential is told of under authentication. */
export function principalWithin(inner: Side, a: Who, outer: Side, b: Who): Proof {
  if (a.authenticator === undefined || b.authenticator === undefined || a.tag !== b.tag) return SHOWN;
  return all(
    rolesWithin(inner, a.authenticator, outer, b.authenticator),
    fieldsWithin(a.authenticator, b.authenticator),
    besideWithin(inner, outer),
  );
}

function rolesWithin(inner: Side, a: ResolvedAuthenticator, outer: Side, b: ResolvedAuthenticator): Proof {
  const [x, y] = [sourceOf(a, "roles"), sourceOf(b, "roles")];
  if (x === undefined) return SHOWN;
  if (!alike(x, y)) return notShown("the handler is told of roles that come from elsewhere");
  const more = [...inner.analysed.policy.roles.keys()].find((role) => {
    const told = toldFor(role, outer, b);
    return toldFor(role, inner, a).some((one) => !told.includes(one));
  });
  return more === undefined ? SHOWN : notShown(`the handler is told of more roles for \`${more}\``);
}

/** Closed over the hierarchy, as the handler reads them. */
export function toldFor(role: string, { analysed }: Side, { settings }: ResolvedAuthenticator): string[] {
  const { confers } = settings;
  if (confers !== undefined && !confers.includes(role)) return [];
  return [...(analysed.policy.roles.get(role) ?? [])].sort();
}

function fieldsWithin(a: ResolvedAuthenticator, b: ResolvedAuthenticator): Proof {
  if (LISTING.has(a.settings.type) || LISTING.has(b.settings.type))
    return shownIf(
      alike(a.settings, b.settings),
      `what \`${a.name}\` tells of its callers differs, caller by caller`,
    );
  const more = fieldsOf(a).find((field) => !alike(sourceOf(a, field), sourceOf(b, field)));
  return more === undefined
    ? SHOWN
    : notShown(`the handler is told \`${more}\` of the principal, and the other is told none, or another`);
}

/** Fields that a map names, and those that are there without one. Attributes of an API key are the key's own. */
export function fieldsOf({ settings }: ResolvedAuthenticator): readonly string[] {
  const mapped = "principal" in settings ? Object.keys(settings.principal ?? {}) : [];
  return [...new Set(["id", "scopes", ...mapped])].filter((field) => field !== "roles");
}

/** Of several credentials at once the handler reads each principal: only the same ones are compared, and by their roles. */
function besideWithin(inner: Side, outer: Side): Proof {
  const names = inner.route.authenticate.anyOf.filter((together) => together.length > 1).flat();
  const others = outer.route.authenticate.anyOf.flat();
  return all(
    ...names.map((one) => {
      const other = others.find(({ name }) => name === one.name);
      return other === undefined ? SHOWN : rolesWithin(inner, one, outer, other);
    }),
  );
}
