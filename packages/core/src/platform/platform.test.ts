import { createPublicKey, sign } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64Url } from "../lib/base64url.js";
import { strictText, toHex, utf8 } from "../lib/bytes.js";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../lib/jws.js";
import type { KeyMaterial, SignatureVerifier } from "../ports/platform.js";
import { jwk, keyPair, pairFor, pem, signatureOf } from "./keys.test-support.js";
import { platform as node } from "./node.js";
import { platform as portable } from "./portable.js";

const ALGORITHMS = Object.keys(JWS_ALGORITHMS).filter(isJwsAlgorithm);
const PUBLIC = ALGORITHMS.filter((algorithm) => JWS_ALGORITHMS[algorithm].scheme !== "hmac");
const SECRET = Uint8Array.from({ length: 64 }, (_, index) => index + 1);
const DATA = "eyJhbGciOiJ4In0.eyJzdWIiOiJhbm4ifQ";

/** Of Wycheproof: made by the faulty generator. */
const GUESSABLE = {
  kty: "RSA",
  e: "AQAB",
  n: "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE",
};

function signer(algorithm: JwsAlgorithm) {
  return JWS_ALGORITHMS[algorithm].scheme === "hmac" ? SECRET : pairFor(algorithm).privateKey;
}
function materials(algorithm: JwsAlgorithm): KeyMaterial[] {
  if (JWS_ALGORITHMS[algorithm].scheme === "hmac") return [{ secret: SECRET }];
  const { publicKey } = pairFor(algorithm);
  return [{ pem: pem(publicKey) }, { jwk: jwk(publicKey) }];
}

/** One of 256 has it. */
function withLeadingZero(algorithm: "RS256" | "PS256"): {
  readonly data: string;
  readonly signature: Uint8Array;
} {
  for (let turn = 0; ; turn++) {
    const data = `${DATA}${turn}`;
    const signature = signatureOf(algorithm, signer(algorithm), data);
    if (signature[0] === 0) return { data, signature };
  }
}

