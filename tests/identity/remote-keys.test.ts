/** Keys that an issuer publishes: rotation, outages, strangers, and what a token may never choose. */
import { inspect } from "node:util";
import { checkPolicy, PolicyError, type PolicyDocument, type ShadowDifference } from "@gatehouse/core";
import { SignJWT } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  engineWith,
  isWarm,
  ISSUER,
  json,
  JWKS,
  outcome,
  pair,
  policyWith,
  Provider,
  publishing,
  settled,
  tokenBy,
  user,
} from "./support.js";

const K1 = pair("k1");
const K2 = pair("k2");
const MINUTE = 60_000;

afterEach(() => {
  vi.useRealTimers();
});

async function problemsOf(run: Promise<unknown>): Promise<unknown> {
  try {
    await run;
  } catch (error) {
    if (error instanceof PolicyError)
      return error.diagnostics.map(({ code, message, pointer }) => [code, pointer, message]);
    throw error;
  }
  return [];
}

describe("a key set behind a URL", () => {
  it("is fetched once, and a warm decision waits for nothing", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K1, clock);
    expect(isWarm(engine, token)).toBe(true);
    expect(await outcome(engine, token)).toBe("ann");
    expect(await outcome(engine, await tokenBy(K1, clock, { sub: "bob" }))).toBe("bob");
    expect(provider.calls.map(({ url }) => url)).toEqual([JWKS]);
    await engine.close();
  });

  it("is shared by authenticators that differ only in whom they let in", async () => {
    const provider = publishing(K1);
    const other = { ...user, audience: "other", principal: { id: "sub", roles: "r" } };
    const { engine, clock } = await engineWith(policyWith({ user, other }), provider);
    expect(await outcome(engine, await tokenBy(K1, clock, { aud: "other" }))).toBe("ann");
    expect(provider.calls).toHaveLength(1);
    await engine.close();
  });

  it.each(["jku", "x5u", "jwk", "x5c"])("is never left for what a token names in `%s`", async (name) => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const value = name === "jwk" ? K2.jwk : name === "x5c" ? ["x"] : "https://evil.test/keys";
    expect(await outcome(engine, await tokenBy(K2, clock, {}, { [name]: value, kid: "k1" }))).toBe(401);
    expect(await outcome(engine, await tokenBy(K1, clock, {}, { [name]: value }))).toBe("ann");
    expect(provider.calls.map(({ url }) => url)).toEqual([JWKS]);
    await engine.close();
  });
});

describe("rotation", () => {
  it("refuses no good token, however many come at once", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    provider.publish([K1, K2]);
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        tokenBy(index % 2 === 0 ? K2 : K1, clock, { jti: String(index) }),
      ),
    );
    const outcomes = await Promise.all(tokens.map((token) => outcome(engine, token)));
    expect(new Set(outcomes)).toEqual(new Set(["ann"]));
    expect(provider.calls).toHaveLength(2);
    expect(isWarm(engine, tokens[0] ?? "")).toBe(true);
    await engine.close();
  });

  it("refuses no good token when a refresh that began before is still under way", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    let release: () => void = () => undefined;
    provider.answering = () => new Promise((resolve) => (release = () => resolve(json({ keys: [K1.jwk] }))));
    clock.advance(15 * MINUTE);
    expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
    await settled();
    provider.publish([K1, K2]);
    const waiting = outcome(engine, await tokenBy(K2, clock));
    await settled();
    release();
    expect(await waiting).toBe("ann");
    expect(provider.calls).toHaveLength(3);
    await engine.close();
  });

  it("forgets what a key verified that left the set, and keeps what another did", async () => {
    const provider = publishing(K1, K2);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const [gone, kept] = [await tokenBy(K1, clock), await tokenBy(K2, clock)];
    expect([await outcome(engine, gone), await outcome(engine, kept)]).toEqual(["ann", "ann"]);
    provider.publish([K2]);
    clock.advance(15 * MINUTE);
    await outcome(engine, kept);
    await settled();
    expect([await outcome(engine, gone), await outcome(engine, kept)]).toEqual([401, "ann"]);
    await engine.close();
  });

  it("does not take another key of the same name for the one that verified", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K1, clock);
    expect(await outcome(engine, token)).toBe("ann");
    const again = { ...K2, kid: "k1", jwk: { ...K2.jwk, kid: "k1" } };
    provider.publish([again]);
    clock.advance(15 * MINUTE);
    await outcome(engine, token);
    await settled();
    expect([await outcome(engine, token), await outcome(engine, await tokenBy(again, clock))]).toEqual([
      401,
      "ann",
    ]);
    await engine.close();
  });

  it("takes an empty set at its word", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K1, clock);
    provider.publish([]);
    clock.advance(15 * MINUTE);
    expect(await outcome(engine, token)).toBe("ann");
    await settled();
    expect(await outcome(engine, token)).toBe(401);
    await engine.close();
  });
});

