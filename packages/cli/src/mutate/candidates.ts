/** Requests that may tell a policy from its mutant: generated for the routes that are about it, and aimed at what was changed. */
import fc from "fast-check";
import { PolicyError, type PolicyDocument } from "@gatehouse/core";
import type { PolicyTest, TestAnswer, TestPerson, TestRequest, TestStep } from "@gatehouse/core/testing";
import { arbitrariesFor } from "@gatehouse/core/testing/properties";
import { answersOf, corsOf, eventsOf } from "../coverage/points.js";
import { isList, isRecord } from "../lib/json.js";
import { segmentsOf } from "../lib/pointer.js";
import { routesOf, type AuthorizeEntry, type RouteView } from "../lib/routes.js";

/** A request as its generator makes it. */
interface Asked {
  readonly as: TestPerson | undefined;
  readonly request: TestRequest;
}

/** Of each kind, for each route. */
const SAMPLES = 24;
const MISSES = 60;
/** Most requests that are tried against limits: one of a million is not met one by one. */
const MOST_REQUESTS = 20_000;
const SEED = 1;

/** Holds of every answer: nothing fails, so nothing is kept of what failed. */
export const ANYTHING = { absent: ["/no answer has this"] } as const;

/** By what they cost: single requests, then as many as limits take. Their names say nothing, nor does what they expect. */
export function candidatesFor(
  policy: PolicyDocument,
  mutant: PolicyDocument,
  pointer: string,
): readonly (() => readonly PolicyTest[])[] {
  const about = routesAt(policy, pointer);
  // What is about all routes is told by few requests to each.
  const share = about.length > 2 ? 1 / 4 : 1;
  const views = about.map((view) => ({
    view,
    asked: [...sampled(policy, view.key, share), ...sampled(mutant, view.key, share)],
  }));
  const single = (): TestStep[][] =>
    views.flatMap(({ view, asked }) => {
      const answers = answersFor(view);
      const steps = asked.map((one, index) => [stepOf(one, answers[index % answers.length])]);
      const [first] = asked;
      if (first === undefined) return steps;
      for (const answer of answers) steps.push([stepOf(first, answer)]);
      for (const one of spread(asked, share < 1 ? 1 : 3)) {
        for (const request of variations(one.request, view, policy, mutant))
          steps.push([stepOf({ ...one, request })]);
        if (one.as !== undefined) steps.push(...agings(one, policy));
      }
      return steps;
    });
  const many = (): TestStep[][] => {
    const limits = concerned(policy, mutant, pointer);
    if (limits.length === 0) return [];
    return views.flatMap(({ view, asked }) =>
      takes(view, limits)
        ? floods(
            asked,
            limits,
            limits.some(({ name }) => (policy.global?.limits ?? []).includes(name)),
          )
        : [],
    );
  };
  const checks = checksIn(policy);
  return [single, many].map((make) => () => {
    const steps = make();
    const answers =
      checks.length > 0 && /\/(?:authorize|require|authenticate)(?:\/|$)/u.test(pointer)
        ? [true, false]
        : [true];
    return answers.flatMap((answer) => steps.map((one) => withSteps(one, checks, answer)));
  });
}

/** The first, and some from all over. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_item, index) => index % step === 0).slice(0, count);
}

/** A limit as the policy has it or as the mutant does. */
interface Concern {
  readonly name: string;
  readonly limit: number;
  readonly window: string;
}

/** Limits that a mutant has something to do with. */
function concerned(policy: PolicyDocument, mutant: PolicyDocument, pointer: string): readonly Concern[] {
  const [first, own = ""] = segmentsOf(pointer);
  const names = new Set<string>(first === "limits" ? [own] : []);
  const differ = (a: readonly string[], b: readonly string[]): void => {
    for (const name of [...a, ...b]) if (a.includes(name) !== b.includes(name)) names.add(name);
  };
  differ(policy.global?.limits ?? [], mutant.global?.limits ?? []);
  const theirs = new Map(routesOf(mutant).map((view) => [view.key, view]));
  for (const view of routesOf(policy)) differ(view.limits, theirs.get(view.key)?.limits ?? view.limits);
  return [...names].flatMap((name) =>
    [policy, mutant].flatMap(({ limits }) => {
      const settings = limits?.[name];
      if (settings === undefined) return [];
      return [
        { name, limit: settings.limit, window: typeof settings.window === "string" ? settings.window : "1m" },
      ];
    }),
  );
}

