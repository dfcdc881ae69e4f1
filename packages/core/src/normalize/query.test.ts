import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { parseQuery } from "./query.js";

const read = (text: string) => {
  const parameters = parseQuery(text);
  return parameters === undefined ? undefined : [...parameters];
};

describe("queries", () => {
  it.each([
    ["", []],
    [
      "a=1&b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["a=1&a=2&a=", [["a", ["1", "2", ""]]]],
    ["a", [["a", ""]]],
    ["a=b=c", [["a", "b=c"]]],
    ["=v", [["", "v"]]],
    ["&&a=1&", [["a", "1"]]],
    ["a=1;b=2", [["a", "1;b=2"]]],
    ["a+b=c+d%2B", [["a b", "c d+"]]],
    ["caf%C3%A9=%F0%9F%98%80", [["café", "😀"]]],
    ["%61=1&a=2", [["a", ["1", "2"]]]],
    ["a=%2525", [["a", "%25"]]],
    [
      "a[]=1&a[b]=2",
      [
        ["a[]", "1"],
        ["a[b]", "2"],
      ],
    ],
    [
      "__proto__=1&constructor=2&toString=3",
      [
        ["__proto__", "1"],
        ["constructor", "2"],
        ["toString", "3"],
      ],
    ],
  ])("%s", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each(["a=%", "a=%2", "a=%zz", "%=1", "a=%ff", "a=%c0%80", "a=%ed%a0%80"])("%s is malformed", (text) => {
    expect(read(text)).toBeUndefined();
  });

  it("counts every parameter, repeated ones too", () => {
    expect(parseQuery("a&".repeat(1000))?.get("a")).toHaveLength(1000);
    expect(parseQuery("a&".repeat(1001))).toBeUndefined();
    expect(parseQuery("a&b", { maxParameters: 1 })).toBeUndefined();
  });

  it("leaves Object.prototype alone", () => {
    expect(parseQuery("__proto__[x]=1&x=1")?.get("polluted")).toBeUndefined();
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test.prop([fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })))])(
    "what_URLSearchParams_writes_is_read_back",
    (pairs) => {
      const expected = new Map<string, string | string[]>();
      for (const [name, value] of pairs) {
        const before = expected.get(name);
        expected.set(
          name,
          before === undefined ? value : typeof before === "string" ? [before, value] : [...before, value],
        );
      }
      expect(parseQuery(new URLSearchParams(pairs).toString())).toEqual(expected);
    },
  );
});