describe("strangers", () => {
  it("cause one fetch in the cool-down with thousands of unknown keys", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K2, clock);
    const [, payload = "", signature = ""] = token.split(".");
    const named = (kid: string): string =>
      `${Buffer.from(JSON.stringify({ alg: "ES256", kid })).toString("base64url")}.${payload}.${signature}`;
    for (let minute = 0; minute < 3; minute += 1) {
      const flood = Array.from({ length: 1000 }, (_, index) => outcome(engine, named(`${minute}-${index}`)));
      expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
      clock.advance(10_000);
    }
    expect(provider.calls).toHaveLength(4);
    expect(isWarm(engine, named("within"))).toBe(false);
    await settled();
    expect(isWarm(engine, named("within the cool-down"))).toBe(true);
    await engine.close();
  });

  it.each([
    ["another issuer", { iss: "https://other.test" }, {}],
    ["an algorithm that nobody allows", {}, { alg: "HS256", kid: "x" }],
    ["a type that nobody accepts", {}, { typ: "JOSE", kid: "x" }],
  ])("cause no fetch with %s", async (_, claims, header) => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const [, payload = "", signature = ""] = (await tokenBy(pair("x"), clock, claims)).split(".");
    const spelled = Buffer.from(JSON.stringify({ alg: "ES256", kid: "x", ...header })).toString("base64url");
    expect(await outcome(engine, `${spelled}.${payload}.${signature}`)).toBe(401);
    expect(provider.calls).toHaveLength(1);
    await engine.close();
  });
});

