import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORMAT_NAMES, type FormatName } from "../lib/format-names.js";
import { compileAllowedUrl } from "./allowed-url.js";
import { isMultipleOf, itemsAreUnique } from "./equality.js";
import { FORMATS } from "./formats.js";

const TABLE: readonly (readonly [FormatName, good: string, bad: string])[] = [
  [
    "date-time",
    "2026-06-01T12:00:00Z 2026-06-01t12:00:00.5+02:00 2016-12-31T23:59:60Z",
    "2026-06-01T12:00:00 2026-02-29T12:00:00Z 2026-06-01T24:00:00Z 2026-06-01T12:00:60Z 2026-06-01",
  ],
  ["date", "2024-02-29 0000-01-01", "2026-02-29 2026-13-01 2026-00-10 2026-1-1 1900-02-29 +2026-01-01"],
  ["time", "12:00:00Z 00:59:60+01:00", "12:00:00 12:00Z 25:00:00Z 12:00:00+0100 12:00:00+24:00 12:00:60Z"],
  ["duration", "P1Y P1Y2M3D PT1H P4W P1DT12H PT1H0M30S", "P PT P1 1D P1YT P1Y3D PT1H30S P1W2D P1D2H"],
  [
    "email",
    "ann@example.test a.b+c@a-b.example",
    "ann ann@ @example.test a..b@example.test .a@example.test a@-x.test a@exa_mple.test ann@[127.0.0.1]",
  ],
  [
    "hostname",
    "example localhost a-b.example.test xn--nxasmq6b 1.2.3.4",
    "-a.test a-.test a..test a.test. ab--c.test a_b.test",
  ],
  ["ipv4", "127.0.0.1 0.0.0.0 255.255.255.255", "256.0.0.1 1.2.3 01.2.3.4 1.2.3.4.5 0x7f.1.1.1 1.2.3.-4"],
  [
    "ipv6",
    "::1 :: 2001:db8::1 1:2:3:4:5:6:7:8 ::ffff:1.2.3.4 1:2:3:4:5:6:1.2.3.4 1::",
    "1:2:3:4:5:6:7 ::1::2 1:2:3:4:5:6:7:8:9 12345::1 1.2.3.4::1 :1 fe80::1%eth0 ::01.2.3.4 1:2:3:4:5:6:7::8",
  ],
  [
    "uri",
    "https://a.test/b?c#d urn:isbn:1 mailto:a@b.test http://[::1]:80/",
    "a.test/b //a.test :x https://a[/ http://[::g]/ https://a.test/%zz https://a.test/é http://[::01.2.3.4]/",
  ],
  ["uri-reference", "a/b ../c ?x #y //a.test /a:b", ":a a[b %2 \\a 1a:b"],
  ["iri", "https://ä.test/é", "é https://a.test/\u202e"],
  ["iri-reference", "é/ü", "\ue000 a[b"],
  ["uri-template", "/a/{b} {?x,y*} {+p:3} {a.b}", "{ {} a} {a..b} {a,} {!} %zz"],
  [
    "uuid",
    "0197283c-0000-7000-8000-000000000000 0197283C-0000-7000-8000-00000000000A",
    "0197283c00007000800000000000000 urn:uuid:0197283c-0000-7000-8000-000000000000 {0197283c-0000-7000-8000-000000000000}",
  ],
  ["json-pointer", "/ /a/b~0~1 /a//b", "a /a~ /a~2 #/a"],
  ["relative-json-pointer", "0 1/a 2# 10/b", "-1 01/a /a # 1a"],
];

