/** For each aspect: whether whatever one side lets pass, the other does too. */
import { authenticationWithin, corsWithin, csrfWithin, sameTrust, transportWithin } from "./access.js";
import { errorsWithin, headersWithin } from "./answers.js";
import { authorizationWithin, carrierOf, type Model } from "./authorization.js";
import { alike } from "./canonical.js";
import type { Apart } from "./facts.js";
import { problemsAlike, requestWithin } from "./input.js";
import { limitsWithin } from "./limits.js";
import { all, notShown, SHOWN, shownIf, type Aspect, type Pair, type Proof, type Side } from "./model.js";
import { responseWithin } from "./output.js";
import { sameShape } from "./pairs.js";
import { refusedAlike } from "./refusals.js";

export interface Judged {
  readonly proof: Proof;
  /** Cases to be put to the engine, for authorization. */
  readonly models: readonly Model[];
}

/** @param complete whether all ways to routes were walked */
export function judge(aspect: Aspect, inner: Side, outer: Side, pair: Pair, complete: boolean): Judged {
  if (aspect === "authorization") {
    const { proof, models } = authorizationWithin(inner, outer, apartOf(pair));
    return { proof, models };
  }
  return { proof: proofOf(aspect, inner, outer, pair, complete), models: [] };
}

function proofOf(
  aspect: Exclude<Aspect, "authorization">,
  inner: Side,
  outer: Side,
  pair: Pair,
  complete: boolean,
): Proof {
  switch (aspect) {
    case "routing":
      return routingWithin(inner, outer, pair, complete);
    case "mode":
      return shownIf(
        inner.route.mode === "enforce" || outer.route.mode === "observe",
        "the route only observes",
      );
    case "transport":
      return transportWithin(inner, outer);
    case "cors":
      return unlessObserved(inner, outer, corsWithin);
    case "authentication":
      return authenticationWithin(inner, outer);
    case "csrf":
      return csrfWithin(inner, outer);
    case "limits":
      return limitsWithin(inner, outer, principalsAlike(inner, outer), rolesAlike(inner, outer));
    case "request":
      return requestWithin(inner, outer);
    case "response":
      return unlessObserved(inner, outer, (a, b) => responseWithin(a, b, apartOf(pair)));
    case "headers":
      return unlessObserved(inner, outer, headersWithin);
    case "record":
      // More on the record lets nobody further, and a record that must be kept refuses only where it is not.
      return shownIf(
        alike(inner.route.record?.value, outer.route.record?.value),
        "what is on the record of a decision differs, or what happens where it cannot be kept",
      );
    case "errors":
      return unlessObserved(inner, outer, (a, b) => all(errorsWithin(a, b), refusalsWithin(a, b, pair)));
  }
}

/** An observed route changes nothing of an answer: what its rules would do cannot be seen. */
function unlessObserved(inner: Side, outer: Side, rule: (inner: Side, outer: Side) => Proof): Proof {
  const forth = rule(inner, outer);
  if (inner.route.mode === "enforce" && outer.route.mode === "enforce") return forth;
  return all(
    shownIf(
      forth.shown && rule(outer, inner).shown,
      "the route only observes, so that the difference cannot be seen",
    ),
  );
}

/** Where the same requests are refused, whether they are refused in the same words. Where others are, that is told of its own aspect. */
function refusalsWithin(inner: Side, outer: Side, pair: Pair): Proof {
  const apart = apartOf(pair);
  const same = (rule: (a: Side, b: Side) => Proof): boolean =>
    rule(inner, outer).shown && rule(outer, inner).shown;
  const callers = refusedAlike(inner, outer, apart);
  const requests = problemsAlike(inner, outer);
  return all(
    shownIf(
      callers.shown || !same((a, b) => authorizationWithin(a, b, apart).proof),
      "the same callers are refused, but some at another stage, by another code or with another challenge",
    ),
    shownIf(
      requests.shown || !same(requestWithin),
      "the same requests are refused, but by rules that are written otherwise, so that other problems may be told",
    ),
  );
}

function routingWithin(inner: Side, outer: Side, pair: Pair, complete: boolean): Proof {
  if (!complete) return notShown("there are more paths than are walked");
  if (!inner.matched && !outer.matched)
    return all(
      shownIf(
        pair.told[inner.name].length === 0,
        "405 tells of methods at a path, of which the other does not",
      ),
      shownIf(
        alike(metadataOf(inner), metadataOf(outer)),
        "what the policy itself answers about who issues tokens differs",
      ),
    );
  if (!inner.matched) return SHOWN;
  if (!outer.matched) return notShown("requests are served that the other leaves without a route");
  return shownIf(
    sameShape(inner.route.pattern, outer.route.pattern),
    "requests lead to another route, with another handler",
  );
}

