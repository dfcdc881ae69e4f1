/** RFC 9449, check by check. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateFor, type StateOptions } from "../../model/state.test-support.js";
import { pairFor } from "../../platform/keys.test-support.js";
import { platform as node } from "../../platform/node.js";
import { platform as portable } from "../../platform/portable.js";
import { StoreError, type StateStore } from "../../ports/state-store.js";
import { createMemoryStore } from "../../store/index.js";
import {
  bearer,
  compiled,
  JWT,
  NOW,
  SECONDS,
  signed,
  summary,
  type SetUp,
} from "./authenticate.test-support.js";
import { Credential } from "./credential.js";
import { dpopProver } from "./dpop.js";
import { ANN, boundToken, holder, proofFor, sent, sha256, type ProofParts } from "./dpop.test-support.js";
import { ReplayGuard } from "./replay.js";
import vectors from "./rfc9449.json" with { type: "json" };

const ALL = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519";

const bound = (more: Readonly<Record<string, unknown>> = {}, setUp: SetUp = {}) =>
  compiled({ authenticators: { user: { ...JWT, senderConstrained: "dpop", ...more } } }, setUp);

const challengeIn = (verdict: unknown): unknown =>
  (verdict as { headers?: readonly (readonly [string, string])[] } | undefined)?.headers?.[0]?.[1];

/** Code, error of the challenge, and reason. */
async function verdictOn(token: string, proof: string | undefined, options: StateOptions = {}, more = {}) {
  const policy = await bound(more);
  const given = sent(token, proof);
  const outcome = await policy.run("GET /", {
    ...given,
    ...options,
    headerFields: { ...given.headerFields, ...options.headerFields },
  });
  const { verdict } = outcome;
  const error = /DPoP realm="t", error="(\w+)"/u.exec(String(challengeIn(verdict)))?.[1];
  return [summary(outcome), error, verdict?.kind === "refusal" ? verdict.reason : undefined];
}

const accepted = ["user:ann", undefined, undefined];
const refused = (reason: string, error = "invalid_dpop_proof") => ["invalid-credential", error, reason];

describe("RFC 9449", () => {
  it.each(vectors.proofs)(
    "the proof of $figure is what it says",
    async ({ proof, claims, thumbprint, method, uri, token, at }) => {
      const { pathname, host } = new URL(uri);
      const prove = dpopProver({
        pointer: "",
        algorithms: new Set(["ES256"]),
        windowMs: 1000,
        nonces: undefined,
        platform: node,
        replay: new ReplayGuard({
          store: createMemoryStore({ maxKeys: 32 }),
          clock: node.clock,
          deadlineMs: 50,
        }),
      });
      const state = (now: number) =>
        stateFor({
          now,
          request: { method, scheme: "https", host, path: pathname },
          headerFields: { dpop: proof },
        });
      const binding = Buffer.from(thumbprint, "base64url").toString("hex");
      const accepted = { kind: "accepted", identity: { authenticator: "x" } as never, reports: [] } as const;
      const credential = new Credential(token, 0, node);
      // Those of token requests have no `ath`, and are good for no API.
      const expected =
        "ath" in claims ? accepted : { reason: "the DPoP proof's `ath` is not the hash of the token" };
      expect(await prove(accepted, binding, credential, state(at * 1000))).toMatchObject(expected);
      expect(await prove(accepted, binding, credential, state(at * 1000 + 1001))).toMatchObject({
        reason: "the DPoP proof was not made just now",
      });
    },
  );
});

describe.each([node, portable])("on the platform $name", (platform) => {
  it.each(ALL.split(" "))("a token and its proof in %s are accepted", async (name) => {
    const by = holder(name as Parameters<typeof holder>[0], "each");
    const token = await signed({ cnf: { jkt: by.jkt } });
    const policy = await bound({}, { platform });
    expect(summary(await policy.run("GET /", sent(token, proofFor(token, { by }))))).toBe("user:ann");
    const other = holder(by.algorithm, "other");
    const stolen = proofFor(token, { by: other });
    expect(summary(await policy.run("GET /", sent(token, stolen)))).toBe("invalid-credential");
    const renamed = proofFor(token, { by: { ...other, jwk: by.jwk } });
    expect(summary(await policy.run("GET /", sent(token, renamed)))).toBe("invalid-credential");
  });
});