function takes(view: RouteView, limits: readonly Concern[]): boolean {
  const taken = [...view.limits, ...(view.document.global?.limits ?? [])];
  return limits.some(({ name }) => taken.includes(name));
}

function withSteps(steps: readonly TestStep[], checks: readonly string[], answer: boolean): PolicyTest {
  return {
    name: "",
    ...(checks.length === 0 ? {} : { checks: Object.fromEntries(checks.map((name) => [name, answer])) }),
    ...(steps.length === 1 ? steps[0] : { steps }),
  };
}

function checksIn(policy: PolicyDocument): readonly string[] {
  const found = new Set<string>();
  for (const { demands } of routesOf(policy))
    for (const { entries } of demands)
      if (entries !== "authenticated")
        for (const { entry } of entries) for (const name of [entry.check ?? []].flat()) found.add(name);
  return [...found];
}

function routesAt(policy: PolicyDocument, pointer: string): readonly RouteView[] {
  const views = routesOf(policy);
  const [first, name = ""] = segmentsOf(pointer);
  if (first === "routes") {
    const own = views.filter(({ key }) => key === name);
    if (own.length > 0) return own;
  }
  if (first === "groups") {
    const below = views.filter(({ path }) => path === name || path.startsWith(`${name}/`));
    if (below.length > 0) return below;
  }
  if (first === "schemas") {
    const using = views.filter((view) => JSON.stringify(view.settings).includes(`#/schemas/${name}`));
    if (using.length > 0) return using;
  }
  return views;
}

function sampled(policy: PolicyDocument, key: string, share: number): readonly Asked[] {
  const found: Asked[] = [];
  for (const [kind, numRuns] of [
    ["requests", SAMPLES],
    ["nearMisses", MISSES],
  ] as const) {
    try {
      found.push(
        ...fc.sample(arbitrariesFor(policy, fc)[kind](key), {
          numRuns: Math.ceil(numRuns * share),
          seed: SEED,
        }),
      );
    } catch (error) {
      // Nothing of the kind can be made for the route.
      if (!(error instanceof TypeError) && !(error instanceof PolicyError)) throw error;
    }
  }
  return found;
}

function stepOf({ as, request }: Asked, answer?: TestAnswer): TestStep {
  return {
    ...(as === undefined ? {} : { as }),
    request,
    ...(answer === undefined ? {} : { answer }),
    expect: ANYTHING,
  };
}

/** Answers with everything that is declared and something that is not; with other types; and those that policies have rules for. */
function answersFor(view: RouteView): readonly TestAnswer[] {
  const schemas = view.document.schemas ?? {};
  const found: TestAnswer[] = [];
  for (const { value, pointer } of answersOf(view)) {
    const [, status] = /\/bodies\/(\d+)$/u.exec(pointer) ?? [];
    const of = (body: unknown): TestAnswer => ({
      ...(status === undefined ? {} : { status: Number(status) }),
      body,
    });
    for (const leaf of LEAVES) found.push(of(filled(value, schemas, leaf)));
  }
  const events = eventsOf(view);
  if (events !== undefined)
    for (const leaf of LEAVES)
      found.push({
        headers: { "Content-Type": "text/event-stream" },
        text: `data: ${JSON.stringify(filled(events.value, schemas, leaf))}\n\n`,
      });
  if (found.length === 0) found.push({ body: { undeclared: "secret" } });
  for (const status of [400, 401, 404, 500]) found.push({ status, body: { undeclared: "secret" } });
  return found;
}

/** What stands where a schema has a scalar: one that fits, something that is none, and where it is a text one with markup. */
const LEAVES = ["fitting", "odd", "marked"] as const;
type Leaf = (typeof LEAVES)[number];
const MARKED = "<b>text</b><script>secret</script>";

