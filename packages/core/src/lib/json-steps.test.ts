import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterNumber, afterPlainString, afterValue, afterWord } from "./json-steps.js";

const RUNS = Number(process.env["FC_RUNS"] ?? 2000);

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
        const whole = afterValue(text, 0, 0) === text.length;
        const blanks = /[ \t\n\r]/u.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/gu, ""));
        expect(whole).toBe(!blanks && isJson(text));
      }),
      { numRuns: RUNS },
    );
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
        if (afterPlainString(text, 1) !== text.length) return;
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  it("takes what JSON.stringify writes, but for escapes by number", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        expect(afterPlainString(text, 1)).toBe(/(?:^|[^\\])(?:\\\\)*\\u/u.test(text) ? -1 : text.length);
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
