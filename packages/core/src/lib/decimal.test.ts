/** A text that is joined out of a table is the one that JavaScript would write. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decimal } from "./decimal.js";

it("fast path: a whole number is written as always", () => {
  const whole = fc.oneof(
    fc.nat({ max: 1100 }),
    fc.nat({ max: 1_001_000 }),
    fc.integer({ min: 999_000, max: 1_001_000 }),
    fc.nat({ max: 1_001_000_000 }),
    fc.integer({ min: 999_999_000, max: 1_000_001_000 }),
    fc.maxSafeNat(),
  );
  fc.assert(
    fc.property(whole, (number) => {
      expect(decimal(number)).toBe(String(number));
    }),
    { numRuns: 2000 },
  );
});