describe("a warm decision", () => {
  it("is synchronous where the store is this process's, with a proof and without", async () => {
    const token = await boundToken();
    const policy = await bound();
    for (let round = 0; round < 2; round += 1) {
      const outcome = await policy.run("GET /", sent(token, proofFor(token)));
      expect([summary(outcome), outcome.synchronous]).toEqual(["user:ann", true]);
    }
  });
});

describe("B3.79 each check of section 4.3", () => {
  const proofCases: [string, ProofParts, string, string?][] = [
    [
      "no jti",
      { claims: { jti: undefined } },
      "the DPoP proof has no `jti`, or one that is no text of a usable length",
    ],
    [
      "an empty jti",
      { claims: { jti: "" } },
      "the DPoP proof has no `jti`, or one that is no text of a usable length",
    ],
    [
      "a jti that is a number",
      { claims: { jti: 7 } },
      "the DPoP proof has no `jti`, or one that is no text of a usable length",
    ],
    [
      "a jti without end",
      { claims: { jti: "x".repeat(1025) } },
      "the DPoP proof has no `jti`, or one that is no text of a usable length",
    ],
    ["no htm", { claims: { htm: undefined } }, "the DPoP proof's `htm` is not the method of the request"],
    ["another htm", { claims: { htm: "POST" } }, "the DPoP proof's `htm` is not the method of the request"],
    [
      "an htm in other case",
      { claims: { htm: "get" } },
      "the DPoP proof's `htm` is not the method of the request",
    ],
    ["no htu", { claims: { htu: undefined } }, "the DPoP proof's `htu` is not the target of the request"],
    [
      "an htu list",
      { claims: { htu: ["http://a.test/"] } },
      "the DPoP proof's `htu` is not the target of the request",
    ],
    ["no iat", { claims: { iat: undefined } }, "the DPoP proof has no `iat`, or one that is no number"],
    [
      "an iat that is a text",
      { claims: { iat: String(SECONDS) } },
      "the DPoP proof has no `iat`, or one that is no number",
    ],
    [
      "an iat from before the window",
      { claims: { iat: SECONDS - 61 } },
      "the DPoP proof was not made just now",
    ],
    ["an iat from after it", { claims: { iat: SECONDS + 61 } }, "the DPoP proof was not made just now"],
    ["no ath", { claims: { ath: undefined } }, "the DPoP proof's `ath` is not the hash of the token"],
    [
      "an ath of another token",
      { claims: { ath: sha256("another") } },
      "the DPoP proof's `ath` is not the hash of the token",
    ],
    [
      "an ath with padding",
      { claims: { ath: `${sha256("another")}=` } },
      "the DPoP proof's `ath` is not the hash of the token",
    ],
    ["no typ", { header: { typ: undefined } }, "the DPoP proof's `typ` is not `dpop+jwt`"],
    ["the typ of a token", { header: { typ: "at+jwt" } }, "the DPoP proof's `typ` is not `dpop+jwt`"],
    ["no alg", { header: { alg: undefined } }, "the DPoP proof's `alg` is not accepted"],
    ["alg none", { header: { alg: "none" } }, "the DPoP proof's `alg` is not accepted"],
    ["a symmetric alg", { header: { alg: "HS256" } }, "the DPoP proof's `alg` is not accepted"],
    ["an alg of another key", { header: { alg: "ES384" } }, "the DPoP proof's `jwk` does not fit its `alg`"],
    ["no jwk", { header: { jwk: undefined } }, "the DPoP proof's header has no `jwk`"],
    [
      "a jwk that is a text",
      { header: { jwk: JSON.stringify(ANN.jwk) } },
      "the DPoP proof's header has no `jwk`",
    ],
    [
      "a private jwk",
      { header: { jwk: ANN.key.export({ format: "jwk" }) } },
      "the DPoP proof gives away its private key",
    ],
    [
      "a symmetric jwk",
      { header: { jwk: { kty: "oct", k: "AAAA" } } },
      "the DPoP proof gives away its private key",
    ],
    [
      "a jwk without y",
      { header: { jwk: { ...ANN.jwk, y: undefined } } },
      "the DPoP proof's `jwk` does not fit its `alg`",
    ],
    [
      "a jwk for encryption",
      { header: { jwk: { ...ANN.jwk, use: "enc" } } },
      "the DPoP proof's `jwk` does not fit its `alg`",
    ],
    ["crit", { header: { crit: ["exp"] } }, "the DPoP proof's header has `crit` or `b64`"],
    [
      "a key of somebody else's",
      { by: holder("ES256", "eve") },
      "the token is bound to another key than the DPoP proof's",
      "invalid_token",
    ],
    [
      "somebody else's signature",
      { by: { ...ANN, key: pairFor("ES256", "eve").privateKey } },
      "the DPoP proof's signature does not verify",
    ],
  ];

  it.each(proofCases)("%s is refused", async (_name, parts, reason, error) => {
    const token = await boundToken();
    expect(await verdictOn(token, proofFor(token, parts))).toEqual(refused(reason, error));
  });

  it("both ends of the window are inside of it", async () => {
    const token = await boundToken();
    for (const iat of [SECONDS - 60, SECONDS + 60, SECONDS + 0.5])
      expect(await verdictOn(token, proofFor(token, { claims: { iat } }))).toEqual(accepted);
    const narrow = { senderConstrained: { type: "dpop", window: "2s" } };
    expect(await verdictOn(token, proofFor(token, { claims: { iat: SECONDS - 3 } }), {}, narrow)).toEqual(
      refused("the DPoP proof was not made just now"),
    );
  });

  it("no proof, garbage, or two in one field are refused", async () => {
    const token = await boundToken();
    const good = proofFor(token);
    expect(await verdictOn(token, undefined)).toEqual(
      refused("the token is bound to a key, and no DPoP proof came with it"),
    );
    for (const field of ["", "x", "a.b", `${good}.x`, `${good}, ${good}`, `${good} `, `${good}=`])
      expect((await verdictOn(token, field)).slice(0, 2)).toEqual([
        "invalid-credential",
        "invalid_dpop_proof",
      ]);
    expect(await verdictOn(token, `${"a".repeat(8000)}.${"b".repeat(200)}.c`)).toEqual(
      refused("the DPoP proof is longer than 8192 characters"),
    );
  });

  it("only the algorithms that are listed are accepted, and the challenge lists them", async () => {
    const token = await boundToken();
    const policy = await bound({ senderConstrained: { type: "dpop", algorithms: ["PS256", "EdDSA"] } });
    const { verdict } = await policy.run("GET /", sent(token, proofFor(token)));
    expect(challengeIn(verdict)).toBe('DPoP realm="t", error="invalid_dpop_proof", algs="PS256 EdDSA"');
    expect(policy.challenge("GET /")).toEqual([["WWW-Authenticate", 'DPoP realm="t", algs="PS256 EdDSA"']]);
  });
});

