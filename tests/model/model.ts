/**
 * The model: a second engine, tiny and slow, written straight from the language's reference. It compiles nothing, caches
 * nothing and shares no line with the real one. Where the two disagree, one of them is wrong.
 */
import {
  HOSTS,
  LIMITS,
  routeKey,
  type LimitName,
  type ModelAuthenticate,
  type ModelAuthorize,
  type ModelCors,
  type ModelCsrf,
  type ModelEntry,
  type ModelLevel,
  type ModelPolicy,
  type ModelRoute,
} from "./policy.js";
import {
  BODIES,
  CARRIERS,
  CONDITIONS,
  ROLES,
  type Carrier,
  type Credential,
  type Facts,
  type Person,
  type Revoked,
} from "./world.js";

export interface ModelRequest {
  readonly method: string;
  /** Segments of a plain path; a string is a target that can be read two ways. */
  readonly target: readonly string[] | string;
  readonly https: boolean;
  readonly host: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Access-Control-Request-Method. */
  readonly asks: string | undefined;
  readonly credentials: readonly Credential[];
  /** Whose csrf token comes along. */
  readonly csrfToken: string | undefined;
  readonly ip: string;
  /** Index into BODIES. */
  readonly body: number | undefined;
  readonly json: boolean;
}

/** Every refusal is a status and the stage that said it. */
export type ModelDecision =
  | { readonly outcome: "admit"; readonly route: string | null; readonly person: string | null }
  | { readonly outcome: "refuse"; readonly stage: string; readonly status: number }
  | { readonly outcome: "answer"; readonly status: number; readonly allowOrigin: string | undefined };

const refuse = (stage: string, status: number): ModelDecision => ({ outcome: "refuse", stage, status });

/** Theoretical arrival times in microseconds, by limit and key. */
type Buckets = Map<string, number>;

export class Model {
  private readonly buckets: Buckets = new Map();
  /** Of addresses: unknown keys, and when they are forgotten, in microseconds. */
  private readonly failures = new Map<string, { count: number; ends: number }>();
  /** Carriers and persons. */
  private readonly revoked = new Set<string>();

  constructor(private readonly policy: ModelPolicy) {}

  /** All tokens were issued before; other credentials do not say when they were. */
  revoke({ carrier, person, by }: Revoked): void {
    const isToken = carrier === "user";
    const meant = by === "id" || isToken === (by !== "id, but for what came later");
    if (meant) this.revoked.add(`${carrier} ${person}`);
  }

  /** @param nowUs only differences count */
  decide(request: ModelRequest, nowUs: number): ModelDecision {
    const { policy } = this;
    if (typeof request.target === "string") {
      const observed = policy.routes.every((route) => resolve(policy, route).mode === "observe");
      return policy.mode === "observe" && observed
        ? { outcome: "admit", route: null, person: null }
        : refuse("normalize", 400);
    }
    const preflight = this.preflightRoute(request, request.target);
    if (preflight !== undefined) return this.decidePreflight(request, preflight, nowUs);
    const route = matchRoute(policy, request.method, request.target);
    if (route === undefined) return this.decideUnmatched(request, request.target, nowUs);
    const rules = resolve(policy, route);
    const taken: Taken[] = [];
    let known: Authenticated | undefined;
    // Once, and in observation also where an earlier stage would have refused.
    const who = (): Authenticated => (known ??= this.authenticate(request, rules.authenticate, nowUs));
    const ended = this.run(request, route, rules, nowUs, taken, who);
    this.settle(taken, ended === undefined ? 200 : "status" in ended ? ended.status : 0, nowUs);
    if (ended !== undefined && rules.mode !== "observe") return ended;
    const admitted = who();
    const person = "status" in admitted ? null : (admitted.person?.id ?? null);
    return { outcome: "admit", route: routeKey(route), person };
  }

  private preflightRoute(request: ModelRequest, path: readonly string[]): ModelRoute | undefined {
    if (request.method !== "OPTIONS" || request.origin === undefined || request.asks === undefined)
      return undefined;
    const route = matchRoute(this.policy, request.asks, path);
    if (route === undefined) return undefined;
    const { cors } = resolve(this.policy, route);
    return cors === undefined || cors === "none" ? undefined : route;
  }

