/** The quick look at a document and the close one agree on what may be looked at. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Report } from "../errors/diagnostics.js";
import { checkBounds, isFine, lookClosely, MAX_DEPTH } from "./bounds.js";
import { parsePolicy } from "./parse.js";
import { SAMPLE } from "./sample.test-support.js";

function closely(value: unknown): { readonly fine: boolean; readonly told: number } {
  const report = new Report();
  return { fine: lookClosely(value, report), told: report.diagnostics.length };
}

const ODD: readonly unknown[] = [
  undefined,
  1n,
  Symbol("s"),
  () => undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  -(2 ** 53),
  1e300,
  "\ud800",
  "a\udc00",
  { "\udfff": 1 },
  { ["__proto__"]: 1 },
  new URLSearchParams(),
  new Date(0),
  new Map(),
  // oxlint-disable-next-line unicorn/no-new-array, no-sparse-arrays -- a hole is no JSON value
  [, 1],
];
const EVEN: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  1.5,
  5e-324,
  2 ** 53 - 1,
  "",
  "\ud83d\ude00",
  Object.create(null),
  Object.assign(Object.create(null) as object, { a: 1 }),
  { constructor: 1, toString: null },
];

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { arbitrary: fc.constantFrom(...EVEN), weight: 8 },
    { arbitrary: fc.constantFrom(...ODD), weight: 1 },
    { arbitrary: fc.array(tie("value"), { maxLength: 4 }), weight: 4 },
    {
      arbitrary: fc.dictionary(fc.string({ maxLength: 3, unit: "binary" }), tie("value"), { maxKeys: 4 }),
      weight: 6,
    },
  ),
}));

const nested = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels)}${"]}".repeat(levels)}`);

describe("the quick look at a document", () => {
  it("finds fine what the close look finds fine, and nothing else", () => {
    const seen = { fine: 0, odd: 0 };
    fc.assert(
      fc.property(value, (document) => {
        const { fine, told } = closely(document);
        expect(isFine(document)).toBe(fine);
        const report = new Report();
        expect([checkBounds(document, report), report.diagnostics.length]).toEqual([fine, told]);
        seen[fine ? "fine" : "odd"] += 1;
      }),
      { numRuns: 2000 },
    );
    // The generator would prove nothing otherwise.
    expect(Math.min(seen.fine, seen.odd)).toBeGreaterThan(100);
  });

  it.each([...ODD, ...EVEN].map((one) => [one]))("agrees on %o wherever it stands", (one) => {
    for (const document of [one, [one], { a: one }, { a: [{ b: one }] }])
      expect(isFine(document)).toBe(closely(document).fine);
    expect(isFine(one)).toBe(EVEN.includes(one));
  });

  it("goes as deep as the close look", () => {
    const half = MAX_DEPTH / 2;
    expect([half - 1, half, half + 1].map((levels) => isFine(nested(levels)))).toEqual(
      [half - 1, half, half + 1].map((levels) => closely(nested(levels)).fine),
    );
    const round: Record<string, unknown> = {};
    round["again"] = round;
    expect([isFine(round), closely(round).fine]).toEqual([false, false]);
  });

  it("counts values as often as they are met", () => {
    const wide = Array.from({ length: 1000 }, () => 1);
    // With the lists themselves and what holds them: a million.
    const most = Array.from({ length: 999 }, () => wide);
    const beyond = [...most, 1];
    expect([most, beyond].map(isFine)).toEqual([most, beyond].map((document) => closely(document).fine));
    expect([most, beyond].map(isFine)).toEqual([true, false]);
  });

  it("is all that a usual document needs", () => {
    expect(isFine(parsePolicy(SAMPLE))).toBe(true);
  });

  it("refuses nothing for what somebody planted where all objects have it", () => {
    const report = new Report();
    // oxlint-disable-next-line no-extend-native -- what a library may do to every object
    Object.defineProperty(Object.prototype, "planted", {
      value: () => 1,
      enumerable: true,
      configurable: true,
    });
    const found = [{ a: { b: 1 } }, { a: undefined }].map((document) => checkBounds(document, report));
    Reflect.deleteProperty(Object.prototype, "planted");
    expect(found).toEqual([true, false]);
    expect(report.diagnostics).toHaveLength(1);
  });
});
