/** Who is known, by which carrier, and what browsers may do: authentication, transport, cross-origin rules. */
import type {
  CorsSettings,
  JwtSettings,
  ResolvedAuthenticate,
  ResolvedAuthenticator,
} from "@gatehouse/core/analysis";
import { carrierOf } from "./authorization.js";
import { alike, othersAlike, subset } from "./canonical.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";
import { durationOf } from "./units.js";

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function sameTrust(a: Side, b: Side): boolean {
  return alike(trustOf(a), trustOf(b));
}

function trustOf({ analysed }: Side): unknown {
  return analysed.policy.document.transport?.trust;
}

export function transportWithin(inner: Side, outer: Side): Proof {
  const hosts = shownIf(
    hostsWithin(hostsOf(inner), hostsOf(outer)),
    "hosts are served that the other does not serve",
  );
  const scheme = shownIf(schemeRank(inner) <= schemeRank(outer), "plain HTTP is let further");
  const upgrade = shownIf(
    inner.route.upgrade === undefined || inner.route.upgrade === outer.route.upgrade,
    "requests to upgrade may pass",
  );
  const reads =
    schemeRank(inner) < 2 ||
    schemeRank(outer) < 2 ||
    hostsOf(inner) !== undefined ||
    hostsOf(outer) !== undefined;
  const trust = shownIf(
    sameTrust(inner, outer) || !reads,
    "whose word about address, scheme and host is believed differs",
  );
  return all(hosts, scheme, upgrade, trust);
}

function hostsOf({ analysed, route }: Side): readonly string[] | undefined {
  return route.transport === "any" ? undefined : analysed.policy.document.transport?.hosts;
}

function hostsWithin(inner: readonly string[] | undefined, outer: readonly string[] | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  const patterns = outer.map((host) => host.toLowerCase());
  return inner.every((host) => patterns.some((pattern) => covers(pattern, host.toLowerCase())));
}

/** `*.example.com` stands for exactly one more label. */
function covers(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  if (!pattern.includes("*.") || text.includes("*")) return false;
  const [before = "", after = ""] = pattern.split("*");
  if (!text.startsWith(before) || !text.endsWith(after)) return false;
  return /^[a-z0-9_-]+$/u.test(text.slice(before.length, text.length - after.length));
}

/** 0: refused; 1: redirected; 2: served. */
function schemeRank({ analysed, route, matched }: Side): number {
  const https = analysed.policy.document.transport?.https ?? "require";
  if (https === "off" || route.transport === "any") return 2;
  const redirects = https === "redirect" && matched && route.audience === "browser";
  return redirects && route.methods.some((method) => method === "GET" || method === "HEAD") ? 1 : 0;
}

export function authenticationWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.authenticate;
  const b = outer.route.authenticate;
  if (b.mode === "none") return SHOWN;
  if (a.mode === "none") return notShown("credentials are looked at that the other does not look at");
  return all(
    shownIf(a.mode === "required" || b.mode === "optional", "callers without credentials are let in"),
    carriersWithin(a, b),
    shownIf(
      sameTrust(inner, outer) || ![...a.anyOf, ...b.anyOf].flat().some(readsConnection),
      "whose word about certificates, scheme and host is believed differs",
    ),
    shownIf(
      revocationOf(outer) === undefined || alike(revocationOf(inner), revocationOf(outer)),
      "which credentials can be revoked differs",
    ),
    a.anyOf.every((one) => one.length === 1) && b.anyOf.every((one) => one.length === 1)
      ? all(...a.anyOf.flat().map((one) => acceptedBy(one, a, b, inner, outer)))
      : shownIf(
          alike(a.anyOf.map(settingsOf), b.anyOf.map(settingsOf)),
          "several credentials are asked for at once, and they differ",
        ),
  );
}

/** A certificate, a proof of possession or a signature is judged by what the connection is said to be. */
function readsConnection({ carrier, settings }: ResolvedAuthenticator): boolean {
  if (carrier.in === "tls" || settings.type === "http-signature" || settings.type === "signature")
    return true;
  return "senderConstrained" in settings && settings.senderConstrained !== undefined;
}

function revocationOf({ analysed }: Side): unknown {
  return analysed.policy.document.revocation;
}