  private decidePreflight(request: ModelRequest, route: ModelRoute, nowUs: number): ModelDecision {
    const { cors, mode } = resolve(this.policy, route);
    if (mode === "observe") return { outcome: "admit", route: null, person: null };
    if (!this.takeGlobal(request, nowUs)) return refuse("global-limit", 429);
    const transport = transportRefusal(this.policy, request);
    if (transport !== undefined) return transport;
    if (cors === undefined || cors === "none") throw new Error("no cors");
    if (stranger(cors, request)) return refuse("cors", 403);
    return {
      outcome: "answer",
      status: 204,
      allowOrigin: listed(cors, request.origin) ? request.origin : undefined,
    };
  }

  private decideUnmatched(request: ModelRequest, path: readonly string[], nowUs: number): ModelDecision {
    if (this.policy.mode === "observe") return { outcome: "admit", route: null, person: null };
    if (!this.takeGlobal(request, nowUs)) return refuse("global-limit", 429);
    const transport = transportRefusal(this.policy, request);
    if (transport !== undefined) return transport;
    const known = this.policy.routes.some((route) => fits(this.policy, route, path));
    return refuse("route", known ? 405 : 404);
  }

  private run(
    request: ModelRequest,
    route: ModelRoute,
    rules: Rules,
    nowUs: number,
    taken: Taken[],
    who: () => Authenticated,
  ): ModelDecision | undefined {
    const enforced = rules.mode !== "observe";
    if (enforced && !this.takeGlobal(request, nowUs)) return refuse("global-limit", 429);
    const transport = transportRefusal(this.policy, request);
    if (transport !== undefined) return transport;
    const { cors } = rules;
    if (cors !== undefined && cors !== "none" && stranger(cors, request)) return refuse("cors", 403);
    const early = rules.limits.filter((name) => name !== "who");
    if (enforced && !this.take(early, request.ip, nowUs, taken)) return refuse("limit-connection", 429);
    const authenticated = who();
    if ("status" in authenticated) return refuse("authenticate", authenticated.status);
    const { person, carrier } = authenticated;
    if (!csrfPasses(request, rules, carrier === "sid" ? person : undefined)) return refuse("csrf", 403);
    if (enforced && person !== undefined && rules.limits.includes("who")) {
      const key = `${carrier ?? ""} ${person.id}`;
      if (!this.take(["who"], key, nowUs, taken)) return refuse("limit-principal", 429);
    }
    return authorizeAndBody(request, route, rules, person);
  }

  private authenticate(request: ModelRequest, rule: ModelAuthenticate, nowUs: number): Authenticated {
    if (rule === "none") return { person: undefined };
    const presented = request.credentials.filter(({ carrier }) => rule.list.includes(carrier));
    if (presented.length === 0) return rule.optional ? { person: undefined } : { status: 401 };
    // All that is presented is looked at.
    const judged = presented.map((credential) => this.judge(credential, request.ip, nowUs));
    if (judged.includes("bad")) return { status: 401 };
    if (judged.includes("limited")) return { status: 429 };
    const [credential, second] = presented;
    if (second !== undefined) return { status: 400 };
    return { person: credential?.person, ...(credential && { carrier: credential.carrier }) };
  }

  private judge({ carrier, person }: Credential, ip: string, nowUs: number): "good" | "bad" | "limited" {
    if (carrier === "found" && !this.looksUp(person, ip, nowUs)) return "limited";
    return person === undefined || this.revoked.has(`${carrier} ${person.id}`) ? "bad" : "good";
  }

  /** The second unknown key of an address in a minute is the last that is looked up. */
  private looksUp(person: Person | undefined, ip: string, nowUs: number): boolean {
    const known = this.failures.get(ip);
    const record = known !== undefined && nowUs < known.ends ? known : { count: 0, ends: nowUs + 60_000_000 };
    if (record.count >= 2) return false;
    if (person === undefined) this.failures.set(ip, { ...record, count: record.count + 1 });
    return true;
  }

