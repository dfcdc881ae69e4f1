/** Requests for the generated policies: good ones as a rule, with values at the bounds that those policies draw, and few things wrong at once. */
import fc from "fast-check";
import type { TestAnswer, TestCredential, TestPerson, TestRequest } from "@gatehouse/core/testing";

export interface Asked {
  readonly request: TestRequest;
  readonly person: TestPerson | undefined;
  readonly by: "old" | "new";
  readonly answer: TestAnswer;
  readonly refusing: readonly string[];
}

/** Mostly the first. */
const usually = <T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(first) },
    { weight: 2, arbitrary: fc.constantFrom(first, ...others) },
  );

const credential: fc.Arbitrary<TestCredential> = fc
  .record({
    id: usually("ann", "bob", "b"),
    roles: fc.subarray(["admin", "clerk", "customer"], { maxLength: 2 }),
    scopes: fc.oneof(
      { weight: 2, arbitrary: fc.constant(["read", "write"]) },
      fc.subarray(["read", "write"]),
    ),
  })
  .map(({ scopes, ...rest }) => ({ ...rest, scopes: [...scopes] }));

/** As claims, so that both maps of the principal find something. */
const claims: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    org: fc.option(fc.constantFrom<unknown>("acme", "globex", "a", "b", "acorn"), {
      nil: undefined,
      freq: 6,
    }),
    team: fc.option(fc.constantFrom<unknown>("acme", "globex"), { nil: undefined, freq: 2 }),
    level: fc.option(fc.constantFrom<unknown>(4, 4.5, 5, 5.5, 6, "x"), { nil: undefined, freq: 6 }),
    aud: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom<unknown>("api", "web") },
      fc.constantFrom<unknown>(["api", "web"], "else"),
    ),
    exp: usually<unknown>(undefined, { $now: -10 }, { $now: -29 }, { $now: -31 }),
    iat: usually<unknown>(undefined, { $now: -3599 }, { $now: -3601 }, { $now: -3631 }),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));

const attributes = fc
  .record({
    tenant: fc.option(fc.constantFrom<unknown>("acme", "globex", "b", "acorn"), { nil: undefined }),
    org: fc.option(fc.constantFrom<unknown>("acme", "globex"), { nil: undefined }),
    level: fc.option(fc.constantFrom<unknown>(4, 5, 6), { nil: undefined }),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));

const user = fc.tuple(credential, claims).map(([one, brought]) => ({ ...one, claims: brought }));
const key = fc.tuple(credential, attributes).map(([one, brought]) => ({ ...one, attributes: brought }));

const person: fc.Arbitrary<TestPerson | undefined> = fc.oneof(
  { weight: 8, arbitrary: user.map((one) => ({ ...one, authenticator: "user" })) },
  { weight: 4, arbitrary: key.map((one) => ({ ...one, authenticator: "key" })) },
  { weight: 3, arbitrary: key.map((one) => ({ ...one, authenticator: "sid" })) },
  {
    weight: 1,
    arbitrary: fc.tuple(user, key).map(([one, other]) => ({ credentials: { user: one, key: other } })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(key, key).map(([one, other]) => ({ credentials: { sid: one, key: other } })),
  },
  { weight: 2, arbitrary: fc.constant(undefined) },
);

const defined = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const amounts = fc.constantFrom<unknown>(-1, 0, 1, 2, 3, 4, 8, 9, 10, 11, 19, 20, 21, 9.5, "5");
const body: fc.Arbitrary<unknown> = fc
  .record({
    amount: fc.option(amounts, { nil: undefined, freq: 8 }),
    name: fc.option(
      fc.constantFrom("", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefgh", "abcdefghi", "b", "A"),
      { nil: undefined, freq: 3 },
    ),
    kind: fc.option(fc.constantFrom<unknown>("a", "b", "c", "d", null), { nil: undefined, freq: 2 }),
    tags: fc.option(fc.constantFrom<unknown>([], ["x"], ["x", "y"], ["x", "y", "z"], [1], ["x", 1]), {
      nil: undefined,
      freq: 2,
    }),
    inner: fc.option(
      fc
        .record({ a: amounts, b: fc.option(fc.constantFrom("a", "abc", "abcdef"), { nil: undefined }) })
        .map(defined),
      { nil: undefined, freq: 2 },
    ),
    more: usually<unknown>(undefined, 1, "x".repeat(60)),
  })
  .map(defined);

const texts = fc.constantFrom(
  '{"amount":5,"__proto__":{}}',
  '{"amount":5,"$ne":1}',
  '{"amount":5,"name":"a\\u0001"}',
  "[1",
  '{"amount":4,"amount":5}',
  '{"amount":9007199254740993}',
);

const answers: fc.Arbitrary<TestAnswer> = fc.record({
  status: usually(200, 201, 404),
  body: fc.constantFrom<unknown>(
    {
      id: "text-id",
      secret: "text-secret-long",
      total: 17,
      inner: { a: "text-a", b: "text-b" },
      more: "text-more",
    },
    { id: "text-id", secret: "text-secret-long", total: 17.5, inner: { b: "text-b" } },
    { id: 17, secret: { deep: "text" }, total: "seventeen", inner: ["text"] },
  ),
  headers: fc.constantFrom<Record<string, string>>(
    {},
    { Server: "theirs", "X-Frame-Options": "theirs" },
    { "Access-Control-Allow-Origin": "*" },
  ),
});

const paths = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("/a", "/a/b", "/a/x", "/a/acme", "/a/globex", "/c/x", "/c/k") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("/", "/c", "/a/", "/a/b/c", "/c/k/l", "/c/x/y", "/a/abcd", "/a/abcdef", "/z"),
  },
);