describe("an outage", () => {
  it("goes unnoticed by callers until the keys are too old, and is told to the operator", async () => {
    const provider = publishing(K1);
    const { engine, clock, events } = await engineWith(
      policyWith({ user: { ...user, keys: { jwks: JWKS, maxStale: "1h" } } }),
      provider,
    );
    const token = await tokenBy(K1, clock);
    provider.fail();
    clock.advance(15 * MINUTE);
    expect(await outcome(engine, token)).toBe("ann");
    await settled();
    expect(isWarm(engine, token)).toBe(true);
    expect(events.at(-1)?.reports).toEqual([
      "the keys of `user` should have been refreshed: `https://id.test/keys` cannot be reached (ECONNREFUSED)",
    ]);
    clock.advance(46 * MINUTE);
    expect(await outcome(engine, token)).toBe("ann");
    clock.advance(15 * MINUTE);
    expect(await outcome(engine, token)).toBe(503);
    const decision = events.at(-1);
    expect([decision?.code, decision?.reason]).toEqual([
      "unavailable",
      "there are no keys of `user` that could tell: `https://id.test/keys` cannot be reached (ECONNREFUSED)",
    ]);
    provider.publish([K1]);
    clock.advance(MINUTE);
    expect(await outcome(engine, token)).toBe("ann");
    await engine.close();
  });

  it("has one prober that pauses longer and longer, whatever comes in", async () => {
    const provider = publishing(K1);
    const platform = policyWith({ user: { ...user, keys: { jwks: JWKS, maxStale: "0s" } } });
    const { engine, clock } = await engineWith(platform, provider);
    const token = await tokenBy(K1, clock);
    provider.fail();
    clock.advance(15 * MINUTE);
    const at: number[] = [];
    for (let second = 0; second < 300; second += 1) {
      const before = provider.calls.length;
      const outcomes = await Promise.all([
        outcome(engine, token),
        outcome(engine, token),
        outcome(engine, token),
      ]);
      expect(outcomes).toEqual([503, 503, 503]);
      if (provider.calls.length > before) at.push(second);
      expect(provider.calls.length - before).toBeLessThanOrEqual(1);
      clock.advance(1000);
    }
    const pauses = at.slice(1).map((second, index) => second - (at[index] ?? 0));
    expect(Math.max(...pauses)).toBeGreaterThan(20);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(61);
    expect(at.length).toBeLessThan(20);
    await engine.close();
  });

  it("answers an unknown key with 503, for nobody can tell", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    provider.fail();
    const decision = await engine.evaluate({
      method: "GET",
      target: "/",
      headers: [
        ["Host", "a.test"],
        ["Authorization", `Bearer ${await tokenBy(K2, clock)}`],
      ],
    });
    expect(decision.outcome === "refuse" && [decision.status, decision.code]).toEqual([503, "unavailable"]);
    expect(
      decision.outcome === "refuse" && decision.responseHeaders.find(([name]) => name === "Retry-After")?.[1],
    ).toBe("1");
    expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
    await engine.close();
  });

  it("of one issuer leaves the tokens of another alone", async () => {
    const provider = publishing(K1);
    const other = {
      ...user,
      issuer: "https://other.test",
      keys: { jwks: "https://other.test/keys", atStart: "later" },
    };
    provider.answering = (url) => {
      if (url.startsWith("https://other.test")) throw new Error("down");
      return json({ keys: [K1.jwk] });
    };
    const { engine, clock } = await engineWith(policyWith({ other, user }), provider);
    expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
    expect(await outcome(engine, await tokenBy(K1, clock, { iss: "https://other.test" }))).toBe(503);
    await engine.close();
  });

  it("at the start fails the load, unless the author serves without", async () => {
    const provider = publishing(K1);
    provider.fail();
    expect(await problemsOf(engineWith(policyWith({ user }), provider))).toEqual([
      [
        "unreachable-keys",
        "/authenticators/user/keys",
        "there are no keys: `https://id.test/keys` cannot be reached (ECONNREFUSED)",
      ],
    ]);
    const later = { ...user, keys: { jwks: JWKS, atStart: "later" } };
    const { engine, clock } = await engineWith(policyWith({ user: later }), provider);
    const token = await tokenBy(K1, clock);
    expect(await outcome(engine, token)).toBe(503);
    provider.publish([K1]);
    clock.advance(MINUTE);
    expect(await outcome(engine, token)).toBe("ann");
    await engine.close();
  });

  it("of every n-th call never admits and never hangs", async () => {
    for (let failing = 0; failing < 6; failing += 1) {
      const provider = publishing(K1);
      let calls = 0;
      provider.answering = () => {
        calls += 1;
        if (calls - 1 === failing) throw new Error("planted");
        return json({ keys: calls > 2 ? [K1.jwk, K2.jwk] : [K1.jwk] });
      };
      const keys = { jwks: JWKS, atStart: "later", maxStale: "0s" };
      const { engine, clock } = await engineWith(policyWith({ user: { ...user, keys } }), provider);
      const forged = await tokenBy({ ...K2, kid: "k1" }, clock);
      for (let round = 0; round < 6; round += 1) {
        const [good, newer, bad] = [
          await outcome(engine, await tokenBy(K1, clock)),
          await outcome(engine, await tokenBy(K2, clock)),
          await outcome(engine, forged),
        ];
        expect(["ann", 503]).toContain(good);
        expect(["ann", 401, 503]).toContain(newer);
        expect([401, 503]).toContain(bad);
        clock.advance(16 * MINUTE);
        await settled();
      }
      expect(await outcome(engine, await tokenBy(K2, clock))).toBe("ann");
      await engine.close();
    }
  });
});

