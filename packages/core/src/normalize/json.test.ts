import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonGuards } from "./json-guards.js";
import { inspectJsonValue } from "./json-value.js";
import { type JsonReading, createJsonReader } from "./json.js";

const ALL: JsonGuards = {
  maxDepth: 32,
  prototypeKeys: true,
  controlCharacters: true,
  loneSurrogates: true,
  duplicateKeys: true,
  operatorKeys: true,
};
const NONE: JsonGuards = {
  maxDepth: 32,
  prototypeKeys: false,
  controlCharacters: false,
  loneSurrogates: false,
  duplicateKeys: false,
  operatorKeys: false,
};
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const strict = createJsonReader(ALL);
const lax = createJsonReader(NONE);

function read(text: string, guards?: Partial<JsonGuards>): JsonReading {
  return (guards === undefined ? strict : createJsonReader({ ...ALL, ...guards }))(bytesOf(text));
}

/** Pointer and rule of what was found. */
function found(reading: JsonReading): string[] {
  return reading.kind === "value" ? [] : reading.problems.map(({ pointer, rule }) => `${pointer} ${rule}`);
}

describe("one reading of JSON bytes", () => {
  it("a problem has a place, a rule and words, and no value", () => {
    expect(read('{"secret":1,"a":{"secret":"x","secret":"y"}}')).toEqual({
      kind: "malformed",
      problems: [
        { pointer: "/a/secret", rule: "duplicate-key", message: "is a member name that stands twice" },
      ],
    });
  });

  it.each([
    [
      "a whole object",
      '{"a":[1,2.5,-3e2,true,false,null,"x"]}',
      { a: [1, 2.5, -300, true, false, null, "x"] },
    ],
    ["blanks everywhere", ' \t\r\n{ "a" : [ 1 , 2 ] } ', { a: [1, 2] }],
    ["a bare scalar", '"x"', "x"],
    ["brackets and commas in strings", '{"a,]}":"[{:\\"\\\\"}', { "a,]}": '[{:"\\' }],
    ["an empty name", '{"":{"":1}}', { "": { "": 1 } }],
    ["one name in many objects", '[{"a":1},{"a":1},{"a":{"a":1}}]', [{ a: 1 }, { a: 1 }, { a: { a: 1 } }]],
    ["a name after an object that had it", '{"x":{"b":1},"b":2}', { x: { b: 1 }, b: 2 }],
    ["300 digits", `[${"9".repeat(300)}]`, [1e300]],
  ])("reads %s", (_name, text, value) => {
    expect(read(text)).toEqual({ kind: "value", value });
  });

  it.each([
    ["a second spelling of a name", '{"a":1,"\\u0061":2}', ["/a duplicate-key"]],
    ["an escaped name first", '{"\\u0061":1,"a":2}', ["/a duplicate-key"]],
    ["a name after a nested object", '{"a":{"b":1},"a":2}', ["/a duplicate-key"]],
    [
      "a name three times",
      '{"a":1,"a":2,"a":3}',
      ["/a duplicate-key", "/a duplicate-key", "/a duplicate-key"],
    ],
    ["names in a list", '[0,{"x":[{"b":1,"b":1}]}]', ["/1/x/0/b duplicate-key"]],
    [
      "operators",
      '{"$where":1,"a.b":{"\\u0024x":1}}',
      ["/$where operator-key", "/a.b operator-key", "/a.b/$x operator-key"],
    ],
    [
      "prototypes",
      '{"__proto__":{"constructor":{"prototype":1}}}',
      [
        "/__proto__ prototype-key",
        "/__proto__/constructor prototype-key",
        "/__proto__/constructor/prototype prototype-key",
      ],
    ],
    [
      "control characters",
      '["\\u0000","\\u001f","\\b","\\f","\u007f","\u0085","\\u009f"]',
      [0, 1, 2, 3, 4, 5, 6].map((at) => `/${at} control-character`),
    ],
    [
      "lone surrogates",
      '["\\uD800","\\udfff","\\ud83dx","\\ud83d\\ud83d\\ude00"]',
      ["/0 lone-surrogate", "/1 lone-surrogate", "/2 lone-surrogate", "/3 lone-surrogate"],
    ],
    ["numbers without a value", "[1e400,-1e999,1e308]", ["/0 number-range", "/1 number-range"]],
    ["tildes and slashes in names", '{"a/b~c":{"x":1,"x":1}}', ["/a~1b~0c/x duplicate-key"]],
  ])("finds %s", (_name, text, problems) => {
    expect(found(read(text))).toEqual(problems);
  });

  it("a name stands twice among many too", () => {
    const names = Array.from({ length: 200 }, (_value, at) => `"name${at}":0`);
    expect(found(read(`{${names.join(",")}}`))).toEqual([]);
    expect(found(read(`{${[...names, '"name3":1', '"name\\u0031":1'].join(",")}}`))).toEqual([
      "/name3 duplicate-key",
      "/name1 duplicate-key",
    ]);
  });

  it("names whose hashes are alike are two names", () => {
    // "Aa" and "BB" have one hash under multiplication by 31.
    expect(found(read('{"Aa":1,"BB":2,"AaAa":3,"BBBB":4}'))).toEqual([]);
  });

  it("each guard has a switch of its own", () => {
    const text = '{"a":"\\u0000","a":"\\ud800","$x":1,"constructor":2}';
    expect(found(read(text)).sort()).toEqual([
      "/$x operator-key",
      "/a control-character",
      "/a duplicate-key",
      "/a lone-surrogate",
      "/constructor prototype-key",
    ]);
    const off = (guard: keyof JsonGuards): string[] => found(read(text, { [guard]: false })).sort();
    expect(off("operatorKeys")).not.toContain("/$x operator-key");
    expect(off("controlCharacters")).not.toContain("/a control-character");
    expect(off("duplicateKeys")).not.toContain("/a duplicate-key");
    expect(off("loneSurrogates")).not.toContain("/a lone-surrogate");
    expect(off("prototypeKeys")).not.toContain("/constructor prototype-key");
    expect(lax(bytesOf(text))).toEqual({ kind: "value", value: { a: "\ud800", $x: 1, constructor: 2 } });
  });

  it.each([
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ["a truncated character", [0x22, 0xc3]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16 with a mark", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])("%s is no UTF-8", (_name, bytes) => {
    expect(found(strict(Uint8Array.from(bytes)))).toEqual([" encoding"]);
  });

  it("B7.115: 100,000 levels are refused at the first that is too deep", () => {
    const deep = "/0".repeat(32);
    expect(found(read("[".repeat(100_000) + "]".repeat(100_000)))).toEqual([`${deep} depth`]);
    expect(found(read('{"a":'.repeat(100_000)))).toEqual([`${"/a".repeat(32)} depth`]);
    expect(found(read("[[[]]]", { maxDepth: 3 }))).toEqual([]);
    expect(found(read("[[[{}]]]", { maxDepth: 3 }))).toEqual(["/0/0/0 depth"]);
    expect(found(read("[[]]]]]]]]", { maxDepth: 3 }))).toEqual([" syntax"]);
  });

  it("B7.121: an object has at most 10,000 members", () => {
    const object = (count: number): string =>
      `{${Array.from({ length: count }, (_value, at) => `"k${at}":0`).join(",")}}`;
    expect(found(read(object(10_000)))).toEqual([]);
    expect(found(read(object(10_001)))).toEqual(["/k10000 too-many-keys"]);
    expect(found(read(object(10_001), { duplicateKeys: false }))).toEqual(["/k10000 too-many-keys"]);
  });

  it("a refusal lists twenty problems at most, and cuts a long name short", () => {
    expect(found(read(`[${Array.from({ length: 50 }, () => '"\\u0000"').join(",")}]`))).toHaveLength(20);
    expect(found(read(`{"$${"x".repeat(5000)}":1}`))).toEqual([`/$${"x".repeat(63)}… operator-key`]);
  });

  it("reads again after a refusal as if nothing had been", () => {
    const reader = createJsonReader(ALL);
    expect(found(reader(bytesOf('{"a":[{"b":1,"b":2}')))).toEqual(["/a/0/b duplicate-key"]);
    expect(reader(bytesOf('{"b":1,"a":[]}'))).toEqual({ kind: "value", value: { b: 1, a: [] } });
  });
});

describe("properties", () => {
  const names = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("__proto__", "a.b", "$x", "constructor"),
  );
  const values = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: "binary" }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 5 }),
      fc.array(fc.tuple(names, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).value;

  it("what_the_engine_reads_is_what_was_written", () => {
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(lax(bytesOf(text))).toEqual({ kind: "value", value: JSON.parse(text) as unknown });
      }),
    );
  });

  it("bytes_and_values_meet_the_same_guards", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = JSON.stringify(value);
        const ofBytes = found(strict(bytesOf(text)));
        const ofValue = inspectJsonValue(JSON.parse(text), ALL) ?? [];
        const rules = (list: readonly string[]): string[] => [...new Set(list)].sort();
        // Where several guards hit one name, bytes name each; what is refused, and where, is the same.
        const places = (list: readonly string[]): string[] =>
          rules(list.map((one) => one.slice(0, one.lastIndexOf(" "))));
        if (ofBytes.length >= 20 || ofValue.length >= 20) return;
        expect(places(ofValue.map(({ pointer, rule }) => `${pointer} ${rule}`))).toEqual(places(ofBytes));
      }),
    );
  });

  it("a_name_never_stands_twice_in_what_passes", () => {
    const members = fc.array(fc.tuple(fc.constantFrom("a", "b", "aa", "Aa", "BB", "\\u0061"), fc.nat(3)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(members, (entries) => {
        const spelled = entries.map(([name]) => JSON.parse(`"${name}"`) as string);
        const text = `{"x":{${entries.map(([name, value]) => `"${name}":${value}`).join(",")}}}`;
        expect(strict(bytesOf(text)).kind).toBe(
          new Set(spelled).size === spelled.length ? "value" : "malformed",
        );
      }),
    );
  });

  it("no_bytes_make_it_throw_or_read_more_than_the_parser", () => {
    const fragments = fc.array(
      fc.constantFrom(
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        "\\",
        "\\u",
        "d800",
        "1",
        "e9",
        "-",
        "true",
        "a",
        " ",
      ),
      { maxLength: 30 },
    );
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fragments.map((parts) => bytesOf(parts.join(""))),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const reading = strict(bytes);
        if (reading.kind !== "value") return;
        expect(reading.value).toEqual(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
      }),
    );
  });

  it("no_body_changes_object_prototype", () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    lax(bytesOf('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect("polluted" in {}).toBe(false);
  });
});

describe("a value that somebody else parsed", () => {
  it.each([
    ["a cycle", cycle(), ["/self".repeat(32) + " depth"]],
    ["Infinity", { a: Infinity }, ["/a number-range"]],
    ["what is no JSON", { a: () => 1, b: 1n, c: undefined }, ["/a syntax", "/b syntax", "/c syntax"]],
    ["names and texts", { $a: "\u0000" }, ["/$a operator-key", "/$a control-character"]],
  ])("%s is refused", (_name, value, problems) => {
    expect(inspectJsonValue(value, ALL)?.map(({ pointer, rule }) => `${pointer} ${rule}`)).toEqual(problems);
  });

  it("passes what the guards let pass", () => {
    expect(inspectJsonValue({ a: [1, "x", null, true] }, ALL)).toBeUndefined();
  });
});

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value["self"] = value;
  return value;
}
