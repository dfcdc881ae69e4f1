import { describe, expect, it } from "vitest";
import { keyPair, pem } from "../../platform/keys.test-support.js";
import { checkOf, compiled, JWT, jwkOf } from "./authenticate.test-support.js";

const SHA = "0".repeat(64);

function codesOf(settings: Record<string, unknown>): string[] {
  return checkOf({ roles: { clerk: [] }, authenticators: { a: settings } }).map(
    ({ code, pointer, severity }) => `${severity} ${code} ${pointer.replace("/authenticators/a", "")}`,
  );
}

const jwt = (changes: Record<string, unknown>): string[] => codesOf({ ...JWT, ...changes });
const set = (...keys: unknown[]): Record<string, unknown> => ({ jwks: { keys } });

describe("check of jwt", () => {
  it("B3.53 refuses symmetric algorithms with public keys, the reverse, and both together", () => {
    const secret = { secret: "env:S" };
    expect(jwt({ algorithms: ["HS256"] })).toEqual([
      "error symmetric-with-public-key /keys",
      "warning unused-key /keys/jwks/keys/0",
      "error no-usable-key /keys/jwks/keys",
    ]);
    expect(jwt({ algorithms: ["HS256"], keys: { pem: pem(keyPair("rsa").publicKey) } })).toEqual([
      "error symmetric-with-public-key /keys",
    ]);
    expect(jwt({ algorithms: ["RS256"], keys: secret })).toEqual(["error asymmetric-with-secret /keys"]);
    expect(jwt({ algorithms: ["HS256", "RS256"], keys: secret })).toEqual([
      "error mixed-algorithms /algorithms",
    ]);
    expect(jwt({ algorithms: ["HS256", "HS512"], keys: secret })).toEqual([]);
  });

  it("refuses private keys in a policy", () => {
    const { privateKey } = keyPair("P-256");
    expect(jwt({ keys: { pem: pem(privateKey) } })).toEqual(["error literal-secret /keys/pem"]);
    expect(jwt({ keys: set({ ...privateKey.export({ format: "jwk" }) }) })).toEqual([
      "error literal-secret /keys/jwks/keys/0",
    ]);
    expect(jwt({ keys: set({ kty: "oct", k: "c2VjcmV0" }) })).toEqual([
      "error literal-secret /keys/jwks/keys/0",
    ]);
  });

  it("refuses sets of keys in which none is of use, and a kid that names two", () => {
    const key = jwkOf("P-256");
    expect(jwt({ keys: set() })).toEqual(["error no-usable-key /keys/jwks/keys"]);
    expect(jwt({ keys: set({ ...key, use: "enc" }) })).toEqual([
      "warning unused-key /keys/jwks/keys/0",
      "error no-usable-key /keys/jwks/keys",
    ]);
    expect(jwt({ keys: set({ ...key, kid: "a" }, { ...jwkOf("P-256", "b"), kid: "a" }) })).toEqual([
      "error duplicate-kid /keys/jwks/keys/1",
    ]);
    expect(jwt({ keys: set({ ...key, kid: 1 }) })).toEqual(["error invalid-key /keys/jwks/keys/0"]);
    expect(jwt({ keys: set({ ...key, kid: "a" }, { ...jwkOf("rsa"), kid: "b" }) })).toEqual([
      "warning unused-key /keys/jwks/keys/1",
    ]);
  });

  it("refuses `unchecked` among audiences", () => {
    expect(jwt({ audience: ["api", "unchecked"] })).toEqual(["error unchecked-in-list /audience"]);
    expect(jwt({ audience: "unchecked" })).toEqual([]);
  });

  it("refuses principals that nothing could be mapped to", () => {
    expect(jwt({ principal: { id: "a..b", tenant: "/a~2", team: "" } })).toEqual([
      "error invalid-path /principal/id",
      "error invalid-path /principal/tenant",
      "error invalid-path /principal/team",
    ]);
    expect(jwt({ principal: { id: { value: "" }, roles: { value: 1 }, scopes: { value: [""] } } })).toEqual([
      "error invalid-constant /principal/id",
      "error invalid-constant /principal/roles",
      "error invalid-constant /principal/scopes",
    ]);
    expect(jwt({ principal: { roles: { value: ["clerk", "ghost"] } } })).toEqual([
      "error unknown-role /principal/roles/1",
    ]);
    expect(jwt({ principal: { id: "/a~1b", roles: { value: ["clerk"] }, tenant: "a.b" } })).toEqual([]);
  });
});

