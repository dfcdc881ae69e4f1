/** Fields of every answer, and the form of refusals. */
import { HEADER_PRESETS } from "@gatehouse/core/analysis";
import { carrierOf } from "./authorization.js";
import { alike } from "./canonical.js";
import { limitsOf } from "./limits.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";

/**
 * A field that the policy writes is a restraint; one that it takes out is one fewer; one that is left to the handler is none. Two
 * values are in no order.
 */
export function headersWithin(inner: Side, outer: Side): Proof {
  const a = fieldsOf(inner);
  const b = fieldsOf(outer);
  return all(
    ...[...new Set([...a.keys(), ...b.keys()])].map((name) =>
      fieldWithin(name, a.get(name) ?? "keep", b.get(name) ?? "keep"),
    ),
    shownIf(
      hstsOf(outer) === undefined || alike(hstsOf(inner), hstsOf(outer)),
      "`Strict-Transport-Security` differs",
    ),
    shownIf(
      alike(inner.route.deprecated?.value, outer.route.deprecated?.value),
      "what is said of the route's end differs",
    ),
    shownIf(
      alike(revealedBy(inner), revealedBy(outer)),
      "limits are told of that the other does not tell of",
    ),
  );
}

function fieldWithin(name: string, a: string, b: string): Proof {
  if (a === b || b === "keep") return SHOWN;
  if (a === "keep") return notShown(`\`${name}\` is left to the handler`);
  if (b === "remove") return SHOWN;
  return notShown(a === "remove" ? `\`${name}\` is taken out` : `\`${name}\` has another value`);
}

/** By lower-case name: a value, `keep` or `remove`. */
export function fieldsOf({ route }: Side): ReadonlyMap<string, string> {
  const fields = new Map(HEADER_PRESETS[route.headers.preset]);
  // Answers of routes that ask who calls, and all refusals, are kept out of caches.
  if (route.authenticate.mode !== "none") fields.set("cache-control", "no-store");
  for (const [name, { value }] of route.headers.fields) fields.set(name, value);
  return fields;
}

function hstsOf({ analysed }: Side): unknown {
  const { https, hsts } = analysed.policy.document.transport ?? {};
  // Who serves plain HTTP behind a proxy may ask for it by writing it.
  if (hsts === false || (hsts === undefined && https === "off")) return undefined;
  const { maxAge = "365d", includeSubDomains = true, preload = false } = hsts ?? {};
  return { maxAge, includeSubDomains, preload };
}

function revealedBy(side: Side): unknown {
  return limitsOf(side)
    .map(({ name, settings }) => [name, settings.reveal])
    .filter(([, reveal]) => reveal !== undefined);
}

export function errorsWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.errors;
  const b = outer.route.errors;
  return all(
    shownIf(a.expose === "none" || b.expose === "code", "refusals say which rule refused"),
    shownIf(!outer.route.conceal || inner.route.conceal, "that something exists is not concealed"),
    shownIf(alike(a.typeBase, b.typeBase) || a.expose === "none", "the types of problems differ"),
    shownIf(
      a.correlation === undefined || alike(a.correlation, b.correlation),
      "the correlation id has another name, or none",
    ),
    shownIf(alike(a.bodies?.value, b.bodies?.value), "the bodies of refusals differ"),
    shownIf(
      alike(metadataOf(inner), metadataOf(outer)) && challengesAlike(inner, outer),
      "what a challenge says differs",
    ),
  );
}

/** Who is asked for other credentials, or for none, is told of under authentication. */
export function challengesAlike(a: Side, b: Side): boolean {
  const [x, y] = [carriersOf(a), carriersOf(b)];
  if (!alike([...x].sort(), [...y].sort()) || x.length === 0) return true;
  return alike(x, y) && a.analysed.policy.document.name === b.analysed.policy.document.name;
}

function carriersOf({ route }: Side): readonly string[] {
  return [...new Set(route.authenticate.anyOf.flat().map(carrierOf))];
}

function metadataOf({ route }: Side): unknown {
  return route.authenticate.anyOf
    .flat()
    .flatMap(({ name, settings }) =>
      settings.type === "jwt" && settings.resourceMetadata !== undefined
        ? [[name, settings.resourceMetadata]]
        : [],
    );
}
