/** The quick reading, held to the scanner and the parser behind it: it may pass the question on, and must not answer it otherwise. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonGuards } from "./json-guards.js";
import { QuickReader } from "./json-quick.js";
import { JsonScanner } from "./json-scan.js";
import { createJsonReader, type JsonReading } from "./json.js";

const RUNS = Number(process.env["GATEHOUSE_JSON_RUNS"] ?? 2000);
const ALL: JsonGuards = {
  maxDepth: 4,
  prototypeKeys: true,
  controlCharacters: true,
  loneSurrogates: true,
  duplicateKeys: true,
  operatorKeys: true,
};
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const quickly = (text: string, guards: JsonGuards = ALL): { readonly value: unknown } | undefined =>
  new QuickReader(guards).read(bytesOf(text), text);

/** As it was read before there was a quick way: the scanner first, then the parser. */
function slowly(text: string, guards: JsonGuards): JsonReading | "syntax" {
  const problems = new JsonScanner(guards).scan(text);
  if (problems !== undefined) return { kind: "malformed", problems };
  try {
    return { kind: "value", value: JSON.parse(text) as unknown };
  } catch {
    return "syntax";
  }
}

const piece = fc.constantFrom(
  "a",
  "b",
  ":",
  ",",
  "{",
  "]",
  " ",
  "é",
  "😀",
  "\\\\",
  '\\"',
  "\\n",
  "\\/",
  "\\u0041",
  "\\u0022",
  "\\u003a",
  "\\u0000",
  "\\u0085",
  "\\ud83d\\ude00",
  "\\ud800",
  "\\b",
  "\\f",
  "\u007f",
  "\u0085",
);
const plain = fc.constantFrom("a", "b", "\\u0061", "ab", "", "1", "4294967295", "é");
const string = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("", "x", "two words", "10:30, or so") },
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("")) },
);
const member = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 1, arbitrary: string },
  {
    weight: 1,
    arbitrary: fc.constantFrom("__proto__", "constructor", "prototype", "$where", "a.b", "__prot\\u006f__"),
  },
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("1", "-2.5", "true", "null", "1e3") },
  { weight: 4, arbitrary: string.map((text) => `"${text}"`) },
  { weight: 1, arbitrary: fc.constantFrom("1e999", "-1e400", "9".repeat(400), "01", "nul", '"', "") },
);
const json = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    fc.array(tie("text"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(member, tie("text")), { maxLength: 4 })
      .map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`),
  ),
})).text;
const guards = fc.oneof(
  fc.constant(ALL),
  fc.record({
    maxDepth: fc.integer({ min: 1, max: 5 }),
    prototypeKeys: fc.boolean(),
    controlCharacters: fc.boolean(),
    loneSurrogates: fc.boolean(),
    duplicateKeys: fc.boolean(),
    operatorKeys: fc.boolean(),
  }),
);

describe("the quick reading of JSON", () => {
  it("json_read_quickly_is_json_that_the_scanner_passes", () => {
    const reader = new QuickReader(ALL);
    let [quick, good] = [0, 0];
    fc.assert(
      fc.property(json, guards, (text, switches) => {
        const expected = slowly(text, switches);
        const reading = createJsonReader(switches)(bytesOf(text));
        if (expected === "syntax")
          expect(reading).toMatchObject({ problems: [{ pointer: "", rule: "syntax" }] });
        else expect(reading).toEqual(expected);
        // One that has read much else before says the same.
        const again = reader.read(bytesOf(text), text);
        const strict = slowly(text, ALL);
        const passes = strict !== "syntax" && strict.kind === "value";
        expect(again).toEqual(passes ? { value: strict.value } : undefined);
        if (passes) good++;
        if (again !== undefined) quick++;
      }),
      { numRuns: RUNS },
    );
    // Or there was nothing to compare.
    expect([quick, good > RUNS / 10]).toEqual([good, true]);
  });

  it.each(['{"a":"\\\\"}', '["\\\\\\"","\\\\\\\\"]', '{"\\"":"\\\\n"}', '"a"', "1", "null", '["\\u0022"]'])(
    "reads %s",
    (text) => {
      expect(quickly(text)).toEqual({ value: JSON.parse(text) });
    },
  );

  it.each([
    ["names that stand twice", '{"a":1,"a":2}'],
    ["one of them written with an escape", '{"a":1,"\\u0061":2}'],
    ["a quote too few and one too many in strings", '{"a":"\\"","a":"\\\\","b":"\\\\\\""}'],
    ["one that has the place of many strings", '{"a":["x","y"],"a":{"b":"x"}}'],
    ["a level too much", "[[[[[]]]]]"],
    ["a half of a pair", '["\\ud800"]'],
    ["a name that poisons", '{"a":{"__proto__":1}}'],
    ["a number without a value", "[1e999]"],
    ["what is no JSON", '{"a":1'],
    ["a control character", '["\u0085"]'],
    ["another", '["\\b"]'],
  ])("passes on %s", (_what, text) => {
    expect(quickly(text)).toBeUndefined();
  });

  it("asks the parser for no object that could have more members than are accepted", () => {
    const members = (count: number): string =>
      `{${Array.from({ length: count }, (_value, at) => `"k${at}":0`).join(",")}}`;
    expect(quickly(members(10_000))?.value).toHaveProperty("k9999", 0);
    expect(quickly(members(10_001))).toBeUndefined();
    expect(quickly(members(10_001), { ...ALL, duplicateKeys: false })).toBeUndefined();
  });

  it("has the parser make nothing of brackets alone", () => {
    const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    const deep = { ...ALL, maxDepth: 256 };
    expect(quickly(nested(32), deep)).toBeDefined();
    expect(quickly(nested(200), deep)).toBeUndefined();
    expect(quickly(`{"a":[${'"text of some length",'.repeat(400)}${nested(200)}]}`, deep)).toBeDefined();
    expect(quickly(`[${Array.from({ length: 500 }, () => "{}").join(",")}]`, deep)).toBeUndefined();
  });

  it("counts beyond one block", () => {
    const few = { ...ALL, maxDepth: 9 };
    const list = `[${Array.from({ length: 4000 }, () => '"some more text than that","a"').join(",")}]`;
    expect(list.length).toBeGreaterThan(2 * 32_768);
    expect(quickly(list, few)?.value).toHaveLength(8000);
    expect(quickly(list.replace("]", ',{"a":1,"a":2}]'), few)).toBeUndefined();
  });

  it("trusts no count where every object has a member more", () => {
    const root = Object.getPrototypeOf({}) as object;
    Object.defineProperty(root, "polluted", { value: 1, enumerable: true, configurable: true });
    const read = ['{"b":1}', '{"a":1,"a":2}'].map((text) => quickly(text));
    Reflect.deleteProperty(root, "polluted");
    expect(read).toEqual([undefined, undefined]);
  });
});
