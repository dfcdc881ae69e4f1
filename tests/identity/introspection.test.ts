/** Opaque tokens: who asks, what is believed, what is remembered, and what an endpoint that fails comes to. */
import { inspect } from "node:util";
import { checkPolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { importJWK, jwtVerify } from "jose";
import { describe, expect, it, vi } from "vitest";
import {
  engineWith,
  isWarm,
  ISSUER,
  JWKS,
  json,
  outcome,
  policyWith,
  Provider,
  requestWith,
  settled,
  TestClock,
  user,
  type Setting,
} from "./support.js";
import { ecPair, ed25519Pair, rsaPair } from "../../packages/core/src/node/key-pair.js";

const URL_ = "https://id.test/introspect?x=c4n4ry-query";
const SECRET = "c4n4ry: secret%/+";
const START = TestClock.START / 1000;

const opaque = {
  type: "introspection",
  url: URL_,
  client: { id: "api:1", secret: { secret: "env:SECRET" } },
  issuer: ISSUER,
  audience: "api",
  in: "header",
} as const;

const good = { active: true, iss: ISSUER, aud: "api", sub: "ann", exp: START + 3600 };

/** Answers by token; anything else is not active. */
function endpoint(answers: Readonly<Record<string, unknown>>): Provider {
  return new Provider((_url, { body }) => {
    const token = new URLSearchParams(typeof body === "string" ? body : "").get("token") ?? "";
    return json(Object.hasOwn(answers, token) ? answers[token] : { active: false });
  });
}

function start(
  provider: Provider,
  settings: object = {},
  secret: string | Uint8Array = SECRET,
): Promise<Setting> {
  return engineWith(policyWith({ opaque: { ...opaque, ...settings } }), provider, {
    secrets: { get: () => secret },
  });
}

const bodyOf = (init: RequestInit | undefined): URLSearchParams =>
  new URLSearchParams(typeof init?.body === "string" ? init.body : "");

describe("who asks", () => {
  it("is a client with a secret in `Authorization`, form-encoded before it is joined", async () => {
    const provider = endpoint({ t: good });
    const { engine } = await start(provider);
    expect(await outcome(engine, "t")).toBe("ann");
    const [call] = provider.calls;
    expect(call?.url).toBe(URL_);
    expect(call?.init.method).toBe("POST");
    const headers = new Headers(call?.init.headers);
    const [scheme, credentials = ""] = (headers.get("authorization") ?? "").split(" ");
    expect(scheme).toBe("Basic");
    expect(Buffer.from(credentials, "base64").toString()).toBe("api%3A1:c4n4ry%3A+secret%25%2F%2B");
    expect(headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect(Object.fromEntries(bodyOf(call?.init))).toEqual({ token: "t" });
    await engine.close();
  });

  it("is a client with a secret in the body", async () => {
    const provider = endpoint({ t: good });
    const { engine } = await start(provider, { client: { ...opaque.client, method: "post" } });
    expect(await outcome(engine, "t")).toBe("ann");
    expect(new Headers(provider.calls[0]?.init.headers).has("authorization")).toBe(false);
    expect(Object.fromEntries(bodyOf(provider.calls[0]?.init))).toEqual({
      token: "t",
      client_id: "api:1",
      client_secret: SECRET,
    });
    await engine.close();
  });

  it.each([
    ["ES256", "pem", () => ecPair("P-256")],
    ["ES384", "jwk", () => ecPair("P-384")],
    ["RS256", "pem", () => rsaPair()],
    ["PS256", "jwk", () => rsaPair()],
    ["EdDSA", "pem", () => ed25519Pair()],
  ] as const)("is a client with a key: %s from %s", async (algorithm, form, make) => {
    const { publicKey, privateKey } = make();
    const key =
      form === "pem"
        ? privateKey.export({ type: "pkcs8", format: "pem" }).toString()
        : JSON.stringify(privateKey.export({ format: "jwk" }));
    const provider = endpoint({ t: good, u: good });
    const client = { id: "api", key: { secret: "file:key" }, algorithm, keyId: "k" };
    const { engine } = await start(provider, { client }, key);
    expect([await outcome(engine, "t"), await outcome(engine, "u")]).toEqual(["ann", "ann"]);
    const assertions = await Promise.all(
      provider.calls.map(async ({ init }) => {
        const body = bodyOf(init);
        expect(body.get("client_id")).toBe("api");
        expect(body.get("client_assertion_type")).toBe(
          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        );
        return jwtVerify(
          body.get("client_assertion") ?? "",
          await importJWK(publicKey.export({ format: "jwk" }), algorithm),
          {
            currentDate: new Date(TestClock.START),
          },
        );
      }),
    );
    const [first, second] = assertions;
    expect(first?.protectedHeader).toEqual({ alg: algorithm, typ: "JWT", kid: "k" });
    expect(first?.payload).toMatchObject({
      iss: "api",
      sub: "api",
      aud: ISSUER,
      iat: START,
      exp: START + 60,
    });
    expect(first?.payload.jti).toMatch(/^[0-9a-f]{32}$/u);
    expect(first?.payload.jti).not.toBe(second?.payload.jti);
    await engine.close();
  });

  it.each([
    ["ES256", "c4n4ry", "the key is neither a `PRIVATE KEY` in PEM (PKCS#8) nor a private JWK"],
    [
      "ES256",
      "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----",
      "the PEM holds no private key that fits ES256",
    ],
    ["ES256", '{"kty":"EC","crv":"P-256","x":"c4n4ry","y":"c4n4ry"}', "the JWK is no private key for ES256"],
    ["RS256", '{"kty":"EC","crv":"P-256","d":"c4n4ry"}', "the JWK is no private key for RS256"],
    [
      "ES256",
      '{"kty":"EC","crv":"P-256","x":"c4n4ry","y":"c4n4ry","d":"c4n4ry"}',
      "the JWK holds no private key that fits ES256",
    ],
  ])("is nobody with a key for %s that is none: %s", async (algorithm, key, message) => {
    const client = { id: "api", key: { secret: "file:key" }, algorithm };
    const problem: unknown = await start(endpoint({}), { client }, key).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(PolicyError);
    if (!(problem instanceof PolicyError)) return;
    expect(problem.diagnostics).toMatchObject([
      { code: "invalid-key", pointer: "/authenticators/opaque/client/key", message },
    ]);
    expect(inspect(problem, { depth: null })).not.toContain("c4n4ry");
  });
});

describe("what is believed", () => {
  it.each([
    ["a good answer", good, "ann"],
    ["an answer for several audiences", { ...good, aud: ["x", "api"] }, "ann"],
    ["an answer without `exp`", { ...good, exp: undefined }, "ann"],
    ["an answer that is no more", { ...good, exp: START }, 401],
    ["an answer that is not yet", { ...good, nbf: START + 1 }, 401],
    ["an answer from the future", { ...good, iat: START + 1 }, 401],
    ["a date that is none", { ...good, exp: "9999999999" }, 401],
    ["another issuer", { ...good, iss: "https://other.test" }, 401],
    ["no issuer", { ...good, iss: undefined }, 401],
    ["another audience", { ...good, aud: "other" }, 401],
    ["no audience", { ...good, aud: undefined }, 401],
    ["an empty audience", { ...good, aud: [] }, 401],
    ["nobody", { ...good, sub: undefined }, 401],
    ["a token that is bound to a key", { ...good, cnf: { jkt: "x" } }, 401],
    ["scopes that are none", { ...good, scope: 7 }, 401],
    ["inactive, whatever stands beside it", { ...good, active: false }, 401],
    ["active as text", { ...good, active: "true" }, 503],
    ["active as a number", { ...good, active: 1 }, 503],
    ["nothing", {}, 503],
  ])("%s", async (_, answer, expected) => {
    const { engine } = await start(endpoint({ t: answer }));
    expect(await outcome(engine, "t")).toBe(expected);
    expect(await outcome(engine, "t")).toBe(expected);
    await engine.close();
  });

  it("maps the answer to a principal, whose scopes are asked like any other's", async () => {
    const policy = policyWith(
      { opaque: { ...opaque, principal: { id: "client_id", scopes: "scope", tenant: "org" } } },
      { routes: { "GET /": { authorize: { scopes: ["read"] } } } },
    );
    const answer = { ...good, client_id: "app", org: "acme" };
    const { engine } = await engineWith(
      policy,
      endpoint({ r: { ...answer, scope: "read write" }, w: { ...answer, scope: "write" } }),
      {
        secrets: { get: () => SECRET },
      },
    );
    const decision = await engine.evaluate(requestWith("Bearer r"));
    expect(decision.outcome === "admit" && decision.principal).toMatchObject({
      id: "app",
      tenant: "acme",
      scopes: ["read", "write"],
      authenticator: "opaque",
    });
    expect(await outcome(engine, "w")).toBe(403);
    await engine.close();
  });

  it.each(["", "a b", "ä", "x".repeat(8193)])("asks nobody about what is no token: %j", async (token) => {
    const provider = endpoint({});
    const { engine } = await start(provider, { in: "cookie", name: "sid" });
    const decision = await engine.evaluate({
      method: "GET",
      target: "/",
      headers: [
        ["Host", "a.test"],
        ["Cookie", `sid=${token}`],
      ],
    });
    expect(decision.outcome).toBe("refuse");
    expect(provider.calls).toHaveLength(0);
    await engine.close();
  });
});

describe("what is remembered", () => {
  it("is a good token, for as long as is set and no longer than it is good", async () => {
    const provider = endpoint({ t: good, short: { ...good, exp: START + 30 } });
    const { engine, clock } = await start(provider);
    expect(isWarm(engine, "t")).toBe(false);
    await settled();
    expect(isWarm(engine, "t")).toBe(true);
    expect(await outcome(engine, "short")).toBe("ann");
    clock.advance(30_000);
    expect([await outcome(engine, "t"), await outcome(engine, "short")]).toEqual(["ann", 401]);
    expect(provider.calls).toHaveLength(2);
    clock.advance(30_000);
    provider.answering = () => json({ active: false });
    expect(await outcome(engine, "t")).toBe(401);
    expect(provider.calls).toHaveLength(3);
    await engine.close();
  });

  it("is a bad token, for a shorter while", async () => {
    const provider = endpoint({});
    const { engine, clock } = await start(provider);
    expect(await outcome(engine, "t")).toBe(401);
    expect(isWarm(engine, "t")).toBe(true);
    clock.advance(10_000);
    provider.answering = () => json(good);
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.close();
  });

  it("is nothing where the author wants nothing remembered", async () => {
    const provider = endpoint({ t: good });
    const { engine } = await start(provider, { cache: "0s", cacheInactive: "0s" });
    for (const token of ["t", "t", "u", "u"]) await outcome(engine, token);
    expect(provider.calls).toHaveLength(4);
    await engine.close();
  });

  it("is no fault", async () => {
    const provider = endpoint({ t: good });
    const { answering } = provider;
    const { engine } = await start(provider);
    provider.answering = () => json({}, {}, 500);
    expect(await outcome(engine, "t")).toBe(503);
    provider.answering = answering;
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.close();
  });

  it("is asked for once by many at the same time", async () => {
    const provider = endpoint({ t: good });
    const { engine } = await start(provider);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(engine, "t")));
    expect(new Set(outcomes)).toEqual(new Set(["ann"]));
    expect(provider.calls).toHaveLength(1);
    await engine.close();
  });

  it("is never another token's", async () => {
    const { engine } = await start(endpoint({ t: good, u: { ...good, sub: "bob" } }));
    expect([await outcome(engine, "t"), await outcome(engine, "u"), await outcome(engine, "T")]).toEqual([
      "ann",
      "bob",
      401,
    ]);
    await engine.close();
  });
});