describe("the target", () => {
  const request = { method: "POST", scheme: "https", host: "api.test:8443", path: "/a%7eb/c%2fd" } as const;
  const on = async (htu: string, more: Partial<Record<keyof typeof request, string>> = {}) => {
    const token = await boundToken();
    const proof = proofFor(token, { claims: { htm: "POST", htu } });
    return (
      await verdictOn(token, proof, {
        request: {
          ...request,
          ...more,
          headers: new Map(Object.entries(sent(token, proof).headerFields ?? {})),
        } as never,
      })
    )[0];
  };

  it.each([
    "https://api.test:8443/a%7eb/c%2fd",
    "HTTPS://API.test:8443/a~b/c%2Fd",
    "https://api.test.:8443/x/../a%7Eb/./c%2fd",
    "https://api.test:8443/a~b/c%2Fd?query=1#fragment",
  ])("%s is the one", async (htu) => {
    expect(await on(htu)).toBe("user:ann");
  });

  it.each([
    "http://api.test:8443/a~b/c%2Fd",
    "https://api.test/a~b/c%2Fd",
    "https://evil.test:8443/a~b/c%2Fd",
    "https://api.test:8443/A~b/c%2Fd",
    "https://api.test:8443/a~b/c/d",
    "https://api.test:8443/a~b/c%2Fd/",
    "https://api.test:8443@evil.test/a~b/c%2Fd",
    "https://user@api.test:8443/a~b/c%2Fd",
    "https://api.test:8443/a~b/c%2Fd ",
    "https://api.test:8443/a~b/c%2Fd%",
    "https:api.test:8443/a~b/c%2Fd",
    "//api.test:8443/a~b/c%2Fd",
    "/a~b/c%2Fd",
    "",
  ])("%s is another", async (htu) => {
    expect(await on(htu)).toBe("invalid-credential");
  });

  it.each([
    ["https://api.test/", { host: "api.test", path: "/" }],
    ["https://api.test", { host: "api.test", path: "/" }],
    ["https://api.test:443/", { host: "api.test", path: "/" }],
    ["https://[2001:DB8::1]/", { host: "[2001:db8::1]", path: "/" }],
  ])("%s without its port is the one", async (htu, more) => {
    expect(await on(htu, more)).toBe("user:ann");
  });

  it("a request without a host has no target", async () => {
    expect(await on("https:///", { host: "", path: "/" })).toBe("invalid-credential");
  });
});