describe("what a provider may answer", () => {
  const big = { keys: Array.from({ length: 101 }, (_, index) => ({ ...K1.jwk, kid: String(index) })) };
  it.each([
    ["a status other than 200", () => json({ keys: [K1.jwk] }, {}, 203), "answered with status 203"],
    ["an error", () => json({ keys: [K1.jwk] }, {}, 500), "answered with status 500"],
    [
      "a page",
      () => new Response("<html>", { headers: { "Content-Type": "text/html" } }),
      "answered with something else than JSON",
    ],
    [
      "a key set as text",
      () => new Response(JSON.stringify({ keys: [K1.jwk] })),
      "answered with something else than JSON",
    ],
    [
      "garbage",
      () => new Response("{", { headers: { "Content-Type": "application/json" } }),
      "answered with no JSON object",
    ],
    [
      "a member twice",
      () => new Response('{"keys":[],"keys":[]}', { headers: { "Content-Type": "application/json" } }),
      "answered with no JSON object",
    ],
    ["no set", () => json({ key: [] }), "holds no JWK Set"],
    ["too many keys", () => json(big), "holds more than 100 keys"],
    ["ten megabytes", () => new Response(new Uint8Array(10_000_000)), "answered with more than 262144 bytes"],
    [
      "a redirect to the cloud's metadata",
      () => new Response(null, { status: 302, headers: { Location: "http://169.254.169.254/" } }),
      "answered with a redirect, which is not followed",
    ],
  ])("is not %s", async (_, answer, problem) => {
    const provider = new Provider(answer);
    expect(await problemsOf(engineWith(policyWith({ user }), provider))).toEqual([
      [
        "unreachable-keys",
        "/authenticators/user/keys",
        `there are no keys: \`https://id.test/keys\` ${problem}`,
      ],
    ]);
    expect(provider.calls).toHaveLength(1);
  });

  it("leaves out keys for other purposes, secrets, and what is none", async () => {
    const weak = { ...K2.jwk, kid: "weak", crv: "P-192" };
    const secret = { kty: "oct", k: "c2VjcmV0", kid: "oct", alg: "HS256" };
    const enc = { ...K2.jwk, kid: "enc", use: "enc" };
    const ops = { ...K2.jwk, kid: "ops", key_ops: ["sign"] };
    const broken = { ...K2.jwk, kid: "broken", x: "AA" };
    const leaked = { ...K2.jwk, kid: "leaked", d: "AA" };
    const provider = new Provider(() =>
      json({ keys: [weak, secret, enc, ops, broken, leaked, null, 7, K1.jwk], more: 1 }),
    );
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    for (const kid of ["weak", "oct", "enc", "ops", "broken", "leaked"]) {
      expect([kid, await outcome(engine, await tokenBy({ ...K2, kid }, clock))]).toEqual([kid, 401]);
    }
    expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
    await engine.close();
  });

  it("says for how long its keys are good, within what the author allows", async () => {
    for (const [header, minutes] of [
      ["max-age=300", 5],
      ["max-age=5", 1],
      ["no-store", 1],
      ["max-age=86400", 15],
      ["public, MAX-AGE=300", 5],
      ["private", 15],
    ] as const) {
      const provider = publishing(K1);
      provider.publish([K1], { "Cache-Control": header });
      const { engine, clock } = await engineWith(policyWith({ user }), provider);
      const token = await tokenBy(K1, clock);
      clock.advance(minutes * MINUTE * 0.79);
      await outcome(engine, token);
      expect([header, provider.calls.length]).toEqual([header, 1]);
      clock.advance(minutes * MINUTE * 0.22);
      await outcome(engine, token);
      expect([header, provider.calls.length]).toEqual([header, 2]);
      await engine.close();
    }
  });
});

