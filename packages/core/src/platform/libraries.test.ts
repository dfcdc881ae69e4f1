import { describe, expect, it } from "vitest";
import * as node from "./node-libraries.js";
import * as portable from "./portable-libraries.js";

describe.each([
  ["on Node", node],
  ["elsewhere", portable],
])("libraries that are loaded when they are needed, %s", (_where, libraries) => {
  it("are what they are called", () => {
    const RE2 = libraries.linearPatterns();
    expect(RE2.compile(RE2.translateRegExp("^(a+)+$")).test("a".repeat(50))).toBe(true);
    expect(() => RE2.compile("(a)\\1")).toThrow("error parsing regexp");
    expect(libraries.jsonTree()('{ "a": 1 } // b', { mode: "jsonc" }).body.type).toBe("Object");
    const { parseDictionary, serializeDictionary } = libraries.structuredFields();
    expect(serializeDictionary(parseDictionary("a=1,b;c=:YQ==:"))).toBe("a=1, b;c=:YQ==:");
  });

  it("are loaded once", () => {
    expect(libraries.structuredFields()).toBe(libraries.structuredFields());
    expect(libraries.linearPatterns()).toBe(libraries.linearPatterns());
    expect(libraries.jsonTree()).toBe(libraries.jsonTree());
  });
});

it("both halves have the same", () => {
  expect(Object.keys(node).sort()).toEqual(Object.keys(portable).sort());
});