describe("the token", () => {
  it("B3.79 is refused under another scheme, without a binding, or with another one", async () => {
    const token = await boundToken();
    const policy = await bound();
    expect(summary(await policy.run("GET /", sent(token, proofFor(token), "Bearer")))).toBe(
      "invalid-credential",
    );
    expect(summary(await policy.run("GET /", sent(token, proofFor(token), "dpop")))).toBe("user:ann");
    const bindings: [unknown, string][] = [
      [undefined, "the token is not bound to a key or certificate (`cnf`), as it must be here"],
      [null, "the token is not bound to a key or certificate (`cnf`), as it must be here"],
      [{}, "the token is bound (`cnf`) in another way than is asked for here"],
      [ANN.jkt, "the token is bound (`cnf`) in another way than is asked for here"],
      [{ jwk: ANN.jwk }, "the token is bound (`cnf`) in another way than is asked for here"],
      [{ jkt: `${ANN.jkt}=` }, "the token is bound (`cnf`) in another way than is asked for here"],
      [{ jkt: ANN.jkt.slice(0, 20) }, "the token is bound (`cnf`) in another way than is asked for here"],
      [
        { jkt: ANN.jkt, "x5t#S256": ANN.jkt },
        "the token is bound (`cnf`) in another way than is asked for here",
      ],
    ];
    for (const [cnf, reason] of bindings) {
      const other = await signed({ cnf });
      expect(await verdictOn(other, proofFor(other))).toEqual(refused(reason, "invalid_token"));
    }
  });

  it("is refused as Bearer beside an authenticator for Bearer, and each scheme is told its own", async () => {
    const policy = await compiled({
      authenticators: {
        bound: { ...JWT, senderConstrained: { type: "dpop", algorithms: ["ES256"] } },
        plain: JWT,
      },
    });
    const token = await boundToken();
    const stolen = await policy.run("GET /", bearer(token));
    expect(challengeIn(stolen.verdict)).toBe(
      'DPoP realm="t", algs="ES256", Bearer realm="t", error="invalid_token"',
    );
    expect(stolen.verdict).toMatchObject({
      reason: "the token is bound to a key (`cnf`), and no proof is asked for here",
    });
    const spoilt = await policy.run("GET /", sent(token, "x"));
    expect(challengeIn(spoilt.verdict)).toBe(
      'DPoP realm="t", error="invalid_dpop_proof", algs="ES256", Bearer realm="t"',
    );
    expect(summary(await policy.run("GET /", sent(token, proofFor(token))))).toBe("bound:ann");
    expect(summary(await policy.run("GET /", bearer(await signed())))).toBe("plain:ann");
    // A token that is not bound gains nothing by a proof.
    const unbound = await signed();
    expect(summary(await policy.run("GET /", sent(unbound, proofFor(unbound))))).toBe("invalid-credential");
  });

  it("is judged before its proof: an expired one stays expired", async () => {
    const token = await boundToken({ exp: SECONDS - 1 });
    expect(await verdictOn(token, undefined)).toEqual(refused("the token has expired", "invalid_token"));
  });
});