function filled(schema: unknown, schemas: Readonly<Record<string, unknown>>, leaf: Leaf, depth = 0): unknown {
  if (!isRecord(schema) || depth > 8) return { undeclared: "secret" };
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].replace("#/schemas/", "") : undefined;
  if (name !== undefined) return filled(schemas[name], schemas, leaf, depth + 1);
  for (const choice of ["allOf", "anyOf", "oneOf"]) {
    const list = schema[choice];
    if (isList(list) && list.length > 0)
      return filled({ ...(isRecord(list[0]) ? list[0] : {}) }, schemas, leaf, depth + 1);
  }
  if (isRecord(schema["properties"])) {
    const members = Object.entries(schema["properties"]).map(([name, part]) => [
      name,
      filled(part, schemas, leaf, depth + 1),
    ]);
    return { ...Object.fromEntries(members), undeclared: "secret" };
  }
  if (isRecord(schema["items"])) return [filled(schema["items"], schemas, leaf, depth + 1)];
  if (leaf === "odd") return { undeclared: "secret" };
  if ("const" in schema) return schema["const"];
  if (isList(schema["enum"])) return schema["enum"][0];
  switch (schema["type"]) {
    case "integer":
    case "number":
      return 7;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return leaf === "marked" ? MARKED : "text-0123456789";
  }
}

/** The same request from elsewhere, by another way, or of another size. */
function variations(
  request: TestRequest,
  view: RouteView,
  policy: PolicyDocument,
  mutant: PolicyDocument,
): readonly TestRequest[] {
  const found: TestRequest[] = [];
  const headed = (headers: Readonly<Record<string, string>>, more: Partial<TestRequest> = {}): void =>
    void found.push({ ...request, ...more, headers: { ...request.headers, ...headers } });
  for (const origin of originsFor([view, ...routesOf(mutant).filter(({ key }) => key === view.key)])) {
    headed({ Origin: origin });
    for (const method of view.methods) {
      const { body: _body, text: _text, ...bare } = request;
      const asks = { Origin: origin, "Access-Control-Request-Method": method };
      found.push({ ...bare, method: "OPTIONS", headers: asks });
      found.push({
        ...bare,
        method: "OPTIONS",
        headers: { ...asks, "Access-Control-Request-Headers": "authorization,content-type" },
      });
    }
  }
  for (const host of [...hostsIn(policy), ...hostsIn(mutant), "stranger.example"])
    found.push({ ...request, host });
  const trusts = policy.transport?.trust !== undefined;
  for (const https of [true, false]) {
    for (const ip of ["127.0.0.1", "10.0.0.1", ...(trusts ? ["192.168.0.1"] : []), "203.0.113.9"]) {
      headed({}, { https, ip });
      headed({ "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7" }, { https, ip });
      headed({ "X-Forwarded-Proto": "http", "X-Forwarded-For": "198.51.100.7" }, { https, ip });
      if (trusts)
        headed({ "X-Forwarded-Proto": "https", "X-Forwarded-Host": "stranger.example" }, { https, ip });
      headed({ Forwarded: "for=198.51.100.7;proto=https" }, { https, ip });
    }
  }
  found.push({
    ...request,
    target: `${request.target}${request.target.includes("?") ? "&" : "?"}undeclared=1`,
  });
  const { body: _, text: _text, ...bare } = request;
  for (const protocol of ["websocket", "h2c"])
    found.push({
      ...bare,
      method: "GET",
      upgrade: true,
      headers: { ...request.headers, Connection: "Upgrade", Upgrade: protocol },
    });
  found.push(
    { ...request, method: "PATCH" },
    { ...request, method: "HEAD" },
    { ...request, target: "/nothing-is-here" },
  );
  if (isRecord(request.body)) {
    found.push({ ...request, body: { ...request.body, undeclared: "secret" } });
    const marked = Object.entries(request.body).map(([name, value]) => [
      name,
      typeof value === "string" ? MARKED : value,
    ]);
    found.push({ ...request, body: Object.fromEntries(marked) as Readonly<Record<string, unknown>> });
  }
  if ("body" in request) {
    for (const size of [...sizesIn(policy), ...sizesIn(mutant), 100_000])
      for (const length of [size, size + 1]) headed({ "Content-Length": String(length) });
    const { body, ...rest } = request;
    const written = JSON.stringify(body) ?? "";
    for (const type of [
      "application/json",
      "application/x-www-form-urlencoded",
      "text/plain",
      "application/merge-patch+json",
    ])
      found.push({ ...rest, text: written, headers: { ...rest.headers, "Content-Type": type } });
    found.push({ ...rest, text: "{", headers: { ...rest.headers, "Content-Type": "application/json" } });
    found.push({
      ...rest,
      text: written.replace(/^\{(.+)\}$/u, "{$1,$1}"),
      headers: { ...rest.headers, "Content-Type": "application/json" },
    });
  }
  return found;
}

