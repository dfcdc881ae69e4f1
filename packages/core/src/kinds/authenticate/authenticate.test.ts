import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../conformance/keys.js";
import { cookiesOf, type StateOptions } from "../../model/state.test-support.js";
import { keyPair, pem } from "../../platform/keys.test-support.js";
import {
  checkOf,
  CLAIMS,
  compiled,
  forged,
  HEADER,
  JWT,
  signed,
  summary,
  type Compiled,
} from "./authenticate.test-support.js";

const KEY = "k".repeat(40);
const record = {
  id: "robot",
  sha256: sha256Hex(KEY),
  roles: ["clerk"],
  scopes: ["s"],
  attributes: { tenant: "t1" },
};
const PARTNER = { type: "api-key", in: "header", name: "X-API-Key", keys: [record] };
const QUERY = { type: "api-key", in: "query", name: "key", keys: [{ ...record, id: "queried" }] };
const COOKIE = { ...JWT, in: "cookie", name: "sid" };
const LEGACY = {
  type: "api-key",
  in: "header",
  name: "Authorization",
  scheme: "ApiKey",
  keys: [{ ...record, id: "old" }],
};

const authenticators = { user: JWT, partner: PARTNER, queried: QUERY, web: COOKIE, legacy: LEGACY };
const roles = { admin: ["clerk"], clerk: [] };
const list = ["user", "partner", "queried", "web", "legacy"];
const routes = {
  "GET /": { authenticate: ["user"], authorize: "authenticated" },
  "GET /any": { authenticate: list, authorize: "authenticated" },
  "GET /optional": { authenticate: ["optional", ...list], authorize: "anyone" },
  "GET /both": { authenticate: [["partner", "user"], "web"], authorize: "authenticated" },
  "GET /optional-both": { authenticate: ["optional", ["partner", "web"]], authorize: "anyone" },
  "GET /cookie-first": { authenticate: [["web", "partner"]], authorize: "authenticated" },
  "GET /open": { authenticate: "none" },
};

const withAll = (): Promise<Compiled> => compiled({ roles, authenticators, routes } as never);

const good = await signed();
const rotten = await signed({ aud: "other" });

/** Each carrier absent, good or bad. */
type Presence = "absent" | "good" | "bad" | "empty";
interface Presented {
  readonly authorization: Presence | "legacy" | "basic";
  readonly apiKey: Presence;
  readonly query: Presence | "twice";
  readonly cookie: Presence | "twice";
}

function requestWith(presented: Presented): StateOptions {
  const authorization = {
    good: `Bearer ${good}`,
    bad: `Bearer ${rotten}`,
    empty: "",
    legacy: `ApiKey ${KEY}`,
    basic: "Basic YTpi",
  };
  const plain = { good: KEY, bad: `${KEY}x`, empty: "" };
  const headers: Record<string, string> = {};
  if (presented.authorization !== "absent") headers["authorization"] = authorization[presented.authorization];
  if (presented.apiKey !== "absent") headers["x-api-key"] = plain[presented.apiKey];
  const query = new Map<string, string | readonly string[]>();
  if (presented.query === "twice") query.set("key", [KEY, KEY]);
  else if (presented.query !== "absent") query.set("key", plain[presented.query]);
  const session = { good, twice: good, bad: rotten, empty: "" };
  const sentCookies =
    presented.cookie === "absent"
      ? cookiesOf()
      : cookiesOf({ sid: session[presented.cookie] }, presented.cookie === "twice" ? ["sid"] : []);
  return { headerFields: headers, queryParameters: query, sentCookies };
}

const presence = fc.constantFrom<Presence>("absent", "good", "bad", "empty");
const anyPresented = fc.record<Presented>({
  authorization: fc.constantFrom<Presented["authorization"]>(
    "absent",
    "good",
    "bad",
    "empty",
    "legacy",
    "basic",
  ),
  apiKey: presence,
  query: fc.constantFrom<Presented["query"]>("absent", "good", "bad", "empty", "twice"),
  cookie: fc.constantFrom<Presented["cookie"]>("absent", "good", "bad", "empty", "twice"),
});