describe("a proof is good once", () => {
  it("twice in one engine, and in two that share a store", async () => {
    const token = await boundToken();
    const store = createMemoryStore({ maxKeys: 64 });
    const [one, two] = [await bound({}, { store }), await bound({}, { store })];
    const proof = proofFor(token);
    expect(summary(await one.run("GET /", sent(token, proof)))).toBe("user:ann");
    for (const policy of [one, two])
      expect((await policy.run("GET /", sent(token, proof))).verdict).toMatchObject({
        code: "invalid-credential",
        reason: "the DPoP proof was used before",
      });
    expect(summary(await two.run("GET /", sent(token, proofFor(token))))).toBe("user:ann");
    // The same `jti` of another key is another proof: callers do not use up each other's.
    const eve = holder("ES256", "eve");
    const hers = await signed({ cnf: { jkt: eve.jkt }, sub: "eve" });
    const twin = proofFor(hers, { by: eve, claims: { jti: "shared" } });
    expect(summary(await one.run("GET /", sent(token, proofFor(token, { claims: { jti: "shared" } }))))).toBe(
      "user:ann",
    );
    expect(summary(await one.run("GET /", sent(hers, twin)))).toBe("user:eve");
  });

  it("for as long as it could be shown again", async () => {
    const token = await boundToken({ exp: SECONDS + 3600 });
    const policy = await bound({ senderConstrained: { type: "dpop", window: "60s" } });
    const proof = proofFor(token, { claims: { iat: SECONDS + 60 } });
    const at = (seconds: number) => ({
      ...sent(token, proof),
      now: NOW + seconds * 1000,
      monotonicUs: 1_000_000 + seconds * 1e6,
    });
    expect(summary(await policy.run("GET /", at(0)))).toBe("user:ann");
    for (let seconds = 1; seconds <= 121; seconds += 1)
      expect(summary(await policy.run("GET /", at(seconds)))).toBe("invalid-credential");
  });

  it("one that was refused for anything else is not used up", async () => {
    const token = await boundToken();
    const policy = await bound();
    const proof = proofFor(token);
    const elsewhere = {
      ...sent(token, proof),
      request: { path: "/other", headers: new Map(Object.entries(sent(token, proof).headerFields ?? {})) },
    };
    expect(summary(await policy.run("GET /", elsewhere))).toBe("invalid-credential");
    expect(summary(await policy.run("GET /", sent(token, proof)))).toBe("user:ann");
  });
});

describe("a store that fails never lets a proof in", () => {
  const faulty = (once: StateStore["once"]): StateStore =>
    Object.assign(createMemoryStore({ maxKeys: 32 }), { once });
  const stores: [string, StateStore["once"]][] = [
    [
      "throws",
      () => {
        throw new StoreError("connection", false, "gone");
      },
    ],
    ["rejects", () => Promise.reject(new StoreError("timeout", true, "late"))],
    ["hangs", () => new Promise<boolean>(() => undefined)],
    ["answers something else", () => "OK" as unknown as boolean],
    [
      "answers what throws when it is looked at",
      () =>
        new Proxy(
          {},
          {
            has: () => {
              throw new Error("no");
            },
          },
        ) as unknown as boolean,
    ],
    ["answers nothing", () => Promise.resolve(undefined as unknown as boolean)],
    [
      "is full",
      () => {
        throw new StoreError("oom", false, "full");
      },
    ],
  ];

  it.each(stores)("that %s", async (_name, once) => {
    const token = await boundToken();
    const policy = await compiled(
      {
        store: { deadline: "20ms" },
        authenticators: { user: { ...JWT, senderConstrained: "dpop" } },
      },
      { store: faulty(once) },
    );
    expect((await policy.run("GET /", sent(token, proofFor(token)))).verdict).toMatchObject({
      kind: "fault",
      where: "outside",
    });
  });

  it("one that answers late, in time, is heard", async () => {
    const token = await boundToken();
    const policy = await bound({}, { store: faulty(() => Promise.resolve(true)) });
    const outcome = await policy.run("GET /", sent(token, proofFor(token)));
    expect([summary(outcome), outcome.synchronous]).toEqual(["user:ann", false]);
  });
});

