/** Policies and requests for the model, mended where the language would refuse them. */
import fc from "fast-check";
import type {
  LimitName,
  ModelAuthenticate,
  ModelAuthorize,
  ModelCors,
  ModelCsrf,
  ModelEntry,
  ModelGroup,
  ModelLevel,
  ModelPolicy,
  ModelRoute,
} from "./policy.js";
import { resolve, type ModelRequest } from "./model.js";
import { BODIES, CARRIERS, CONDITIONS, CREDENTIALS, type Revoked } from "./world.js";

const ORIGINS = ["https://shop.test", "https://evil.test", "http://a.test", "https://a.test"];

const PEOPLE = ["ann", "bob", "eve", "cleo"];

const entry: fc.Arbitrary<ModelEntry> = fc.record(
  {
    roles: fc.subarray(["admin", "clerk", "customer"], { minLength: 1 }),
    scopes: fc.subarray(["read", "write"], { minLength: 1 }),
    when: fc.nat(CONDITIONS.length - 1),
    forbid: fc.nat(CONDITIONS.length - 1),
    stepUp: fc.oneof(
      fc.record({ acr: fc.subarray(["pwd", "mfa"], { minLength: 1 }) }),
      fc.record({ maxAge: fc.constantFrom(1, 20) }),
      fc.record({ acr: fc.constant(["mfa"]), maxAge: fc.constant(1) }),
    ),
  },
  { requiredKeys: [] },
);
const entries = fc.array(entry, { minLength: 1, maxLength: 3 });

const authorize: fc.Arbitrary<ModelAuthorize> = fc.oneof(
  { weight: 4, arbitrary: entries },
  { weight: 1, arbitrary: fc.constant<ModelAuthorize>("authenticated") },
);

const authenticate: fc.Arbitrary<ModelAuthenticate> = fc.oneof(
  fc.constant<ModelAuthenticate>("none"),
  fc.record({ optional: fc.boolean(), list: fc.subarray([...CARRIERS], { minLength: 1 }) }),
);

const cors: fc.Arbitrary<ModelCors | "none"> = fc.oneof(
  fc.constant<"none">("none"),
  fc.record({
    origins: fc.subarray(ORIGINS.slice(0, 3), { minLength: 1 }),
    credentials: fc.boolean(),
    enforce: fc.boolean(),
  }),
  fc.record({ origins: fc.constant(["*"]), credentials: fc.constant(false), enforce: fc.boolean() }),
);

const csrf: fc.Arbitrary<ModelCsrf | "off"> = fc.oneof(
  fc.constant<"off">("off"),
  fc.record(
    {
      origins: fc.subarray(ORIGINS.slice(0, 2)),
      unknown: fc.constantFrom<"refuse" | "allow">("refuse", "allow"),
      always: fc.boolean(),
      tokens: fc.boolean(),
    },
    { requiredKeys: ["origins"] },
  ),
);

const level: fc.Arbitrary<ModelLevel> = fc.record(
  {
    authenticate,
    limits: fc.uniqueArray(fc.constantFrom<LimitName | "inherited">("ip", "who", "fail", "inherited"), {
      maxLength: 3,
    }),
    cors,
    csrf,
    conceal: fc.boolean(),
    mode: fc.oneof(
      { weight: 6, arbitrary: fc.constant<"enforce">("enforce") },
      { weight: 1, arbitrary: fc.constant<"observe">("observe") },
    ),
  },
  { requiredKeys: [] },
);

const segment = fc.constantFrom("a", "b", ":x");
const path: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.uniqueArray(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, rest]) => (rest && parts.length < 3 ? [...parts, "*"] : parts));

const methods = fc.oneof(
  fc.uniqueArray(fc.constantFrom("GET", "POST", "HEAD", "PUT"), { minLength: 1, maxLength: 2 }),
  fc.constant(["*"]),
);

const route: fc.Arbitrary<ModelRoute> = fc
  .tuple(
    level,
    fc.record({ methods, path }),
    fc.record({ authorize, body: fc.boolean(), schema: fc.boolean() }, { requiredKeys: [] }),
  )
  .map(([shared, pattern, own]) => ({ ...shared, ...pattern, ...own }));

const group: fc.Arbitrary<ModelGroup> = fc
  .tuple(
    level,
    fc.uniqueArray(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 2 }),
    fc.option(entries, { nil: undefined }),
  )
  .map(([shared, prefix, require]) => ({ ...shared, prefix, ...(require === undefined ? {} : { require }) }));