describe("formats", () => {
  it.each(TABLE)("%s", (name, good, bad) => {
    expect(good.split(" ").filter((text) => !FORMATS[name](text))).toEqual([]);
    expect(bad.split(" ").filter((text) => FORMATS[name](text))).toEqual([]);
  });

  it("each has a row", () => {
    expect(TABLE.map(([name]) => name)).toEqual(FORMAT_NAMES);
  });

  it.each(
    FORMAT_NAMES.filter(
      (name) =>
        name !== "uri-reference" &&
        name !== "iri-reference" &&
        name !== "json-pointer" &&
        name !== "uri-template",
    ),
  )("%s is never an empty text, nor one with a line break behind it", (name) => {
    const [first = ""] = TABLE.find(([known]) => known === name)?.[1].split(" ") ?? [];
    expect([FORMATS[name](""), FORMATS[name](`${first}\n`)]).toEqual([false, false]);
  });

  it("B7.119: the_time_of_a_format_grows_with_the_text_alone", () => {
    // Nothing is measured: a backtracking expression would not come back from these within the test's limit.
    const hostile = ["a", "a.", "a-", "1", "::", "1:", "%41", "{a}", "{", "/~0", "@", "P1Y", "\u00e9", ".1"];
    for (const piece of hostile) {
      const text = piece.repeat(20_000);
      for (const name of FORMAT_NAMES) for (const end of ["", "!", "@a", "\u0000"]) FORMATS[name](text + end);
    }
    expect(FORMATS.hostname("a".repeat(64))).toBe(false);
  });

  it("no_text_makes_a_format_throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...FORMAT_NAMES), (text, name) => {
        expect(typeof FORMATS[name](text)).toBe("boolean");
      }),
    );
  });
});

describe("allowedUrl", () => {
  const allowed = compileAllowedUrl({
    schemes: ["https", "http"],
    hosts: ["cdn.example.test", "*.img.example.test", "box.test:8443", "[::1]"],
  });

  it("takes the listed servers, however a path goes on", () => {
    const good = [
      "https://cdn.example.test",
      "https://cdn.example.test/a/../b?c=//evil.test#@evil.test",
      "https://cdn.example.test?a=1&b=/@",
      "HTTPS://CDN.example.test/",
      "https://cdn.example.test:443/",
      "http://cdn.example.test:80/",
      "https://a.img.example.test/",
      "https://box.test:8443/",
      "http://[::1]/",
    ];
    expect(good.filter((url) => !allowed(url))).toEqual([]);
  });

  it("refuses whatever two parsers could read as two servers", () => {
    const bad = [
      "https://evil.test/",
      "https://cdn.example.test.evil.test/",
      "https://img.example.test/",
      "https://.img.example.test/",
      "https://a.b.img.example.test/",
      "https://cdn.example.test@evil.test/",
      "https://cdn.example.test#@evil.test/",
      "https://cdn.example.test?@evil.test/",
      "https://cdn.example.test?a#b@evil.test",
      "https://evil.test\\@cdn.example.test/",
      "https://cdn.example.test\\.evil.test/",
      "https:\\\\cdn.example.test/",
      "https:cdn.example.test",
      "https:///cdn.example.test",
      "//cdn.example.test/",
      " https://cdn.example.test/",
      "https://cdn.example.test/\n",
      "https://cdn.exa\tmple.test/",
      "https://cdn.example.test:8443/",
      "http://cdn.example.test:443/",
      "https://box.test/",
      "https://cdn%2eexample.test/",
      "https://cdn。example.test/",
      "ftp://cdn.example.test/",
      "https://cdn.example.test./",
      "https://0x7f.1/",
      "javascript:alert(1)//https://cdn.example.test/",
    ];
    expect(bad.filter(allowed)).toEqual([]);
  });
});

describe("equality", () => {
  it("a multiple is decided by decimal digits", () => {
    const yes = [
      [19.99, 0.01],
      [0.3, 0.1],
      [1e300, 1e10],
      [-4.5, 1.5],
      [0, 7],
      [1e-7, 1e-8],
    ] as const;
    const no = [
      [19.995, 0.01],
      [1e-9, 1e-8],
      [5, 2],
      [Infinity, 2],
      [1, 3],
    ] as const;
    expect(yes.filter(([value, divisor]) => !isMultipleOf(value, divisor))).toEqual([]);
    expect(no.filter(([value, divisor]) => isMultipleOf(value, divisor))).toEqual([]);
  });

  it("items are unique when no two are equal as JSON", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), (items) => {
        const texts = items.map((item) => JSON.stringify(item, (_name, value: unknown) => sorted(value)));
        expect(itemsAreUnique(items)).toBe(new Set(texts).size === texts.length);
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