const GOOD = new Set(["good", "legacy"]);

describe("the stage authenticate", () => {
  it("presented_bad_credential_never_downgrades", async () => {
    const kind = await withAll();
    await fc.assert(
      fc.asyncProperty(anyPresented, async (presented) => {
        const values = Object.values(presented).filter((value) => value !== "absent");
        const expected = values.some((value) => !GOOD.has(value))
          ? "invalid-credential"
          : values.length > 1
            ? "conflicting-credentials"
            : undefined;
        for (const route of ["GET /any", "GET /optional"]) {
          const outcome = await kind.run(route, requestWith(presented));
          const seen = summary(outcome);
          if (expected !== undefined) expect([seen, outcome.identity]).toEqual([expected, undefined]);
          else if (values.length === 1) expect(outcome.identity).toBeDefined();
          else expect(seen).toBe(route === "GET /any" ? "unauthenticated" : "anonymous");
        }
      }),
      { numRuns: 400 },
    );
  });

  it("looks only at what the route's authenticators name", async () => {
    const kind = await withAll();
    const others = { headerFields: { "x-api-key": "bad" }, sentCookies: cookiesOf({ sid: "bad" }) };
    expect(summary(await kind.run("GET /", others))).toBe("unauthenticated");
    expect(summary(await kind.run("GET /open", others))).toBe("anonymous");
  });

  it("B3.72 takes the configured scheme in any case, and exactly one blank", async () => {
    const kind = await withAll();
    const values = [
      `Bearer ${good}`,
      `bearer ${good}`,
      `BEARER ${good}`,
      `Bearer  ${good}`,
      `Bearer\t${good}`,
      `Bearer ${good}, Bearer ${good}`,
      `Bearer${good}`,
      good,
      "Bearer",
      "Bearer ",
      "",
      "Basic YTpi",
      `Token ${good}`,
      `BearerX ${good}`,
      `Bearer ${good} `,
    ];
    const seen: string[] = [];
    for (const authorization of values)
      seen.push(summary(await kind.run("GET /", { headerFields: { authorization } })));
    expect(seen).toEqual([
      "user:ann",
      "user:ann",
      "user:ann",
      ...Array<string>(12).fill("invalid-credential"),
    ]);
  });

  it("lets a malformed query decide nothing where a credential could stand in it", async () => {
    const kind = await withAll();
    const malformed = { queryParameters: undefined };
    expect(summary(await kind.run("GET /optional", malformed))).toBe("invalid-credential");
    expect(
      summary(await kind.run("GET /", { ...malformed, headerFields: { authorization: `Bearer ${good}` } })),
    ).toBe("user:ann");
  });

  it("asks for all of an inner list and takes the last for the principal", async () => {
    const kind = await withAll();
    const both = { headerFields: { authorization: `Bearer ${good}`, "x-api-key": KEY } };
    const { identity } = await kind.run("GET /both", both);
    expect(identity?.principal.id).toBe("ann");
    expect(identity?.principal.with).toEqual({
      partner: {
        id: "robot",
        roles: ["clerk"],
        scopes: ["s"],
        claims: { tenant: "t1" },
        authenticator: "partner",
        tenant: "t1",
      },
    });
    expect([identity?.ambient, identity?.key]).toEqual([false, "4:userann"]);
    const sentCookies = cookiesOf({ sid: good });
    const run = async (options: StateOptions): Promise<string> =>
      summary(await kind.run("GET /both", options));
    expect(await run({ headerFields: { "x-api-key": KEY } })).toBe("unauthenticated");
    expect(await run({ headerFields: { authorization: `Bearer ${good}` } })).toBe("unauthenticated");
    expect(await run({ headerFields: { ...both.headerFields, "x-api-key": "bad" } })).toBe(
      "invalid-credential",
    );
    expect(await run({ sentCookies })).toBe("web:ann");
    expect(await run({ ...both, sentCookies })).toBe("conflicting-credentials");
    expect(await run({})).toBe("unauthenticated");
  });

  it("downgrades nobody who brings half of what is asked", async () => {
    const kind = await withAll();
    const half = { headerFields: { "x-api-key": KEY } };
    expect(summary(await kind.run("GET /optional-both", half))).toBe("unauthenticated");
    expect(summary(await kind.run("GET /optional-both", {}))).toBe("anonymous");
    const whole = await kind.run("GET /optional-both", { ...half, sentCookies: cookiesOf({ sid: good }) });
    expect([summary(whole), whole.identity?.ambient]).toEqual(["web:ann", true]);
  });

  it("takes two credentials for one that travels by itself, whichever of them does", async () => {
    const kind = await withAll();
    const both = { headerFields: { "x-api-key": KEY }, sentCookies: cookiesOf({ sid: good }) };
    const outcome = await kind.run("GET /cookie-first", both);
    expect([summary(outcome), outcome.identity?.ambient]).toEqual(["partner:robot", true]);
  });

  it("finds the alternative that is there whole among issuers of one field", async () => {
    const other = {
      ...JWT,
      issuer: "https://other.test/",
      keys: { pem: pem(keyPair("P-256", "other").publicKey) },
    };
    const kind = await compiled({
      roles,
      authenticators: { a: JWT, b: other, lab: PARTNER },
      routes: { "GET /": { authenticate: [["lab", "a"], "b"], authorize: "authenticated" } },
    } as never);
    const theirs = forged(
      { alg: "ES256" },
      { ...CLAIMS, iss: "https://other.test/" },
      keyPair("P-256", "other").privateKey,
    );
    const run = async (headerFields: Record<string, string>): Promise<string> =>
      summary(await kind.run("GET /", { headerFields }));
    expect(await run({ authorization: `Bearer ${theirs}` })).toBe("b:ann");
    expect(await run({ authorization: `Bearer ${good}`, "x-api-key": KEY })).toBe("a:ann");
    expect(await run({ authorization: `Bearer ${good}` })).toBe("unauthenticated");
    expect(await run({ authorization: `Bearer ${theirs}`, "x-api-key": KEY })).toBe(
      "conflicting-credentials",
    );
  });

  it("challenges as RFC 6750 says: an error only where a token was refused", async () => {
    const kind = await withAll();
    const field = async (route: string, options: StateOptions): Promise<unknown> => {
      const { verdict } = await kind.run(route, options);
      return verdict?.kind === "refusal" ? verdict.headers : verdict;
    };
    const plain = [["WWW-Authenticate", 'Bearer realm="t"']];
    expect(await field("GET /", {})).toEqual(plain);
    expect(kind.challenge("GET /")).toEqual(plain);
    expect(kind.challenge("GET /open")).toEqual([]);
    expect(await field("GET /", { headerFields: { authorization: "Basic YTpi" } })).toEqual(plain);
    expect(await field("GET /", { headerFields: { authorization: "Bearer x" } })).toEqual([
      ["WWW-Authenticate", 'Bearer realm="t", error="invalid_token"'],
    ]);
    const rest =
      'ApiKey realm="t", in="header", name="x-api-key", ApiKey realm="t", in="query", name="key", Cookie realm="t", cookie-name="sid", ApiKey realm="t"';
    expect(await field("GET /any", {})).toEqual([["WWW-Authenticate", `Bearer realm="t", ${rest}`]]);
    expect(await field("GET /any", { headerFields: { authorization: "ApiKey x" } })).toEqual([
      ["WWW-Authenticate", `Bearer realm="t", ${rest}`],
    ]);
    expect(await field("GET /any", { headerFields: { authorization: "Bearer x" } })).toEqual([
      ["WWW-Authenticate", `Bearer realm="t", error="invalid_token", ${rest}`],
    ]);
  });

  it("puts nothing into the challenge that could break the field", async () => {
    const kind = await compiled({
      name: 'a"b\\c\r\nX: ü',
      authenticators: {
        user: {
          ...JWT,
          scheme: "DPoP",
          resourceMetadata: "https://api.test/.well-known/oauth-protected-resource",
        },
      },
    });
    expect(kind.challenge("GET /")).toEqual([
      [
        "WWW-Authenticate",
        'DPoP realm="a\\"b\\\\c__X: _", resource_metadata="https://api.test/.well-known/oauth-protected-resource"',
      ],
    ]);
  });

  it("says where it looked, never what it saw", async () => {
    const kind = await withAll();
    const { state } = await kind.run("GET /", {
      tracing: true,
      headerFields: { authorization: `Bearer ${good}` },
    });
    expect(state.notes).toEqual([
      {
        rule: "/routes/GET ~1/authenticate",
        reason: "authenticated by `user`",
        read: [{ fact: "headers.authorization" }],
      },
      { reached: [{ rule: "/authenticators/user", came: "accepted" }] },
    ]);
    const { state: anonymous } = await kind.run("GET /optional", { tracing: true });
    expect(anonymous.notes).toEqual([
      { rule: "/routes/GET ~1optional/authenticate", reason: "no credential is presented: anonymous" },
    ]);
  });

  it("secrets_never_leak: no credential in any refusal", async () => {
    const kind = await withAll();
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 4 }), async (text) => {
        const canary = `canary${text}`;
        for (const credential of [
          canary,
          forged({ ...HEADER, kid: canary }, CLAIMS),
          forged(HEADER, { ...CLAIMS, iss: canary }),
        ]) {
          const { verdict } = await kind.run("GET /any", {
            headerFields: { authorization: `Bearer ${credential}`, "x-api-key": canary },
          });
          expect(JSON.stringify(verdict)).not.toContain("canary");
        }
      }),
    );
  });
});