export const policies: fc.Arbitrary<ModelPolicy> = fc
  .record({
    mode: fc.oneof(
      { weight: 8, arbitrary: fc.constant<"enforce">("enforce") },
      { weight: 1, arbitrary: fc.constant<"observe">("observe") },
    ),
    https: fc.oneof(
      { weight: 3, arbitrary: fc.constant<"off">("off") },
      { weight: 1, arbitrary: fc.constant<"require">("require") },
    ),
    hosts: fc.boolean(),
    globalLimit: fc.boolean(),
    cors: fc.option(cors, { nil: undefined }),
    csrf: fc.option(csrf, { nil: undefined }),
    defaults: fc
      .tuple(level, fc.option(authorize, { nil: undefined }))
      .map(([shared, own]) => ({ ...shared, ...(own === undefined ? {} : { authorize: own }) })),
    groups: fc.uniqueArray(group, { maxLength: 2, selector: ({ prefix }) => prefix.join("/") }),
    routes: fc.array(route, { minLength: 1, maxLength: 5 }),
  })
  .map(mend);

/** What the language refuses is taken out, so that few generated policies are thrown away. */
function mend(
  raw: Omit<ModelPolicy, "cors" | "csrf"> & {
    cors: ModelPolicy["cors"] | undefined;
    csrf: ModelPolicy["csrf"] | undefined;
  },
): ModelPolicy {
  const { cors: documentCors, csrf: documentCsrf, ...rest } = raw;
  const policy: ModelPolicy = {
    ...rest,
    ...(documentCors === undefined ? {} : { cors: documentCors }),
    ...(documentCsrf === undefined ? {} : { csrf: documentCsrf }),
    defaults: { ...rest.defaults, ...withoutInherited(rest.defaults) },
  };
  const distinct = new Map(
    policy.routes.map((one) => [one.path.map((part) => part.replace(/^:.*/, ":")).join("/"), one]),
  );
  const covered = policy.groups.filter(({ prefix }) =>
    [...distinct.values()].some((one) => prefix.every((part, index) => one.path[index] === part)),
  );
  const grouped: ModelPolicy = { ...policy, groups: covered };
  return { ...grouped, routes: [...distinct.values()].map((one) => mendRoute(grouped, one)) };
}

function withoutInherited(shared: ModelLevel): Partial<ModelLevel> {
  return shared.limits === undefined ? {} : { limits: shared.limits.filter((name) => name !== "inherited") };
}

function mendRoute(policy: ModelPolicy, one: ModelRoute): ModelRoute {
  const hasBody = one.body === true && one.methods.every((method) => method === "POST" || method === "PUT");
  const { body: _body, authorize: written, ...bare } = one;
  const route: ModelRoute = { ...bare, ...(hasBody ? { body: true } : {}) };
  const rules = resolve(policy, route);
  if (rules.authenticate === "none") {
    return {
      ...route,
      ...(route.limits === undefined ? {} : { limits: route.limits.filter((name) => name !== "who") }),
    };
  }
  const fit = (condition: number | undefined): number | undefined => {
    const reads = condition === undefined ? [] : (CONDITIONS[condition]?.reads ?? []);
    if (reads.includes("body") && !hasBody) return 0;
    if (reads.includes("param") && !route.path.includes(":x")) return 0;
    return condition;
  };
  const authorize =
    written === undefined || typeof written === "string"
      ? written
      : written.map((each) => mendEntry(each, fit));
  const said = authorize ?? (rules.require.length > 0 ? undefined : policy.defaults.authorize);
  return {
    ...route,
    ...(authorize !== undefined
      ? { authorize }
      : said === undefined && rules.require.length === 0
        ? { authorize: "authenticated" }
        : {}),
  };
}

function mendEntry(each: ModelEntry, fit: (condition: number | undefined) => number | undefined): ModelEntry {
  const { when, forbid, ...rest } = each;
  const fitWhen = fit(when);
  const fitForbid = fit(forbid);
  const mended = {
    ...rest,
    ...(fitWhen === undefined ? {} : { when: fitWhen }),
    ...(fitForbid === undefined || fitForbid === 0 ? {} : { forbid: fitForbid }),
  };
  return Object.keys(mended).length === 0 ? { when: 0 } : mended;
}

const targets: fc.Arbitrary<readonly string[] | string> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(fc.constantFrom("a", "b", "c", "ann"), { minLength: 1, maxLength: 4 }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "//a",
      "/a//b",
      "/a/./b",
      "/a/%2e%2e/b",
      "/a%2fb",
      "/a;x",
      "/a#x",
      "/a\\b",
      "/%zz",
      "/a%00",
      "/a/..",
      "/%c0%80",
    ),
  },
);

