/** Pages of other origins: what CORS permits them, and what they may have a browser send. */
import type { ResolvedRoute } from "@gatehouse/core/analysis";
import type { TestRequest } from "@gatehouse/core/testing";
import type { Ground, RouteGround } from "../ground.js";
import { bare, withHeaders, type Question } from "../question.js";

/** A stranger, `null`, and one that begins like the API. */
const FEW = 3;

export function* cors(ground: Ground): Iterable<Question> {
  const seen = new Set<string>();
  for (const one of ground.routes) {
    const base = one.bases[0]?.request ?? one.misses[0]?.request;
    if (base === undefined) continue;
    // What is written once is compared by the same code on every route: the first of them is asked about all origins.
    const { pointer = "" } = one.route.cors ?? {};
    const origins = originsFor(one.route, ground);
    for (const origin of seen.has(pointer) ? origins.slice(0, FEW) : origins)
      yield* asked(one, origin, bare(base));
    seen.add(pointer);
  }
}

function* asked({ route, bases }: RouteGround, origin: string, request: TestRequest): Iterable<Question> {
  const question = { area: "cors", route: route.key, by: undefined } as const;
  const [method = "GET"] = route.methods;
  const preflight = (headers: Readonly<Record<string, string>>): TestRequest => ({
    method: "OPTIONS",
    target: request.target,
    headers: { Origin: origin, "Access-Control-Request-Method": method, ...headers },
  });
  yield { ...question, about: `a preflight from ${origin}`, request: preflight({}) };
  yield {
    ...question,
    about: `a preflight from ${origin} with fields`,
    request: preflight({ "Access-Control-Request-Headers": "authorization,content-type,x-other" }),
  };
  yield { ...question, about: `a request from ${origin}`, request: withHeaders(request, { Origin: origin }) };
  const [first] = bases;
  if (first?.by !== undefined)
    yield {
      ...question,
      about: `a request with a credential from ${origin}`,
      by: first.by,
      request: withHeaders(first.request, { Origin: origin }),
    };
}

/** Those that are listed, and those that a careless comparison takes for them. */
export function originsFor({ cors: rule }: ResolvedRoute, { authority }: Ground): readonly string[] {
  const found = new Set(["https://elsewhere.invalid", "null", `http://${authority}.elsewhere.invalid`]);
  const listed = rule === undefined || rule.value === "none" ? [] : rule.value.origins;
  for (const origin of listed.slice(0, 4)) {
    if (origin === "*") continue;
    const [scheme = "https", name = ""] = origin.split("://");
    const bareName = name.replace(/^\*\.?/u, "");
    found.add(`${scheme}://${name.replace(/^\*/u, "one")}`);
    found.add(`${scheme}://${bareName}.elsewhere.invalid`);
    found.add(`${scheme}://elsewhere${bareName}`);
    found.add(`${scheme === "https" ? "http" : "https"}://${name.replace(/^\*/u, "one")}`);
  }
  return [...found];
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Credentials that browsers send by themselves, on requests that others had them send. */
export function* csrf(ground: Ground): Iterable<Question> {
  for (const { route, bases } of ground.routes) {
    const unsafe = route.methods.find((method) => !SAFE.has(method));
    const base = bases.find(({ by }) => by !== undefined && isAmbient(by.person.authenticator, ground));
    if (unsafe === undefined || base === undefined) continue;
    const { "Sec-Fetch-Site": _site, ...headers } = base.request.headers ?? {};
    const request: TestRequest = { ...base.request, method: unsafe, headers };
    const ask = (about: string, fields: Readonly<Record<string, string>>): Question => ({
      area: "csrf",
      about,
      route: route.key,
      by: base.by,
      request: withHeaders(request, fields),
    });
    yield ask("a request of the API's own pages", { "Sec-Fetch-Site": "same-origin" });
    yield ask("a request that a browser calls cross-site", { "Sec-Fetch-Site": "cross-site" });
    yield ask("a request that a browser calls same-site", { "Sec-Fetch-Site": "same-site" });
    for (const origin of originsFor(route, ground)) yield ask(`a request from ${origin}`, { Origin: origin });
    yield ask("a form of another origin", {
      Origin: "https://elsewhere.invalid",
      "Sec-Fetch-Site": "cross-site",
      "Content-Type": "text/plain",
    });
    yield ask("a request that does not say whose page it is of", {});
  }
}

function isAmbient(authenticator: string | undefined, { policy }: Ground): boolean {
  return policy.authenticators.get(authenticator ?? "")?.carrier.ambient === true;
}