describe("a swap of policies", () => {
  const policyOf = (settings: object = {}, more: object = {}, name = "opaque"): PolicyDocument =>
    policyWith({ [name]: { ...opaque, ...settings } }, { roles: { reader: [] }, ...more }) as PolicyDocument;
  const begin = async (settings: object = {}): Promise<Setting & { provider: Provider }> => {
    const provider = endpoint({ t: { ...good, roles: ["reader"], cnf: undefined } });
    const policy = policyOf(settings);
    const setting = await engineWith(policy, provider, { secrets: { get: () => SECRET } });
    expect(await outcome(setting.engine, "t")).toBe("ann");
    expect(await outcome(setting.engine, "unknown")).toBe(401);
    provider.fail();
    return { ...setting, provider };
  };

  it("leaves what was remembered, with the issuer away, for as long as it was good anyhow", async () => {
    const { engine, clock } = await begin();
    clock.advance(9_000);
    await engine.replace(
      policyOf({}, { routes: { "GET /": { authorize: "authenticated", description: "other" } } }),
    );
    expect(isWarm(engine, "t")).toBe(true);
    expect(await outcome(engine, "t")).toBe("ann");
    expect(await outcome(engine, "unknown")).toBe(401);
    clock.advance(1_000);
    expect(await outcome(engine, "unknown")).toBe(503);
    clock.advance(49_999);
    expect(await outcome(engine, "t")).toBe("ann");
    clock.advance(1);
    expect(await outcome(engine, "t")).toBe(503);
  });

  it("leaves it when a secret changes: the client is the same", async () => {
    const provider = endpoint({ t: good });
    let secret = SECRET;
    let changed = (): void => undefined;
    const { engine } = await engineWith(policyOf(), provider, {
      secrets: { get: () => secret, watch: (_references, tell) => ((changed = tell), () => undefined) },
      onSecrets: ({ outcome: what }) => void told.push(what),
    });
    const told: string[] = [];
    await outcome(engine, "t");
    provider.fail();
    secret = "another";
    changed();
    await vi.waitFor(() => expect(told).toEqual(["rotated"]));
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.close();
  });

  it.each<readonly [string, PolicyDocument]>([
    ["another endpoint", policyOf({ url: "https://id.test/introspect" })],
    ["another client", policyOf({ client: { ...opaque.client, id: "api:2" } })],
    ["a secret from elsewhere", policyOf({ client: { id: "api:1", secret: { secret: "env:OTHER" } } })],
    ["another way to show it", policyOf({ client: { ...opaque.client, method: "post" } })],
    ["another issuer", policyOf({ issuer: "https://other.test" })],
    ["another audience", policyOf({ audience: ["api", "b"] })],
    ["proofs that are asked for", policyOf({ senderConstrained: "mtls" })],
    ["a shorter memory", policyOf({ cache: "59s" })],
    ["a shorter memory of bad ones", policyOf({ cacheInactive: "9s" })],
    ["clocks that may differ", policyOf({ clockTolerance: "1s" })],
    ["another principal", policyOf({ principal: { id: "sub", roles: "roles" } })],
    ["roles that it may confer", policyOf({ confers: ["reader"] })],
    ["roles that mean something else", policyOf({}, { roles: { reader: ["writer"], writer: [] } })],
  ])("leaves nothing to one with %s", async (_what, next) => {
    const { engine, provider } = await begin();
    const asked = provider.calls.length;
    await engine.replace(next);
    const tls = { clientCertificate: { fingerprint256: "00".repeat(32) } };
    const decision = await engine.evaluate({ ...requestWith("Bearer t"), tls: tls as never });
    expect(decision).toMatchObject({ outcome: "refuse", status: 503 });
    expect(provider.calls.length).toBe(asked + 1);
    // Nor does it come back with the policy that it was learned under: nobody kept it.
    await engine.replace(policyOf());
    expect(await outcome(engine, "t")).toBe(503);
  });

  it("leaves nothing to an authenticator of another name", async () => {
    const { engine } = await begin();
    await engine.replace(policyOf({}, {}, "other"));
    expect(await outcome(engine, "t")).toBe(503);
  });

  it("that failed leaves all as it was", async () => {
    const { engine } = await begin();
    const away = { ...user, keys: { jwks: JWKS } };
    await expect(
      engine.replace(policyWith({ opaque, away }, { roles: { reader: [] } }) as never),
    ).rejects.toThrow(PolicyError);
    expect(await outcome(engine, "t")).toBe("ann");
  });

  it("lets nobody in who is revoked", async () => {
    const { engine } = await begin();
    await engine.replace(policyOf({}, { revocation: {} }));
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.revoke({ id: "ann", authenticator: "opaque" });
    expect(await outcome(engine, "t")).toBe(401);
    await engine.replace(
      policyOf({}, { revocation: {}, routes: { "GET /": { authorize: "authenticated", description: "x" } } }),
    );
    expect(await outcome(engine, "t")).toBe(401);
  });

  it("gives nobody fresh guesses, and an issuer that is away no fresh calls", async () => {
    const { engine, provider } = await begin({ failures: { limit: 2, window: "1m" } });
    const guess = async (token: string): Promise<number | undefined> => {
      const from = requestWith(`Bearer ${token}`, { remoteAddress: "192.0.2.1" });
      const decision = await engine.evaluate(from);
      return decision.outcome === "refuse" ? decision.status : undefined;
    };
    provider.answering = () => json({ active: false });
    expect([await guess("a"), await guess("b"), await guess("c")]).toEqual([401, 401, 429]);
    await engine.replace(policyOf({ failures: { limit: 2, window: "1m" } }));
    expect(await guess("d")).toBe(429);
    provider.fail();
    for (let count = 0; count < 5; count += 1) await outcome(engine, `e${count}`);
    const asked = provider.calls.length;
    await engine.replace(policyOf({ failures: { limit: 2, window: "1m" } }));
    expect(await outcome(engine, "f")).toBe(503);
    expect(provider.calls.length).toBe(asked);
  });

  it("to a candidate in shadow and back teaches neither what the other knows", async () => {
    const { engine, provider } = await begin();
    const differences: unknown[] = [];
    const asked = provider.calls.length;
    await engine.shadow(policyOf(), { code: "call", onDifference: (one) => void differences.push(one) });
    provider.answering = () => json({ ...good, sub: "candidate" });
    await outcome(engine, "t");
    await vi.waitFor(() => expect(engine.shadowing?.compared).toBe(1));
    expect(provider.calls.length).toBe(asked + 1);
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.close();
  });
});