  private takeGlobal(request: ModelRequest, nowUs: number): boolean {
    return !this.policy.globalLimit || this.take(["all"], request.ip, nowUs, []);
  }

  /** All or none. */
  private take(names: readonly (keyof typeof LIMITS)[], key: string, nowUs: number, taken: Taken[]): boolean {
    const steps = [...new Set(names)].map((name) => {
      const { limit } = LIMITS[name];
      const emission = Math.ceil(60_000_000 / limit);
      const bucket = `${name} ${key}`;
      const arrival = Math.max(this.buckets.get(bucket) ?? 0, nowUs) + emission;
      return { name, bucket, arrival, emission, passes: arrival - nowUs <= limit * emission };
    });
    if (!steps.every(({ passes }) => passes)) return false;
    for (const { name, bucket, arrival, emission } of steps) {
      this.buckets.set(bucket, arrival);
      taken.push({ name, bucket, emission });
    }
    return true;
  }

  /** Counted limits give back what was no failure; a 404 is a 403 that is concealed. No time passes within an exchange. */
  private settle(taken: readonly Taken[], status: number, nowUs: number): void {
    for (const { name, bucket, emission } of taken) {
      if (name !== "fail" || [401, 403, 404, 422].includes(status)) continue;
      this.buckets.set(bucket, Math.max(nowUs, (this.buckets.get(bucket) ?? nowUs) - emission));
    }
  }
}

interface Taken {
  readonly name: string;
  readonly bucket: string;
  readonly emission: number;
}

/** What applies to a route, worked out each time it is asked. */
interface Rules {
  readonly authenticate: ModelAuthenticate;
  readonly authorize: ModelAuthorize;
  readonly require: readonly (readonly ModelEntry[])[];
  readonly limits: readonly LimitName[];
  readonly cors: ModelCors | "none" | undefined;
  readonly csrf: ModelCsrf | "off";
  readonly conceal: boolean;
  readonly mode: "enforce" | "observe";
}