const bare: fc.Arbitrary<TestRequest> = fc
  .record({
    path: paths,
    method: fc.oneof(
      { weight: 5, arbitrary: fc.constant("GET") },
      fc.constantFrom("GET", "PUT", "HEAD", "OPTIONS", "DELETE"),
    ),
    n: fc.option(fc.constantFrom("-1", "0", "1", "2", "3", "8", "9", "10", "11", "20", "21", "x"), {
      nil: undefined,
      freq: 2,
    }),
    more: usually<string | undefined>(undefined, "more=1", "$ne=1", "n=4"),
  })
  .map(({ path, method, n, more }) => {
    const query = [n === undefined ? undefined : `n=${n}`, more].filter((one) => one !== undefined);
    return { method, target: query.length === 0 ? path : `${path}?${query.join("&")}` };
  });

const posted: fc.Arbitrary<TestRequest> = fc.oneof(
  { weight: 9, arbitrary: body.map((value): TestRequest => ({ method: "POST", target: "/a", body: value })) },
  {
    weight: 1,
    arbitrary: texts.map((text): TestRequest => ({
      method: "POST",
      target: "/a",
      text,
      headers: { "Content-Type": "application/json" },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<TestRequest>(
      { method: "POST", target: "/a" },
      { method: "POST", target: "/a", text: "{}", headers: { "Content-Type": "application/other+json" } },
    ),
  },
);

const origins = fc.constantFrom(
  "https://shop.test",
  "https://a.partner.test",
  "https://b.partner.test",
  "https://evil.test",
  "https://a.test",
);

const around = fc.record({
  https: usually(true, false),
  host: usually<string | undefined>(undefined, "a.test", "b.test", "c.test"),
  ip: usually<string | undefined>(undefined, "10.1.2.3", "10.2.0.1", "192.0.2.9", "203.0.113.7"),
  origin: fc.option(origins, { nil: undefined, freq: 2 }),
  site: usually<string | undefined>("same-origin", undefined, "cross-site"),
  forwarded: usually<string | undefined>(undefined, "10.1.9.9", "203.0.113.8"),
  proto: usually<string | undefined>(undefined, "https", "http"),
});

const preflights: fc.Arbitrary<TestRequest> = fc
  .record({
    path: paths,
    origin: origins,
    method: fc.constantFrom("GET", "POST", "PUT"),
    asked: fc.constantFrom("", "content-type", "x-one", "x-api-key", "authorization"),
  })
  .map(({ path, origin, method, asked }) => ({
    method: "OPTIONS",
    target: path,
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": method,
      ...(asked === "" ? {} : { "Access-Control-Request-Headers": asked }),
    },
  }));

const ordinary: fc.Arbitrary<TestRequest> = fc
  .tuple(fc.oneof({ weight: 3, arbitrary: bare }, { weight: 2, arbitrary: posted }), around)
  .map(([request, { https, host, ip, origin, site, forwarded, proto }]) => ({
    ...request,
    https,
    ...(host === undefined ? {} : { host }),
    ...(ip === undefined ? {} : { ip }),
    headers: {
      ...request.headers,
      ...(origin === undefined ? {} : { Origin: origin }),
      ...(site === undefined ? {} : { "Sec-Fetch-Site": site }),
      ...(forwarded === undefined ? {} : { "X-Forwarded-For": forwarded }),
      ...(proto === undefined ? {} : { "X-Forwarded-Proto": proto }),
    },
  }));

export const asked: fc.Arbitrary<Asked> = fc.record({
  request: fc.oneof({ weight: 9, arbitrary: ordinary }, { weight: 1, arbitrary: preflights }),
  person,
  by: fc.constantFrom<"old" | "new">("old", "new"),
  answer: answers,
  refusing: usually<readonly string[]>([], ["own"], ["other"]),
});