describe("an endpoint that fails", () => {
  it.each([
    ["an error", () => json({ active: true }, {}, 500), "answered with status 500"],
    ["our client refused", () => json({ error: "invalid_client" }, {}, 401), "answered with status 401"],
    [
      "a page",
      () => new Response("<html>", { headers: { "Content-Type": "text/html" } }),
      "answered with something else than JSON",
    ],
    [
      "a signed answer that nobody asked for",
      () => new Response("a.b.c", { headers: { "Content-Type": "application/token-introspection+jwt" } }),
      "answered with something else than JSON",
    ],
    [
      "garbage",
      () => new Response("{", { headers: { "Content-Type": "application/json" } }),
      "answered with no JSON object",
    ],
    [
      "two answers in one",
      () =>
        new Response('{"active":false,"active":true}', { headers: { "Content-Type": "application/json" } }),
      "answered with no JSON object",
    ],
    ["too much", () => new Response(new Uint8Array(10_000_000)), "answered with more than 262144 bytes"],
    [
      "a redirect",
      () => new Response(null, { status: 307, headers: { Location: "https://evil.test/" } }),
      "answered with a redirect, which is not followed",
    ],
    ["nothing", () => Promise.reject(new TypeError("fetch failed: c4n4ry")), "cannot be reached"],
  ])("with %s is 503 and admits nobody", async (_, answer, problem) => {
    const { engine, events } = await start(new Provider(answer));
    expect(await outcome(engine, "t")).toBe(503);
    expect(events.at(-1)?.reason).toBe(
      `\`opaque\` could not ask about the token: \`https://id.test/introspect\` ${problem}`,
    );
    await engine.close();
  });

  it("that hangs is 503 after the deadline, for all who wait", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { engine } = await start(new Provider(() => new Promise(() => undefined)));
    const outcomes = Promise.all([outcome(engine, "t"), outcome(engine, "t"), outcome(engine, "u")]);
    await settled();
    vi.advanceTimersByTime(5000);
    expect(await outcomes).toEqual([503, 503, 503]);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    await engine.close();
  });

  it("holds a bounded number of requests", async () => {
    const provider = new Provider(() => new Promise(() => undefined));
    const { engine } = await start(provider);
    const outcomes = Array.from({ length: 300 }, (_, index) => outcome(engine, `t${index}`));
    await settled();
    expect(provider.calls).toHaveLength(256);
    await engine.close();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([503]));
  });

  it("and cannot be reached is left alone for a while, but for one that looks", async () => {
    const provider = endpoint({ t: good });
    const { answering } = provider;
    const { engine, clock } = await start(provider);
    provider.fail();
    for (let index = 0; index < 20; index += 1) expect(await outcome(engine, `t${index}`)).toBe(503);
    expect(provider.calls).toHaveLength(5);
    clock.advance(1000);
    const several = [outcome(engine, "x"), outcome(engine, "y"), outcome(engine, "z")];
    expect(await Promise.all(several)).toEqual([503, 503, 503]);
    expect(provider.calls).toHaveLength(6);
    clock.advance(10_000);
    provider.answering = answering;
    expect(await outcome(engine, "t")).toBe("ann");
    expect(await outcome(engine, "x")).toBe(401);
    await engine.close();
  });

  it("with an error for one token is not closed to the others", async () => {
    const provider = new Provider((_url, init) =>
      bodyOf(init).get("token") === "t" ? json(good) : json({}, {}, 400),
    );
    const { engine } = await start(provider);
    for (let index = 0; index < 20; index += 1) expect(await outcome(engine, `x${index}`)).toBe(503);
    expect(await outcome(engine, "t")).toBe("ann");
    await engine.close();
  });

  it("at the n-th call admits nobody whom it should not", async () => {
    for (let failing = 0; failing < 4; failing += 1) {
      const provider = endpoint({ t: good });
      const { answering } = provider;
      provider.answering = (url, init) => {
        if (provider.calls.length - 1 === failing) throw new Error("planted");
        return answering(url, init);
      };
      const { engine } = await start(provider, { cache: "0s", cacheInactive: "0s" });
      const outcomes = [];
      for (const token of ["t", "u", "t", "u"]) outcomes.push(await outcome(engine, token));
      expect(outcomes).toEqual(["ann", 401, "ann", 401].map((one, index) => (index === failing ? 503 : one)));
      await engine.close();
    }
  });
});

