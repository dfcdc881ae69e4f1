import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearRegExp, patternFault } from "./linear-regexp.js";

describe("patterns in linear time", () => {
  it("are judged the same however many were judged before", () => {
    const many = Array.from({ length: 1100 }, (_, index) => `^a{${index % 900}}${index}$`);
    for (const pattern of ["(?=a)", "^a$", "("]) {
      const first = patternFault(pattern);
      expect(patternFault(pattern)).toBe(first);
      for (const other of many) patternFault(other);
      expect(patternFault(pattern)).toBe(first);
    }
    expect([patternFault("^a$"), typeof patternFault("(?=a)"), typeof patternFault("(")]).toEqual([
      undefined,
      "string",
      "string",
    ]);
  });

  it("mean what they mean in ECMA-262", () => {
    const patterns = [
      "^\\S+$",
      "\\s",
      "^[\\s\\d]+$",
      "[^\\s]",
      "[^\\S]",
      "^.$",
      "^[.]$",
      "\\.",
      "^\\w+$",
      "\\bа",
      "^[A-Z0-9-]{2,3}$",
      "(?:a|b)*c",
      "(?<n>x)",
      "\\u0041",
      "\\u{1F600}",
      "\\p{L}",
      "^\\/",
      "$^",
      "[\\]]",
      "\\\\s",
    ];
    const texts = fc.oneof(
      fc.string({
        unit: fc.constantFrom(
          "a",
          "A",
          "-",
          ".",
          "1",
          "s",
          "\\",
          "/",
          "]",
          " ",
          "\n",
          "\r",
          "\v",
          "\u00a0",
          "\u2028",
          "\ufeff",
          "\u180e",
          "é",
          "😀",
        ),
      }),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...patterns), texts, (pattern, text) => {
        expect(linearRegExp(pattern, new Map()).test(text)).toBe(new RegExp(pattern, "u").test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each(["(?=a)", "(?<!a)", "(a)\\1"])("%s cannot be had in linear time", (pattern) => {
    expect(patternFault(pattern)).toContain("error parsing regexp");
  });

  it.each(["\\k<n>(?<n>a)", "[\\b]", "[]", "[^]a", "[]a[b]"])("%s would be read in two ways", (pattern) => {
    expect(patternFault(pattern)).toContain("cannot be used");
  });

  it.each(["(?i)a", "\\Aa", "\\Qa\\E", "(?P<n>a)", "a++", "[[:alpha:]]", "(", "\\p{Nope}"])(
    "%s means something else, or nothing, to other readers",
    (pattern) => {
      expect(patternFault(pattern)).toContain("Invalid regular expression");
    },
  );

  it("one pattern is compiled once, and two never share a text", () => {
    const cache = new Map();
    expect(linearRegExp("^a$", cache)).toBe(linearRegExp("^a$", cache));
    expect(linearRegExp("^a$", cache).toString()).not.toBe(linearRegExp("^b$", cache).toString());
  });
});