describe("nonces", () => {
  const secrets = { "env:NONCE": "n".repeat(32) };
  const asking = (more: object = {}, set: Readonly<Record<string, string>> = secrets) =>
    bound(
      { senderConstrained: { type: "dpop", algorithms: ["ES256"], nonce: { secret: "env:NONCE" }, ...more } },
      { secrets: set },
    );
  const nonceAt = (policy: Awaited<ReturnType<typeof asking>>, now: number): string =>
    policy.fields("GET /", { now, headerFields: { dpop: "x" } })[0]?.[1] ?? "";

  it("are asked for, given with the refusal, and good for one life and the next", async () => {
    const policy = await asking();
    const token = await boundToken({ exp: SECONDS + 3600 });
    const first = await policy.run("GET /", sent(token, proofFor(token)));
    expect(challengeIn(first.verdict)).toBe('DPoP realm="t", error="use_dpop_nonce", algs="ES256"');
    const nonce = nonceAt(policy, NOW);
    expect(nonce).toMatch(/^[\w-]{24}$/u);
    const on = async (minutes: number, value: unknown = nonce): Promise<string> => {
      const now = NOW + minutes * 60_000;
      const claims = { nonce: value, iat: now / 1000 };
      return summary(await policy.run("GET /", { ...sent(token, proofFor(token, { claims })), now }));
    };
    expect(await on(0)).toBe("user:ann");
    expect(await on(5)).toBe("user:ann");
    expect(await on(9.9)).toBe("user:ann");
    expect(await on(10)).toBe("invalid-credential");
    expect(await on(10, nonceAt(policy, NOW + 600_000))).toBe("user:ann");
    for (const other of [
      "",
      "x",
      `${nonce}x`,
      [nonce],
      7,
      nonceAt(await asking({}, { "env:NONCE": "m".repeat(32) }), NOW),
    ])
      expect(await on(0, other)).toBe("invalid-credential");
  });

  it("an instance with the same key knows them, and a spoilt proof is told of no nonce", async () => {
    const [one, two] = [await asking(), await asking()];
    const token = await boundToken();
    const nonce = nonceAt(one, NOW);
    expect(summary(await two.run("GET /", sent(token, proofFor(token, { claims: { nonce } }))))).toBe(
      "user:ann",
    );
    const spoilt = await two.run("GET /", sent(token, proofFor(token, { claims: { htm: "PUT" } })));
    expect(challengeIn(spoilt.verdict)).toContain("invalid_dpop_proof");
  });

  it("made with a key that was replaced are good as long as it verifies, and no new one is made with it", async () => {
    const [before, replaced] = ["o".repeat(32), "n".repeat(32)];
    const settings = {
      senderConstrained: { type: "dpop", algorithms: ["ES256"], nonce: { secret: "env:NONCE" } },
    };
    const nonce = nonceAt(await asking({}, { "env:NONCE": before }), NOW);
    const later = await bound(settings, {
      secrets: { "env:NONCE": replaced },
      former: { "env:NONCE": ["short", before] },
    });
    const token = await boundToken();
    const on = async (claims: object) =>
      summary(await later.run("GET /", sent(token, proofFor(token, { claims: { ...claims } }))));
    expect(await on({ nonce })).toBe("user:ann");
    expect(nonceAt(later, NOW)).toBe(nonceAt(await asking({}, { "env:NONCE": replaced }), NOW));
    expect(nonceAt(later, NOW)).not.toBe(nonce);
  });

  it("are told to whoever shows proofs, and to nobody else", async () => {
    const policy = await asking();
    expect(policy.fields("GET /", { headerFields: { authorization: "DPoP x" } })).toEqual([]);
    expect((await bound()).fields("GET /", { headerFields: { dpop: "x" } })).toEqual([]);
  });

  it("a short key fails the load", async () => {
    const { diagnostics } = await asking({}, { "env:NONCE": "n".repeat(31) });
    expect(diagnostics).toMatchObject([
      {
        code: "invalid-key",
        pointer: "/authenticators/user/senderConstrained/nonce",
        message: "`env:NONCE` holds 31 bytes, at least 32 are needed",
      },
    ]);
  });

  it.each([
    [" ".repeat(32), "`env:NONCE` holds nothing but blanks"],
    [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO",
      "`env:NONCE` holds a public or private key, not raw bytes",
    ],
  ])("and so does one that others know: %s", async (key, message) => {
    const { diagnostics } = await asking({}, { "env:NONCE": key });
    expect(diagnostics).toMatchObject([{ code: "invalid-key", message }]);
  });
});