describe("check of api-key", () => {
  const keys = (...records: unknown[]): string[] =>
    codesOf({ type: "api-key", in: "header", name: "X-K", keys: records });
  const good = { id: "a", sha256: SHA };

  it("refuses lists that let nobody in, and keys that are two callers", () => {
    expect(keys()).toEqual(["error empty-key-list /keys"]);
    expect(keys(good, { id: "b", sha256: SHA.toUpperCase() })).toEqual(["error duplicate-api-key /keys/1"]);
    expect(keys(good, { id: "a", sha256: "1".repeat(64) })).toEqual([]);
  });

  it("warns of keys in the query", () => {
    expect(codesOf({ type: "api-key", in: "query", name: "k", keys: [good] })).toEqual([
      "warning api-key-in-query /in",
    ]);
  });

  it("refuses records of a bad shape, telling all of it", () => {
    const wrong = {
      id: "",
      sha256: "0",
      roles: "clerk",
      scopes: [1],
      routes: [""],
      expires: "2026-02-30",
      attributes: [],
      hash: "x",
    };
    expect(keys(wrong)).toEqual(Array(8).fill("error invalid-api-key /keys/0"));
    expect(keys({ ...good, attributes: { roles: ["admin"] } })).toEqual(["error invalid-api-key /keys/0"]);
    expect(keys(null, [], "x")).toEqual([0, 1, 2].map((index) => `error invalid-api-key /keys/${index}`));
  });

  it("refuses roles and routes that do not exist", () => {
    expect(keys({ ...good, roles: ["clerk", "ghost"], routes: ["GET /", "GET /x"] })).toEqual([
      "error unknown-role /keys/0/roles/1",
      "error unknown-route /keys/0/routes/1",
    ]);
  });
});