/** At most one credential a carrier. */
const credentials = fc.uniqueArray(fc.constantFrom(...CREDENTIALS), {
  maxLength: 3,
  selector: ({ carrier }) => carrier,
});

const oneRequest: fc.Arbitrary<ModelRequest> = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH"),
  target: targets,
  https: fc.boolean(),
  host: fc.constantFrom("a.test", "a.test", "a.test", "b.test"),
  origin: fc.option(fc.constantFrom(...ORIGINS), { nil: undefined, freq: 2 }),
  fetchSite: fc.option(fc.constantFrom("same-origin", "none", "cross-site", "same-site"), {
    nil: undefined,
    freq: 2,
  }),
  csrfToken: fc.option(fc.constantFrom(...PEOPLE), { nil: undefined, freq: 2 }),
  asks: fc.option(fc.constantFrom("GET", "POST", "DELETE"), { nil: undefined }),
  credentials: fc.oneof(
    { weight: 4, arbitrary: credentials.map((list) => list.slice(0, 1)) },
    { weight: 1, arbitrary: credentials },
  ),
  ip: fc.constantFrom("203.0.113.1", "203.0.113.2"),
  body: fc.option(fc.nat(BODIES.length - 1), { nil: undefined, freq: 2 }),
  json: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

export interface ModelStep {
  readonly request: ModelRequest;
  /** Milliseconds since the step before. */
  readonly wait: number;
  /** Before the request. */
  readonly revoke?: Revoked;
}

/** Only tokens have a `jti` and a `sid`. */
const revoked: fc.Arbitrary<Revoked> = fc.oneof(
  fc.record({
    carrier: fc.constant<Revoked["carrier"]>("user"),
    person: fc.constantFrom(...PEOPLE),
    by: fc.constantFrom<Revoked["by"]>("jti", "sid", "id", "id, but for what came later"),
  }),
  fc.record({
    carrier: fc.constantFrom<Revoked["carrier"]>("key", "sid", "found"),
    person: fc.constantFrom(...PEOPLE),
    by: fc.constantFrom<Revoked["by"]>("id", "id, but for what came later"),
  }),
);

const step: fc.Arbitrary<ModelStep> = fc
  .record({
    request: oneRequest,
    wait: fc.constantFrom(0, 0, 0, 5_000, 20_000, 61_000),
    revoke: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: revoked }),
  })
  .map(({ revoke, ...rest }) => (revoke === undefined ? rest : { ...rest, revoke }));

export const histories: fc.Arbitrary<readonly ModelStep[]> = fc.array(step, {
  minLength: 1,
  maxLength: 12,
});

/** Under which much depends on who comes with what, and on what was before. */
export const plainPolicies: fc.Arbitrary<ModelPolicy> = fc
  .record({ settings: csrf, optional: fc.boolean() })
  .map(({ settings, optional }) => ({
    mode: "enforce",
    https: "off",
    hosts: false,
    globalLimit: false,
    csrf: settings,
    defaults: {},
    groups: [],
    routes: [
      {
        methods: ["*"],
        path: ["*"],
        authenticate: { optional, list: CARRIERS },
        authorize: optional ? "anyone" : "authenticated",
      },
    ],
  }));

/** Few people who load pages, write, guess keys and are revoked: one after the other, from the same places. */
const act: fc.Arbitrary<ModelStep> = fc
  .record({
    method: fc.constantFrom("GET", "POST"),
    credential: fc.constantFrom(
      ...CREDENTIALS.filter(
        ({ carrier, person }) =>
          carrier !== "key" && (person === undefined || ["ann", "bob"].includes(person.id)),
      ),
    ),
    origin: fc.constantFrom(undefined, undefined, "http://a.test", "https://evil.test"),
    fetchSite: fc.constantFrom(undefined, undefined, undefined, "same-origin", "cross-site"),
    csrfToken: fc.constantFrom(undefined, "ann", "bob"),
    ip: fc.constantFrom("203.0.113.1", "203.0.113.1", "203.0.113.2"),
    wait: fc.constantFrom(0, 0, 20_000, 45_000),
    revoke: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: revoked }),
  })
  .map(({ wait, revoke, credential, ...rest }) => ({
    wait,
    ...(revoke && { revoke }),
    request: {
      ...rest,
      target: ["a"],
      https: false,
      host: "a.test",
      asks: undefined,
      credentials: [credential],
      body: undefined,
      json: true,
    },
  }));

export const visits: fc.Arbitrary<readonly ModelStep[]> = fc.array(act, { minLength: 8, maxLength: 24 });