describe("what goes on behind requests", () => {
  it("refreshes without any, and ends with the engine", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const pass = async (milliseconds: number): Promise<void> => {
      clock.advance(milliseconds);
      await vi.advanceTimersByTimeAsync(milliseconds);
      await settled();
    };
    await pass(15 * MINUTE);
    expect(provider.calls).toHaveLength(2);
    await pass(15 * MINUTE);
    expect(provider.calls).toHaveLength(3);
    await engine.close();
    await pass(60 * MINUTE);
    expect(provider.calls).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("belongs to the policy that serves: replaced and refused ones leave nothing behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const provider = publishing(K1);
    const { engine } = await engineWith(policyWith({ user }), provider);
    expect(vi.getTimerCount()).toBe(1);
    await engine.replace(policyWith({ user: { ...user, audience: "b" } }) as never);
    expect(vi.getTimerCount()).toBe(1);
    const broken = { ...user, issuer: "https://b.test", keys: { jwks: "https://b.test/keys" } };
    provider.answering = (url) => (url.startsWith("https://b.test") ? json({}) : json({ keys: [K1.jwk] }));
    expect(await problemsOf(engine.replace(policyWith({ user, broken }) as never))).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1);
    await engine.replace(
      policyWith({
        key: { type: "api-key", in: "header", name: "X-K", keys: [{ id: "a", sha256: "0".repeat(64) }] },
      }) as never,
    );
    expect(vi.getTimerCount()).toBe(0);
    await engine.close();
    await expect(engine.replace(policyWith({ user }) as never)).rejects.toThrow("the engine is closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets a request in flight end under the policy that it began with", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    let release: () => void = () => undefined;
    provider.answering = () => new Promise((resolve) => (release = () => resolve(json({ keys: [K2.jwk] }))));
    const waiting = outcome(engine, await tokenBy(K2, clock));
    await settled();
    const end = release;
    provider.publish([K2]);
    await engine.replace(policyWith({ user: { ...user, audience: "b" } }) as never);
    end();
    expect(await waiting).toBe("ann");
    await engine.close();
  });

  it("hands the keys on: replacing a policy does not depend on an issuer that is away", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K1, clock);
    provider.fail();
    await engine.replace(
      policyWith({ user }, { routes: { "GET /": { authorize: { scopes: ["x"] } } } }) as never,
    );
    expect(provider.calls).toHaveLength(1);
    expect([await outcome(engine, token), isWarm(engine, token)]).toEqual([403, true]);
    clock.advance(20 * MINUTE);
    await engine.replace(policyWith({ user }) as never);
    expect(provider.calls).toHaveLength(2);
    expect(await outcome(engine, token)).toBe("ann");
    // They are as old as they were.
    clock.advance(4 * 60 * MINUTE);
    expect(await outcome(engine, token)).toBe(503);
    expect(await problemsOf(engine.replace(policyWith({ user }) as never))).toHaveLength(1);
    await engine.close();
  });

  it("that are too old hold up no secret: it is replaced, and waits for no issuer", async () => {
    const provider = publishing(K1);
    let [secret, changed] = ["a".repeat(32), (): void => undefined];
    const told: unknown[] = [];
    const own = {
      ...user,
      issuer: "https://own.test",
      algorithms: ["HS256"],
      keys: { secret: "env:OWN" },
    };
    const { engine, clock } = await engineWith(policyWith({ user, own }), provider, {
      secrets: { get: () => secret, watch: (_references, tell) => ((changed = tell), () => undefined) },
      secretOverlap: "0s",
      onSecrets: (event) => void told.push(event),
    });
    const token = await tokenBy(K1, clock);
    provider.answering = () => new Promise(() => undefined);
    clock.advance(5 * 60 * MINUTE);
    secret = "b".repeat(32);
    changed();
    await vi.waitFor(() => expect(told).toEqual([{ outcome: "rotated", references: ["env:OWN"] }]));
    const signed = await new SignJWT({ iss: "https://own.test", aud: "api", sub: "bob" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(clock.now() / 1000 + 60)
      .sign(Buffer.from(secret));
    expect(await outcome(engine, signed)).toBe("bob");
    provider.fail();
    await engine.close();
    expect(token).not.toBe("");
  });

  it.each([
    ["answers", 1, ["b", "bad", "b", "b", "bad", "b", "b", "bad"]],
    ["never answers", 1, ["b", "bad", "b", "b", "bad", "b", "b", "bad"]],
    ["is away", 1, ["b", "bad", "b", "b", "bad", "b", "b", "bad"]],
    ["answers", 0, ["bad", "bad", "bad", "bad"]],
  ] as const)(
    "that are due are asked for once while bad secrets are told from good ones: the issuer %s",
    async (issuer, asked, values) => {
      const provider = publishing(K1);
      let [now, changed] = [values.map(() => "a"), (): void => undefined];
      const told: { readonly outcome: string }[] = [];
      const own = (index: number): object => ({
        ...user,
        issuer: `https://own${index}.test`,
        algorithms: ["HS256"],
        keys: { secret: `env:OWN_${index}` },
      });
      const many = Object.fromEntries(values.map((_, index) => [`own${index}`, own(index)]));
      const { engine, clock } = await engineWith(policyWith({ user, ...many }), provider, {
        secrets: {
          get: (reference) => {
            const value = now[Number(reference.slice("env:OWN_".length))] ?? "";
            return value === "bad" ? value : value.repeat(32);
          },
          watch: (_references, tell) => ((changed = tell), () => undefined),
        },
        secretOverlap: "0s",
        onSecrets: (event) => void told.push(event),
      });
      if (issuer === "never answers") provider.answering = () => new Promise(() => undefined);
      if (issuer === "is away") provider.fail();
      clock.advance(20 * MINUTE);
      now = [...values];
      changed();
      const outcomes = asked === 0 ? ["kept"] : ["rotated", "kept"];
      await vi.waitFor(() => expect(told.map(({ outcome: one }) => one)).toEqual(outcomes));
      await settled();
      expect(provider.calls).toHaveLength(1 + asked);
      provider.fail();
      expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
      await engine.close();
    },
  );

  it("are in force with the keys that there were, and with the new secret, although the clock fails just then", async () => {
    const provider = publishing(K1);
    let [value, changed] = ["a", (): void => undefined];
    const told: string[] = [];
    const own = { ...user, issuer: "https://own.test", algorithms: ["HS256"], keys: { secret: "env:OWN" } };
    const { engine, clock } = await engineWith(policyWith({ user, own }), provider, {
      secrets: {
        get: () => value.repeat(32),
        watch: (_references, tell) => ((changed = tell), () => undefined),
      },
      onSecrets: ({ outcome: one }) => void told.push(one),
    });
    provider.fail();
    const fails = vi.spyOn(clock, "monotonic").mockImplementation(() => {
      throw new Error("no clock");
    });
    value = "b";
    changed();
    await vi.waitFor(() => expect(told).toEqual(["rotated"]));
    fails.mockRestore();
    expect(await outcome(engine, await tokenBy(K1, clock))).toBe("ann");
    expect(provider.calls).toHaveLength(1);
    await engine.close();
  });

  it.each(["the policy that serves", "a candidate in shadow"])(
    "are in force with a new secret although nobody asked for them yet and the issuer is away: of %s",
    async (whose) => {
      const provider = publishing(K1);
      let value = "a";
      const changed: (() => void)[] = [];
      const told: string[] = [];
      const own = { ...user, issuer: "https://own.test", algorithms: ["HS256"], keys: { secret: "env:OWN" } };
      const policy = policyWith({ user, own });
      const shadowed = whose === "a candidate in shadow";
      const open = policyWith({}, { routes: { "GET /": { authenticate: "none" } } });
      const { engine, clock } = await engineWith(shadowed ? open : policy, provider, {
        secrets: {
          get: () => value.repeat(32),
          watch: (_references, tell) => (changed.push(tell), () => undefined),
        },
        secretOverlap: "0s",
        onSecrets: ({ outcome: one }) => void told.push(one),
      });
      const seen: ShadowDifference[] = [];
      if (shadowed)
        await engine.shadow(policy as PolicyDocument, { onDifference: (one) => void seen.push(one) });
      expect(provider.calls).toHaveLength(1);
      provider.fail();
      value = "b";
      for (const tell of changed) tell();
      const token = await tokenBy(K1, clock);
      if (shadowed) {
        const signed = await new SignJWT({ iss: "https://own.test", aud: "api", sub: "bob" })
          .setProtectedHeader({ alg: "HS256" })
          .setExpirationTime(clock.now() / 1000 + 60)
          .sign(Buffer.from(value.repeat(32)));
        const asked = async (what: string): Promise<unknown> => {
          expect(await outcome(engine, what)).toBe("anonymous");
          const count = seen.length + 1;
          await vi.waitFor(() => expect(seen).toHaveLength(count));
          return seen.at(-1)?.candidate;
        };
        await vi.waitFor(async () => expect(await asked(signed)).toMatchObject({ outcome: "admit" }));
        expect(await asked(token)).toMatchObject({ outcome: "admit", authenticator: "user" });
      } else {
        await vi.waitFor(() => expect(told).toEqual(["rotated"]));
        expect(await outcome(engine, token)).toBe("ann");
      }
      expect(provider.calls).toHaveLength(1);
      await engine.close();
    },
  );

  it("hands no keys on that another setting would have fetched elsewhere", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    const token = await tokenBy(K1, clock, { iss: "https://b.test" });
    provider.publish([K2]);
    await engine.replace(
      policyWith({
        user: { ...user, issuer: "https://b.test", keys: { jwks: "https://b.test/keys" } },
      }) as never,
    );
    expect(provider.calls.map(({ url }) => url)).toEqual([JWKS, "https://b.test/keys"]);
    expect(await outcome(engine, token)).toBe(401);
    await engine.close();
  });

  it("gives up what is under way when the engine is closed", async () => {
    const provider = publishing(K1);
    const { engine, clock } = await engineWith(policyWith({ user }), provider);
    provider.answering = () => new Promise(() => undefined);
    const waiting = outcome(engine, await tokenBy(K2, clock));
    await settled();
    await engine.close();
    expect(await waiting).toBe(503);
  });
});