describe("what no route can be served with", () => {
  const codes = (authenticators: Record<string, unknown>, rest: Record<string, unknown> = {}): string[] =>
    checkOf({ roles, authenticators, ...rest }).map(
      ({ code, pointer, severity }) => `${severity} ${code} ${pointer}`,
    );

  it("refuses two that must both pass in one field", () => {
    const one = { ...JWT, issuer: "https://b.test/" };
    expect(
      codes(
        { a: JWT, b: one },
        { routes: { "GET /": { authenticate: [["a", "b"]], authorize: "authenticated" } } },
      ),
    ).toEqual(["error all-of-one-carrier /routes/GET ~1/authenticate"]);
  });

  it("refuses kinds that cannot be told apart in one field, once", () => {
    const bearerKey = { ...LEGACY, scheme: "bearer" };
    expect(
      codes(
        { a: JWT, b: bearerKey },
        { routes: { "GET /": { authorize: "authenticated" }, "GET /x": { authorize: "authenticated" } } },
      ),
    ).toEqual(["error carrier-conflict /routes/GET ~1"]);
    expect(codes({ a: JWT, b: LEGACY, c: { ...JWT, issuer: "https://c.test/" } })).toEqual([]);
  });

  it("refuses carriers without a name and schemes without a meaning", () => {
    expect(codes({ a: { ...JWT, in: "cookie" } })).toEqual(["error missing-name /authenticators/a"]);
    expect(codes({ a: { ...JWT, in: "cookie", name: "sid", scheme: "Bearer" } })).toEqual([
      "error scheme-without-authorization /authenticators/a/scheme",
    ]);
    expect(codes({ a: { type: "custom", use: "x", in: "query" } })).toEqual([
      "error missing-name /authenticators/a",
    ]);
  });

  it("tells the whole diagnostic", () => {
    expect(checkOf({ roles, authenticators: { a: { ...JWT, confers: ["clark"] } } })).toEqual([
      {
        code: "unknown-role",
        severity: "error",
        pointer: "/authenticators/a/confers/0",
        message: "role `clark` is not declared in `roles`",
        help: "did you mean `clerk`?",
      },
    ]);
  });
});
