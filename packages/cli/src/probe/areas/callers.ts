/** Who may call: nobody, strangers, those who may, those who only just may not. */
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import type { TestPerson, TestRequest } from "@gatehouse/core/testing";
import type { Ground, RouteGround } from "../ground.js";
import { bare, withHeaders, type Asker, type Question } from "../question.js";

/** Faults of a generated near miss that are about who calls. */
const OF_CALLERS =
  /^(?:no credential|expired|forged|other issuer|other audience|other roles|without scope .*)$/u;

export function isOfCallers(fault: string | undefined): boolean {
  return OF_CALLERS.test(fault ?? "");
}

export function* callers(ground: Ground): Iterable<Question> {
  for (const one of ground.routes) {
    yield* strangers(one, ground);
    yield* friends(one, ground);
    yield* misses(one);
  }
}

function exampleOf({ bases, misses }: RouteGround): TestRequest | undefined {
  return bases[0]?.request ?? misses[0]?.request;
}

function* strangers(one: RouteGround, { policy }: Ground): Iterable<Question> {
  const request = exampleOf(one);
  if (request === undefined) return;
  const { route } = one;
  const question = { area: "callers", route: route.key, by: undefined } as const;
  for (const method of route.methods) {
    yield { ...question, about: "no credential", request: { ...request, method } };
    yield { ...question, about: "no credential and no content", request: { ...bare(request), method } };
  }
  const asked = route.authenticate.mode === "none" ? [] : [...new Set(route.authenticate.anyOf.flat())];
  for (const authenticator of asked) {
    for (const [about, text] of BAD_TEXTS) {
      const changed = presented(request, authenticator, text);
      if (changed !== undefined)
        yield { ...question, about: `${about} for \`${authenticator.name}\``, request: changed };
    }
  }
  // Of another authenticator than the route's: what is good elsewhere is nothing here.
  for (const other of policy.authenticators.values()) {
    if (asked.includes(other)) continue;
    const changed = presented(request, other, "no-good-credential");
    if (changed !== undefined)
      yield {
        ...question,
        about: `a bad credential for \`${other.name}\`, of another route`,
        request: changed,
      };
  }
}

const BAD_TEXTS = [
  ["a bad credential", "no-good-credential"],
  ["an empty credential", ""],
  ["a token of three empty parts", ".."],
] as const;

/** Undefined: such a credential is no text. */
export function presented(
  request: TestRequest,
  { carrier, settings }: ResolvedAuthenticator,
  text: string,
): TestRequest | undefined {
  if (carrier.in === "tls" || settings.type === "signature" || settings.type === "http-signature")
    return undefined;
  if (carrier.in === "cookie") return { ...request, cookies: { ...request.cookies, [carrier.name]: text } };
  if (carrier.in === "query") return { ...request, query: { ...request.query, [carrier.name]: text } };
  const written = "scheme" in settings && settings.scheme !== undefined ? settings.scheme : undefined;
  const scheme =
    carrier.scheme === undefined
      ? ""
      : `${written ?? (carrier.scheme === "dpop" ? "DPoP" : carrier.scheme === "basic" ? "Basic" : "Bearer")} `;
  return withHeaders(request, { [fieldName(carrier.name)]: `${scheme}${text}` });
}

function fieldName(name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/gu, (letter) => letter.toUpperCase());
}

function* friends({ route, bases }: RouteGround, { policy, keyring }: Ground): Iterable<Question> {
  const area = "callers";
  for (const { by, request } of bases) {
    yield { area, about: by === undefined ? "nobody in particular" : by.name, route: route.key, by, request };
    if (by === undefined) continue;
    yield* elsewhere(route.pattern, by, request, route.key);
    if (by.holder !== undefined || by.person.credentials !== undefined) continue;
    for (const role of ["", ...policy.roles.keys()]) {
      const person: TestPerson = { ...by.person, roles: role === "" ? [] : [role] };
      const about = role === "" ? "somebody without a role" : `somebody whose only role is \`${role}\``;
      yield { area, about, route: route.key, by: { ...by, name: about, person }, request };
    }
    yield {
      area,
      about: "somebody without a scope",
      route: route.key,
      by: { ...by, person: { ...by.person, scopes: [] } },
      request,
    };
  }
  const [first] = bases;
  if (first === undefined) return;
  for (const [holder, { person }] of keyring.holders)
    yield {
      area,
      about: holder,
      route: route.key,
      by: { name: holder, person, genuine: true, holder },
      request: first.request,
    };
}

/** The same caller, and one parameter of the path that is another's. */
function* elsewhere(
  pattern: RouteGround["route"]["pattern"],
  by: Asker,
  request: TestRequest,
  route: string,
): Iterable<Question> {
  const [path = "", ...query] = request.target.split("?");
  const own = new Set(Object.values(by.person.attributes ?? {}));
  for (const [index, part] of pattern.entries()) {
    const segments = path.split("/").slice(1);
    if (part.kind !== "param" || !own.has(segments[index])) continue;
    segments[index] = "another";
    yield {
      area: "callers",
      about: `another's \`${part.name}\``,
      route,
      by,
      request: { ...request, target: [`/${segments.join("/")}`, ...query].join("?") },
    };
  }
}

function* misses({ route, misses: near }: RouteGround): Iterable<Question> {
  for (const { as, request, fault = "" } of near) {
    if (!isOfCallers(fault) || as === undefined) continue;
    const by: Asker = {
      name: fault,
      person: as,
      genuine: !/^(?:expired|forged|other issuer|other audience)$/u.test(fault),
    };
    yield { area: "callers", about: fault, route: route.key, by, request };
  }
}
