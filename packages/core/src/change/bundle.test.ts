import { createHmac, sign } from "node:crypto";
import { flattenedVerify, importSPKI } from "jose";
import { describe, expect, it } from "vitest";
import { PolicyError, verifyBundle, type BundleTrust } from "../index.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { signBundle } from "../node/index.js";
import { pairOf, policyOf, testsOf, type KeyPair } from "./change.test-support.js";
import { ProblemError } from "./report.js";

interface Written {
  gatehouseBundle: number;
  payload: Record<string, unknown>;
  signatures: string[];
  [more: string]: unknown;
}

const pair = pairOf("2026");
const trust = { keys: [pair.pinned], policyName: "served" };
const text = await signBundle({ revision: 7, policy: policyOf("a"), tests: [testsOf("a")] }, [pair.signing]);

function changed(change: (bundle: Written) => unknown): string {
  const bundle = JSON.parse(text) as Written;
  change(bundle);
  return JSON.stringify(bundle);
}

async function reasonFor(bundle: string, more: Partial<BundleTrust> = {}): Promise<string> {
  try {
    await verifyBundle(bundle, { ...trust, ...more });
    return "trusted";
  } catch (error) {
    if (error instanceof ProblemError) return error.reason;
    throw error;
  }
}

/** A signature by the right key under another header, or over something else. */
function signedWith(header: object, content?: string, key: KeyPair = pair): string {
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString("base64url");
  const { payload } = JSON.parse(text) as Written;
  const encoded = content ?? Buffer.from(canonicalJson(payload)).toString("base64url");
  const { privateKey } = key.signing;
  const signature = sign(null, Buffer.from(`${protectedHeader}.${encoded}`), privateKey);
  return `${protectedHeader}..${signature.toString("base64url")}`;
}

const HEADER = { alg: "Ed25519", kid: "2026", typ: "gatehouse-bundle+jws" };

