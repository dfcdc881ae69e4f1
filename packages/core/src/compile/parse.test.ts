import { describe, expect, it } from "vitest";
import { type Diagnostic, PolicyError } from "../errors/diagnostics.js";
import { parsePolicy } from "./parse.js";
import { fileOf, locate } from "./positions.js";
import { SAMPLE } from "./sample.test-support.js";

function refusal(text: string, file?: string): readonly Diagnostic[] {
  try {
    parsePolicy(text, file);
  } catch (error) {
    if (error instanceof PolicyError) return error.diagnostics;
    throw error;
  }
  return [];
}

describe("parsePolicy", () => {
  it("reads comments, trailing commas and a byte order mark", () => {
    const text = '\uFEFF{\n  // one\n  "gatehouse": 1, /* two */ "name": "t",\n  "routes": {},\n}';
    expect(parsePolicy(text)).toEqual({ gatehouse: 1, name: "t", routes: {} });
  });

  it("remembers where a document says what, and in which file", () => {
    const document = parsePolicy(
      '{\n  "name": "t",\n  "routes": {\n    "GET /a": { "limits": ["x"] }\n  }\n}',
      "orders.jsonc",
    );
    expect(fileOf(document)).toBe("orders.jsonc");
    expect(locate(document, "/name")).toEqual({ line: 2, column: 3 });
    expect(locate(document, "/routes/GET ~1a/limits/0")).toEqual({ line: 4, column: 28 });
    expect(locate(document, "/routes/GET ~1a/authorize")).toEqual({ line: 4, column: 5 });
    expect(locate({}, "/name")).toBeUndefined();
  });

  it("refuses control characters as they are inside of a text, as every reader of JSON does (RFC 8259 section 7)", () => {
    for (const control of ["\0", "\t", "\n", "\u001f"]) {
      for (const text of [
        `{\n "a": "x${control}y" }`,
        `{\n "a${control}": 1 }`,
        `{\n "a": ["${control}"] }`,
      ]) {
        expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
        expect(refusal(text)).toEqual([expect.objectContaining({ code: "syntax", line: 2 })]);
      }
    }
    expect(parsePolicy('{\t"a": "\\t\\u0000\u007f" }\n')).toEqual({ a: "\t\0\u007f" });
  });

  it("says where the text is no JSON", () => {
    expect(refusal('{\n  "a": }', "p.json")).toEqual([
      {
        code: "syntax",
        severity: "error",
        pointer: "",
        message: "unexpected `}` found",
        help: "a policy is JSON; comments and trailing commas are allowed",
        line: 2,
        column: 8,
        file: "p.json",
      },
    ]);
  });

  it.each(["", " \n "])("says that %j is no text at all", (text) => {
    expect(refusal(text)).toMatchObject([{ code: "syntax", message: "the text is empty" }]);
  });

  it("reports each duplicate key where it stands the second time", () => {
    expect(refusal('{ "a": 1, "b": { "c": 1, "c": 2 },\n  "a": 2 }')).toEqual([
      {
        code: "duplicate-key",
        severity: "error",
        pointer: "/b/c",
        message: "key `c` stands twice in one object",
        help: "keep one of them: readers disagree about which one counts",
        line: 1,
        column: 26,
      },
      {
        code: "duplicate-key",
        severity: "error",
        pointer: "/a",
        message: "key `a` stands twice in one object",
        help: "keep one of them: readers disagree about which one counts",
        line: 2,
        column: 3,
      },
    ]);
  });

  it("refuses what two readers would read differently", () => {
    const text =
      '{ "__proto__": { "x": 1 },\n  "b": "\\ud800",\n  "\\udc00": 1,\n  "d": 9007199254740993,\n  "e": 1e400 }';
    expect(refusal(text).map(({ code, pointer, line, column }) => [code, pointer, line, column])).toEqual([
      ["prototype-key", "/__proto__", 1, 3],
      ["lone-surrogate", "/\udc00", 3, 3],
      ["not-json", "/e", 5, 3],
      ["unsafe-number", "/d", 4, 3],
      ["lone-surrogate", "/b", 2, 3],
    ]);
    expect(Object.prototype).not.toHaveProperty("x");
  });

  it("refuses a text that is no object", () => {
    expect(refusal("[1]")).toEqual([
      { code: "wrong-type", severity: "error", pointer: "", message: "expected an object, found a list" },
    ]);
  });

  it("refuses any part of a policy, and nothing but a PolicyError comes of it", () => {
    const text = SAMPLE.slice(0, SAMPLE.lastIndexOf("}"));
    for (let end = 0; end < text.length; end += 7)
      expect(refusal(text.slice(0, end)).map(({ code }) => code)).toEqual(["syntax"]);
  });
});