function metadataOf({ analysed: { policy } }: Side): unknown {
  const { protectedResource } = policy.document;
  if (protectedResource === undefined) return undefined;
  const issuers = [...policy.authenticators.values()].flatMap(({ settings }) =>
    "issuer" in settings ? [settings.issuer] : [],
  );
  return [protectedResource, protectedResource.authorizationServers ?? issuers];
}

function rolesAlike(a: Side, b: Side): boolean {
  return alike(a.analysed.policy.document.roles ?? {}, b.analysed.policy.document.roles ?? {});
}

/** Whoever both sides know is the same principal to both. */
function principalsAlike(a: Side, b: Side): boolean {
  const before = principalsOf(a);
  const after = principalsOf(b);
  const common = [...before].filter(([name]) => after.has(name));
  if (!common.every(([name, principal]) => alike(principal, after.get(name)))) return false;
  // Of two credentials in one request each side may look at another one, or one of them at none.
  const onlyOne = before.size > common.length && after.size > common.length;
  const strangers =
    [a, b].some(({ route }) => route.authenticate.mode !== "required") && before.size !== after.size;
  return !onlyOne && !strangers;
}

function principalsOf({ route }: Side): ReadonlyMap<string, unknown> {
  const alternatives = route.authenticate.anyOf.map((together): [string, unknown] => [
    together.map(({ name }) => name).join(" and "),
    together.map((one) => [
      carrierOf(one),
      "principal" in one.settings ? one.settings.principal : undefined,
      "confers" in one.settings ? one.settings.confers : undefined,
    ]),
  ]);
  return new Map(alternatives);
}

/** Facts of the request that mean something else on each side. */
export function apartOf({ old, new: fresh }: Pair): Apart {
  const trust = sameTrust(old, fresh);
  const a = old.route.request;
  const b = fresh.route.request;
  const body =
    alike([a.sanitize?.value], [b.sanitize?.value]) &&
    alike(old.analysed.policy.document.sanitizing, fresh.analysed.policy.document.sanitizing) &&
    (alike(a.body?.value, b.body?.value)
      ? alike(a.unknown, b.unknown)
      : a.unknown !== "strip" && b.unknown !== "strip");
  return {
    has: (fact) => {
      if (fact === "client") return !trust;
      if (fact === "body") return !body;
      const [part = "", name = ""] = fact.split(" ");
      if (part === "all") return !alike(partOf(a, name), partOf(b, name)) || !sameNames(old, fresh);
      if (part === "params") return !sameReading(paramAt(old, Number(name)), paramAt(fresh, Number(name)));
      return (
        !sameReading(schemaOf(a, part, name), schemaOf(b, part, name)) || !sameUnknown(part, name, old, fresh)
      );
    },
  };
}

type Request = Side["route"]["request"];
type Schemas = Readonly<Record<string, unknown>>;

function partOf(request: Request, part: string): unknown {
  const parts: Readonly<Record<string, { readonly value: unknown } | undefined>> = {
    params: request.params,
    query: request.query,
    headers: request.headers,
    cookies: request.cookies,
  };
  return [parts[part]?.value, part === "query" ? request.unknown : undefined];
}

function schemaOf(request: Request, part: string, name: string): unknown {
  const [schemas] = partOf(request, part) as [Schemas | undefined];
  return schemas?.[name];
}

function paramAt({ route }: Side, at: number): unknown {
  const part = route.pattern[at];
  return part?.kind === "param" ? route.request.params?.value[part.name] : undefined;
}

/** An unknown query parameter may be cut before anything reads it. */
function sameUnknown(part: string, name: string, old: Side, fresh: Side): boolean {
  if (part !== "query") return true;
  const there = (side: Side): boolean => schemaOf(side.route.request, part, name) !== undefined;
  if (there(old) && there(fresh)) return true;
  return alike(
    [old.route.request.query === undefined, old.route.request.unknown],
    [fresh.route.request.query === undefined, fresh.route.request.unknown],
  );
}

function sameNames(a: Side, b: Side): boolean {
  return alike(a.route.pattern, b.route.pattern);
}

/** Whether a text becomes the same value, default included. */
function sameReading(a: unknown, b: unknown): boolean {
  return alike(readingOf(a), readingOf(b));
}

function readingOf(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return { type: "string" };
  const {
    type,
    default: fallback,
    $ref,
    anyOf,
    oneOf,
    allOf,
    enum: values,
    const: value,
  } = schema as Schemas;
  if (type !== undefined && [$ref, anyOf, oneOf, allOf].every((one) => one === undefined))
    return { type, fallback };
  return { type, fallback, $ref, anyOf, oneOf, allOf, values, value };
}
