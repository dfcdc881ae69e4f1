import { describe, expect, it } from "vitest";
import { type Diagnostic, PolicyError } from "../errors/diagnostics.js";
import { checkPolicy } from "./check.js";
import { parsePolicy } from "./parse.js";

function refusal(text: string): readonly Diagnostic[] {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyError) return error.diagnostics;
    throw error;
  }
  return [];
}

const codes = (diagnostics: readonly Diagnostic[]): string[] =>
  diagnostics.map(({ code, pointer }) => `${code} ${pointer}`);

describe("policies beyond any bound (B10.151)", () => {
  it("refuses 100 MB of text without reading it", () => {
    expect(codes(refusal(`{"name":"${"x".repeat(100 * 1024 * 1024)}"}`))).toEqual(["too-large "]);
  });

  it("refuses 10,000 levels, in text and as a value, in strings and comments none", () => {
    const deep = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    expect(codes(refusal(deep))).toEqual(["too-deep "]);
    expect(codes(refusal(`[${"[".repeat(10_000)}`))).toEqual(["too-deep "]);
    expect(codes(checkPolicy(JSON.parse(deep)))).toEqual(["too-deep "]);
    expect(parsePolicy(`{"a": "\\"${"[".repeat(10_000)}" /* ${"{".repeat(10_000)} */ }`)).toHaveProperty("a");
  });

  it("refuses 100,000 routes with one diagnostic", () => {
    const routes = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`GET /r${index}`, { limts: [] }]),
    );
    expect(checkPolicy({ gatehouse: 1, name: "t", routes })).toEqual([
      {
        code: "too-many",
        severity: "error",
        pointer: "/routes",
        message: "it has 100000 entries, at most 10000 are allowed",
      },
    ]);
  });

  it("refuses a document that has itself inside", () => {
    const document: Record<string, unknown> = { gatehouse: 1, name: "t", routes: {} };
    document["schemas"] = document;
    expect(codes(checkPolicy(document))).toEqual(["too-deep "]);
  });

  it("refuses a million values and more", () => {
    const schemas = { A: { enum: Array.from({ length: 1_000_001 }, (_, index) => index) } };
    expect(codes(checkPolicy({ gatehouse: 1, name: "t", routes: {}, schemas }))).toEqual(["too-large "]);
  });

  it("lists a thousand problems and counts the others", () => {
    const routes = Object.fromEntries(
      Array.from({ length: 1_500 }, (_, index) => [`GET /r${index}`, { limts: [] }]),
    );
    const found = checkPolicy({ gatehouse: 1, name: "t", routes });
    expect(found).toHaveLength(1_001);
    expect(found.at(-1)).toEqual({
      code: "too-many-problems",
      severity: "error",
      pointer: "",
      message: "500 more problems are not listed",
      help: "mend these first",
    });
  });
});

describe("values that are no JSON", () => {
  it.each([
    ["undefined", undefined, "undefined is no JSON value"],
    ["a function", (): void => undefined, "a value of type function is no JSON value"],
    ["a symbol", Symbol("s"), "a value of type symbol is no JSON value"],
    ["a bigint", 1n, "a value of type bigint is no JSON value"],
    ["no number", Number.NaN, "`NaN` is no JSON number"],
    ["a date", new Date(0), "an instance of a class is no JSON value"],
    ["a map", new Map(), "an instance of a class is no JSON value"],
  ])("refuses %s wherever it stands", (_what, value, message) => {
    const found = checkPolicy({ gatehouse: 1, name: "t", routes: { "GET /a": { authorize: value } } });
    expect(found.map(({ code, pointer, message }) => [code, pointer, message])).toEqual([
      ["not-json", "/routes/GET ~1a/authorize", message],
    ]);
  });

  it("takes any value for a document without a throw", () => {
    for (const value of [undefined, null, 0, "", "policy", [], true, Symbol("s"), (): void => undefined]) {
      expect(checkPolicy(value)).toHaveLength(1);
    }
  });
});
