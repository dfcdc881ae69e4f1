import { expect, it } from "vitest";
import { excerptOf } from "./excerpt.js";

it("marks a whole string, a word, or one sign", () => {
  expect(excerptOf('{ "a b": 12, "c": [] }', 1, 3)).toEqual({
    line: '{ "a b": 12, "c": [] }',
    carets: "  ^^^^^",
  });
  expect(excerptOf('{ "a b": 12, "c": [] }', 1, 10)?.carets).toBe("         ^^");
  expect(excerptOf('{ "a b": 12, "c": [] }', 1, 19)?.carets).toBe("                  ^");
  expect(excerptOf(String.raw`["a\"b", 1]`, 1, 2)?.carets).toBe(String.raw` ^^^^^^`);
});

it("counts lines as the parser does, and leaves a byte order mark out", () => {
  expect(excerptOf('\uFEFF{\r\n\t"a": 1\r}', 2, 2)).toEqual({ line: ' "a": 1', carets: " ^^^" });
  expect(excerptOf('\uFEFF{ "a": 1 }', 1, 3)?.carets).toBe("  ^^^");
});

it("cuts a long line around the place", () => {
  const line = `{ "filler": "${"x".repeat(300)}", "here": 1, "more": "${"y".repeat(300)}" }`;
  const found = excerptOf(line, 1, line.indexOf('"here"') + 1);
  expect(found?.line.length).toBe(102);
  expect(found?.line.slice(found.carets.indexOf("^"), found.carets.length)).toBe('"here"');
});

it("keeps below the characters it means, also behind ones of two code units", () => {
  const found = excerptOf('{ "😀": 1, "b": 2 }', 1, 12);
  expect(
    Array.from(found?.line ?? "")
      .slice(found?.carets.indexOf("^"), found?.carets.length)
      .join(""),
  ).toBe('"b"');
});

it("has nothing to show beyond the text", () => {
  expect(excerptOf("{}", 2, 1)).toBeUndefined();
  expect(excerptOf("{", 1, 2)).toEqual({ line: "{", carets: " ^" });
});
