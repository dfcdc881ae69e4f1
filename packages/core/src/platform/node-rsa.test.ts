/** The comparison of our own, held to the runtime's check: of published vectors, and of whatever a holder of the key could write. */
import {
  constants,
  createHash,
  createPublicKey,
  privateEncrypt,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { rsaPair } from "../node/key-pair.js";
import { rsaCheckOf, WELL_USED, type RsaCheck } from "./node-rsa.js";

const never: RsaCheck = () => {
  throw new Error("OpenSSL gave no number");
};

const runtimes =
  (hash: string, key: KeyObject): RsaCheck =>
  (data, signature) =>
    verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);

interface Vectors {
  readonly groups: readonly {
    readonly key: { readonly kty: string; readonly n: string; readonly e: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly message: string;
      readonly signature: string;
      readonly result: "valid" | "acceptable" | "invalid";
    }[];
  }[];
}

const WYCHEPROOF = JSON.parse(
  readFileSync(new URL("../kinds/authenticate/vectors/wycheproof-rsa.json", import.meta.url), "utf8"),
) as Vectors;

describe("Wycheproof", () => {
  it.each(WYCHEPROOF.groups)("takes what is valid, and nothing else", ({ key, tests }) => {
    const object = createPublicKey({ key: { ...key }, format: "jwk" });
    const length = Buffer.from(key.n, "base64url").length;
    const check = rsaCheckOf("sha256", object, length, runtimes("sha256", object));
    for (const { tcId, message, signature, result } of tests) {
      const bytes = Buffer.from(signature, "base64url");
      // Other lengths are refused before (RFC 8017 section 8.2.2, step 1).
      const good = bytes.length === length && check(Buffer.from(message, "hex"), bytes);
      expect([tcId, good]).toEqual([tcId, result === "valid"]);
    }
  });
});

const HASHES = { sha256: [32, 1], sha384: [48, 2], sha512: [64, 3] } as const;
type Hash = keyof typeof HASHES;

/** No whole number of bytes, and room above the encoding's first byte: a modulus like 2048 bits leaves less to write. */
const BITS = 2055;
const LENGTH = Math.ceil(BITS / 8);
const PAIR = rsaPair(BITS);

interface Parts {
  readonly first: number;
  readonly type: number;
  readonly filler: number;
  readonly filled: number;
  readonly end: number;
  readonly info: Buffer;
  readonly digest: Buffer;
  readonly after: number;
}

const digestOf = (hash: Hash, data: Uint8Array): Buffer => createHash(hash).update(data).digest();

/** What a signature of the key's holder stands for. */
function rightParts(hash: Hash, data: Uint8Array): Parts {
  const [size, name] = HASHES[hash];
  const inner = Buffer.from(`300d060960864801650304020${name}0500`, "hex");
  const info = Buffer.concat([Buffer.from([0x30, inner.length + 2 + size]), inner, Buffer.from([4, size])]);
  const filled = LENGTH - 3 - info.length - size;
  return { first: 0, type: 1, filler: 0xff, filled, end: 0, info, digest: digestOf(hash, data), after: 0 };
}

/** As long as the modulus: what is too much falls away at the end, what is missing is zeros. */
function encoded({ first, type, filler, filled, end, info, digest, after }: Parts): Buffer {
  const head = Buffer.concat([
    Buffer.from([first, type]),
    Buffer.alloc(Math.max(0, filled - after), filler),
    Buffer.from([end]),
  ]);
  const whole = Buffer.alloc(LENGTH);
  Buffer.concat([head, info, digest]).copy(whole);
  return whole;
}

/** Each with what has been taken for a signature somewhere: digests elsewhere than at the end, other spellings of their name. */
const FORGERIES: Readonly<Record<string, (parts: Parts, hash: Hash) => Partial<Parts>>> = {
  nothing: () => ({}),
  "another type of block": () => ({ type: 2 }),
  "no type of block": () => ({ type: 0 }),
  "a first byte": () => ({ first: 1 }),
  "other filling": () => ({ filler: 0xfe }),
  "no end of the filling": () => ({ end: 0xff }),
  "less filling, and something behind it": () => ({ after: 8 }),
  "hardly any filling": ({ filled }) => ({ after: filled - 8 }),
  "another digest": ({ digest }) => ({ digest: Buffer.from(digest.map((byte) => byte ^ 1)) }),
  "a shorter digest": ({ digest, filled }) => ({ digest: digest.subarray(1), filled: filled + 1 }),
  "the digest alone": ({ info, filled }) => ({ info: Buffer.alloc(0), filled: filled + info.length }),
  "the name without its NULL": ({ info, filled }) => {
    const bare = Buffer.concat([info.subarray(0, info.length - 4), info.subarray(info.length - 2)]);
    bare[1] = (bare[1] ?? 0) - 2;
    bare[3] = (bare[3] ?? 0) - 2;
    return { info: bare, filled: filled + 2 };
  },
  "a long form of a length": ({ info, filled }) => ({
    info: Buffer.concat([info.subarray(0, 1), Buffer.from([0x81]), info.subarray(1)]),
    filled: filled - 1,
  }),
  "the name of another hash": ({ info }, hash) => {
    const other = Buffer.from(info);
    other[14] = hash === "sha256" ? 3 : 1;
    return { info: other };
  },
};

