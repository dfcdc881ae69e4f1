/** Signatures as texts, held to signatures as bytes. */
import { createHmac, createPublicKey, sign, X509Certificate, type KeyObject } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { throwawayCertificate } from "../conformance/certificate.js";
import { ecPair, ed25519Pair, rsaPair } from "../node/key-pair.js";
import type { SignatureVerifier } from "../ports/platform.js";
import { decodeNodeBase64Url } from "./node-base64url.js";
import { nodeSecretProblem, prepareNodeKey } from "./node-keys.js";

interface Signer {
  readonly key: SignatureVerifier;
  readonly signed: (data: string) => string;
}

const SECRET = new Uint8Array(32).fill(7);

const pem = (key: KeyObject): string => key.export({ format: "pem", type: "spki" }).toString();

function signers(): Readonly<Record<string, Signer>> {
  const rsa = rsaPair(2048);
  const ec = ecPair("P-256");
  const ed = ed25519Pair();
  const by = (hash: string | null, key: KeyObject) => (data: string) =>
    sign(hash, Buffer.from(data), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return {
    HS256: {
      key: prepareNodeKey("HS256", { secret: SECRET }),
      signed: (data) => createHmac("sha256", SECRET).update(data).digest("base64url"),
    },
    RS256: {
      key: prepareNodeKey("RS256", { pem: pem(rsa.publicKey) }),
      signed: by("sha256", rsa.privateKey),
    },
    ES256: {
      key: prepareNodeKey("ES256", { pem: pem(ec.publicKey) }),
      signed: by("sha256", ec.privateKey),
    },
    EdDSA: { key: prepareNodeKey("EdDSA", { pem: pem(ed.publicKey) }), signed: by(null, ed.privateKey) },
  };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function spoilt(text: string, at: number, character: string): string {
  const place = at % text.length;
  return `${text.slice(0, place)}${character}${text.slice(place + 1)}`;
}

describe.each(Object.entries(signers()))("verifyText of %s", (_, { key, signed }) => {
  it("says_of_a_text_what_verify_says_of_its_bytes", () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom("", "A", "B", "AA", "=", "+", "/", " ", "\u0141"));
    const data = fc.string({ unit: "binary-ascii" });
    fc.assert(
      fc.property(data, fc.option(change), (text, changed) => {
        const signature = changed === null ? signed(text) : spoilt(signed(text), ...changed);
        const bytes = decodeNodeBase64Url(signature);
        const expected = bytes !== undefined && key.verify(text, bytes);
        expect(key.verifyText?.(text, signature)).toBe(expected);
        // Rooms hold what was there before: it must not count.
        expect(key.verifyText?.(`${text}.`, signature)).toBe(false);
        if (changed === null) expect(expected).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("takes one spelling of the last character", () => {
    const good = signed("data");
    expect(key.verifyText?.("data", good)).toBe(true);
    for (const other of ALPHABET.replace(good.slice(-1), ""))
      expect(key.verifyText?.("data", `${good.slice(0, -1)}${other}`)).toBe(false);
  });

  it("takes nothing beside the spelling, and nothing that was there before for what is missing", () => {
    const good = signed("data");
    for (const foreign of ["", " ", "=", "+", ".", "\u0141"]) {
      const texts = [
        good.slice(0, -4) + foreign,
        foreign,
        ...(foreign === "" ? [] : [good + foreign, foreign + good]),
      ];
      for (const text of texts) {
        expect(key.verifyText?.("data", good)).toBe(true);
        expect(key.verifyText?.("data", text)).toBe(false);
      }
    }
  });

  it("reads inputs that are longer than its room", () => {
    const long = "a".repeat(9000);
    expect(key.verifyText?.(long, signed(long))).toBe(true);
    expect(key.verifyText?.(`${long.slice(1)}b`, signed(long))).toBe(false);
  });
});

describe("a shared secret that is a key", () => {
  const { publicKey, privateKey } = ecPair("P-256");
  const rsa = rsaPair(2048).publicKey;
  const parses = (bytes: Buffer): boolean => {
    try {
      return createPublicKey(bytes).type === "public";
    } catch {
      return false;
    }
  };
  const refused = (secret: Uint8Array): boolean => {
    try {
      prepareNodeKey("HS256", { secret });
      return false;
    } catch (error) {
      expect(String(error)).toContain("the secret holds a public or private key, not raw bytes");
      return true;
    }
  };

  it.each([publicKey, rsa])("is refused in BER as well, which OpenSSL reads: $asymmetricKeyType", (key) => {
    const der = key.export({ type: "spki", format: "der" });
    const [, first = 0] = der;
    const content = der.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
    const long = Buffer.of(0x30, 0x84, 0, 0, content.length >> 8, content.length & 255);
    const forms = [
      Buffer.concat([long, content]),
      Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.alloc(2)]),
    ];
    const dressed = forms.flatMap((form) => [form, Buffer.from(form.toString("base64"))]);
    expect(dressed.map(refused)).toEqual(dressed.map(() => true));
    const problem = "a public or private key, not raw bytes";
    expect(dressed.map((one) => nodeSecretProblem(one, 16))).toEqual(dressed.map(() => problem));
  });

  it("is_refused_wherever_it_can_be_parsed", () => {
    const secretPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const pieces = [
      pem(publicKey),
      secretPem,
      pem(rsa),
      "\n",
      " ",
      "\r\n",
      "-",
      "-----BEGIN PUBLIC KEY-----\n",
      "x",
    ];
    const seen = { key: 0, none: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (texts, carriageReturns) => {
          const text = carriageReturns ? texts.join("").replaceAll("\n", "\r\n") : texts.join("");
          // No text, so that nobody finds it by looking at the text.
          const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(32, 0xff)]);
          // Its armour alone is enough: no secret has one.
          const armoured = text.includes("-----BEGIN ");
          expect([refused(bytes), parses(bytes) && !armoured]).toEqual([armoured, false]);
          if (parses(bytes)) seen.key += 1;
          if (!armoured) seen.none += 1;
        },
      ),
      { numRuns: 200 },
    );
    expect(Math.min(seen.key, seen.none)).toBeGreaterThan(10);
  });

  it("is refused as DER", () => {
    for (const key of [publicKey, rsa])
      expect(refused(key.export({ format: "der", type: "spki" }))).toBe(true);
    expect(refused(rsa.export({ format: "der", type: "pkcs1" }))).toBe(true);
    // What begins like one is none.
    expect(refused(Buffer.alloc(32, 0x30))).toBe(false);
  });

  it("is refused in base64, with its lines and without, and so is its PEM", () => {
    const refusedText = (text: string): boolean => refused(Buffer.from(text));
    for (const key of [publicKey, rsa]) {
      const der = key.export({ format: "der", type: "spki" });
      const lines = pem(key).split("\n").slice(1, -2).join("\n");
      const texts = [
        lines,
        lines.replaceAll("\n", "\r\n"),
        der.toString("base64"),
        der.toString("base64url"),
        Buffer.from(pem(key)).toString("base64"),
      ];
      expect(texts.map(refusedText)).toEqual(texts.map(() => true));
    }
    // Of random bytes one in 256 begins like a key.
    expect(refusedText(Buffer.alloc(32, 0x30).toString("base64"))).toBe(false);
  });

  it("is refused in its certificate", () => {
    const der = new X509Certificate(throwawayCertificate().cert).raw;
    expect([refused(der), refused(Buffer.from(der.toString("base64")))]).toEqual([true, true]);
  });
});
