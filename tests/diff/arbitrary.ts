/** Pairs of policies: one of choices for everything that the language says, and the same with some of the choices made anew. */
import fc from "fast-check";

type Members = Readonly<Record<string, unknown>>;

/** A key of its own for each thing that may be chosen anew. */
export type Choices = Readonly<Record<string, unknown>>;

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq });

const CONDITIONS = [
  "principal.tenant == 'acme'",
  "principal.tenant == 'acme' || principal.tenant == 'globex'",
  "principal.tenant == 'globex'",
  "principal.claims.level < 5",
  "principal.claims.level <= 5",
  "principal.claims.level < 6",
  "!(principal.claims.level >= 5)",
  "'clerk' in principal.roles",
  "'admin' in principal.roles || principal.tenant == 'acme'",
  "request.method == 'GET'",
  "has(principal.tenant)",
  "has(principal.tenant) && principal.tenant != 'globex'",
  "inRange(client.ip, '10.0.0.0/8')",
  "inRange(client.ip, '10.1.0.0/16', '192.0.2.0/24')",
  "principal.id == 'ann'",
  "principal.tenant in ['acme', 'globex']",
  "principal.tenant.startsWith('ac')",
  "principal.authenticator == 'user'",
];
const WITH_PARAM = ["params.x == 'b'", "principal.tenant == params.x", "params.x != 'b'"];
const WITH_QUERY = ["query.n < 10", "query.n <= 10", "query.n >= 3 && query.n < 10"];
const WITH_BODY = ["body.amount < 10", "body.amount <= 10", "body.amount < 10 || 'admin' in principal.roles"];

const ROLES = ["admin", "clerk", "customer"];

const entry = (conditions: readonly string[]): fc.Arbitrary<Members> =>
  fc
    .record(
      {
        roles: fc.subarray(ROLES, { minLength: 1, maxLength: 2 }),
        scopes: fc.subarray(["read", "write"], { minLength: 1 }),
        claims: fc.constantFrom({ org: "acme" }, { org: "globex" }, { level: 5 }),
        when: fc.constantFrom(...conditions),
        forbid: fc.constantFrom(...conditions),
        check: fc.constantFrom<unknown>("own", "other", ["own", "other"]),
      },
      { requiredKeys: [] },
    )
    .map((members) => {
      // Few parts: an entry of six is met by nobody.
      const kept = Object.entries(members).slice(0, 3);
      return kept.length === 0 ? { roles: ["customer"] } : Object.fromEntries(kept);
    });

const authorize = (conditions: readonly string[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(entry(conditions), { minLength: 1, maxLength: 2 }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        { roles: ["clerk"] },
        { roles: ["customer"] },
        { roles: ["admin"], scopes: ["read"] },
        { scopes: ["read"] },
      ),
    },
    { weight: 2, arbitrary: fc.constant("authenticated") },
  );

const cors = fc.oneof(
  { weight: 1, arbitrary: fc.constant<unknown>("none") },
  {
    weight: 5,
    arbitrary: fc.record(
      {
        origins: fc.subarray(
          ["https://shop.test", "https://*.partner.test", "https://a.partner.test", "https://evil.test"],
          { minLength: 1 },
        ),
        credentials: fc.boolean(),
        enforce: fc.boolean(),
        maxAge: fc.constantFrom("1s", "10s", "1m"),
        expose: fc.subarray(["X-Total", "X-Page"]),
        requestHeaders: fc.subarray(["Content-Type", "X-One"], { minLength: 1 }),
      },
      { requiredKeys: ["origins"] },
    ),
  },
  { weight: 1, arbitrary: fc.constant<unknown>({ origins: ["*"] }) },
);

const authenticate = fc.oneof(
  fc.constantFrom<unknown>(
    ["user"],
    ["key"],
    ["sid"],
    ["user", "key"],
    ["key", "sid"],
    ["user", "sid"],
    ["optional", "user"],
    ["optional", "key"],
  ),
  fc.constant("none"),
);

const number = fc.record(
  {
    minimum: fc.constantFrom(0, 1, 3),
    maximum: fc.constantFrom(9, 10, 20),
    exclusiveMaximum: fc.constantFrom(10, 21),
  },
  { requiredKeys: [] },
);
const amount = number.map((bounds) => ({ type: "integer", ...bounds }));
const name = fc
  .record(
    {
      minLength: fc.constantFrom(0, 1, 2),
      maxLength: fc.constantFrom(3, 5, 8),
      pattern: fc.constantFrom("^[a-z]*$", "^a"),
    },
    { requiredKeys: [] },
  )
  .map((bounds) => ({ type: "string", ...bounds }));
