import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../lib/bytes.js";
import { hmacOf } from "./node-hmac.js";

describe("hmacOf", () => {
  it("computes the vectors of RFC 4231, with short and over-long keys", () => {
    const jefe = hmacOf("sha256", 32, utf8("Jefe"), 64);
    expect(toHex(jefe("what do ya want for nothing?"))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    const long = hmacOf("sha256", 32, new Uint8Array(131).fill(0xaa), 64);
    expect(toHex(long("Test Using Larger Than Block-Size Key - Hash Key First"))).toBe(
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
          const mac = hmacOf(hash, bytes, secret, 150);
          for (const data of texts) {
            expect(toHex(mac(data))).toBe(createHmac(hash, secret).update(data).digest("hex"));
          }
        },
      ),
    );
  });
});