function settingsOf(together: readonly ResolvedAuthenticator[]): unknown {
  return together.map(({ name, settings }) => [name, settings]);
}

/** A bad credential is refused beside a good one, so whoever reads more carriers refuses more. */
function carriersWithin(a: ResolvedAuthenticate, b: ResolvedAuthenticate): Proof {
  return shownIf(
    subset(b.anyOf.flat().map(carrierOf), a.anyOf.flat().map(carrierOf)),
    "a credential is looked at, and refused where it is bad, that the other does not look at",
  );
}

function acceptedBy(
  one: ResolvedAuthenticator,
  a: ResolvedAuthenticate,
  b: ResolvedAuthenticate,
  inner: Side,
  outer: Side,
): Proof {
  const carrier = carrierOf(one);
  const readers = b.anyOf.flat().filter((other) => carrierOf(other) === carrier);
  const rivals = a.anyOf.flat().filter((other) => carrierOf(other) === carrier);
  if (readers.length === 0) return notShown(`\`${one.name}\` is accepted`);
  const clear =
    [...readers, ...rivals].every(isJwtWithIssuer) && distinctIssuers(readers) && distinctIssuers(rivals);
  if ((readers.length > 1 || rivals.length > 1) && !clear)
    return notShown("several authenticators read one carrier, and which of them judges was not looked into");
  const proofs = readers.map((other) => credentialsWithin(one, other, inner, outer));
  return proofs.find(({ shown }) => shown) ?? proofs[0] ?? SHOWN;
}

function isJwtWithIssuer({ settings }: ResolvedAuthenticator): boolean {
  return settings.type === "jwt" && settings.issuer !== "unchecked";
}

function distinctIssuers(authenticators: readonly ResolvedAuthenticator[]): boolean {
  const issuers = authenticators.map(({ settings }) => (settings.type === "jwt" ? settings.issuer : ""));
  return new Set(issuers).size === issuers.length;
}

function credentialsWithin(
  a: ResolvedAuthenticator,
  b: ResolvedAuthenticator,
  inner: Side,
  outer: Side,
): Proof {
  const x = a.settings;
  const y = b.settings;
  const keys = shownIf(
    alike(keysOf(a), keysOf(b)),
    `the keys of \`${a.name}\` differ: which credentials are good is not in the policy`,
  );
  if (x.type === "jwt" && y.type === "jwt") return all(keys, tokensWithin(x, y, a.name));
  if (x.type !== y.type) return notShown(`\`${a.name}\` and \`${b.name}\` are of different types`);
  if (x.type === "api-key" && inner.route.key !== outer.route.key)
    return notShown("an API key may be for some routes alone, and the key of the route differs");
  // Of these nothing finer is shown than that they are written alike.
  if (x.type !== "custom" && x.type !== "api-key")
    return shownIf(alike(x, y), `the settings of \`${a.name}\` differ, of a type that is not looked into`);
  const others = shownIf(
    othersAlike(x, y, READ_OF_OTHERS),
    `the settings of \`${a.name}\` differ in what is not looked into`,
  );
  const code =
    x.type === "custom" && y.type === "custom"
      ? shownIf(x.use === y.use, "the code of a custom authenticator is another")
      : SHOWN;
  const maps =
    x.type === "custom" && y.type === "custom"
      ? shownIf(alike(x.principal, y.principal), `what \`${a.name}\` makes a principal of differs`)
      : SHOWN;
  return all(keys, code, maps, others);
}

/** Where a credential travels is its carrier; `confers` is of authorization; when a key was last seen is told to nobody who calls. */
const PLACE = ["type", "in", "name", "scheme", "keys", "principal", "confers"];
const READ_OF_OTHERS: ReadonlySet<string> = new Set([...PLACE, "use", "lastSeen"]);
const READ_OF_TOKENS: ReadonlySet<string> = new Set([
  ...PLACE,
  "issuer",
  "audience",
  "algorithms",
  "typ",
  "clockTolerance",
  "maxAge",
  "profile",
  "senderConstrained",
  "resourceMetadata",
]);

function keysOf({ settings }: ResolvedAuthenticator): unknown {
  return "keys" in settings ? settings.keys : undefined;
}

