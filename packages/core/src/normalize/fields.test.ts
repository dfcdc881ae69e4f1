/** Header sections read in one go, held to what reading them field by field comes to. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RawRequest } from "../model/request.js";
import { FieldList } from "./field-list.js";
import { FieldReader, type HeaderBounds, trimmed } from "./fields.js";
import { FieldNames } from "./names.js";

const BOUNDS: HeaderBounds = { maxHeaderBytes: 600, maxHeaderCount: 12 };
const SINGLE = ["x-own-key", "host", "content-length", "authorization", "http2-settings", "user-agent"];
const OF_HTTP1 = [
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "proxy-connection",
  "http2-settings",
];
const PSEUDO = [":authority", ":method", ":path", ":scheme"];

/** The rules one after the other, a table of fields, and nothing remembered. */
function slowly(raw: readonly string[], http2: boolean, bounds: HeaderBounds): string | [string, string][] {
  const fields = new Map<string, string>();
  const pseudo = new Set<string>();
  let bytes = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const [written, text] = [raw[at] ?? "", raw[at + 1] ?? ""];
    bytes += written.length + text.length + 4;
    if (at / 2 >= bounds.maxHeaderCount || bytes > bounds.maxHeaderBytes) return "header-section-too-large";
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u.test(written) && !PSEUDO.includes(written))
      return "malformed-request";
    if (/[\r\n\0]/u.test(text)) return "malformed-request";
    const name = written.toLowerCase();
    const value = trimmed(text);
    if (PSEUDO.includes(name)) {
      if (!http2 || fields.size > 0) return "malformed-request";
      if (pseudo.has(name) && name !== ":scheme") return "duplicate-header";
      pseudo.add(name);
      continue;
    }
    if (http2 && OF_HTTP1.includes(name)) return "malformed-request";
    const before = fields.get(name);
    if (before !== undefined && SINGLE.includes(name)) return "duplicate-header";
    fields.set(name, before === undefined ? value : before + (name === "cookie" ? "; " : ", ") + value);
  }
  return [...fields];
}

const inSomeCase = (names: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(names, fc.constantFrom("lower", "upper", "title"))
    .map(([name, how]) =>
      how === "upper" && !name.startsWith(":")
        ? name.toUpperCase()
        : how === "title"
          ? name.replace(/(^|-)[a-z]/gu, (letter) => letter.toUpperCase())
          : name,
    );
const name = fc.oneof(
  { weight: 6, arbitrary: inSomeCase(fc.constantFrom("accept", "cookie", "x-a", "x-b", ...SINGLE)) },
  { weight: 1, arbitrary: inSomeCase(fc.constantFrom(...OF_HTTP1)) },
  { weight: 1, arbitrary: fc.constantFrom(...PSEUDO) },
  { weight: 1, arbitrary: fc.constantFrom("", "x a", "x\n", "é", "X".repeat(70), "x".repeat(70)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2000 }).map((number) => `X-Odd-${number}`) },
);
const value = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("a", "text/html", "", " b\t", "host", "x-a", "y".repeat(40), " ".repeat(30)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(60), fc.constantFrom("\r", "\n", "\0", "\t", "\u0001"), fc.nat(60))
      .map(([before, odd, after]) => "z".repeat(before) + odd + "z".repeat(after)),
  },
);
const section = fc.array(fc.tuple(name, value), { maxLength: 14 });

/** One that has met more names than it remembers. */
function crowded(bounds: HeaderBounds): FieldReader {
  const names = new FieldNames(["x-own-key"]);
  for (let number = 0; number < 1100; number++) {
    names.begin();
    names.find(`x-crowd-${number}`);
  }
  return new FieldReader(names, bounds);
}

function read(reader: FieldReader, raw: RawRequest["headers"], http2: boolean): string | [string, string][] {
  const refusal = reader.read(raw, http2);
  return refusal === undefined ? [...reader.headers] : refusal.code;
}

describe("a header section", () => {
  it.each([
    ["that remembers names", new FieldReader(new FieldNames(["x-own-key"]), BOUNDS)],
    ["that has no room for another name", crowded(BOUNDS)],
  ])("fields_read_in_one_go_are_what_they_are_one_by_one, by a reader %s", (_what, reader) => {
    fc.assert(
      fc.property(section, fc.boolean(), (fields, http2) => {
        const flat = fields.flat();
        const expected = slowly(flat, http2, BOUNDS);
        expect(read(reader, flat, http2)).toEqual(expected);
        expect(read(reader, fields, http2)).toEqual(expected);
        if (Array.isArray(expected)) {
          for (const [lower, text] of expected) expect(reader.headers.get(lower)).toBe(text);
          expect(reader.headers.size).toBe(expected.length);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("holds as many fields, and as many bytes, as the bounds say", () => {
    const reader = new FieldReader(new FieldNames([]), { maxHeaderBytes: 60, maxHeaderCount: 3 });
    const short = ["a", "1", "b", "2", "c", "3"];
    expect(read(reader, short, false)).toHaveLength(3);
    expect(read(reader, [...short, "d", "4"], false)).toBe("header-section-too-large");
    expect(read(reader, ["a", "x".repeat(55)], false)).toHaveLength(1);
    expect(read(reader, ["a", "x".repeat(56)], false)).toBe("header-section-too-large");
  });

  it("joins what stands more than once under a name that was never remembered", () => {
    const reader = crowded({ maxHeaderBytes: 16_384, maxHeaderCount: 100 });
    const long = "x-".padEnd(80, "y");
    for (const name of ["x-new", long]) {
      expect(read(reader, [name, "1", name.toUpperCase(), "2", name, "3"], false)).toEqual([
        [name, "1, 2, 3"],
      ]);
    }
  });

  it.each([1, 11, 12, 13, 14, 40])(
    "CR, LF and NUL are found wherever they stand in %i characters",
    (length) => {
      const reader = new FieldReader(new FieldNames([]), { maxHeaderBytes: 16_384, maxHeaderCount: 100 });
      for (const odd of ["\r", "\n", "\0"]) {
        for (let at = 0; at < length; at++) {
          const text = "a".repeat(at) + odd + "a".repeat(length - at - 1);
          expect(read(reader, ["x-a", text], false)).toBe("malformed-request");
        }
      }
    },
  );
});

describe("a list of fields", () => {
  const list = (): FieldList => new FieldList(["a", "b", "b", "a", "c", ""]);

  it("takes no value for a name", () => {
    expect(["a", "b", "c", ""].map((name) => list().get(name))).toEqual(["b", "a", "", undefined]);
    expect(["a", "c", ""].map((name) => list().has(name))).toEqual([true, true, false]);
    const fields = list();
    fields.remove("");
    fields.remove("b");
    expect([...fields]).toEqual([
      ["a", "b"],
      ["c", ""],
    ]);
  });

  it("reads like a map", () => {
    const fields = list();
    fields.add("d", "e");
    const table = new Map(fields);
    expect([...fields.keys()]).toEqual([...table.keys()]);
    expect([...fields.values()]).toEqual([...table.values()]);
    expect([...fields.entries()]).toEqual([...table.entries()]);
    const seen: [string, string][] = [];
    fields.forEach((text, name) => seen.push([name, text]));
    expect([seen, fields.size]).toEqual([[...table], 4]);
  });
});
