/** Published vectors (`vectors/README.md`) through the whole way of a token, on every platform, and past jose. */
import { readFileSync } from "node:fs";
import { compactVerify, importJWK, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../lib/bytes.js";
import { isJwsAlgorithm, type JwsAlgorithm } from "../../lib/jws.js";
import { platform as node } from "../../platform/node.js";
import { platform as portable } from "../../platform/portable.js";
import type { KeyMaterial, Platform } from "../../ports/platform.js";
import { bearer, compiled, summary, type Compiled } from "./authenticate.test-support.js";

interface Group {
  readonly comment: string;
  readonly key: JWK | { readonly keys: readonly JWK[] };
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    readonly jws: string;
    readonly result: "valid" | "invalid";
  }[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), "utf8"));

/** The engine's words for a good signature over what are no claims, as the payloads of most vectors are. */
const NO_CLAIMS = "the token's payload is not base64url of one JSON object";

/** While the tokens of RFC 7515 were good. */
const NOW = 1_300_819_000_000;

/** A jwt authenticator with that key, or undefined when a policy may not have it. */
async function authenticatorWith(
  key: Group["key"],
  algorithm: string,
  platform: Platform,
): Promise<Compiled | undefined> {
  const secret = secretOf(key);
  const set = "keys" in key ? key : { keys: [key] };
  const kind = await compiled(
    {
      authenticators: {
        user: {
          type: "jwt",
          issuer: "unchecked",
          audience: "unchecked",
          algorithms: [algorithm],
          keys: secret === undefined ? { jwks: set } : { secret: "env:S" },
          principal: { id: "iss" },
        },
      },
    },
    { platform, secrets: { "env:S": secret ?? "" } },
  );
  return kind.diagnostics.some(({ severity }) => severity === "error") ? undefined : kind;
}

/** A policy names a shared secret by itself: it has no JWK Set of them, and none for another use. */
function secretOf(key: Group["key"]): Uint8Array | undefined {
  const [jwk, ...more] = keysOf(key);
  if (jwk?.k === undefined || more.length > 0 || (jwk.alg !== undefined && !isJwsAlgorithm(jwk.alg)))
    return undefined;
  return Buffer.from(jwk.k, "base64url");
}

const keysOf = (key: Group["key"]): readonly JWK[] => ("keys" in key ? key.keys : [key]);

/** Who was let in, or how far it came. */
async function verdictOf(kind: Compiled | undefined, jws: string, platform: Platform): Promise<string> {
  if (kind === undefined) return "no such key";
  const outcome = await kind.run("GET /", { ...bearer(jws), now: NOW });
  const { verdict } = outcome;
  if (verdict?.kind !== "refusal") return summary(outcome);
  const readable = platform.decodeBase64Url(jws.split(".")[1] ?? "") !== undefined;
  return verdict.reason === NO_CLAIMS && readable ? "verified" : "refused";
}