describe("a signed bundle", () => {
  it.each(["Ed25519", "EdDSA", "ES256", "ES384", "ES512", "RS256", "PS256", "PS512"] as const)(
    "under %s is what it was when it was signed",
    async (algorithm) => {
      const key = pairOf("k", algorithm);
      const made = await signBundle({ revision: 1, policy: policyOf("a") }, [key.signing]);
      expect(await verifyBundle(made, { keys: [key.pinned], policyName: "served" })).toEqual({
        revision: 1,
        policy: policyOf("a"),
        tests: [],
        signedBy: "k",
      });
    },
  );

  it("has detached signatures that any library of JOSE can check (RFC 7515 appendix F)", async () => {
    for (const algorithm of ["ES256", "PS256", "EdDSA"] as const) {
      const key = pairOf("k", algorithm);
      const made = JSON.parse(
        await signBundle({ revision: 1, policy: policyOf("a") }, [key.signing]),
      ) as Written;
      const [protectedHeader = "", , signature = ""] = (made.signatures[0] ?? "").split(".");
      const payload = Buffer.from(canonicalJson(made.payload)).toString("base64url");
      const jose = await importSPKI(key.pinned.pem ?? "", algorithm);
      const { protectedHeader: header } = await flattenedVerify(
        { protected: protectedHeader, payload, signature },
        jose,
      );
      expect(header).toEqual({ alg: algorithm, kid: "k", typ: "gatehouse-bundle+jws" });
    }
  });

  it("may be laid out anew, for its meaning is what is signed", async () => {
    expect(await reasonFor(text)).toBe("trusted");
    expect(await reasonFor(JSON.stringify(JSON.parse(text)))).toBe("trusted");
    const reordered = changed((bundle) => {
      bundle.payload = Object.fromEntries(Object.entries(bundle.payload).reverse());
    });
    expect(await reasonFor(reordered)).toBe("trusted");
  });

  it("may be signed by several, of whom one is pinned", async () => {
    const other = pairOf("2027");
    const made = await signBundle({ revision: 1, policy: policyOf("a") }, [other.signing, pair.signing]);
    expect((await verifyBundle(made, trust)).signedBy).toBe("2026");
    expect((await verifyBundle(made, { ...trust, keys: [other.pinned] })).signedBy).toBe("2027");
  });

  it.each<[string, (bundle: Written) => unknown]>([
    ["whose number is another", (bundle) => (bundle.payload["revision"] = 8)],
    ["whose policy opens more", (bundle) => (bundle.payload["policy"] = policyOf("b"))],
    ["whose tests are gone", (bundle) => delete bundle.payload["tests"]],
    ["whose payload says more", (bundle) => (bundle.payload["more"] = 1)],
    ["without a signature", (bundle) => (bundle.signatures = [])],
    ["whose signature is cut", (bundle) => (bundle.signatures = [(bundle.signatures[0] ?? "").slice(0, -2)])],
    [
      "whose signature is empty",
      (bundle) => (bundle.signatures = [(bundle.signatures[0] ?? "").split("..")[0] + ".."]),
    ],
    [
      "whose signature says which key verifies it",
      (bundle) => (bundle.signatures = [signedWith({ ...HEADER, jwk: {} })]),
    ],
    ["with `crit`", (bundle) => (bundle.signatures = [signedWith({ ...HEADER, crit: ["b64"], b64: false })])],
    ["with another `typ`", (bundle) => (bundle.signatures = [signedWith({ ...HEADER, typ: "JWT" })])],
    ["without `typ`", (bundle) => (bundle.signatures = [signedWith({ alg: "Ed25519", kid: "2026" })])],
    ["with another `kid`", (bundle) => (bundle.signatures = [signedWith({ ...HEADER, kid: "2025" })])],
    ["with `alg` of `none`", (bundle) => (bundle.signatures = [signedWith({ ...HEADER, alg: "none" })])],
    ["with another `alg`", (bundle) => (bundle.signatures = [signedWith({ ...HEADER, alg: "EdDSA" })])],
    [
      "that somebody else signed under the pinned name",
      (bundle) => (bundle.signatures = [signedWith(HEADER, undefined, pairOf("2026"))]),
    ],
    [
      "whose signature is over another content",
      (bundle) => (bundle.signatures = [signedWith(HEADER, Buffer.from("{}").toString("base64url"))]),
    ],
    [
      "whose content is attached",
      (bundle) =>
        (bundle.signatures =
          (bundle.signatures[0] ?? "").split("..").length === 2
            ? [(bundle.signatures[0] ?? "").replace("..", ".e30.")]
            : []),
    ],
    [
      "under the public key as if it were a shared secret",
      (bundle) => {
        const header = Buffer.from(JSON.stringify({ ...HEADER, alg: "HS256" })).toString("base64url");
        const content = Buffer.from(canonicalJson(bundle.payload)).toString("base64url");
        const mac = createHmac("sha256", pair.pinned.pem ?? "").update(`${header}.${content}`);
        bundle.signatures = [`${header}..${mac.digest("base64url")}`];
      },
    ],
  ])("%s is not trusted", async (_name, change) => {
    expect(await reasonFor(changed(change))).toBe("untrusted");
  });

  it.each<[string, (bundle: Written) => unknown]>([
    ["of another version", (bundle) => (bundle.gatehouseBundle = 2)],
    ["with a member beside", (bundle) => (bundle["more"] = 1)],
    ["without a payload", (bundle) => (bundle.payload = [] as never)],
    ["without signatures", (bundle) => (bundle.signatures = {} as never)],
    [
      "with too many signatures",
      (bundle) => (bundle.signatures = Array<string>(9).fill(bundle.signatures[0] ?? "")),
    ],
  ])("%s is malformed", async (_name, change) => {
    expect(await reasonFor(changed(change))).toBe("malformed");
  });

  it("that two readers read differently is malformed, whoever signed it", async () => {
    const twice = text.replace('"revision": 7', '"revision": 7, "revision": 7');
    expect(await reasonFor(twice)).toBe("malformed");
    expect(await reasonFor(text.replace("{", '{"__proto__":{},'))).toBe("malformed");
  });

  it("that is cut anywhere is nothing", async () => {
    const whole = JSON.stringify(JSON.parse(text));
    for (let end = 0; end < whole.length; end++) {
      expect(await reasonFor(whole.slice(0, end))).toBe("malformed");
    }
  });

  it.each([
    [{ revision: 0 }],
    [{ revision: 1.5 }],
    [{ revision: "1" }],
    [{ policy: [] }],
    [{ tests: {} }],
    [{ tests: [1] }],
    [{ more: 1 }],
  ])("that is signed and wrong in itself is malformed: %j", async (part) => {
    const payload = { revision: 1, policy: policyOf("a"), ...part };
    const content = Buffer.from(canonicalJson(payload)).toString("base64url");
    const bundle = { gatehouseBundle: 1, payload, signatures: [signedWith(HEADER, content)] };
    expect(await reasonFor(JSON.stringify(bundle))).toBe("malformed");
  });

  it("for another policy, or below the lowest number, is refused", async () => {
    expect(await reasonFor(text, { policyName: "other" })).toBe("untrusted");
    expect(await reasonFor(text, { minRevision: 7 })).toBe("trusted");
    expect(await reasonFor(text, { minRevision: 8 })).toBe("rolled-back");
  });

  it.each<[string, unknown, RegExp]>([
    ["no keys", { keys: [] }, /`keys` of `bundle` is not a list of keys/u],
    ["an unknown option", { keyz: [] }, /unknown option `keyz` of `bundle`; did you mean `keys`/u],
    [
      "a shared secret",
      { keys: [{ kid: "a", algorithm: "HS256", pem: "x" }] },
      /no algorithm with public keys/u,
    ],
    ["a key twice", { keys: [pair.pinned, pair.pinned] }, /two keys of `bundle` are called `2026`/u],
    [
      "a key without material",
      { keys: [{ kid: "a", algorithm: "ES256" }] },
      /exactly one of `pem` and `jwk`/u,
    ],
    ["a key of another type", { keys: [{ ...pair.pinned, algorithm: "ES256" }] }, /type does not fit/u],
    ["a private key", { keys: [{ kid: "a", algorithm: "Ed25519", pem: privatePem() }] }, /private key/u],
    ["no name", { policyName: undefined }, /`policyName` is required/u],
  ])("is not looked for with %s", async (_name, part, message) => {
    const wrong = { ...trust, ...(part as object) };
    await expect(verifyBundle(text, wrong)).rejects.toThrow(message);
  });
});