describe("guessing", () => {
  const from = (ip: string, token: string) => requestWith(`Bearer ${token}`, { remoteAddress: ip });

  it("is stopped by address, and costs nobody else anything", async () => {
    const provider = endpoint({ t: good });
    const { engine, clock } = await start(provider, { failures: { limit: 10, window: "1m" } });
    const statuses: unknown[] = [];
    for (let index = 0; index < 50; index += 1) {
      const decision = await engine.evaluate(from("192.0.2.1", `x${index}`));
      statuses.push(decision.outcome === "refuse" && decision.status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(40).fill(429)]);
    expect(provider.calls).toHaveLength(10);
    expect((await engine.evaluate(from("192.0.2.2", "t"))).outcome).toBe("admit");
    // What is known already is not looked up.
    expect((await engine.evaluate(from("192.0.2.1", "t"))).outcome).toBe("admit");
    const refused = await engine.evaluate(from("192.0.2.1", "u"));
    expect(refused.outcome === "refuse" && [refused.code, refused.stage]).toEqual([
      "rate-limited",
      "authenticate",
    ]);
    expect(
      refused.outcome === "refuse" && refused.responseHeaders.find(([name]) => name === "Retry-After")?.[1],
    ).toBe("60");
    clock.advance(60_000);
    const again = await engine.evaluate(from("192.0.2.1", "u"));
    expect(again.outcome === "refuse" && again.status).toBe(401);
    await engine.close();
  });

  it("cannot try the rest of its guesses all at once", async () => {
    const provider = endpoint({});
    const { engine } = await start(provider, { failures: { limit: 10, window: "1m" } });
    await engine.evaluate(from("192.0.2.1", "first"));
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => engine.evaluate(from("192.0.2.1", `x${index}`))),
    );
    expect(provider.calls).toHaveLength(10);
    await engine.close();
  });

  it("counts an IPv6 network as one", async () => {
    const provider = endpoint({});
    const { engine } = await start(provider, { failures: { limit: 10, window: "1m" } });
    for (let index = 0; index < 50; index += 1)
      await engine.evaluate(from(`2001:db8::${index}`, `x${index}`));
    expect(provider.calls).toHaveLength(10);
    await engine.close();
  });

  it("is never counted against an address whose endpoint failed", async () => {
    const provider = new Provider(() => json({}, {}, 500));
    const { engine } = await start(provider, { failures: { limit: 1, window: "1m" } });
    for (let index = 0; index < 5; index += 1) {
      const decision = await engine.evaluate(from("192.0.2.1", `x${index}`));
      expect(decision.outcome === "refuse" && decision.status).toBe(503);
    }
    await engine.close();
  });
});