async function joseVerifies(key: JWK, algorithm: string, jws: string): Promise<boolean> {
  try {
    await compactVerify(jws, await importJWK(key, algorithm), { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}

/** By file and `tcId`: where the engine does not say what the vector says, and why. */
const DEPARTURES: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  "wycheproof-jws": {
    "no token has an empty payload": [259, 264, 268, 272, 320, 325],
    "the key says `PS256`, the token `PS384`": [346, 350],
    "the key says `ES521`, which is no algorithm": [347, 351],
    "the text is that of 357, which is valid: what was wrong with it got lost": [367, 370],
    "a segment has a character that base64url has not": [372, 373],
  },
  "wycheproof-jwk": {
    "a policy has no set of shared secrets": [2],
  },
};

/** Likewise, what jose says otherwise than the engine when it is handed a key by itself. */
const OF_JOSE: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  "wycheproof-jws": {
    "jose takes an empty payload": [259, 264, 268, 272, 320, 325],
    "jose takes `ES512` where the key says `ES521`": [347, 351],
    "jose asks a JWK for its `use` in a set alone": [353, 354],
    "jose skips blanks in base64url, which signs no other text": [360, 365, 368],
    "jose skips the spare bits of base64url": [375],
  },
  "wycheproof-jwk": {
    "jose is handed one key of the set": [1, 2, 4],
    "jose asks a JWK for its `use` and `alg` in a set alone": [6, 19, 20, 21, 25, 26],
    "jose takes RSA keys whose private key can be computed": [7],
    "jose takes 1 for an exponent": [9],
    "jose takes short secrets": [10, 11, 12],
  },
};

const idsIn = (table: typeof DEPARTURES, file: string): ReadonlySet<number> =>
  new Set(Object.values(table[file] ?? {}).flat());

const GROUPS = Object.keys(DEPARTURES).flatMap((file) =>
  (read(file) as { readonly groups: readonly Group[] }).groups.map((group) => {
    const name = `${file} ${group.comment}, from ${group.tests[0]?.tcId ?? 0}`;
    return { ...group, file, name, algorithm: algorithmOf(group) };
  }),
);

/** What the author of a policy would have meant: the algorithm of the key, or else of the tokens. */
function algorithmOf({ key, tests }: Group): string {
  const [jwk] = keysOf(key);
  if (jwk?.alg !== undefined && isJwsAlgorithm(jwk.alg)) return jwk.alg;
  const header: unknown = JSON.parse(Buffer.from(tests[0]?.jws.split(".")[0] ?? "", "base64url").toString());
  return (header as { readonly alg: string }).alg;
}

/** The key of those that are about base64 is nothing but zeros, which no policy may have: here it may. */
function lenient(platform: Platform): Platform {
  const zeros = new Uint8Array(32);
  const verify = (data: Uint8Array | string, signature: Uint8Array): boolean => {
    const bytes = typeof data === "string" ? utf8(data) : data;
    return platform.equalInConstantTime(platform.hmac("sha256", zeros, bytes), signature);
  };
  return { ...platform, prepareKey: () => ({ algorithm: "HS256", verify }), secretProblem: () => undefined };
}

describe.each([node, portable])("Wycheproof on the platform $name", (platform) => {
  it.each(GROUPS)("$name", async ({ key, algorithm, tests, file, comment }) => {
    const kind = await authenticatorWith(key, algorithm, comment === "base64" ? lenient(platform) : platform);
    const odd: number[] = [];
    const jose: number[] = [];
    for (const { tcId, jws, result } of tests) {
      const good = (await verdictOf(kind, jws, platform)) === "verified";
      if (good !== (result === "valid")) odd.push(tcId);
      if (good !== (await joseVerifies(keysOf(key)[0] ?? {}, algorithm, jws))) jose.push(tcId);
    }
    const ids = tests.map(({ tcId }) => tcId);
    expect(odd).toEqual(ids.filter((id) => idsIn(DEPARTURES, file).has(id)));
    expect(jose).toEqual(ids.filter((id) => idsIn(OF_JOSE, file).has(id)));
  });

  it("has no key of zeros in a policy", async () => {
    const { key, algorithm } = GROUPS.find(({ comment }) => comment === "base64") ?? {};
    expect(await authenticatorWith(key ?? {}, algorithm ?? "", platform)).toBeUndefined();
  });
});

it("Wycheproof's departures are what they are said to be", () => {
  const taken = GROUPS.flatMap(({ file, tests }) =>
    tests.filter(({ tcId, result }) => result !== "valid" && idsIn(DEPARTURES, file).has(tcId)),
  );
  expect(taken.map(({ tcId }) => tcId)).toEqual([367, 370]);
  const textOf = (id: number): string | undefined =>
    GROUPS.filter(({ file }) => file === "wycheproof-jws")
      .flatMap(({ tests }) => tests)
      .find(({ tcId }) => tcId === id)?.jws;
  expect([textOf(367), textOf(370)]).toEqual([textOf(357), textOf(357)]);
  expect(GROUPS.flatMap(({ tests }) => tests)).toHaveLength(401 + 26);
});

interface Example {
  readonly section: string;
  readonly algorithm: string;
  readonly key: JWK;
  readonly jws: string;
  readonly verdict: "admitted" | "verified" | "refused";
}

const EXAMPLES = (read("rfc7515") as { readonly examples: readonly Example[] }).examples;

describe.each([node, portable])("the examples of the RFCs on the platform $name", (platform) => {
  it.each(EXAMPLES)("$section", async ({ algorithm, key, jws, verdict }) => {
    const kind = await authenticatorWith(key, algorithm, platform);
    expect(await verdictOf(kind, jws, platform)).toBe(verdict === "admitted" ? "user:joe" : verdict);
    expect(await joseVerifies(key, algorithm, jws)).toBe(verdict !== "refused");
    // Good once is not good with another byte.
    const changed = jws.replace(/.(?=.$)/u, (last) => (last === "A" ? "B" : "A"));
    expect(await verdictOf(kind, changed, platform)).toBe("refused");
  });
});

interface Cookbook {
  readonly section: string;
  readonly title: string;
  readonly payload: string;
  readonly signatures: readonly {
    readonly alg: string;
    readonly key: JWK;
    readonly protected: string;
    readonly signature: string;
  }[];
  readonly compact?: string;
  readonly json?: unknown;
  readonly flattened?: unknown;
}

const COOKBOOK = (read("rfc7520") as { readonly examples: readonly Cookbook[] }).examples;

describe.each([node, portable])("RFC 7520 on the platform $name", (platform) => {
  it.each(COOKBOOK)("$section $title", async ({ payload, signatures, compact, json, flattened }) => {
    const body = Buffer.from(payload).toString("base64url");
    for (const { alg, key, protected: header, signature } of signatures) {
      const kind = await authenticatorWith(key, alg, platform);
      expect(kind).toBeDefined();
      // Where no header is protected there is no compact form, and what a token does not say is not believed.
      const whole = await verdictOf(kind, `${header}.${body}.${signature}`, platform);
      expect(whole).toBe(header === "" ? "refused" : "verified");
      // A detached payload is none, and there are no tokens in JSON.
      for (const form of [compact, JSON.stringify(json), JSON.stringify(flattened)]) {
        if (form === undefined || form === `${header}.${body}.${signature}`) continue;
        expect(await verdictOf(kind, form, platform)).toBe("refused");
      }
      // The signature itself is good even so.
      const verifier = await platform.prepareKey(alg as JwsAlgorithm, materialOf(key));
      expect(await verifier.verify(`${header}.${body}`, Buffer.from(signature, "base64url"))).toBe(true);
    }
  });
});

function materialOf(jwk: JWK): KeyMaterial {
  const secret = secretOf(jwk);
  return secret === undefined ? { jwk: { ...jwk } } : { secret };
}