const TYPES = ["", "at+jwt", "application/at+jwt", "jwt"];

function tokensWithin(x: JwtSettings, y: JwtSettings, name: string): Proof {
  return all(
    shownIf(x.issuer === y.issuer || y.issuer === "unchecked", `\`${name}\`: the issuer differs`),
    shownIf(audienceWithin(x, y), `\`${name}\`: the audience differs`),
    shownIf(subset(x.algorithms, y.algorithms), `\`${name}\`: other algorithms`),
    shownIf(subset(typesOf(x), typesOf(y)), `\`${name}\`: other values of \`typ\``),
    shownIf(
      durationOf(x.clockTolerance ?? "0s") <= durationOf(y.clockTolerance ?? "0s"),
      `\`${name}\`: the clock tolerance is wider`,
    ),
    shownIf(
      y.maxAge === undefined || (x.maxAge !== undefined && durationOf(x.maxAge) <= durationOf(y.maxAge)),
      `\`${name}\`: older tokens are accepted`,
    ),
    shownIf(
      y.profile === undefined || x.profile === y.profile,
      `\`${name}\`: tokens that do not keep to a profile are accepted`,
    ),
    // Who asks for no proof takes no bound token, so neither of the two takes what the other does.
    shownIf(
      alike(x.senderConstrained, y.senderConstrained),
      `\`${name}\`: who holds a token must prove less, more, or otherwise, that it is its own`,
    ),
    shownIf(othersAlike(x, y, READ_OF_TOKENS), `\`${name}\`: other settings differ`),
    // A claim of the wrong form makes the credential a bad one.
    shownIf(
      alike(sourcesOf(x), sourcesOf(y)),
      `\`${name}\`: which claims become the principal differs, and a malformed one makes a token bad`,
    ),
  );
}

function sourcesOf({ principal }: JwtSettings): unknown {
  const { id = "sub", roles, scopes } = principal ?? { scopes: "scope" };
  return { id, roles, scopes };
}

function typesOf({ typ }: JwtSettings): readonly string[] {
  return typ === undefined ? TYPES : typ.map((one) => one.toLowerCase());
}

function audienceWithin(x: JwtSettings, y: JwtSettings): boolean {
  if (y.audience === "unchecked") return true;
  const a = audienceOf(x);
  const b = audienceOf(y);
  return x.audience !== "unchecked" && a.claim === b.claim && subset(a.values, b.values);
}

function audienceOf({ audience }: JwtSettings): {
  readonly claim: string;
  readonly values: readonly string[];
} {
  if (typeof audience === "string") return { claim: "aud", values: [audience] };
  if (isList(audience)) return { claim: "aud", values: audience };
  return { claim: `other ${audience.claim}`, values: audience.values };
}

