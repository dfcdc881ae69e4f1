/** What the handler is told of a caller whom both sides know by the same credential: more roles and more fields are more. */
import type { ResolvedAuthenticate, ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { alike } from "./canonical.js";
import { LISTING, sourceOf, type Who } from "./facts.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";

/** Who is known to the one by another credential is told of under authentication. */
export function principalWithin(inner: Side, a: Who, outer: Side, b: Who): Proof {
  if (a.authenticator === undefined || b.authenticator === undefined || a.tag !== b.tag) return SHOWN;
  return all(
    rolesWithin(inner, a.authenticator, outer, b.authenticator),
    fieldsWithin(a.authenticator, b.authenticator),
    besideWithin(inner, a.authenticator, outer, b.authenticator),
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
function besideWithin(inner: Side, a: ResolvedAuthenticator, outer: Side, b: ResolvedAuthenticator): Proof {
  const others = besides(outer, b);
  return all(
    ...besides(inner, a).map((beside) => {
      const same = others.find((one) => beside.every(({ name }) => one.some((other) => other.name === name)));
      if (same === undefined) return notShown("the handler is told of another credential besides");
      return all(
        ...beside.map((one) => {
          const other = same.find(({ name }) => name === one.name) ?? one;
          return all(rolesWithin(inner, one, outer, other), fieldsWithin(one, other));
        }),
      );
    }),
  );
}

/** What may stand beside the credential that is the principal's. */
function besides({ route }: Side, principal: ResolvedAuthenticator): ResolvedAuthenticate["anyOf"] {
  const alternatives = route.authenticate.anyOf.filter((one) => one.at(-1)?.name === principal.name);
  return alternatives.map((one) => one.slice(0, -1)).filter((one) => one.length > 0);
}
