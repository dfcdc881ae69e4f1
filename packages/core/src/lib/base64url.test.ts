import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64Url, encodeBase64Url } from "./base64url.js";

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const plain = (bytes: Uint8Array | undefined): number[] | undefined => bytes && [...bytes];

const textOf = (text: string): string => new TextDecoder().decode(decodeBase64Url(text) ?? Uint8Array.of(0));

describe("base64url", () => {
  it("decodes the vectors of RFC 4648 section 10", () => {
    const texts = ["Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", ""].map((text) => textOf(text));
    expect(texts).toEqual(["f", "fo", "foo", "foob", "fooba", "foobar", ""]);
  });

  it("refuses padding, blanks, the other alphabet and a single left-over character", () => {
    const refused = [
      "Zg==",
      "Zg=",
      " Zg",
      "Zm9v ",
      "Zm\n9v",
      "Zm+v",
      "Zm/v",
      "Zm9vZ",
      "Z",
      "Zm9é",
      "Zm9\u0141",
      "\ud800aaa",
    ];
    expect(refused.map((text) => decodeBase64Url(text))).toEqual(refused.map(() => undefined));
  });

  it("refuses spare bits that are set", () => {
    expect(["Zh", "Zm9", "Zv", "ZmD"].map((text) => decodeBase64Url(text))).toEqual(Array(4).fill(undefined));
    expect(plain(decodeBase64Url("Zg"))).toEqual([0x66]);
  });

  it("one_spelling_per_byte_string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeBase64Url(bytes)).toBe(encode(bytes));
        expect(plain(decodeBase64Url(encode(bytes)))).toEqual([...bytes]);
      }),
    );
    const anyText = fc.string({ unit: fc.constantFrom(...Array.from("ABQZgw059-_=+/ .")), maxLength: 9 });
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = decodeBase64Url(text);
        if (bytes !== undefined) expect(encode(bytes)).toBe(text);
      }),
    );
  });
});