export function resolve(policy: ModelPolicy, route: ModelRoute): Rules {
  const groups = policy.groups
    .filter(({ prefix }) => startsWith(route.path, prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const levels: readonly ModelLevel[] = [route, ...groups, policy.defaults];
  const first = <K extends keyof ModelLevel>(key: K): ModelLevel[K] | undefined =>
    levels.find((level) => level[key] !== undefined)?.[key];
  const authenticate = first("authenticate") ?? { optional: false, list: CARRIERS };
  const open = authenticate === "none";
  const asked = groups.flatMap((group) => (group.require === undefined ? [] : [group.require]));
  // The defaults' `authorize` is for routes with neither an own one nor a group's `require`.
  const authorize =
    route.authorize ?? (asked.length > 0 ? "authenticated" : policy.defaults.authorize) ?? "authenticated";
  const inherited = limitsOf(levels.slice(1)).filter((name) => !(open && name === "who"));
  const limits = (route.limits ?? ["inherited"]).flatMap((name) =>
    name === "inherited" ? inherited : [name],
  );
  return {
    authenticate,
    authorize: open ? "anyone" : authorize,
    require: open ? [] : asked,
    limits,
    cors: first("cors") ?? policy.cors,
    csrf: first("csrf") ?? policy.csrf ?? { origins: [] },
    conceal: first("conceal") ?? false,
    mode: first("mode") ?? policy.mode,
  };
}

function limitsOf(levels: readonly ModelLevel[]): readonly LimitName[] {
  const [level, ...outer] = levels;
  if (level === undefined) return [];
  if (level.limits === undefined) return limitsOf(outer);
  return level.limits.flatMap((name) => (name === "inherited" ? limitsOf(outer) : [name]));
}

// Routes

function matchRoute(policy: ModelPolicy, method: string, path: readonly string[]): ModelRoute | undefined {
  const candidates = policy.routes.filter(
    (route) => fits(policy, route, path) && methodRank(route, method) > 0,
  );
  return candidates.sort((a, b) => morePrecise(a, b, method))[0];
}

/** 0: not at all; a named method before `*`; for HEAD an own route before GET's. */
function methodRank(route: ModelRoute, method: string): number {
  if (route.methods.includes(method)) return 3;
  if (method === "HEAD" && route.methods.includes("GET")) return 2;
  const any = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  return route.methods.includes("*") && any.includes(method) ? 1 : 0;
}

function morePrecise(a: ModelRoute, b: ModelRoute, method: string): number {
  const rank = (segment: string | undefined): number =>
    segment === "*" ? 2 : segment?.startsWith(":") === true ? 1 : 0;
  for (let index = 0; index < Math.max(a.path.length, b.path.length); index++) {
    const difference = rank(a.path[index]) - rank(b.path[index]);
    if (difference !== 0) return difference;
  }
  return methodRank(b, method) - methodRank(a, method);
}

function fits(policy: ModelPolicy, route: ModelRoute, path: readonly string[]): boolean {
  const { path: pattern } = route;
  const rest = pattern.at(-1) === "*";
  if (rest ? path.length < pattern.length : path.length !== pattern.length) return false;
  const fixed = rest ? pattern.slice(0, -1) : pattern;
  if (!fixed.every((part, index) => (part.startsWith(":") ? path[index] !== "" : part === path[index])))
    return false;
  // A group closes its prefix: a `:param` or `*` of a route outside it does not reach in.
  return policy.groups.every(({ prefix }) => !startsWith(path, prefix) || startsWith(pattern, prefix));
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}

function paramsOf(route: ModelRoute, path: readonly string[]): Record<string, string> {
  const index = route.path.indexOf(":x");
  return index < 0 ? {} : { x: path[index] ?? "" };
}

// Transport, cors, csrf

function transportRefusal(policy: ModelPolicy, request: ModelRequest): ModelDecision | undefined {
  if (policy.hosts && !HOSTS.includes(request.host)) return refuse("transport", 421);
  return policy.https === "require" && !request.https ? refuse("transport", 403) : undefined;
}

function listed(cors: ModelCors, origin: string | undefined): boolean {
  return origin !== undefined && (cors.origins.includes("*") || cors.origins.includes(origin));
}

/** With `enforce` an origin that is not listed is refused, preflights included. */
function stranger(cors: ModelCors, request: ModelRequest): boolean {
  return cors.enforce && crossOrigin(request) && !listed(cors, request.origin);
}

/** Browsers send Origin on their own site's requests too; those are none of CORS's business. */
function crossOrigin(request: ModelRequest): boolean {
  return request.origin !== undefined && request.origin !== ownOrigin(request);
}

function ownOrigin(request: ModelRequest): string {
  return `${request.https ? "https" : "http"}://${request.host}`;
}

/** @param visitor whose credential travelled by itself */
function csrfPasses(request: ModelRequest, rules: Rules, visitor: Person | undefined): boolean {
  if (rules.csrf === "off" || ["GET", "HEAD", "OPTIONS"].includes(request.method)) return true;
  const { always, unknown, tokens } = rules.csrf;
  if (visitor === undefined && always !== true) return true;
  const { origin, fetchSite } = request;
  if (origin !== undefined && rules.csrf.origins.includes(origin)) return true;
  const { cors } = rules;
  if (
    cors !== undefined &&
    cors !== "none" &&
    cors.credentials &&
    origin !== undefined &&
    cors.origins.includes(origin)
  )
    return true;
  if (fetchSite !== undefined) return fetchSite === "same-origin" || fetchSite === "none";
  if (origin !== undefined) return origin === ownOrigin(request);
  if (visitor === undefined) return unknown !== "refuse";
  return unknown === "allow" || (tokens === true && request.csrfToken === visitor.id);
}

// Who, and may they

type Authenticated =
  | { readonly status: number }
  | { readonly person: Person | undefined; readonly carrier?: Carrier };

function closure(roles: readonly string[]): ReadonlySet<string> {
  return new Set(roles.flatMap((role) => [role, ...closure(ROLES[role] ?? [])]));
}

/** Three values: it holds, it does not, or the body must be read first. */
type Holds = true | false | "later";

function entryHolds(entry: ModelEntry, facts: Facts, bodyRead: boolean): Holds {
  const rest = restHolds(entry, facts, bodyRead);
  return rest === false || !loginIsMissing(entry, facts.person) ? rest : false;
}

function loginIsMissing({ stepUp }: ModelEntry, person: Person | undefined): boolean {
  if (stepUp === undefined) return false;
  const { acr, maxAge } = stepUp;
  if (acr !== undefined && (person?.acr === undefined || !acr.includes(person.acr))) return true;
  return maxAge !== undefined && (person?.loggedIn === undefined || person.loggedIn > maxAge);
}

/** All but `stepUp`. */
function restHolds(entry: ModelEntry, facts: Facts, bodyRead: boolean): Holds {
  if (entry.roles !== undefined && !entry.roles.some((role) => facts.roles.has(role))) return false;
  if (entry.scopes?.some((scope) => facts.person?.scopes.includes(scope) !== true) === true) return false;
  const condition = entry.when === undefined ? undefined : CONDITIONS[entry.when];
  if (condition === undefined) return true;
  if (condition.reads.includes("body") && !bodyRead) return "later";
  return condition.means(facts) === true;
}

/** An error left over means: `forbid` is met. */
function forbidden(entries: readonly ModelEntry[], facts: Facts, bodyRead: boolean): boolean {
  return entries.some(({ forbid }) => {
    const condition = forbid === undefined ? undefined : CONDITIONS[forbid];
    if (condition === undefined || (condition.reads.includes("body") && !bodyRead)) return false;
    return condition.means(facts) !== false;
  });
}

function authorizeAndBody(
  request: ModelRequest,
  route: ModelRoute,
  rules: Rules,
  person: Person | undefined,
): ModelDecision | undefined {
  const asked = [...rules.require, ...(typeof rules.authorize === "string" ? [] : [rules.authorize])];
  const params = paramsOf(route, typeof request.target === "string" ? [] : request.target);
  const facts = {
    person,
    roles: closure(person?.roles ?? []),
    params,
    method: request.method,
    body: undefined,
  };
  const denied = (stage: string, login = false): ModelDecision => {
    const anonymous = person === undefined && rules.authenticate !== "none";
    const status = anonymous || login ? 401 : rules.conceal ? 404 : 403;
    return refuse(stage, status);
  };
  const explicit = rules.authorize === "authenticated" && rules.authenticate !== "none";
  if (explicit && person === undefined) return denied("authorize");
  for (const entries of asked) {
    if (forbidden(entries, facts, false)) return denied("authorize");
    if (entries.every((entry) => entryHolds(entry, facts, false) === false)) {
      // Another login is all that some entry lacks.
      return denied(
        "authorize",
        entries.some((entry) => restHolds(entry, facts, false) !== false),
      );
    }
  }
  const body = bodyProblem(request, route);
  if (body !== undefined) return body;
  const value = route.body === true && request.body !== undefined ? BODIES[request.body]?.value : undefined;
  const whole = { ...facts, body: value };
  for (const entries of asked) {
    if (forbidden(entries, whole, true)) return denied("authorize-body");
    if (!entries.some((entry) => entryHolds(entry, whole, true) === true)) return denied("authorize-body");
  }
  return undefined;
}

function bodyProblem(request: ModelRequest, route: ModelRoute): ModelDecision | undefined {
  const body = request.body === undefined ? undefined : BODIES[request.body];
  if (route.body !== true) {
    if (body === undefined) return undefined;
    if (["GET", "HEAD", "DELETE", "OPTIONS"].includes(request.method)) return refuse("body", 400);
    return request.json ? undefined : refuse("body", 415);
  }
  if (body === undefined) return refuse("body", 400);
  if (!request.json) return refuse("body", 415);
  if (!body.syntax) return refuse("body", 400);
  return body.fits ? undefined : refuse("validate", 422);
}