function privatePem(): string {
  const { privateKey } = pair.signing;
  return typeof privateKey === "string"
    ? privateKey
    : privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

describe("signing", () => {
  it("refuses what no service would take", async () => {
    const broken = { ...policyOf("a"), routes: { "GET /a": {} } };
    await expect(signBundle({ revision: 1, policy: broken }, [pair.signing])).rejects.toBeInstanceOf(
      PolicyError,
    );
    await expect(signBundle({ revision: 0, policy: policyOf("a") }, [pair.signing])).rejects.toThrow(
      "`revision`",
    );
    await expect(signBundle({ revision: 1, policy: policyOf("a") }, [])).rejects.toThrow(
      "no key to sign with",
    );
    const other = { ...pair.signing, algorithm: "ES256" as const };
    await expect(signBundle({ revision: 1, policy: policyOf("a") }, [other])).rejects.toThrow(
      "type does not fit ES256",
    );
  });

  it("does not tell of the key", async () => {
    const key = {
      ...pair.signing,
      privateKey: "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----",
    };
    const failed: unknown = await signBundle({ revision: 1, policy: policyOf("a") }, [key]).catch(
      (error: unknown) => error,
    );
    expect(String(failed)).toBe("Error: the key `2026` holds no private key that can be read");
  });
});