function originsFor(views: readonly RouteView[]): readonly string[] {
  const found = new Set(["https://stranger.example", "null"]);
  for (const view of views) {
    const { host } = { host: view.document.transport?.hosts?.[0] };
    if (host !== undefined) found.add(`https://${host}`);
    for (const origin of corsOf(view)?.origins ?? []) {
      const [scheme = "", name = ""] = origin.split("://");
      if (origin === "*" || name === "") continue;
      const parent = name.replace(/^[^.]+\./u, "");
      for (const one of [
        name.replace(/^\*/u, "a"),
        name.replace(/^\*/u, "a.b"),
        parent,
        `other.${parent}`,
        `${name.replace(/^\*\./u, "")}.evil.example`,
      ])
        found.add(`${scheme}://${one}`);
      found.add(`http://${name.replace(/^\*/u, "a")}`);
    }
  }
  return [...found];
}

function hostsIn(policy: PolicyDocument): readonly string[] {
  return (policy.transport?.hosts ?? []).map((host) => host.replace(/^\*/u, "a"));
}

function sizesIn(policy: PolicyDocument): readonly number[] {
  const texts = [...JSON.stringify(policy).matchAll(/"maxBody":"(\d+)(B|kB|MB)"/gu)];
  return [...new Set(texts.map(([, count = "0", unit = "B"]) => Number(count) * (UNITS[unit] ?? 1)))];
}

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1000, MB: 1_000_000 };

/** The same with a credential that grows old, is from the future, or says something else. */
function agings({ as, request }: Asked, policy: PolicyDocument): readonly TestStep[][] {
  if (as === undefined || as.credentials !== undefined) return [];
  const settings =
    policy.authenticators?.[as.authenticator ?? Object.keys(policy.authenticators ?? {})[0] ?? ""];
  const waits = ["0ms", "5s", "14s", "15s", "20s", "29s", "30s", "45s", "59s", "60s", "119s"];
  const found = waits.map((wait): TestStep[] => [
    { wait: "10m", ...stepOf({ as: { ...as, expires: "10m" }, request }) },
    { wait, ...stepOf({ as: { ...as, expires: "10m" }, request }) },
  ]);
  const people: TestPerson[] = [{ ...as, forged: true }];
  if (settings?.type === "jwt") {
    for (const seconds of [1, 10, 16, 20, 31, 40, 61])
      people.push({ ...as, claims: { ...as.claims, nbf: { $now: seconds } } });
    for (const [name, value] of [
      ["iss", "https://elsewhere.example/"],
      ["aud", "elsewhere"],
      ["aud", null],
      ["sub", null],
    ] as const)
      people.push({ ...as, claims: { ...as.claims, [name]: value } });
    for (const acr of acrsIn(policy)) people.push({ ...as, claims: { ...as.claims, acr } });
    for (const seconds of agesIn(policy))
      people.push({ ...as, claims: { ...as.claims, auth_time: { $now: -seconds } } });
    for (const typ of ["JWT", "at+jwt", "dpop+jwt", "id+jwt"]) people.push({ ...as, header: { typ } });
  }
  for (const attribute of Object.keys(as.attributes ?? {})) {
    const { [attribute]: _, ...attributes } = as.attributes ?? {};
    people.push({ ...as, attributes });
  }
  people.push(
    { ...as, roles: [] },
    { ...as, scopes: [] },
    ...Object.keys(policy.roles ?? {}).map((role) => ({ ...as, roles: [role] })),
  );
  return [...found, ...people.map((person) => [stepOf({ as: person, request })])];
}