function signedRaw(block: Buffer): Buffer {
  return privateEncrypt({ key: PAIR.privateKey, padding: constants.RSA_NO_PADDING }, block);
}

describe.each(["sha256", "sha384", "sha512"] as const)("rsaCheckOf with %s", (hash) => {
  const theirs = runtimes(hash, PAIR.publicKey);
  const ours = rsaCheckOf(hash, PAIR.publicKey, LENGTH, theirs);

  it.each(Object.entries(FORGERIES))("takes of all encodings the one: %s", (name, forge) => {
    const data = Buffer.from("what was signed");
    const parts = rightParts(hash, data);
    const signature = signedRaw(encoded({ ...parts, ...forge(parts, hash) }));
    expect([ours(data, signature), theirs(data, signature)]).toEqual(Array(2).fill(name === "nothing"));
  });

  it("says_what_the_runtime_says", () => {
    const data = fc.uint8Array({ maxLength: 300 });
    const flips = fc.array(fc.tuple(fc.nat(LENGTH - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 2 });
    fc.assert(
      fc.property(data, flips, fc.boolean(), (bytes, changes, other) => {
        const signature = sign(hash, bytes, PAIR.privateKey);
        for (const [at, bits] of changes) signature[at] = (signature[at] ?? 0) ^ bits;
        const asked = other ? Uint8Array.of(...bytes, 1) : bytes;
        const expected = theirs(asked, signature);
        expect(ours(asked, signature)).toBe(expected);
        // The room still holds the digest before.
        expect(ours(Uint8Array.of(...asked, 0), signature)).toBe(false);
        if (changes.length === 0) expect(expected).toBe(!other);
      }),
      { numRuns: 60 },
    );
  });

  it("takes no other number that is the same modulo the key's", () => {
    const data = Buffer.from("x");
    const modulus = BigInt(
      `0x${Buffer.from(PAIR.publicKey.export({ format: "jwk" }).n ?? "", "base64url").toString("hex")}`,
    );
    const signature = sign(hash, data, PAIR.privateKey);
    const above = BigInt(`0x${signature.toString("hex")}`) + modulus;
    const bytes = Buffer.from(above.toString(16).padStart(LENGTH * 2, "0"), "hex");
    expect(bytes).toHaveLength(LENGTH);
    expect([ours(data, signature), ours(data, bytes)]).toEqual([true, false]);
    // Nothing was raised: somebody else was asked.
    expect(() => rsaCheckOf(hash, PAIR.publicKey, LENGTH, never)(data, bytes)).toThrow("gave no number");
  });
});

it("asks_the_runtime_where_a_hash_is_none_of_ours", () => {
  expect(rsaCheckOf("sha1", PAIR.publicKey, LENGTH, never)).toBe(never);
  // A length that is not the key's own says that numbers are not given as they are expected.
  expect(rsaCheckOf("sha256", PAIR.publicKey, LENGTH + 1, never)).toBe(never);
});

describe("a key that is used much", () => {
  const DATA = Buffer.from("what was signed");
  const SIGNATURE = sign("sha256", DATA, PAIR.privateKey);
  const OTHER = rsaPair(BITS);
  const fromJwk = (): KeyObject =>
    createPublicKey({ key: PAIR.publicKey.export({ format: "jwk" }), format: "jwk" });

  /** What it says of a good and of a bad signature, once for every use. */
  function used(check: RsaCheck, times: number): ReadonlySet<string> {
    const said = new Set<string>();
    for (let time = 0; time < times; time += 2)
      said.add(`${check(DATA, SIGNATURE)} ${check(Buffer.from(`other ${time}`), SIGNATURE)}`);
    return said;
  }

  it("a_key_that_is_read_once_more_says_what_it_said", () => {
    const key = fromJwk();
    const exported = vi.spyOn(key, "export");
    const check = rsaCheckOf("sha256", key, LENGTH, never);
    expect(used(check, WELL_USED - 2)).toEqual(new Set(["true false"]));
    expect(exported).not.toHaveBeenCalled();
    expect(used(check, WELL_USED + 2)).toEqual(new Set(["true false"]));
    expect(exported).toHaveBeenCalledOnce();
  });

  it.each<readonly [string, () => Buffer]>([
    [
      "cannot be written",
      () => {
        throw new Error("no such format");
      },
    ],
    ["comes back as another", () => OTHER.publicKey.export({ format: "der", type: "spki" })],
    ["comes back as no key", () => Buffer.from("x")],
  ])("stays as it is where it %s", (_, exports) => {
    const key = fromJwk();
    Object.defineProperty(key, "export", { value: exports });
    const check = rsaCheckOf("sha256", key, LENGTH, never);
    expect(used(check, WELL_USED + 4)).toEqual(new Set(["true false"]));
    // Its number may be above this modulus: then somebody else is asked, who says no.
    const orNo = rsaCheckOf("sha256", key, LENGTH, () => false);
    used(orNo, WELL_USED + 4);
    expect(orNo(DATA, sign("sha256", DATA, OTHER.privateKey))).toBe(false);
  });
});
