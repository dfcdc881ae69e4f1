import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { parseCookies } from "./cookies.js";

describe("cookies", () => {
  it.each([
    ["", []],
    [
      "a=1; b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1;b=2;",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["a=1; a=2", [["a", "1"]]],
    [
      'a="x y"; b="',
      [
        ["a", "x y"],
        ["b", '"'],
      ],
    ],
    ["a=b=c", [["a", "b=c"]]],
    ["a=%41", [["a", "%41"]]],
    ["a=", [["a", ""]]],
    ["novalue; a=1", [["a", "1"]]],
    ["=1; a=2", [["a", "2"]]],
    [
      " a = 1 ;\tb=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "__proto__=1; constructor=2",
      [
        ["__proto__", "1"],
        ["constructor", "2"],
      ],
    ],
    ["x; __Host-a=1", [["__Host-a", "1"]]],
    // Not a blank: a name that only looks like the protected one stays another name.
    ["\u00A0__Host-a=evil", [["\u00A0__Host-a", "evil"]]],
  ])("%j", (header, expected) => {
    expect([...parseCookies(header).values]).toEqual(expected);
  });

  it.each([
    ["a=1; b=2", []],
    ["a=1; a=1", ["a"]],
    ["a=1; b=2; a=; b=3; a=4", ["a", "b"]],
    // No pairs, so no cookies of that name.
    ["a=1; a; =a", []],
    ["a=1; A=1", []],
  ])("%j repeats %j", (header, expected) => {
    expect([...parseCookies(header).repeated]).toEqual(expected);
  });

  test.prop([fc.string()])("never_throws_and_never_yields_a_separator", (header) => {
    for (const [name, value] of parseCookies(header).values) {
      expect(name).not.toMatch(/[;=]|^$/);
      expect(value).not.toContain(";");
    }
  });
});
