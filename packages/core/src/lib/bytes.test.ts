import { describe, expect, it } from "vitest";
import { fromHex, isBlank, strictText, toHex, utf8 } from "./bytes.js";

describe("bytes", () => {
  it("writes and reads hexadecimal", () => {
    expect(toHex(Uint8Array.of(0, 10, 255))).toBe("000aff");
    expect([...(fromHex("000AfF") ?? [])]).toEqual([0, 10, 255]);
    expect(["0", "0g", "0x00", " 00", "00 "].map((text) => fromHex(text))).toEqual(Array(5).fill(undefined));
  });

  it("calls blanks and NUL blank, and nothing else", () => {
    expect(["", " \t\r\n\v\f\0", "\n\n"].map((text) => isBlank(utf8(text)))).toEqual([true, true, true]);
    expect([" a", "0", "\u00a0"].map((text) => isBlank(utf8(text)))).toEqual([false, false, false]);
  });

  it("replaces nothing when it reads UTF-8", () => {
    expect(strictText(utf8("grün"))).toBe("grün");
    expect(strictText(Uint8Array.of(0xff))).toBeUndefined();
    expect(strictText(Uint8Array.of(0xc3, 0x28))).toBeUndefined();
    expect(strictText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe("\uFEFFA");
  });
});