const kind = fc.constantFrom(
  { enum: ["a", "b"] },
  { enum: ["a", "b", "c"] },
  { const: "a" },
  { type: "string" },
  { type: ["string", "null"] },
);
const body = fc
  .record({
    amount: maybe(amount, 6),
    name: maybe(name),
    kind: maybe(kind),
    tags: maybe(
      fc
        .record({
          maxItems: fc.constantFrom(1, 2, 3),
          items: fc.constantFrom({ type: "string" }, { type: ["string", "integer"] }),
        })
        .map((one) => ({ type: "array", ...one })),
    ),
    inner: maybe(
      fc
        .record({ a: amount, b: maybe(name) })
        .map((properties) => ({ type: "object", properties: defined(properties) })),
    ),
    required: fc.subarray(["amount", "name"]),
    additionalProperties: maybe(fc.boolean(), 4),
  })
  .map(({ required, additionalProperties, ...rest }) => {
    const properties = defined(rest);
    return {
      type: "object",
      properties,
      required: required.filter((one) => Object.hasOwn(properties, one)),
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    };
  });

const answer = fc
  .record({
    id: maybe(fc.constant({ type: "string" })),
    secret: maybe(
      fc.constantFrom(
        { type: "string" },
        { type: "string", redact: "mask" },
        { type: "string", redact: "remove" },
      ),
    ),
    total: maybe(fc.constantFrom({ type: "integer" }, { type: "number" }, { type: ["integer", "string"] })),
    inner: maybe(
      fc
        .record({ a: maybe(fc.constant({ type: "string" })), b: maybe(fc.constant({ type: "string" })) })
        .map((properties) => ({ type: "object", properties: defined(properties) })),
    ),
    open: maybe(fc.boolean(), 5),
  })
  .map(({ open, ...rest }) => ({
    type: "object",
    properties: defined(rest),
    ...(open === true ? { additionalProperties: true } : {}),
  }));

const redaction = fc.oneof(
  fc.constantFrom<unknown>("mask", "remove", "null", "last4", { replace: "gone" }),
  fc.record({
    action: fc.constantFrom("mask", "remove", "last4"),
    unless: fc.constantFrom<unknown>(
      { roles: ["clerk"] },
      { roles: ["admin"] },
      { scopes: ["read"] },
      { roles: ["customer"] },
    ),
  }),
);

const limit = (by: string): fc.Arbitrary<Members> =>
  fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    window: fc.constantFrom("10s", "1m"),
    algorithm: fc.constantFrom("sliding-window", "token-bucket"),
    by: fc.constant(by),
    ...(by === "principal.id" ? { onMissing: fc.constant("skip") } : {}),
  });

function defined(members: Readonly<Record<string, unknown>>): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Of each route the same choices. */
const ROUTES: Readonly<
  Record<
    string,
    {
      readonly key: string;
      readonly conditions: readonly string[];
      readonly hasBody: boolean;
      readonly hasParam: boolean;
    }
  >
> = {
  list: { key: "GET /a", conditions: [...CONDITIONS, ...WITH_QUERY], hasBody: false, hasParam: false },
  one: { key: "GET /a/:x", conditions: [...CONDITIONS, ...WITH_PARAM], hasBody: false, hasParam: true },
  make: { key: "POST /a", conditions: [...CONDITIONS, ...WITH_BODY], hasBody: true, hasParam: false },
  fixed: { key: "GET /a/b", conditions: CONDITIONS, hasBody: false, hasParam: false },
  other: { key: "GET|PUT /c/:y", conditions: CONDITIONS, hasBody: false, hasParam: false },
  rest: { key: "GET /c/*", conditions: CONDITIONS, hasBody: false, hasParam: false },
};

