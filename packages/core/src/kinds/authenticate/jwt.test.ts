import { randomBytes } from "node:crypto";
import { jwtVerify, CompactEncrypt, createLocalJWKSet } from "jose";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../../lib/jws.js";
import { keyPair, pairFor, pem } from "../../platform/keys.test-support.js";
import { platform as node } from "../../platform/node.js";
import { cookiesOf } from "../../model/state.test-support.js";
import { platform as portable } from "../../platform/portable.js";
import {
  bearer,
  CLAIMS,
  compiled,
  forged,
  HEADER,
  JWT,
  jwkOf,
  NOW,
  SECONDS,
  signed,
  summary,
  type Compiled,
  type SetUp,
} from "./authenticate.test-support.js";

const ROLES = { admin: ["clerk"], clerk: [] };
const SECRET = randomBytes(64);

async function withJwt(
  changes: Readonly<Record<string, unknown>> = {},
  setUp: SetUp = {},
): Promise<Compiled> {
  const kind = await compiled({ roles: ROLES, authenticators: { user: { ...JWT, ...changes } } }, setUp);
  expect(kind.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return kind;
}

async function verdictsOf(kind: Compiled, tokens: readonly string[]): Promise<string[]> {
  const verdicts: string[] = [];
  for (const token of tokens) verdicts.push(summary(await kind.run("GET /", bearer(token))));
  return verdicts;
}

const all = (count: number, verdict: string): string[] => Array<string>(count).fill(verdict);
const REFUSED = "invalid-credential";

describe.each([node, portable])("jwt on the platform $name", (platform) => {
  let kind: Compiled;
  beforeAll(async () => {
    kind = await withJwt({}, { platform });
  });
  const refuses = async (tokens: readonly string[]): Promise<void> => {
    expect(await verdictsOf(kind, tokens)).toEqual(all(tokens.length, REFUSED));
  };

  it("makes nobody's attribute of what somebody gave to all objects", async () => {
    const token = await signed();
    const mapped = await withJwt({ principal: { town: "address.town" } }, { platform });
    const everybody = Object.getPrototypeOf({}) as object;
    Object.defineProperty(everybody, "tenant", { value: "t-1", enumerable: true, configurable: true });
    const { identity } = await mapped.run("GET /", bearer(token));
    Reflect.deleteProperty(everybody, "tenant");
    expect(identity?.principal.id).toBe("ann");
    expect(identity?.principal).not.toHaveProperty("tenant");
  });

  it("accepts a good token and freezes what it says", async () => {
    const token = await signed({ scope: "a b", address: { town: "x" } });
    const { identity, verdict } = await kind.run("GET /", bearer(token));
    expect(verdict).toBeUndefined();
    expect(identity).toEqual({
      principal: {
        id: "ann",
        roles: [],
        scopes: ["a", "b"],
        claims: { ...CLAIMS, scope: "a b", address: { town: "x" } },
        authenticator: "user",
      },
      authenticator: "user",
      roles: new Set(),
      scopes: new Set(["a", "b"]),
      ambient: false,
      key: "4:userann",
    });
    const frozen = [
      identity,
      identity?.principal,
      identity?.principal.claims,
      identity?.principal.claims["address"],
    ];
    expect(frozen.map((value) => Object.isFrozen(value))).toEqual([true, true, true, true]);
  });

  it("B3.52 refuses `none` in all spellings, and a missing or empty `alg`", async () => {
    const spellings = ["none", "None", "nOnE", "NONE", "", undefined, null, 1, ["ES256"], "es256", "ES256 "];
    const tokens = spellings.map((alg) => forged({ ...HEADER, alg }, CLAIMS));
    await refuses([...tokens, ...tokens.map((token) => token.slice(0, token.lastIndexOf(".") + 1))]);
  });

  it("B3.53 refuses a token that is signed with the public key as a secret", async () => {
    const { publicKey } = keyPair("P-256");
    const secrets = [pem(publicKey), pem(publicKey).trim(), JSON.stringify(jwkOf("P-256"))].map((text) =>
      Buffer.from(text),
    );
    const algorithms = ["HS256", "HS384", "HS512"] as const;
    await refuses(
      algorithms.flatMap((alg) => secrets.map((secret) => forged({ ...HEADER, alg }, CLAIMS, secret, alg))),
    );
  });

  it("B3.55 lets the policy's list decide, not the token", async () => {
    const rsa = keyPair("rsa");
    const narrow = await withJwt(
      { algorithms: ["RS256"], keys: { jwks: { keys: [{ ...jwkOf("rsa"), kid: "k1" }] } } },
      { platform },
    );
    const tokens = (["RS256", "RS384", "PS256"] as const).map((alg) =>
      forged({ ...HEADER, alg }, CLAIMS, rsa.privateKey, alg),
    );
    expect(await verdictsOf(narrow, tokens)).toEqual(["user:ann", REFUSED, REFUSED]);
  });

  it("B3.56 refuses the kid of a key of another type", async () => {
    const both = await withJwt(
      {
        algorithms: ["ES256", "RS256"],
        keys: {
          jwks: {
            keys: [
              { ...jwkOf("P-256"), kid: "ec" },
              { ...jwkOf("rsa"), kid: "rsa" },
            ],
          },
        },
      },
      { platform },
    );
    const rsa = keyPair("rsa").privateKey;
    expect(
      await verdictsOf(both, [
        forged({ ...HEADER, kid: "ec" }, CLAIMS),
        forged({ alg: "RS256", kid: "rsa" }, CLAIMS, rsa, "RS256"),
        forged({ alg: "RS256", kid: "ec" }, CLAIMS, rsa, "RS256"),
        forged({ alg: "ES256", kid: "rsa" }, CLAIMS),
      ]),
    ).toEqual(["user:ann", "user:ann", REFUSED, REFUSED]);
  });

  it("B3.59 B3.64 takes a kid for a name among the configured ones and for nothing else", async () => {
    const kids = [
      "__proto__",
      "constructor",
      "toString",
      "../../dev/null",
      "' OR 1=1 --",
      "https://evil.test/k",
      "",
      "k1\0",
      "K1",
      " k1",
      null,
      1,
      {},
      ["k1"],
    ];
    await refuses(kids.map((kid) => forged({ ...HEADER, kid }, CLAIMS)));
  });

  it("does not guess between keys that a token does not name", async () => {
    const { privateKey } = keyPair("P-256");
    const nameless = forged({ alg: "ES256" }, CLAIMS, privateKey);
    const two = await withJwt(
      {
        keys: {
          jwks: {
            keys: [
              { ...jwkOf("P-256"), kid: "a" },
              { ...jwkOf("P-256", "b"), kid: "b" },
            ],
          },
        },
      },
      { platform },
    );
    const second = forged({ alg: "ES256" }, CLAIMS, keyPair("P-256", "b").privateKey);
    expect(await verdictsOf(kind, [nameless])).toEqual(["user:ann"]);
    expect(await verdictsOf(two, [nameless, second])).toEqual([REFUSED, REFUSED]);
  });

  it("B3.60 refuses signatures of zeros", async () => {
    const good = await signed();
    const input = good.slice(0, good.lastIndexOf("."));
    const zeros = Buffer.alloc(64).toString("base64url");
    const empty = Buffer.alloc(1).toString("base64url");
    await refuses([
      `${input}.${zeros}`,
      `${input}.${empty}`,
      `${input}.${good.slice(good.lastIndexOf(".") + 1)}AAAA`,
    ]);
  });

  it("B3.61 refuses `crit`, whatever it names", async () => {
    const values = [[], ["exp"], ["alg"], ["b64"], ["x"], "exp", {}, null, 0];
    await refuses(values.map((crit) => forged({ ...HEADER, crit, exp: 1 }, CLAIMS)));
  });

  it("B3.62 refuses `b64`, true or false", async () => {
    await refuses([true, false, null].map((b64) => forged({ ...HEADER, b64 }, CLAIMS)));
  });

  it("B3.63 uses no key that a token brings along", async () => {
    const mine = keyPair("P-256", "attacker");
    const brought = {
      jwk: jwkOf("P-256", "attacker"),
      jku: "https://evil.test/jwks",
      x5u: "https://evil.test/x",
      x5c: ["MIIB"],
    };
    await refuses([
      forged({ ...HEADER, ...brought }, CLAIMS, mine.privateKey),
      forged({ ...HEADER, ...brought, kid: "other" }, CLAIMS, mine.privateKey),
      forged({ alg: "ES256", ...brought }, CLAIMS, mine.privateKey),
    ]);
    expect(await verdictsOf(kind, [forged({ ...HEADER, ...brought }, CLAIMS)])).toEqual(["user:ann"]);
  });

  it("B3.65 accepts one spelling of a token", async () => {
    const good = forged(HEADER, { ...CLAIMS, sub: "a" });
    const [header = "", payload = "", signature = ""] = good.split(".");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const spare = signature.slice(0, -1) + (alphabet[alphabet.indexOf(signature.slice(-1)) ^ 1] ?? "");
    expect(await verdictsOf(kind, [good])).toEqual(["user:a"]);
    await refuses([
      `${good}=`,
      `${good}==`,
      ` ${good}`,
      `${good} `,
      `${good}\n`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}=.${signature}`,
      `${header}. ${payload}.${signature}`,
      `${header}.${payload.slice(0, 8)}\n${payload.slice(8)}.${signature}`,
      `${header}.${payload}.${signature.slice(0, 8)} ${signature.slice(8)}`,
      `${header}.${payload}.${signature.replaceAll(/[-_]/gu, "+")}+`,
      `${header}.${payload}.${spare}`,
      `.${good}`,
      `${good}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      "",
      ".",
      "..",
      "...",
    ]);
  });

  it("refuses headers and payloads that are no single JSON object", async () => {
    const texts = [
      "",
      "null",
      "[]",
      "1",
      '"x"',
      "{",
      "{}{}",
      '{"alg":"none","alg":"ES256","kid":"k1"}',
      "\uFEFF{}",
    ];
    await refuses(texts.map((header) => forged(header, CLAIMS)));
    await refuses(texts.map((payload) => forged(HEADER, payload)));
    const claims = JSON.stringify(CLAIMS).slice(1);
    await refuses([
      forged(HEADER, `{"sub":"root",${claims}`),
      forged(HEADER, `{"s\\u0075b":"root",${claims}`),
      forged(HEADER, `{"x":{"y":1,"y":2},${claims}`),
      forged(HEADER, `{"__proto__":{"sub":"root"},${claims}`),
      forged(HEADER, `{"x":[{"__proto__":1}],${claims}`),
    ]);
    expect(
      await verdictsOf(kind, [forged(HEADER, ` {"x":"a:{\\"b\\":1}","y":[":",{"z":":"}],${claims}`)]),
    ).toEqual(["user:ann"]);
  });

  it("B3.66 refuses every audience but the one that is meant", async () => {
    const wrong = [
      [],
      "",
      {},
      1,
      null,
      undefined,
      [["api"]],
      ["api", 1],
      ["API"],
      "api ",
      "ap",
      "apis",
      ["x"],
      { api: 1 },
      true,
    ];
    await refuses(wrong.map((aud) => forged(HEADER, { ...CLAIMS, aud })));
    expect(await verdictsOf(kind, [forged(HEADER, { ...CLAIMS, aud: ["x", "api"] })])).toEqual(["user:ann"]);
  });

  it("B3.68 compares the issuer as one exact string", async () => {
    const { iss = "" } = CLAIMS;
    const wrong = [
      [iss],
      [iss, "x"],
      "https://id.test",
      `${iss}x`,
      iss.toUpperCase(),
      ` ${iss}`,
      "",
      null,
      undefined,
      {},
      { length: 1, 0: iss },
    ];
    await refuses(wrong.map((issuer) => forged(HEADER, { ...CLAIMS, iss: issuer })));
  });

  it("B3.69 gives one answer a thousand times in a row", async () => {
    const good = await signed();
    const bad = await signed({ aud: "other" });
    const answers = await verdictsOf(
      kind,
      Array.from({ length: 1000 }, (_, index) => (index % 3 === 0 ? bad : good)),
    );
    expect(answers).toEqual(
      Array.from({ length: 1000 }, (_, index) => (index % 3 === 0 ? REFUSED : "user:ann")),
    );
  });

  it("B3.73 takes finite numbers for dates, and judges each on its side", async () => {
    const strange = [String(SECONDS + 300), null, true, {}, [], [SECONDS + 300]];
    await refuses([
      ...[...strange, undefined].map((exp) => forged(HEADER, { ...CLAIMS, exp })),
      ...strange.map((nbf) => forged(HEADER, { ...CLAIMS, nbf })),
      ...strange.map((iat) => forged(HEADER, { ...CLAIMS, iat })),
      ...["exp", "nbf", "iat"].map((name) =>
        forged(
          HEADER,
          JSON.stringify(CLAIMS)
            .replace(/\}$/u, `,"_":0}`)
            .replace(new RegExp(`"${name}":[0-9]+|"_":0`, "u"), `"${name}":1e400`),
        ),
      ),
    ]);
    const judged: [Record<string, number | undefined>, string][] = [
      [{ exp: SECONDS }, REFUSED],
      [{ exp: SECONDS + 0.001 }, "user:ann"],
      [{ exp: -1 }, REFUSED],
      [{ exp: SECONDS - 1 }, REFUSED],
      [{ nbf: SECONDS }, "user:ann"],
      [{ nbf: SECONDS + 0.5 }, REFUSED],
      [{ nbf: -5 }, "user:ann"],
      [{ iat: SECONDS + 1 }, REFUSED],
      [{ iat: undefined }, "user:ann"],
    ];
    const tokens = judged.map(([claims]) => forged(HEADER, { ...CLAIMS, ...claims }));
    expect(await verdictsOf(kind, tokens)).toEqual(judged.map(([, verdict]) => verdict));
  });

  it("B3.74 refuses other types of token", async () => {
    const wrong = [
      "id+jwt",
      "logout+jwt",
      "dpop+jwt",
      "refresh",
      "JOSE",
      "",
      "at+jwt ",
      "application/jwt",
      null,
      1,
      ["at+jwt"],
    ];
    await refuses(wrong.map((typ) => forged({ ...HEADER, typ }, CLAIMS)));
    const right = ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt", undefined];
    expect(
      await verdictsOf(
        kind,
        right.map((typ) => forged({ ...HEADER, typ }, CLAIMS)),
      ),
    ).toEqual(all(6, "user:ann"));
    const inner = await signed();
    await refuses([
      forged({ ...HEADER, cty: "JWT" }, inner),
      forged({ ...HEADER, cty: "JWT" }, CLAIMS),
      forged(HEADER, `"${inner}"`),
    ]);
  });

  it("B3.75 refuses encrypted tokens by their five parts, and long ones by their length", async () => {
    const encrypted = await new CompactEncrypt(Buffer.from(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ alg: "RSA-OAEP", enc: "A128GCM" })
      .encrypt(keyPair("rsa").publicKey);
    await refuses([encrypted, "a.b.c.d.e", `${"a".repeat(5000)}.${"b".repeat(5000)}.c`]);
    const long = forged(HEADER, { ...CLAIMS, pad: "x".repeat(5500) });
    expect(long.length).toBeLessThan(8192);
    expect(await verdictsOf(kind, [long])).toEqual(["user:ann"]);
    await refuses([forged(HEADER, { ...CLAIMS, pad: "x".repeat(6500) })]);
  });

  it("counts the characters of a token, and not those of the scheme before it", async () => {
    const reasonOf = async (length: number): Promise<string> => {
      const { verdict } = await kind.run("GET /", bearer("x".repeat(length)));
      return verdict?.kind === "refusal" ? verdict.reason : "";
    };
    expect(await reasonOf(8192)).toContain("not three segments");
    expect(await reasonOf(8193)).toBe("the credential is longer than 8192 characters");
  });

  it("B3.79 refuses a bound token without its proof", async () => {
    await refuses(
      [{ jkt: "x" }, { "x5t#S256": "x" }, {}, "x"].map((cnf) => forged(HEADER, { ...CLAIMS, cnf })),
    );
    expect(await verdictsOf(kind, [forged(HEADER, { ...CLAIMS, cnf: null })])).toEqual(["user:ann"]);
  });

  it("refuses a subject that is no non-empty string", async () => {
    await refuses(
      ["", null, undefined, 1, ["ann"], { id: "ann" }].map((sub) => forged(HEADER, { ...CLAIMS, sub })),
    );
  });

  it("B3.80 splits scopes on single blanks, and refuses what is neither list nor string", async () => {
    const good: [unknown, string[]][] = [
      ["orders:write", ["orders:write"]],
      ["orders:writeall b", ["orders:writeall", "b"]],
      [
        ["a b", "c", "c"],
        ["a b", "c"],
      ],
      ["a\tb", ["a\tb"]],
      ["", []],
      [null, []],
      [undefined, []],
      [[], []],
    ];
    for (const [scope, expected] of good) {
      const { identity } = await kind.run("GET /", bearer(forged(HEADER, { ...CLAIMS, scope })));
      expect(identity?.principal.scopes).toEqual(expected);
    }
    await refuses(
      [1, true, {}, [1], ["a", null], [["a"]], [""], "a  b", " a", "a "].map((scope) =>
        forged(HEADER, { ...CLAIMS, scope }),
      ),
    );
  });

  it("maps paths, pointers and constants; roles are held against the document", async () => {
    const mapped = await withJwt(
      {
        principal: {
          id: "/https:~1~1acme.test~1uid",
          roles: "realm.roles",
          tenant: "org.id",
          plan: { value: { name: "free" } },
          none: "realm.missing",
          nil: "nil",
          tricky: "toString",
        },
        confers: ["clerk"],
      },
      { platform },
    );
    const claims = {
      ...CLAIMS,
      "https://acme.test/uid": "u1",
      realm: { roles: "clerk admin ghost other" },
      org: { id: 7 },
      nil: null,
      scope: "x",
    };
    const { identity, state } = await mapped.run("GET /", bearer(forged(HEADER, claims)));
    expect(identity?.principal).toEqual({
      id: "u1",
      roles: ["clerk"],
      scopes: [],
      claims,
      authenticator: "user",
      tenant: 7,
      plan: { name: "free" },
    });
    expect(state.reports).toEqual([
      "dropped 2 of the roles from `user`: `roles` does not declare them",
      "dropped 1 of the roles from `user`: `confers` does not list them",
    ]);
    const again = await mapped.run("GET /", bearer(forged(HEADER, claims)));
    expect(again.state.reports).toHaveLength(2);
  });

  it("closes roles over the hierarchy", async () => {
    const mapped = await withJwt({ principal: { roles: "roles" } }, { platform });
    const { identity } = await mapped.run("GET /", bearer(forged(HEADER, { ...CLAIMS, roles: ["admin"] })));
    expect(identity?.principal.roles).toEqual(["admin", "clerk"]);
    expect(identity?.roles).toEqual(new Set(["admin", "clerk"]));
    const odd = [1, {}, [1], ["admin", ""], "admin  clerk"].map((roles) =>
      forged(HEADER, { ...CLAIMS, roles }),
    );
    expect(await verdictsOf(mapped, odd)).toEqual(all(5, REFUSED));
  });
});

