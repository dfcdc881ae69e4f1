import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonBytes } from "../../lib/json-bytes.js";
import { bitsOfType } from "./json-type.js";
import * as number from "./scan-number.js";

const RUNS = Number(process.env["FC_RUNS"] ?? 2000);
const NUMBER = bitsOfType("number");
const INTEGER = bitsOfType("integer");

const afterWrittenNumber = (text: string, at: number, types: number) =>
  number.afterWrittenNumber(JsonBytes.of(text), at, types);

const digits = (most: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789".split("")), minLength: 1, maxLength: most });
const spelled = fc
  .tuple(
    fc.constantFrom("", "-"),
    digits(20),
    fc.option(
      digits(20).map((fraction) => `.${fraction}`),
      { nil: "" },
    ),
    fc.option(
      fc.tuple(fc.constantFrom("e", "E", "e-", "e+"), digits(3)).map((parts) => parts.join("")),
      { nil: "", freq: 2 },
    ),
  )
  .map((parts) => parts.join(""));
const small = fc.nat(99).map((value) => `0.${"0".repeat(value % 9)}${value}`);

it("what_is_copied_is_what_would_be_written", () => {
  fc.assert(
    fc.property(fc.oneof(spelled, small, fc.double().map(String), fc.integer().map(String)), (text) => {
      const [asNumber, asInteger] = [NUMBER, INTEGER].map((types) =>
        afterWrittenNumber(`${text},`, 0, types),
      );
      const value = Number(text);
      const same = /^-?\d/u.test(text) && Number.isFinite(value) && String(value) === text;
      // What ends before the text does leaves a rest that is no comma.
      expect(asNumber === text.length).toBe(same);
      expect(asInteger === text.length).toBe(same && Number.isInteger(value));
      expect(afterWrittenNumber(text, 0, bitsOfType("string"))).toBe(-1);
    }),
    { numRuns: RUNS },
  );
});

it.each(["1.2.3", "01", "-", "1.", "--1", "1e400"])("refuses %s as a whole", (text) => {
  expect(afterWrittenNumber(text, 0, NUMBER)).not.toBe(text.length);
});