const shared: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  https: fc.constantFrom("off", "off", "require"),
  hosts: fc.constantFrom(undefined, ["a.test"], ["a.test", "b.test"], ["*.test"]),
  trust: fc.constantFrom(undefined, undefined, undefined, {
    peers: ["10.0.0.0/8"],
    header: "x-forwarded-for",
  }),
  cors: maybe(cors),
  csrf: fc.constantFrom<unknown>(
    undefined,
    undefined,
    "off",
    { origins: ["https://shop.test"] },
    { unknown: "allow" },
  ),
  roles: fc.constantFrom(
    { admin: ["clerk"], clerk: ["customer"], customer: [] },
    { admin: ["clerk"], clerk: [], customer: [] },
    { admin: [], clerk: ["customer"], customer: [] },
    { admin: ["clerk", "customer"], clerk: [], customer: [] },
  ),
  audience: fc.constantFrom<unknown>("api", ["api", "web"], "web", "unchecked"),
  tolerance: fc.constantFrom("0s", "30s"),
  maxAge: fc.constantFrom(undefined, "1h"),
  confers: fc.constantFrom(undefined, undefined, ["clerk", "customer"]),
  map: fc.constantFrom(
    { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
    { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
    { id: "sub", roles: "roles", scopes: "scope", tenant: "team" },
    { id: "sub", roles: "roles", scopes: "scope", tenant: { value: "acme" } },
  ),
  authenticate: fc.constantFrom<unknown>(["user"], ["user"], ["key"], ["user", "key"]),
  "per-ip": limit("client.ip"),
  "per-user": limit("principal.id"),
  global: fc.constantFrom(undefined, undefined, ["per-ip"]),
  limits: fc.constantFrom(undefined, [], ["per-user"], ["per-ip"], ["per-ip", "per-user"]),
  groupA: maybe(fc.record({ require: entry(CONDITIONS) }), 2),
  groupC: fc.constantFrom(undefined, undefined, {}),
  errors: fc.constantFrom<unknown>(
    undefined,
    undefined,
    { expose: "none" },
    { typeBase: "https://errors.test/" },
  ),
  headers: fc.constantFrom<unknown>(
    undefined,
    undefined,
    { "X-Frame-Options": "SAMEORIGIN" },
    { "X-Frame-Options": "remove" },
    { Server: "keep" },
  ),
  order: fc.constant({ type: "object", properties: {} }),
};

function choicesOfRoute(name: string): Record<string, fc.Arbitrary<unknown>> {
  const route = ROUTES[name];
  if (route === undefined) return {};
  const choices: Record<string, fc.Arbitrary<unknown>> = {
    there: fc.integer({ min: 0, max: 9 }).map((at) => (name === "list" || name === "make" ? true : at < 5)),
    authorize: authorize(route.conditions),
    authenticate: maybe(authenticate, 2),
    mode: fc.integer({ min: 0, max: 11 }).map((at) => (at === 0 ? "observe" : undefined)),
    conceal: fc.integer({ min: 0, max: 5 }).map((at) => (at === 0 ? true : undefined)),
    cors: maybe(cors, 2),
    limits: maybe(fc.constantFrom<unknown>([], ["per-ip"], ["per-user"], ["inherited"]), 2),
    answer: maybe(answer),
    redactSecret: maybe(redaction, 2),
    onMismatch: fc.constantFrom(undefined, undefined, "withhold"),
    nothing: fc.integer({ min: 0, max: 14 }).map((at) => at === 0),
  };
  if (name === "list")
    Object.assign(choices, {
      query: maybe(
        amount.map((schema) => ({ n: schema })),
        3,
      ),
      needed: fc.boolean(),
      unknown: fc.constantFrom(undefined, "allow", "strip"),
      operators: fc.constantFrom(undefined, undefined, "allow"),
    });
  if (name === "one")
    choices["params"] = maybe(
      fc.constantFrom<unknown>(
        { x: { type: "string", maxLength: 3 } },
        { x: { type: "string", maxLength: 5 } },
        { x: { enum: ["a", "b"] } },
      ),
      2,
    );
  if (route.hasBody)
    Object.assign(choices, {
      body,
      bodyOptional: fc.constantFrom(undefined, undefined, true),
      unknown: fc.constantFrom(undefined, undefined, "allow", "strip"),
      maxBody: fc.constantFrom(undefined, 60, 200),
      types: fc.constantFrom(undefined, ["application/json"], ["application/json", "+json"]),
      prototypeKeys: fc.constantFrom(undefined, undefined, false),
      control: fc.constantFrom(undefined, undefined, false),
    });
  return Object.fromEntries(Object.entries(choices).map(([key, value]) => [`${name}.${key}`, value]));
}

const ALL: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...shared,
  ...Object.assign({}, ...Object.keys(ROUTES).map(choicesOfRoute)),
};

