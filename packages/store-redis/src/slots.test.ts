/** Where keys lie. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { redisKey, slotOf } from "./slots.js";

it.each([
  // From the cluster specification: CRC16 of 123456789 is 0x31C3.
  ["123456789", 0x31c3],
  ["", 0],
  ["{user1000}.following", slotOf("user1000")],
  ["foo{}{bar}", slotOf("foo{}{bar}")],
  ["foo{{bar}}zap", slotOf("{bar")],
  ["foo{bar}{zap}", slotOf("bar")],
])("%s lies in slot %i", (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

it("what a tag is taken from is what stands behind the second colon, or the first", () => {
  expect(redisKey("g:", "few:s10:9=127.0.0.1")).toBe("g:few:s10:{.9=127.0.0.1}");
  expect(redisKey("g:", "few:9=127.0.0.1")).toBe("g:few:{.9=127.0.0.1}");
  expect(redisKey("g:", "few:s10:")).toBe("g:few:s10:{.}");
  expect(redisKey("g:", "few")).toBe("g:{.few}");
});

it("limits of one caller lie together, and no two keys are one", () => {
  const rest = fc.string({ unit: fc.constantFrom("{", "}", ".", ":", "a", "é"), maxLength: 12 });
  fc.assert(
    fc.property(rest, rest, (one, other) => {
      expect(slotOf(redisKey("g:", `a:t:${one}`))).toBe(slotOf(`${redisKey("g:", `bcd:s1000:${one}`)}!`));
      expect(redisKey("g:", `a:t:${one}`) === redisKey("g:", `a:t:${other}`)).toBe(one === other);
    }),
  );
});