describe("what only the environment can tell", () => {
  const codesIn = async (
    settings: Record<string, unknown>,
    setUp: Parameters<typeof compiled>[1] = {},
  ): Promise<string[]> =>
    (await compiled({ authenticators: { a: settings } }, setUp)).diagnostics.map(
      ({ code, pointer, message }) => `${code} ${pointer.replace("/authenticators/a", "")}: ${message}`,
    );
  const withKeys = (keys: unknown, algorithms = ["ES256"]): Record<string, unknown> => ({
    ...JWT,
    keys,
    algorithms,
  });

  it("B3.58 refuses weak secrets", async () => {
    const hs = withKeys({ secret: "env:S" }, ["HS256"]);
    expect(await codesIn(hs, { secrets: { "env:S": "short" } })).toEqual([
      "invalid-key /keys: `env:S` holds 5 bytes, at least 32 are needed",
    ]);
    expect(await codesIn(hs, { secrets: { "env:S": " ".repeat(40) } })).toEqual([
      "invalid-key /keys: `env:S` holds nothing but blanks",
    ]);
  });

  it("B3.54 refuses keys whose parsed type does not fit", async () => {
    const ec = pem(keyPair("P-256").publicKey);
    expect(await codesIn(withKeys({ pem: ` ${ec}` }, ["RS256"]))).toEqual([
      "invalid-key /keys: the key's type does not fit RS256",
    ]);
    expect(
      await codesIn(withKeys({ pem: { secret: "file:k" } }, ["ES256"]), {
        secrets: { "file:k": Uint8Array.of(255) },
      }),
    ).toEqual(["invalid-key /keys/pem: the PEM is no text"]);
  });

  it("refuses files that hold no usable keys", async () => {
    const file = withKeys({ jwks: "k.json" });
    const at = "/keys/jwks";
    expect(await codesIn(file)).toEqual([`unreadable-file ${at}: \`k.json\` cannot be read`]);
    expect(await codesIn(file, { files: { "k.json": "nonsense" } })).toEqual([
      `invalid-key ${at}: \`k.json\` holds no JWK Set`,
    ]);
    expect(await codesIn(file, { files: { "k.json": "[]" } })).toEqual([
      `invalid-key ${at}: \`k.json\` holds no JWK Set`,
    ]);
    expect(await codesIn(file, { files: { "k.json": '{"keys":[]}' } })).toEqual([
      `no-usable-key ${at}: \`k.json\` holds no key that fits the \`algorithms\``,
    ]);
  });

  it("refuses lists of keys and functions that are not there", async () => {
    const listed = { type: "api-key", in: "header", name: "X-K", keys: { secret: "file:keys" } };
    expect(await codesIn(listed, { secrets: { "file:keys": "{}" } })).toEqual([
      "invalid-api-key /keys: `file:keys` holds no JSON list of key records",
    ]);
    expect(await codesIn(listed, { secrets: { "file:keys": '[{"id":"a"}]' } })).toEqual([
      "invalid-api-key /keys: key 1: `sha256` is not 64 hex digits",
    ]);
    const found = { ...listed, keys: { lookup: "find" } };
    expect(await codesIn(found)).toEqual(["unknown-function /keys/lookup: `lookups` has no function `find`"]);
    const custom = { type: "custom", use: "toString", in: "header" };
    expect(await codesIn(custom)).toEqual([
      "unknown-function /use: `authenticators` has no function `toString`",
    ]);
  });
});

describe("durations with which nothing would work, or nothing would be left in peace", () => {
  const problems = (settings: object) =>
    checkOf({ authenticators: { a: settings } }).map(({ code, pointer, help }) => [
      code,
      pointer.replace("/authenticators/a", ""),
      help,
    ]);
  const secret = { secret: "env:X" };
  const hook = { type: "signature", header: "X-Sig", secrets: [secret] };
  const message = {
    type: "http-signature",
    keys: [{ keyid: "k", algorithm: "hmac-sha256", key: secret, id: "ann" }],
  };
  const opaque = {
    type: "introspection",
    in: "header",
    url: "https://id.test/ask",
    client: { id: "api", secret },
    issuer: "unchecked",
    audience: "unchecked",
  };

  it.each([
    [
      { ...JWT, keys: { jwks: "https://id.test/keys", refresh: "0s", cooldown: "500ms" } },
      [
        ["/keys/refresh", "from `1s` to `366d`"],
        ["/keys/cooldown", "from `1s` to `1d`"],
      ],
    ],
    [{ ...opaque, failures: { limit: 3, window: "0s" } }, [["/failures/window", "from `1s` to `1d`"]]],
    [
      {
        type: "api-key",
        in: "header",
        name: "X-Key",
        keys: { lookup: "f" },
        failures: { limit: 3, window: "2d" },
      },
      [["/failures/window", "from `1s` to `1d`"]],
    ],
    [
      { ...hook, timeHeader: "X-Time", signed: "{time}.{body}", tolerance: "0s" },
      [["/tolerance", "from `1s` to `366d`"]],
    ],
    [{ ...hook, signed: "{body}", remember: "999ms" }, [["/remember", "from `1s` to `366d`"]]],
    [
      { ...message, tolerance: "25h", maxAge: "0s" },
      [
        ["/tolerance", "from `0s` to `1d`"],
        ["/maxAge", "from `1s` to `366d`"],
      ],
    ],
    [{ ...message, tolerance: "0s", maxAge: "1s" }, []],
  ])("%j", (settings, expected) => {
    expect(problems(settings)).toEqual(expected.map((one) => ["out-of-range", ...one]));
  });
});
