import { describe, expect, it } from "vitest";
import { parseDuration } from "./duration.js";
import { asList, isList } from "./lists.js";
import { escapeSegment, parsePointer, pointerTo, valueAt } from "./pointer.js";
import { parseSize } from "./size.js";
import { byName, sortedEntries } from "./sorted.js";

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["1m", 60_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["0s", 0],
  ])("reads %s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    "",
    "10",
    "s",
    "1.5s",
    "01s",
    "-1s",
    "1 s",
    "1S",
    "1month",
    "1w",
    "1e3s",
    "999999999999999d",
    " 1s",
  ])("does not read `%s`", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("parseSize", () => {
  it.each([
    [0, 0],
    [64_000, 64_000],
    ["1B", 1],
    ["64kB", 64_000],
    ["1MB", 1_000_000],
    ["1GB", 1_000_000_000],
    ["1KiB", 1_024],
    ["1MiB", 1_048_576],
    ["1GiB", 1_073_741_824],
  ])("reads %s", (size, bytes) => {
    expect(parseSize(size)).toBe(bytes);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53, "", "64", "64kb", "64 kB", "1.5kB", "064B", "99999999999999GiB"])(
    "does not read `%s`",
    (size) => {
      expect(parseSize(size)).toBeUndefined();
    },
  );
});

describe("JSON Pointer (RFC 6901)", () => {
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8 };

  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/m~0n", 8],
    ["/constructor", undefined],
    ["/foo/2", undefined],
    ["/foo/length/x", undefined],
  ])("finds what `%s` leads to", (pointer, value) => {
    expect(valueAt(document, parsePointer(pointer) ?? ["?"])).toEqual(value);
  });

  it.each(["a", "~", "/~2", "/a~"])("refuses `%s`", (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined();
  });

  it("writes what it reads", () => {
    const pointer = pointerTo("/routes", "GET /a~b", 0);
    expect(pointer).toBe("/routes/GET ~1a~0b/0");
    expect(parsePointer(pointer)).toEqual(["routes", "GET /a~b", "0"]);
    expect(escapeSegment("~1")).toBe("~01");
  });
});

describe("lists and order", () => {
  it("takes one for a list of one", () => {
    expect([asList("a"), asList(["a", "b"])]).toEqual([["a"], ["a", "b"]]);
    expect([isList("a"), isList([])]).toEqual([false, true]);
  });

  it("sorts by code unit, whatever the machine's language", () => {
    expect(sortedEntries({ b: 1, ä: 2, B: 3, a: 4 }).map(([name]) => name)).toEqual(["B", "a", "b", "ä"]);
    expect(sortedEntries(undefined)).toEqual([]);
    expect([byName("a", "b"), byName("b", "a"), byName("a", "a")]).toEqual([-1, 1, 0]);
  });
});