describe("jwt", () => {
  it("decides a known key's token without a promise on Node", async () => {
    const kind = await withJwt();
    const token = await signed();
    expect((await kind.run("GET /", bearer(token))).synchronous).toBe(true);
    expect((await kind.run("GET /", bearer(token))).synchronous).toBe(true);
    const slow = await withJwt({}, { platform: portable });
    expect((await slow.run("GET /", bearer(token))).synchronous).toBe(false);
    expect((await slow.run("GET /", bearer(token))).synchronous).toBe(true);
  });

  it("applies `clockTolerance` on the right side of each date", async () => {
    const kind = await withJwt({ clockTolerance: "30s", maxAge: "1h" });
    const dated: [Record<string, number | undefined>, string][] = [
      [{ exp: SECONDS - 29 }, "user:ann"],
      [{ exp: SECONDS - 30 }, REFUSED],
      [{ nbf: SECONDS + 30 }, "user:ann"],
      [{ nbf: SECONDS + 31 }, REFUSED],
      [{ iat: SECONDS + 30 }, "user:ann"],
      [{ iat: SECONDS + 31 }, REFUSED],
      [{ iat: SECONDS - 3629 }, "user:ann"],
      [{ iat: SECONDS - 3630 }, REFUSED],
      [{ iat: undefined }, REFUSED],
    ];
    const tokens = dated.map(([claims]) => forged(HEADER, { ...CLAIMS, ...claims }));
    expect(await verdictsOf(kind, tokens)).toEqual(dated.map(([, verdict]) => verdict));
    expect(await verdictsOf(kind, tokens)).toEqual(dated.map(([, verdict]) => verdict));
  });

  it("takes lists of audiences, another claim, and `unchecked`", async () => {
    const list = await withJwt({ audience: ["a", "b"] });
    const claim = await withJwt({ audience: { claim: "client_id", values: ["web"] } });
    const free = await withJwt({ audience: "unchecked", issuer: "unchecked" });
    const of = (claims: Readonly<Record<string, unknown>>): string =>
      forged(HEADER, { ...CLAIMS, ...claims });
    expect(await verdictsOf(list, [of({ aud: "b" }), of({ aud: ["x", "a"] }), of({ aud: "api" })])).toEqual([
      "user:ann",
      "user:ann",
      REFUSED,
    ]);
    expect(await verdictsOf(claim, [of({ client_id: "web" }), of({ client_id: "x" }), of({})])).toEqual([
      "user:ann",
      REFUSED,
      REFUSED,
    ]);
    expect(await verdictsOf(free, [of({ aud: undefined, iss: undefined }), of({ iss: 1, aud: {} })])).toEqual(
      all(2, "user:ann"),
    );
  });

  it("takes `typ` as a closed list, absent not among it", async () => {
    const kind = await withJwt({ typ: ["AT+jwt"] });
    const tokens = ["at+jwt", "JWT", undefined, "application/at+jwt"].map((typ) =>
      forged({ ...HEADER, typ }, CLAIMS),
    );
    expect(await verdictsOf(kind, tokens)).toEqual(["user:ann", REFUSED, REFUSED, REFUSED]);
  });

  it("verifies with a PEM, inline or by reference, whatever the kid", async () => {
    const text = pem(keyPair("P-256").publicKey);
    const inline = await withJwt({ keys: { pem: text } });
    const secret = await withJwt(
      { keys: { pem: { secret: "file:k.pem" } } },
      { secrets: { "file:k.pem": `\uFEFF${text}` } },
    );
    const tokens = ["a", undefined].map((kid) => forged({ alg: "ES256", kid }, CLAIMS));
    expect(await verdictsOf(inline, tokens)).toEqual(all(2, "user:ann"));
    expect(await verdictsOf(inline, [forged({ alg: "ES256", kid: 1 }, CLAIMS)])).toEqual([REFUSED]);
    expect(await verdictsOf(secret, tokens)).toEqual(all(2, "user:ann"));
  });

  it("verifies with a shared secret and with a file of keys", async () => {
    const secret = await withJwt(
      { algorithms: ["HS256"], keys: { secret: "env:S" } },
      { secrets: { "env:S": SECRET } },
    );
    const token = forged({ alg: "HS256" }, CLAIMS, SECRET, "HS256");
    const other = forged({ alg: "HS256" }, CLAIMS, randomBytes(64), "HS256");
    expect(
      await verdictsOf(secret, [token, other, forged({ alg: "HS512" }, CLAIMS, SECRET, "HS512")]),
    ).toEqual(["user:ann", REFUSED, REFUSED]);
    const files = {
      "keys.json": JSON.stringify({ keys: [{ ...jwkOf("P-256"), kid: "k1" }, { kty: "oct2" }] }),
    };
    const file = await withJwt({ keys: { jwks: "keys.json" } }, { files });
    expect(await verdictsOf(file, [await signed()])).toEqual(["user:ann"]);
  });

  it("reads a cookie, which travels by itself", async () => {
    const kind = await withJwt({ in: "cookie", name: "sid" });
    const token = await signed();
    const good = await kind.run("GET /", { sentCookies: cookiesOf({ sid: token }) });
    expect([summary(good), good.identity?.ambient]).toEqual(["user:ann", true]);
    expect(summary(await kind.run("GET /", { sentCookies: cookiesOf({ sid: "" }) }))).toBe(REFUSED);
    expect(summary(await kind.run("GET /", bearer(token)))).toBe("unauthenticated");
  });

  it("B3.70 never answers for another token: one bit off is another key", async () => {
    const kind = await withJwt();
    const good = await signed();
    expect(await verdictsOf(kind, [good])).toEqual(["user:ann"]);
    const characters = Array.from(good);
    const changed = characters.map((_, index) => {
      const copy = [...characters];
      copy[index] = copy[index] === "A" ? "B" : "A";
      return copy.join("");
    });
    const others = changed.filter((token) => token !== good);
    expect(await verdictsOf(kind, others)).toEqual(all(others.length, REFUSED));
    // Now its text is at hand, which has a way of its own.
    expect(await verdictsOf(kind, [good, good, good])).toEqual(all(3, "user:ann"));
    expect(await verdictsOf(kind, [...others, `${good}A`, good.slice(0, -1)])).toEqual(
      all(others.length + 2, REFUSED),
    );
    expect(await verdictsOf(kind, [good])).toEqual(["user:ann"]);
  });

  it("B3.70 tells tokens apart whose signatures end alike", async () => {
    const credulous = { ...node, prepareKey: () => ({ algorithm: "ES256" as const, verify: () => true }) };
    const kind = await withJwt({}, { platform: credulous });
    const signature = Buffer.alloc(64, 7).toString("base64url");
    const other = `AA${signature.slice(2)}`;
    const token = (sub: string, end: string): string =>
      `${forged(HEADER, { ...CLAIMS, sub }).replace(/[^.]*$/u, "")}${end}`;
    const tokens = [token("a", signature), token("b", signature), token("a", other), token("c", other)];
    const names = ["user:a", "user:b", "user:a", "user:c"];
    expect(await verdictsOf(kind, [...tokens, ...tokens, ...tokens])).toEqual([...names, ...names, ...names]);
    const thrice = tokens.flatMap((one) => [one, one, one]);
    expect(await verdictsOf(kind, thrice)).toEqual(names.flatMap((name) => [name, name, name]));
  });

  it("B3.71 judges time where the text is at hand", async () => {
    const kind = await withJwt({ maxAge: "1m" });
    const token = await signed({ nbf: SECONDS - 10 });
    const at = async (seconds: number): Promise<string> =>
      summary(await kind.run("GET /", { ...bearer(token), now: NOW + seconds * 1000 }));
    const seen: string[] = [];
    for (const seconds of [0, 0, 0, 59, 60, 59, -1, 0]) seen.push(await at(seconds));
    expect(seen).toEqual([...all(4, "user:ann"), REFUSED, "user:ann", REFUSED, "user:ann"]);
  });

  it("B3.70 keeps what one authenticator made of a token from another", async () => {
    const kind = await compiled({
      roles: ROLES,
      authenticators: {
        strict: { ...JWT, audience: "strict", principal: { roles: { value: ["admin"] } } },
        plain: JWT,
      },
      routes: {
        "GET /strict": { authenticate: ["strict"], authorize: "authenticated" },
        "GET /plain": { authenticate: ["plain"], authorize: "authenticated" },
        "GET /both": { authenticate: ["strict", "plain"], authorize: "authenticated" },
      },
    });
    const token = await signed();
    const twin = await signed({ aud: ["api", "strict"] });
    const seen: string[] = [];
    for (const credential of [token, twin, token, twin]) {
      for (const route of ["GET /plain", "GET /strict", "GET /both"])
        seen.push(summary(await kind.run(route, bearer(credential))));
    }
    const once = ["plain:ann", REFUSED, "plain:ann", "plain:ann", "strict:ann", "strict:ann"];
    expect(seen).toEqual([...once, ...once]);
  });

  it("B3.71 judges time on every use, forwards and back", async () => {
    const kind = await withJwt();
    const token = await signed({ nbf: SECONDS - 10 });
    const at = async (seconds: number): Promise<string> =>
      summary(await kind.run("GET /", { ...bearer(token), now: NOW + seconds * 1000 }));
    expect([
      await at(0),
      await at(299),
      await at(300),
      await at(301),
      await at(0),
      await at(-1),
      await at(1),
    ]).toEqual(["user:ann", "user:ann", REFUSED, REFUSED, "user:ann", REFUSED, "user:ann"]);
  });

  it("B3.71 forgets with the policy", async () => {
    const token = await signed();
    const before = await withJwt();
    const after = await withJwt({ keys: { jwks: { keys: [{ ...jwkOf("P-256", "next"), kid: "k1" }] } } });
    expect(await verdictsOf(before, [token])).toEqual(["user:ann"]);
    expect(await verdictsOf(after, [token])).toEqual([REFUSED]);
  });

  it("remembers no refusal: what verifies later is accepted", async () => {
    let good = false;
    const flaky = { ...node, prepareKey: () => ({ algorithm: "ES256" as const, verify: () => good }) };
    const kind = await withJwt({}, { platform: flaky });
    const token = await signed();
    expect(await verdictsOf(kind, [token])).toEqual([REFUSED]);
    good = true;
    expect(await verdictsOf(kind, [token])).toEqual(["user:ann"]);
    good = false;
    expect(await verdictsOf(kind, [token])).toEqual(["user:ann"]);
  });

  it("turns a check that breaks into a fault", async () => {
    const error = new Error("no crypto");
    const broken = {
      ...node,
      prepareKey: () => ({ algorithm: "ES256" as const, verify: () => Promise.reject(error) }),
    };
    const kind = await withJwt({}, { platform: broken });
    const { verdict } = await kind.run("GET /", bearer(await signed()));
    expect(verdict).toEqual({
      kind: "fault",
      where: "code",
      reason: "the signature check failed to run",
      rule: "/authenticators/user",
      error,
    });
  });

  it("B3.75 spends no hash on what has no form or no key", async () => {
    let hashes = 0;
    const counting = {
      ...node,
      sha256Hex: (data: Uint8Array | string) => {
        hashes += 1;
        return node.sha256Hex(data);
      },
    };
    const kind = await withJwt({}, { platform: counting });
    const good = await signed();
    const shapeless = [
      "",
      "x",
      "a.b",
      `${good}.x`,
      `${good}.x.y`,
      "x".repeat(9000),
      `${good}${".".repeat(9)}`,
    ];
    const keyless = [forged({ ...HEADER, alg: "none" }, CLAIMS), forged({ ...HEADER, kid: "x" }, CLAIMS)];
    expect(await verdictsOf(kind, [...shapeless, ...keyless])).toEqual(all(9, REFUSED));
    expect(hashes).toBe(0);
    expect(await verdictsOf(kind, [good])).toEqual(["user:ann"]);
    expect(hashes).toBe(1);
    // The second time finds it by its hash, from then on by its text.
    expect(await verdictsOf(kind, [good, good, good])).toEqual(all(3, "user:ann"));
    expect(hashes).toBe(2);
    const stranger = forged(HEADER, CLAIMS, keyPair("P-256", "attacker").privateKey);
    expect(await verdictsOf(kind, [stranger, stranger])).toEqual(all(2, REFUSED));
    expect(hashes).toBe(2);
  });

  it("verifies once and no stranger's token in vain", async () => {
    let calls = 0;
    const counting = {
      ...node,
      prepareKey: () => ({ algorithm: "ES256" as const, verify: () => (calls += 1) > 0 }),
    };
    const kind = await compiled(
      {
        authenticators: {
          a: { ...JWT, issuer: "https://a.test/", keys: { pem: pem(keyPair("P-256").publicKey) } },
          b: JWT,
        },
        routes: { "GET /": { authenticate: ["a", "b"], authorize: "authenticated" } },
      },
      { platform: counting },
    );
    const token = await signed();
    expect(await verdictsOf(kind, [token, token, token])).toEqual(all(3, "b:ann"));
    expect(calls).toBe(1);
    const stranger = await signed({ iss: "https://stranger.test/" });
    const five = "a.b.c.d.e";
    expect(await verdictsOf(kind, [stranger, five, "x", "", "x.y.z"])).toEqual(all(5, REFUSED));
    expect(calls).toBe(1);
  });
});

