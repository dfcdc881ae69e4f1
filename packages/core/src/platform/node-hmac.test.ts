import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../lib/bytes.js";
import { equalTexts, hmacTextOf } from "./node-hmac.js";

const hexOf = (macText: string): string => Buffer.from(macText, "base64url").toString("hex");

describe("hmacTextOf", () => {
  it("computes the vectors of RFC 4231, with short and over-long keys", () => {
    const jefe = hmacTextOf("sha256", 32, utf8("Jefe"), 64);
    expect(hexOf(jefe("what do ya want for nothing?"))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    const long = hmacTextOf("sha256", 32, new Uint8Array(131).fill(0xaa), 64);
    expect(hexOf(long("Test Using Larger Than Block-Size Key - Hash Key First"))).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
  });

  it("macs_as_the_runtime_does", () => {
    const sizes = fc.constantFrom<readonly [string, number]>(["sha256", 32], ["sha384", 48], ["sha512", 64]);
    const text = fc.string({ unit: "binary-ascii", maxLength: 200 });
    const key = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(
        sizes,
        key,
        fc.array(text, { minLength: 1, maxLength: 4 }),
        ([hash, bytes], secret, texts) => {
          const macText = hmacTextOf(hash, bytes, secret, 150);
          for (const data of texts) {
            expect(macText(data)).toBe(createHmac(hash, secret).update(data).digest("base64url"));
          }
        },
      ),
    );
  });
});

describe("equalTexts", () => {
  it("texts_are_equal_as_the_language_has_it", () => {
    const pairs = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\u0141") }), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(pairs, ([a = "", b = ""]) => {
        expect(equalTexts(a, b)).toBe(a === b);
        expect(equalTexts(a, ` ${a}`.slice(1))).toBe(true);
        expect(equalTexts(`${a}${b}`, a)).toBe(b === "");
      }),
    );
  });

  it("sees one character that differs, wherever it stands", () => {
    const text = "Zm9vYmFyYmF6cXV4";
    for (let at = 0; at < text.length; at += 1) {
      const other = `${text.slice(0, at)}-${text.slice(at + 1)}`;
      expect([equalTexts(text, other), equalTexts(other, text)]).toEqual([false, false]);
    }
  });
});