describe("what is checked without a network", () => {
  const told = (settings: object, more: object = {}): unknown =>
    checkPolicy(policyWith({ opaque: { ...opaque, ...settings }, ...more }))
      .filter(({ severity }) => severity === "error")
      .map(({ code, pointer, message }) => [code, pointer, message]);

  it.each([
    [{}, []],
    [
      { url: "http://id.test/introspect" },
      [["invalid-url", "/authenticators/opaque/url", "the URL is not HTTPS"]],
    ],
    [{ url: "http://localhost:1/introspect" }, []],
    [
      { audience: ["api", "unchecked"] },
      [["unchecked-in-list", "/authenticators/opaque/audience", "`unchecked` stands beside values"]],
    ],
    [
      { in: "cookie" },
      [["missing-name", "/authenticators/opaque", "a credential in a cookie needs the `name` of the cookie"]],
    ],
    [
      { client: { id: "a", secret: "literal" } },
      [["literal-secret", "/authenticators/opaque/client/secret", "a literal stands where a secret belongs"]],
    ],
    [
      { client: { id: "a", key: { secret: "env:K" }, algorithm: "HS256" } },
      [
        [
          "unknown-value",
          "/authenticators/opaque/client/algorithm",
          "`HS256` is not one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519`",
        ],
      ],
    ],
  ])("%j", (settings, expected) => {
    expect(told(settings)).toEqual(expected);
  });

  it("an opaque token is shown to one issuer alone", () => {
    const other = { ...opaque, url: "https://other.test/introspect" };
    expect(told({}, { other })).toEqual([
      [
        "carrier-conflict",
        "/routes/GET ~1",
        "`opaque` (introspection) and `other` (introspection) read the same field in the same scheme",
      ],
    ]);
  });
});