describe("against jose", () => {
  const algorithms = Object.keys(JWS_ALGORITHMS).filter(isJwsAlgorithm);

  it.each(algorithms)("accepts what jose signs with %s", async (algorithm) => {
    const symmetric = JWS_ALGORITHMS[algorithm].scheme === "hmac";
    const { publicKey, privateKey } = pairFor(algorithm);
    const keys = symmetric
      ? { secret: "env:S" }
      : { jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1" }] } };
    const token = await signed({}, { alg: algorithm }, symmetric ? SECRET : privateKey);
    for (const platform of [node, portable]) {
      const kind = await withJwt(
        { algorithms: [algorithm], keys },
        { platform, secrets: { "env:S": SECRET } },
      );
      expect(await verdictsOf(kind, [token])).toEqual(["user:ann"]);
    }
  });

  it("accepts_what_jose_accepts_and_nothing_that_jose_refuses", async () => {
    const kind = await withJwt({ audience: ["api", "b"], clockTolerance: "10s" });
    const set = createLocalJWKSet({ keys: [{ ...jwkOf("P-256"), kty: "EC", kid: "k1" }] });
    const date = fc.option(fc.integer({ min: SECONDS - 30, max: SECONDS + 30 }), { nil: undefined });
    const claims = fc.record({
      iss: fc.constantFrom("https://id.test/", "https://id.test/", "https://other.test/", undefined),
      aud: fc.constantFrom<unknown>("api", ["x", "b"], "x", [], undefined),
      sub: fc.constantFrom("ann", "bob"),
      exp: date,
      nbf: date,
      iat: fc.constantFrom(SECONDS, SECONDS - 5, undefined),
    });
    const header = fc.record({
      kid: fc.constantFrom("k1", "k1", undefined, "k2"),
      typ: fc.constantFrom("at+jwt", "at+jwt", "JWT"),
      alg: fc.constantFrom<JwsAlgorithm>("ES256", "ES256", "ES384"),
    });
    const signer = fc.constantFrom("", "", "attacker");
    await fc.assert(
      fc.asyncProperty(header, claims, signer, async (header, claims, signer) => {
        const token = forged(
          header,
          claims,
          keyPair(header.alg === "ES256" ? "P-256" : "P-384", signer).privateKey,
          header.alg,
        );
        const theirs = await jwtVerify(token, set, {
          algorithms: ["ES256"],
          issuer: "https://id.test/",
          audience: ["api", "b"],
          clockTolerance: 10,
          currentDate: new Date(NOW),
          requiredClaims: ["exp"],
        }).then(
          ({ payload }) => `user:${payload.sub ?? ""}`,
          () => REFUSED,
        );
        expect(await verdictsOf(kind, [token, token])).toEqual([theirs, theirs]);
      }),
      { numRuns: 300 },
    );
  });
});