function stepUpsIn(policy: PolicyDocument): readonly StepUp[] {
  return routesOf(policy).flatMap(({ demands }) =>
    demands.flatMap(({ entries }) =>
      entries === "authenticated" ? [] : entries.flatMap(({ entry }) => entry.stepUp ?? []),
    ),
  );
}

type StepUp = NonNullable<AuthorizeEntry["stepUp"]>;

function acrsIn(policy: PolicyDocument): readonly string[] {
  const found = stepUpsIn(policy).flatMap(({ acr = [] }) => acr);
  return found.length === 0 ? [] : [...new Set([...found, "none-of-these"])];
}

/** Of logins, in seconds: at each bound, and beyond what it would be doubled or halved. */
function agesIn(policy: PolicyDocument): readonly number[] {
  const found = stepUpsIn(policy).flatMap(({ maxAge }) => {
    const [, count = "", unit = ""] = /^(\d+)(s|m|h|d)$/u.exec(maxAge ?? "") ?? [];
    const seconds = Number(count) * (SECONDS[unit] ?? 0);
    return seconds === 0 ? [] : [seconds, seconds + 1, Math.ceil(seconds * 0.7), seconds * 3];
  });
  return [...new Set(found)];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** As many as a limit takes, and one more; after a while; from others. */
function floods(
  asked: readonly Asked[],
  limits: readonly Concern[],
  everybody: boolean,
): readonly TestStep[][] {
  const [first] = asked;
  if (first === undefined) return [];
  const other = asked.find(({ as }) => as !== undefined && JSON.stringify(as) !== JSON.stringify(first.as));
  // To nowhere: it meets those limits alone that count everybody.
  const lost: Asked = { as: undefined, request: { target: "/nothing-is-here" } };
  const found: TestStep[][] = [];
  const least = Math.min(...limits.map(({ limit }) => limit));
  const windows = [...new Set(limits.flatMap(({ window }) => waitsAround(window)))];
  for (const one of everybody ? [lost, first] : [first, lost]) {
    for (const answer of [undefined, { status: 401, body: {} }, { status: 500, body: {} }] as const) {
      if (one === lost && answer !== undefined) continue;
      const step = stepOf(one, answer);
      const spent = { ...step, repeat: least };
      found.push([{ ...step, repeat: least + 2 }]);
      for (const wait of windows) found.push([{ ...step, repeat: least + 1 }, { wait, ...step }, step]);
      found.push([spent, { ...step, request: { ...one.request, ip: "198.51.100.77" } }]);
      if (other !== undefined) found.push([spent, stepOf({ ...other, request: one.request }, answer)]);
      for (const request of others(one.request)) found.push([spent, { ...step, request }]);
    }
  }
  let left = MOST_REQUESTS;
  return found.filter((steps) => (left -= steps.reduce((sum, { repeat = 1 }) => sum + repeat, 0)) > 0);
}

/** The same with another text in one member of its body. */
function others(request: TestRequest): readonly TestRequest[] {
  const { body } = request;
  if (!isRecord(body)) return [];
  return Object.entries(body).flatMap(([name, value]) => {
    if (typeof value !== "string") return [];
    const texts = [value.toUpperCase(), value.replace(/^./u, (letter) => (letter === "z" ? "y" : "z"))];
    return texts.map((text) => ({ ...request, body: { ...body, [name]: text } }));
  });
}

function waitsAround(window: string): readonly string[] {
  const [, count = "", unit = ""] = /^(\d+)(ms|s|m|h|d)$/u.exec(window) ?? [];
  const milliseconds = count === "" ? 3_600_000 * 12 : Number(count) * (MS[unit] ?? 1);
  return [0.75, 1.1, 0.5, 1, 2].map((factor) => `${Math.round(milliseconds * factor)}ms`);
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