it("shows no secret and no token anywhere", async () => {
  const { privateKey } = ecPair("P-256");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const [client, secret] of [
    [opaque.client, SECRET],
    [{ ...opaque.client, method: "post" }, SECRET],
    [{ id: "api", key: { secret: "env:K" }, algorithm: "ES256" }, pem],
  ] as const) {
    const provider = endpoint({ "c4n4ry-token": good });
    const policy = policyWith({ opaque: { ...opaque, client } });
    const { engine, events } = await engineWith(policy, provider, {
      secrets: { get: () => secret },
      trace: true,
    });
    const seen: unknown[] = [];
    for (const token of ["c4n4ry-token", "c4n4ry-other"]) {
      seen.push(await engine.evaluate(requestWith(`Bearer ${token}`)));
    }
    provider.answering = () => json({ c4n4ry: "c4n4ry" }, {}, 500);
    seen.push(await engine.evaluate(requestWith("Bearer c4n4ry-third")));
    provider.answering = () => Promise.reject(new Error(`c4n4ry ${SECRET}`));
    seen.push(await engine.evaluate(requestWith("Bearer c4n4ry-fourth")));
    const shown = inspect([events, seen, engine], { depth: null, getters: true });
    expect(shown).not.toContain("c4n4ry-");
    expect(shown).not.toContain("secret%");
    expect(shown).not.toContain(pem.slice(40, 80));
    await engine.close();
  }
});