describe("discovery", () => {
  const discovered = { ...user, keys: { discovery: "openid" } };
  const oauth = { ...user, keys: { discovery: "oauth" } };
  const at = (metadata: unknown): Provider =>
    new Provider((url) => (url.includes("/.well-known/") ? json(metadata) : json({ keys: [K1.jwk] })));

  it.each([
    ["openid", ISSUER, discovered, "https://id.test/tenant/.well-known/openid-configuration"],
    [
      "openid",
      "https://id.test/",
      { ...discovered, issuer: "https://id.test/" },
      "https://id.test/.well-known/openid-configuration",
    ],
    ["oauth", ISSUER, oauth, "https://id.test/.well-known/oauth-authorization-server/tenant"],
    [
      "oauth",
      "https://id.test",
      { ...oauth, issuer: "https://id.test" },
      "https://id.test/.well-known/oauth-authorization-server",
    ],
  ])("by %s finds the keys of %s", async (_, issuer, settings, url) => {
    const provider = at({ issuer, jwks_uri: "https://keys.test/set" });
    const { engine, clock } = await engineWith(policyWith({ user: settings }), provider);
    expect(await outcome(engine, await tokenBy(K1, clock, { iss: issuer }))).toBe("ann");
    expect(provider.calls.map((call) => call.url)).toEqual([url, "https://keys.test/set"]);
    await engine.close();
  });

  it.each([
    [
      "of another issuer",
      { issuer: `${ISSUER}/`, jwks_uri: "https://keys.test/set" },
      "is the metadata of another issuer",
    ],
    ["of nobody", { jwks_uri: "https://keys.test/set" }, "is the metadata of another issuer"],
    [
      "of several",
      { issuer: [ISSUER], jwks_uri: "https://keys.test/set" },
      "is the metadata of another issuer",
    ],
    ["without keys", { issuer: ISSUER }, "names no `jwks_uri`"],
    [
      "that leads out of HTTPS",
      { issuer: ISSUER, jwks_uri: "http://169.254.169.254/keys" },
      "names a `jwks_uri` that is not HTTPS",
    ],
    [
      "that leads to this machine",
      { issuer: ISSUER, jwks_uri: "http://127.0.0.1:9/keys" },
      "names a `jwks_uri` on this machine",
    ],
    [
      "that leads to this machine by TLS",
      { issuer: ISSUER, jwks_uri: "https://localhost:9/keys" },
      "names a `jwks_uri` on this machine",
    ],
    [
      "that leads to a file",
      { issuer: ISSUER, jwks_uri: "file:///etc/passwd" },
      "names a `jwks_uri` that is not HTTPS",
    ],
  ])("does not believe metadata %s", async (_, metadata, problem) => {
    const provider = at(metadata);
    const url = "`https://id.test/tenant/.well-known/openid-configuration`";
    expect(await problemsOf(engineWith(policyWith({ user: discovered }), provider))).toEqual([
      ["unreachable-keys", "/authenticators/user/keys", `there are no keys: ${url} ${problem}`],
    ]);
    expect(provider.calls).toHaveLength(1);
  });
});