function isList<T>(value: T | readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

export function csrfWithin(inner: Side, outer: Side): Proof {
  if (!acts(outer)) return SHOWN;
  if (!acts(inner))
    return notShown("requests of other sites are refused where the credential travels by itself");
  const a = csrfOf(inner);
  const b = csrfOf(outer);
  return all(
    shownIf(alike(ambientOf(inner), ambientOf(outer)), "another credential travels by itself"),
    shownIf(subset(a.origins, b.origins), "origins are trusted that the other does not trust"),
    shownIf(!b.always || a.always, "callers without a credential that travels by itself are not asked"),
    shownIf(
      !b.refusesOfOthers || a.refusesOfOthers,
      "callers without a credential that travels by itself pass when they say nothing of their origin",
    ),
    shownIf(subset(a.unknown, b.unknown), "requests that say nothing of their origin pass"),
    shownIf(
      a.tokens === undefined || alike(a.tokens, b.tokens),
      "tokens let requests pass that say nothing of their origin",
    ),
    shownIf(sameTrust(inner, outer), "whose word about scheme and host is believed differs"),
  );
}

function ambientOf({ route }: Side): unknown {
  return route.authenticate.anyOf.map((together) =>
    together.map((one) => [one.name, one.carrier.ambient, carrierOf(one)]),
  );
}

/** Whether requests of other sites are refused at all. */
export function acts({ route }: Side): boolean {
  const ambient = route.authenticate.anyOf.flat().some(({ carrier }) => carrier.ambient);
  const forgeable = route.upgrade !== undefined || route.methods.some((method) => !SAFE.has(method));
  const { value } = route.csrf ?? {};
  return forgeable && value !== "off" && (ambient || value?.always === true);
}

interface Csrf {
  readonly origins: readonly string[];
  /** Authenticators whose callers need not say where a request comes from. */
  readonly unknown: readonly string[];
  readonly always: boolean;
  readonly refusesOfOthers: boolean;
  readonly tokens: unknown;
}

function csrfOf({ route }: Side): Csrf {
  const settings = route.csrf === undefined || route.csrf.value === "off" ? {} : route.csrf.value;
  const cors = corsOf(route.cors?.value);
  // Wildcards are not taken over.
  const shared = cors?.credentials === true ? cors.origins.filter((one) => !one.includes("*")) : [];
  const always = settings.always === true;
  return {
    origins: [...(settings.origins ?? []), ...shared],
    unknown: unknownOf(route.authenticate.anyOf, settings.unknown),
    always,
    refusesOfOthers: always && settings.unknown === "refuse",
    tokens: settings.tokens,
  };
}

/** A browser that sends a cookie says where from; scripts that use certificates and passwords do not. Of several all must be allowed it. */
function unknownOf(
  anyOf: ResolvedAuthenticate["anyOf"],
  unknown: "refuse" | "allow" | undefined,
): readonly string[] {
  const allows = ({ carrier }: ResolvedAuthenticator): boolean =>
    !carrier.ambient || (unknown ?? (carrier.in === "cookie" ? "refuse" : "allow")) === "allow";
  const names = (those: ResolvedAuthenticate["anyOf"]): readonly string[] =>
    those.flatMap((together) => together.at(-1)?.name ?? []);
  const refused = names(anyOf.filter((together) => !together.every(allows)));
  return names(anyOf).filter((name) => !refused.includes(name));
}

function corsOf(cors: CorsSettings | "none" | undefined): CorsSettings | undefined {
  return cors === "none" ? undefined : cors;
}

export function corsWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.cors?.value;
  const b = outer.route.cors?.value;
  if (a === undefined) return shownIf(b === undefined, "what the handler says of other origins is let out");
  // What is granted to nobody is a part of whatever is granted.
  if (a === "none") return enforcedWithin(inner, outer);
  if (b === undefined) return notShown("what the handler grants is not in the policy");
  if (b === "none") return notShown("other origins may read answers");
  return all(
    shownIf(originsWithin(a.origins, b.origins), "origins may read answers that the other does not list"),
    shownIf(a.credentials !== true || b.credentials === true, "answers to requests with cookies may be read"),
    shownIf(subset(requestHeadersOf(inner, a), requestHeadersOf(outer, b)), "pages may send more headers"),
    shownIf(subset(lower(a.expose), lower(b.expose)), "pages may read more headers"),
    shownIf(secondsOf(a.maxAge) <= secondsOf(b.maxAge), "browsers may remember preflights for longer"),
    enforcedWithin(inner, outer),
  );
}

/** A preflight says 5 s where it says nothing. */
function secondsOf(maxAge: string | undefined): number {
  return maxAge === undefined ? 5 : Math.floor(durationOf(maxAge) / 1000);
}

function enforcedWithin(inner: Side, outer: Side): Proof {
  const a = corsOf(inner.route.cors?.value);
  const b = corsOf(outer.route.cors?.value);
  if (b?.enforce !== true) return SHOWN;
  const listed = a?.enforce === true && originsWithin(a.origins, b.origins) && sameTrust(inner, outer);
  return shownIf(listed, "requests of origins that are not listed are let through");
}

function originsWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.every((one) => outer.some((other) => (other === "*" && one !== "null") || covers(other, one)));
}

function requestHeadersOf({ route }: Side, { requestHeaders }: CorsSettings): readonly string[] {
  if (requestHeaders !== undefined) return lower(requestHeaders);
  const read = route.authenticate.anyOf
    .flat()
    .flatMap(({ carrier }) => (carrier.in === "header" ? [carrier.name] : []));
  return ["content-type", "authorization", ...read];
}

function lower(names: readonly string[] | undefined): readonly string[] {
  return (names ?? []).map((name) => name.toLowerCase());
}
