import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { strictText, utf8 } from "./bytes.js";
import { JsonBytes } from "./json-bytes.js";
import * as steps from "./json-steps.js";

const RUNS = Number(process.env["FC_RUNS"] ?? 2000);

/** Places count bytes: these are for texts in which they are the same, or for the end alone. */
const afterValue = (text: string, at: number, depth: number) =>
  steps.afterValue(JsonBytes.of(text), at, depth);
const afterPlainString = (text: string, at: number) => steps.afterPlainString(JsonBytes.of(text), at);
const afterNumber = (text: string, at: number) => steps.afterNumber(JsonBytes.of(text), at);
const afterWord = (text: string, at: number) => steps.afterWord(JsonBytes.of(text), at);
const size = (text: string) => utf8(text).length;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const bits = fc.constantFrom(
  ...'{}[]",:\\/0123456789eE.-+'.split(""),
  ..."bfnrtux".split(""),
  "true",
  "false",
  "null",
  '"a"',
  '"a":',
  "\\u00e9",
  "\u0000",
  "\u001f",
  "\u0020",
  "\u007f",
  "\ud800",
  "é",
);
const json = fc.json({ maxDepth: 4 });
const texts = fc.oneof(
  json,
  fc.array(bits, { maxLength: 8 }).map((all) => all.join("")),
  fc.tuple(json, fc.nat(), fc.nat(2), fc.option(bits, { nil: "" })).map(([text, at, cut, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + cut);
  }),
);

describe("afterValue", () => {
  it("as_strict_as_json_parse", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const whole = afterValue(text, 0, 0) === size(text);
        const blanks = /[ \t\n\r]/u.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/gu, ""));
        expect(whole).toBe(!blanks && isJson(text));
      }),
      { numRuns: RUNS },
    );
  });

  it("as_strict_as_a_decoder", () => {
    const inside = fc.array(
      fc.oneof(
        fc.constantFrom(0x22, 0x41, 0x5c, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
        fc.integer({ min: 0x20, max: 0xff }),
      ),
      { maxLength: 12 },
    );
    const characters = fc.string({ unit: "binary", maxLength: 6 }).map((text) => [...utf8(text)]);
    fc.assert(
      fc.property(fc.array(fc.oneof(inside, characters), { maxLength: 4 }), (parts) => {
        const bytes = Uint8Array.from([0x22, ...parts.flat(), 0x22]);
        const text = strictText(bytes);
        const whole = steps.afterValue(JsonBytes.of(bytes), 0, 0) === bytes.length;
        expect(whole).toBe(text !== undefined && isJson(text));
        const isPlain = steps.afterPlainString(JsonBytes.of(bytes), 1) === bytes.length;
        if (isPlain) expect(JSON.stringify(JSON.parse(String(text)))).toBe(text);
      }),
      { numRuns: 5 * RUNS },
    );
  });

  // RFC 3629 section 4: the first and the last of each row of its table, and what stands beside them.
  it.each([
    ["80", false],
    ["c1 bf", false],
    ["c2 80", true],
    ["df bf", true],
    ["df c0", false],
    ["e0 9f bf", false],
    ["e0 a0 80", true],
    ["ed 9f bf", true],
    ["ed a0 80", false],
    ["ed bf bf", false],
    ["ee 80 80", true],
    ["ef bf bf", true],
    ["ef bf 41", false],
    ["f0 8f bf bf", false],
    ["f0 90 80 80", true],
    ["f4 8f bf bf", true],
    ["f4 90 80 80", false],
    ["f4 8f bf 41", false],
    ["f5 80 80 80", false],
    ["ff", false],
  ])("is told a character by its bytes: %s, %s", (hex, isOne) => {
    const inside = hex.split(" ").map((byte) => Number.parseInt(byte, 16));
    const bytes = Uint8Array.from([0x22, ...inside, 0x22]);
    expect(strictText(bytes) !== undefined).toBe(isOne);
    const end = isOne ? bytes.length : -1;
    expect(steps.afterValue(JsonBytes.of(bytes), 0, 0)).toBe(end);
    expect(steps.afterPlainString(JsonBytes.of(bytes), 1)).toBe(end);
  });

  it("stops where the value ends", () => {
    expect(afterValue('{"a":[1,"]"]},', 0, 0)).toBe(13);
    expect(afterValue("x12,", 1, 0)).toBe(3);
  });

  it("goes 64 levels deep", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(afterValue(nested(64), 0, 0)).toBe(128);
    expect(afterValue(nested(65), 0, 0)).toBe(-1);
  });
});

describe("afterPlainString", () => {
  it("what_it_takes_is_written_the_same_way", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: "binary" })), (inside) => {
        const text = `"${inside}"`;
        if (afterPlainString(text, 1) !== size(text)) return;
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  it("takes what JSON.stringify writes, but for escapes by number and what is put in place of half a pair", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        const isOdd = /(?:^|[^\\])(?:\\\\)*\\u|\ufffd/u.test(text);
        expect(afterPlainString(text, 1)).toBe(isOdd ? -1 : size(text));
      }),
      { numRuns: RUNS },
    );
  });
});

it.each(["0", "-0", "10", "1.5", "0.50", "1e5", "1E+05", "-1.25e-10"])("afterNumber: %s", (text) => {
  expect(afterNumber(`[${text}]`, 1)).toBe(text.length + 1);
});

it.each(["", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "-a"])("afterNumber refuses: %s", (text) => {
  expect(afterNumber(text, 0)).toBe(-1);
});

it("afterWord", () => {
  expect(["true", "false", "null"].map((word) => afterWord(word, 0))).toEqual([4, 5, 4]);
  expect(["tru", "nul", "True", "nan", ""].map((word) => afterWord(word, 0))).toEqual([-1, -1, -1, -1, -1]);
});