describe("what is checked without a network", () => {
  const told = (settings: object): unknown =>
    checkPolicy(policyWith({ user: { ...user, ...settings } }))
      .filter(({ severity }) => severity === "error")
      .map(({ code, pointer, message }) => [code, pointer, message]);

  it.each([
    [
      { keys: { jwks: "http://id.test/keys" } },
      [["invalid-url", "/authenticators/user/keys/jwks", "the URL is not HTTPS"]],
    ],
    [
      { keys: { jwks: "https://u:p@id.test/keys" } },
      [["invalid-url", "/authenticators/user/keys/jwks", "the URL holds a user or a password"]],
    ],
    [
      { keys: { jwks: "ftp://id.test/keys" } },
      [["invalid-url", "/authenticators/user/keys/jwks", "the URL is not HTTPS"]],
    ],
    [
      { issuer: "unchecked", keys: { discovery: "openid" } },
      [
        [
          "discovery-without-issuer",
          "/authenticators/user/keys/discovery",
          "nobody is named whose metadata could be read",
        ],
      ],
    ],
    [
      { issuer: "id.test", keys: { discovery: "openid" } },
      [["invalid-url", "/authenticators/user/issuer", "the URL is no absolute URL"]],
    ],
    [
      { issuer: "https://id.test?t=1", keys: { discovery: "openid" } },
      [
        [
          "invalid-url",
          "/authenticators/user/issuer",
          "the issuer has a query, so no metadata can be found by it",
        ],
      ],
    ],
    [
      { keys: { jwks: "keys.json", maxStale: "1h" } },
      [["setting-without-effect", "/authenticators/user/keys/maxStale", "`maxStale` means nothing here"]],
    ],
    [
      { keys: { jwks: { keys: [K1.jwk] }, refresh: "1h" } },
      [["setting-without-effect", "/authenticators/user/keys/refresh", "`refresh` means nothing here"]],
    ],
    [
      { algorithms: ["HS256"] },
      [["symmetric-with-public-key", "/authenticators/user/keys", "`HS256` with public keys"]],
    ],
    [{ keys: { jwks: JWKS } }, []],
    [{ issuer: "http://127.0.0.1:1", keys: { discovery: "oauth" } }, []],
  ])("%j", (settings, expected) => {
    expect(told(settings)).toEqual(expected);
  });

  it("calls nothing", () => {
    const spy = vi.spyOn(globalThis, "fetch");
    told({});
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  });
});

it("never shows a query of the URL", async () => {
  const provider = publishing(K1);
  const { engine, clock, events } = await engineWith(policyWith({ user }), provider, { trace: true });
  provider.fail();
  await outcome(engine, await tokenBy(K2, clock));
  clock.advance(15 * MINUTE);
  await outcome(engine, await tokenBy(K1, clock));
  await settled();
  await outcome(engine, await tokenBy(K1, clock));
  expect(inspect(events, { depth: null })).not.toContain("c4n4ry");
  await engine.close();
});