const choices: fc.Arbitrary<Choices> = fc.record(ALL);

export interface Couple {
  readonly old: unknown;
  readonly new: unknown;
  /** Names of the choices that were made anew. */
  readonly edited: readonly string[];
}

export const couples: fc.Arbitrary<Couple> = fc
  .tuple(
    choices,
    choices,
    fc.oneof(
      { weight: 8, arbitrary: fc.subarray(Object.keys(ALL), { minLength: 1, maxLength: 4 }) },
      { weight: 3, arbitrary: fc.subarray(Object.keys(shared), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant(Object.keys(ALL)) },
    ),
  )
  .map(([first, second, edited]) => {
    const changed = { ...first };
    for (const name of edited) changed[name] = second[name];
    return { old: documentOf(first), new: documentOf(changed), edited };
  });

export function documentOf(made: Choices): unknown {
  const names = Object.keys(ROUTES).filter((one) => made[`${one}.there`] === true);
  const jwt = { issuer: "https://id.test/", algorithms: ["HS256"], keys: { secret: "env:SIGNING" } };
  const confers = made["confers"];
  return defined({
    gatehouse: 1,
    name: "couple",
    transport: defined({ https: made["https"], hosts: made["hosts"], trust: made["trust"] }),
    cors: made["cors"],
    csrf: made["csrf"],
    authenticators: {
      key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } },
      sid: { type: "api-key", in: "cookie", name: "sid", keys: { lookup: "find" } },
      user: defined({
        type: "jwt",
        ...jwt,
        audience: made["audience"],
        clockTolerance: made["tolerance"],
        maxAge: made["maxAge"],
        principal: made["map"],
        confers,
      }),
    },
    roles: made["roles"],
    limits: { "per-ip": made["per-ip"], "per-user": made["per-user"] },
    global: made["global"] === undefined ? undefined : { limits: made["global"] },
    errors: made["errors"],
    headers: made["headers"],
    defaults: defined({ authenticate: made["authenticate"], limits: made["limits"] }),
    groups: defined({ "/a": made["groupA"], "/c/k": made["groupC"] }),
    routes: Object.fromEntries(names.map((one) => [ROUTES[one]?.key ?? "", routeOf(one, made)])),
  });
}

function routeOf(name: string, made: Choices): unknown {
  const route = ROUTES[name];
  const of = (key: string): unknown => made[`${name}.${key}`];
  const open = of("authenticate") === "none";
  const response = of("nothing") === true ? false : responseOf(of);
  const limits = of("limits") as readonly string[] | undefined;
  return defined({
    authenticate: of("authenticate"),
    authorize: open ? undefined : of("authorize"),
    mode: of("mode"),
    conceal: of("conceal"),
    cors: of("cors"),
    limits: open ? limits?.filter((one) => one !== "per-user") : limits,
    request: requestOf(of, route?.hasBody === true),
    response,
  });
}

function responseOf(of: (key: string) => unknown): unknown {
  const secret = of("redactSecret");
  const shape = of("answer") as
    | { readonly properties?: Members; readonly additionalProperties?: unknown }
    | undefined;
  const reaches =
    shape === undefined ||
    shape.additionalProperties === true ||
    Object.hasOwn(shape.properties ?? {}, "secret");
  const made = defined({
    body: shape,
    redact: secret === undefined || !reaches ? undefined : { "/secret": secret },
    onMismatch: shape === undefined ? undefined : of("onMismatch"),
  });
  return Object.keys(made).length === 0 ? undefined : made;
}

function requestOf(of: (key: string) => unknown, hasBody: boolean): unknown {
  const query = of("query") as Readonly<Record<string, Members>> | undefined;
  const sniff = defined({ prototypeKeys: of("prototypeKeys"), controlCharacters: of("control") });
  const made = defined({
    params: of("params"),
    query:
      query === undefined
        ? undefined
        : { n: { ...query["n"], ...(of("needed") === true ? { required: true } : {}) } },
    body: of("body"),
    bodyOptional: of("bodyOptional"),
    unknown: query !== undefined || hasBody ? of("unknown") : undefined,
    operators: query === undefined ? undefined : of("operators"),
    maxBody: of("maxBody"),
    types: of("types"),
    sniff: Object.keys(sniff).length === 0 ? undefined : sniff,
  });
  return Object.keys(made).length === 0 ? undefined : made;
}