describe.each([node, portable])("the platform $name", (platform) => {
  const refusal = async (algorithm: JwsAlgorithm, material: KeyMaterial): Promise<string> => {
    try {
      await platform.prepareKey(algorithm, material);
      return "accepted";
    } catch (error) {
      return error instanceof Error ? error.message : "no error";
    }
  };

  const judge = async (
    key: SignatureVerifier,
    data: Uint8Array | string,
    signature: Uint8Array,
  ): Promise<boolean> => key.verify(data, signature);

  it("hashes by the vectors of FIPS 180-4 and RFC 4231", () => {
    expect(platform.sha256Hex("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(toHex(platform.sha256(utf8("abc")))).toBe(platform.sha256Hex("abc"));
    expect(platform.sha256Hex("grün")).toBe(platform.sha256Hex(utf8("grün")));
    const jefe = platform.hmacSha256(utf8("Jefe"), "what do ya want for nothing?");
    expect(toHex(jefe)).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  it("B3.77 compares without throwing on unequal lengths", () => {
    const equal = platform.equalInConstantTime;
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equal(new Uint8Array(0), Uint8Array.of(0))).toBe(false);
  });

  it("derives by the vectors of RFC 7914, and turns away what too many wait for", async () => {
    const derive = (password: string, salt: string, n: number, r: number, p: number) =>
      platform.scrypt(utf8(password), utf8(salt), { n, r, p }, 64);
    expect(toHex((await derive("", "", 16, 1, 1)) ?? utf8("busy"))).toBe(
      "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
    );
    expect(toHex((await derive("password", "NaCl", 1024, 8, 16)) ?? utf8("busy"))).toBe(
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
    );
    const flood = Array.from({ length: 200 }, () => derive("", "", 16, 1, 1));
    expect(flood.slice(100)).toEqual(Array.from({ length: 100 }, () => undefined));
    await Promise.all(flood.map(async (one) => one));
    expect(await derive("", "", 16, 1, 1)).toHaveLength(64);
  });

  it("gives as many random bytes as asked for", () => {
    expect(platform.randomBytes(0).length).toBe(0);
    const many = platform.randomBytes(70_000);
    expect(many.length).toBe(70_000);
    expect(many.subarray(69_000).some((byte) => byte !== 0)).toBe(true);
  });

  it("counts UTF-8 as encoding does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(platform.utf8Length(text)).toBe(utf8(text).length);
      }),
    );
    expect(platform.utf8Length("\ud800a\udfff")).toBe(7);
  });

  it("B3.65 decodes one spelling of base64url", () => {
    const anyText = fc.string({
      unit: fc.constantFrom(...Array.from("ABQZgw059-_=+/ .é\u0141")),
      maxLength: 9,
    });
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = platform.decodeBase64Url(text);
        const canonical = Buffer.from(text, "base64url").toString("base64url") === text;
        expect(bytes === undefined ? undefined : toHex(bytes)).toBe(
          canonical ? Buffer.from(text, "base64url").toString("hex") : undefined,
        );
      }),
      { numRuns: 500 },
    );
    const anySegment = fc.tuple(
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: "binary" }).map(utf8)),
      fc.constantFrom("", "", "", "=", "+", "/", " ", "\n", ".", "é", "\u0141", "A", "\ud83d\ude00"),
      fc.nat(),
    );
    fc.assert(
      fc.property(anySegment, ([bytes, foreign, at]) => {
        const good = Buffer.from(bytes).toString("base64url");
        const place = at % (good.length + 1);
        const text = good.slice(0, place) + foreign + good.slice(place);
        const decoded = decodeBase64Url(text);
        expect(platform.decodeBase64Url(text)?.join()).toBe(decoded?.join());
        expect(platform.textOfBase64Url(text)).toBe(decoded && strictText(decoded));
      }),
      { numRuns: 1000 },
    );
    const long = Buffer.alloc(20_000, "ü").toString("base64url");
    expect(platform.textOfBase64Url(long)).toBe("ü".repeat(10_000));
    expect(platform.textOfBase64Url(`${long.slice(0, -1)}*`)).toBeUndefined();
    expect(platform.textOfBase64Url(Buffer.from("\uFEFF\uFFFD").toString("base64url"))).toBe("\uFEFF\uFFFD");
    const refused = ["Zg==", " Zg", "Zh", "Zm9", "Z", "Zm+v"].map((text) => platform.decodeBase64Url(text));
    expect(refused).toEqual(Array(6).fill(undefined));
  });

  it("has clocks that move forward", () => {
    const before = platform.clock.monotonic();
    expect(platform.clock.monotonic()).toBeGreaterThanOrEqual(before);
    expect(platform.clock.now()).toBeGreaterThan(Date.UTC(2020, 0));
  });

  it.each(ALGORITHMS)(
    "verifies %s, text and bytes alike, and nothing that was changed",
    async (algorithm) => {
      const signature = signatureOf(algorithm, signer(algorithm), DATA);
      const flipped = Uint8Array.from(signature);
      flipped[3] = (flipped[3] ?? 0) ^ 1;
      for (const material of materials(algorithm)) {
        const key = await platform.prepareKey(algorithm, material);
        const verdicts = [
          judge(key, DATA, signature),
          judge(key, utf8(DATA), signature),
          judge(key, `${DATA}x`, signature),
          judge(key, DATA, flipped),
          judge(key, DATA, signature.subarray(1)),
          judge(key, DATA, new Uint8Array(0)),
          judge(key, DATA, new Uint8Array(signature.length)),
        ];
        expect(await Promise.all(verdicts)).toEqual([true, true, false, false, false, false, false]);
      }
    },
  );

  it.each(["RS256", "PS256"] as const)(
    "refuses a signature of %s without its leading zero",
    async (algorithm) => {
      const { data, signature } = withLeadingZero(algorithm);
      for (const material of materials(algorithm)) {
        const key = await platform.prepareKey(algorithm, material);
        const verdicts = [judge(key, data, signature), judge(key, data, signature.subarray(1))];
        expect(await Promise.all(verdicts)).toEqual([true, false]);
      }
    },
  );

  it("B3.60 refuses r = 0, s = 0, DER and other lengths", async () => {
    const { privateKey, publicKey } = keyPair("P-256");
    const key = await platform.prepareKey("ES256", { jwk: jwk(publicKey) });
    const good = signatureOf("ES256", privateKey, DATA);
    const zeroR = Uint8Array.from(good).fill(0, 0, 32);
    const zeroS = Uint8Array.from(good).fill(0, 32);
    const der = sign("sha256", Buffer.from(DATA), privateKey);
    const padded = Uint8Array.of(0, ...good);
    const verdicts = [zeroR, zeroS, new Uint8Array(64), der, padded].map((signature) =>
      judge(key, DATA, signature),
    );
    expect(await Promise.all(verdicts)).toEqual([false, false, false, false, false]);
  });

  it("does not take a PSS signature for PKCS #1 v1.5, nor the reverse", async () => {
    const { privateKey, publicKey } = keyPair("rsa");
    const rs = await platform.prepareKey("RS256", { jwk: jwk(publicKey) });
    const ps = await platform.prepareKey("PS256", { jwk: jwk(publicKey) });
    const verdicts = [
      judge(rs, DATA, signatureOf("PS256", privateKey, DATA)),
      judge(ps, DATA, signatureOf("RS256", privateKey, DATA)),
      judge(ps, DATA, signatureOf("PS384", privateKey, DATA)),
    ];
    expect(await Promise.all(verdicts)).toEqual([false, false, false]);
  });

  it.each(PUBLIC)("B3.53 refuses a shared secret for %s", async (algorithm) => {
    expect(await refusal(algorithm, { secret: SECRET })).toBe(
      `${algorithm} is verified with a public key, not with a shared secret`,
    );
  });

  it("B3.53 refuses a public key as HMAC secret, in whatever dress", async () => {
    const { publicKey } = keyPair("rsa");
    const text = pem(publicKey);
    const dressed = [
      text,
      ` ${text}`,
      `\uFEFF${text}`,
      text.replaceAll("\n", "\r\n"),
      JSON.stringify(jwk(publicKey), null, 1),
    ];
    for (const secret of dressed) {
      expect(await refusal("HS256", { secret: utf8(secret) })).toBe(
        "the secret holds a PEM or JWK document, not raw bytes",
      );
    }
    const der = publicKey.export({ type: "spki", format: "der" });
    const published = [
      der,
      utf8(der.toString("hex")),
      utf8(der.toString("base64")),
      Buffer.from(`\uFEFF${text}`, "utf16le"),
      utf8(Buffer.from(JSON.stringify(jwk(publicKey))).toString("base64")),
      utf8("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO me@host"),
    ];
    for (const secret of published) {
      expect(await refusal("HS256", { secret })).toBe(
        "the secret holds a public or private key, not raw bytes",
      );
    }
    for (const material of materials("RS256")) {
      expect(await refusal("HS256", material)).toBe(
        "HS256 is verified with a shared secret, not with a public key",
      );
    }
  });

  it("B3.54 reads one key out of a PEM with BOM, CRLF and blanks", async () => {
    const { publicKey, privateKey } = keyPair("P-256");
    const signature = signatureOf("ES256", privateKey, DATA);
    const text = pem(publicKey);
    for (const dressed of [
      `\uFEFF${text}`,
      text.replaceAll("\n", "\r\n"),
      `\n \t${text.replaceAll("\n", " \n  ")}\n\n`,
    ]) {
      const key = await platform.prepareKey("ES256", { pem: dressed });
      expect(await judge(key, DATA, signature)).toBe(true);
      expect(await refusal("RS256", { pem: dressed })).not.toBe("accepted");
      expect(await refusal("HS256", { pem: dressed })).not.toBe("accepted");
    }
  });

  it("B3.56 refuses keys of another type or curve", async () => {
    const ec384 = keyPair("P-384").publicKey;
    expect(await refusal("ES256", { jwk: jwk(ec384) })).toBe(
      "the key's type, curve or intended use does not fit ES256",
    );
    expect(await refusal("ES256", { jwk: jwk(keyPair("rsa").publicKey) })).toBe(
      "the key's type, curve or intended use does not fit ES256",
    );
    expect(await refusal("ES256", { pem: pem(ec384) })).toMatch(/fit/u);
    expect(await refusal("ES256", { pem: pem(keyPair("secp256k1").publicKey) })).toMatch(/fit/u);
    expect(await refusal("RS256", { pem: pem(ec384) })).toMatch(/fit/u);
    expect(await refusal("EdDSA", { pem: pem(keyPair("x25519").publicKey) })).toMatch(/fit/u);
  });

  it("B3.58 refuses empty, blank and short secrets", async () => {
    const blank = "the secret holds nothing but blanks";
    expect(await refusal("HS256", { secret: new Uint8Array(0) })).toBe(blank);
    expect(await refusal("HS256", { secret: utf8(" ".repeat(64)) })).toBe(blank);
    expect(await refusal("HS256", { secret: new Uint8Array(64) })).toBe(blank);
    expect(await refusal("HS256", { secret: SECRET.subarray(0, 31) })).toBe(
      "the secret holds 31 bytes, at least 32 are needed",
    );
    expect(await refusal("HS512", { secret: SECRET.subarray(0, 63) })).toBe(
      "the secret holds 63 bytes, at least 64 are needed",
    );
    expect(await refusal("HS256", { secret: SECRET.subarray(0, 32) })).toBe("accepted");
  });

  it("refuses what is longer than any secret, whatever it is", async () => {
    const longest = utf8("a-secret-of-many-words, ".repeat(683)).subarray(0, 16_384);
    expect(longest.length).toBe(16_384);
    expect(await refusal("HS256", { secret: longest })).toBe("accepted");
    expect(await refusal("HS256", { secret: Uint8Array.of(...longest, 0x20) })).toBe(
      "the secret holds 16385 bytes, no secret has more than 16384",
    );
  });

  it("refuses private keys where a public one belongs", async () => {
    const { privateKey } = keyPair("P-256");
    expect(await refusal("ES256", { jwk: jwk(privateKey) })).toBe(
      "the key is private or symmetric where a public key belongs",
    );
    expect(await refusal("ES256", { pem: pem(privateKey) })).not.toBe("accepted");
    expect(await refusal("RS256", { pem: pem(keyPair("rsa").privateKey) })).not.toBe("accepted");
    expect(await refusal("RS256", { jwk: { ...jwk(keyPair("rsa").publicKey), d: "AQAB" } })).toBe(
      "the key is private or symmetric where a public key belongs",
    );
  });

  it("B3.55 respects what a JWK says of itself", async () => {
    const key = jwk(keyPair("P-256").publicKey);
    const verdicts = [
      { ...key, use: "sig" },
      { ...key, key_ops: ["verify"] },
      { ...key, alg: "ES256" },
      { ...key, use: "enc" },
      { ...key, key_ops: ["sign"] },
      { ...key, key_ops: "verify" },
      { ...key, alg: "ES384" },
    ].map((material) => refusal("ES256", { jwk: material }));
    const misfit = "the key's type, curve or intended use does not fit ES256";
    expect(await Promise.all(verdicts)).toEqual([
      "accepted",
      "accepted",
      "accepted",
      misfit,
      misfit,
      misfit,
      misfit,
    ]);
  });

  it("refuses weak RSA keys", async () => {
    const weak = keyPair("rsa-1024").publicKey;
    const message = "the RSA key has 1024 bits, at least 2048 are needed";
    expect(await refusal("RS256", { jwk: jwk(weak) })).toBe(message);
    expect(await refusal("RS256", { pem: pem(weak) })).toBe(message);
    expect(await refusal("RS256", { jwk: { ...jwk(keyPair("rsa").publicKey), e: "AQ" } })).not.toBe(
      "accepted",
    );
  });

  it("refuses RSA keys whose private key can be computed from the public one", async () => {
    const message = "the RSA key is one of those whose private key can be computed (CVE-2017-15361)";
    const guessable = createPublicKey({ key: GUESSABLE, format: "jwk" });
    expect(await refusal("RS256", { jwk: GUESSABLE })).toBe(message);
    expect(await refusal("PS512", { pem: pem(guessable) })).toBe(message);
    // Among good keys one in 2^27 would be refused.
    for (const name of ["", "b", "c"]) {
      expect(await refusal("RS256", { jwk: jwk(keyPair("rsa", name).publicKey) })).toBe("accepted");
    }
  });

  it("refuses keys that are none, and never repeats them", async () => {
    const nonsense: KeyMaterial[] = [
      { pem: "canary" },
      { pem: "" },
      { pem: "-----BEGIN PUBLIC KEY-----\ncanary\n-----END PUBLIC KEY-----\n" },
      { pem: pem(keyPair("P-256").publicKey) + pem(keyPair("P-256", "b").publicKey) },
      { jwk: {} },
      { jwk: { kty: "EC", crv: "P-256", x: "canary", y: "canary" } },
      { jwk: { ...jwk(keyPair("P-256").publicKey), y: jwk(keyPair("P-256", "b").publicKey)["y"] } },
    ];
    for (const material of nonsense) {
      const message = await refusal("ES256", material);
      expect(message).not.toBe("accepted");
      expect(message).not.toContain("canary");
    }
  });
});