describe("no mutation of a valid proof is accepted", () => {
  it("whatever is changed in it, or in the request around it", async () => {
    const policy = await bound();
    const token = await boundToken();
    const eves = holder("ES256", "eve");
    const values = fc.oneof(
      fc.constant(undefined),
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constant([]),
      fc.constant({}),
    );
    const mutations = fc.oneof(
      fc
        .record({ what: fc.constantFrom("jti", "htm", "htu", "iat", "ath"), value: values })
        .map(({ what, value }) => ({
          proof: (good: ProofParts): ProofParts => ({ ...good, claims: { ...good.claims, [what]: value } }),
          harmless:
            (what === "jti" && typeof value === "string" && value !== "") ||
            (what === "iat" && typeof value === "number" && Math.abs(value - SECONDS) <= 60),
        })),
      fc
        .record({ what: fc.constantFrom("typ", "alg", "jwk", "crit"), value: values })
        .map(({ what, value }) => ({
          proof: (good: ProofParts): ProofParts => ({ ...good, header: { ...good.header, [what]: value } }),
          harmless: what === "crit" && value === undefined,
        })),
      fc
        .constantFrom<ProofParts>(
          { by: eves },
          { by: { ...ANN, key: eves.key } },
          { by: { ...eves, key: ANN.key } },
        )
        .map((parts) => ({
          proof: (good: ProofParts): ProofParts => ({ ...good, ...parts }),
          harmless: false,
        })),
    );
    await fc.assert(
      fc.asyncProperty(mutations, async ({ proof, harmless }) => {
        const outcome = summary(await policy.run("GET /", sent(token, proofFor(token, proof({})))));
        expect(outcome).toBe(harmless ? "user:ann" : "invalid-credential");
      }),
      { numRuns: Number(process.env["FC_RUNS"] ?? 300) },
    );
  });

  it("whatever character of its text is", async () => {
    const token = await boundToken();
    const policy = await bound();
    const good = proofFor(token);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.constantFrom(...Array.from("Aa0_-.= ,é")),
        async (at, character) => {
          const changed = good.slice(0, at) + character + good.slice(at + 1);
          fc.pre(changed !== good);
          expect(summary(await policy.run("GET /", sent(token, changed)))).toBe("invalid-credential");
        },
      ),
      { numRuns: Number(process.env["FC_RUNS"] ?? 300) },
    );
    expect(summary(await policy.run("GET /", sent(token, good)))).toBe("user:ann");
  });

  it("whatever the request is that it comes with", async () => {
    const token = await boundToken();
    const policy = await bound();
    const other = fc.record({
      method: fc.constantFrom("GET", "POST", "HEAD", "get"),
      scheme: fc.constantFrom<"http" | "https">("http", "https"),
      host: fc.constantFrom("a.test", "a.test:81", "b.a.test", "a.tes", ""),
      path: fc.constantFrom("/", "//", "/a", "/%2e", "/;"),
    });
    await fc.assert(
      fc.asyncProperty(other, async (request) => {
        const options = sent(token, proofFor(token));
        const headers = new Map(Object.entries(options.headerFields ?? {}));
        const outcome = summary(await policy.run("GET /", { request: { ...request, headers } }));
        const same =
          request.method === "GET" &&
          request.scheme === "http" &&
          request.host === "a.test" &&
          ["/", "/%2e"].includes(request.path);
        expect(outcome).toBe(same ? "user:ann" : "invalid-credential");
      }),
      { numRuns: 200 },
    );
  });
});
