import fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "./bytes.js";
import { JsonBytes } from "./json-bytes.js";
import { afterPlainString, afterValue } from "./json-steps.js";

/** Below and above what shares its memory. */
const repeats = fc.constantFrom(1, 1, 1, 3_000, 30_000);

it("holds_a_text_as_it_is_in_utf8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), repeats, (part, count) => {
      const text = part.repeat(count);
      const expected = utf8(text);
      for (const given of [text, expected]) {
        const { bytes, length } = JsonBytes.of(given);
        expect(Buffer.compare(bytes.subarray(0, length), expected)).toBe(0);
        expect([...bytes.subarray(length, length + 4)]).toEqual([0, 0, 0, 0]);
      }
    }),
    { numRuns: 60 },
  );
});

it.each(["", "[", '["', '["a', '["a"', '["a",', '["a","b"', '["\\', '["\\u', "[1", "[tr", '["a\u00e9'])(
  "ends_nothing_with_the_rest_of_the_text_before_it: %s",
  (text) => {
    JsonBytes.of(`["a","b",1]`.padEnd(40, '"]'));
    expect(afterValue(JsonBytes.of(text), 0, 0)).toBe(-1);
    JsonBytes.of(`["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","b",1]`);
    expect(afterValue(JsonBytes.of(text), 0, 0)).toBe(-1);
  },
);

it("is a copy", () => {
  const given = utf8("[1]");
  const text = JsonBytes.of(given);
  given.fill(0x20);
  expect(text.slice(0, 3)).toBe("[1]");
});

it("keeps a byte order mark, which a decoder would leave out", () => {
  expect(JsonBytes.of('["\ufeffa"]').slice(2, 6)).toBe("\ufeffa");
});

/** A room is reckoned with a sixteenth more bytes than the text has characters, and encoding may write into the bytes of its end. */
it.each([16_384, 262_144, 319_000])(
  "holds texts of about %i bytes, however many its room has",
  (capacity) => {
    for (let size = capacity - 2; size <= capacity + 5; size++) {
      for (const wide of [1, 900, Math.floor(size / 17), Math.ceil(size / 17), Math.floor(size / 17) + 2]) {
        const text = "\u00e9".repeat(wide) + "x".repeat(size - 2 * wide);
        JsonBytes.of("y".repeat(Math.min(capacity, 262_144)));
        const { bytes, length } = JsonBytes.of(text);
        expect(Buffer.compare(bytes.subarray(0, length), utf8(text))).toBe(0);
        expect([...bytes.subarray(length, length + 4)]).toEqual([0, 0, 0, 0]);
      }
    }
  },
);

it.each([
  "c080",
  "c1bf",
  "e09fbf",
  "eda080",
  "edbfbf",
  "f08fbfbf",
  "f4908080",
  "f5808080",
  "e282",
  "f09f98",
  "80",
])("steps over no string that holds %s, which is no UTF-8", (broken) => {
  for (let before = 0; before < 8; before++) {
    const bytes = Buffer.concat([utf8(`"${"x".repeat(before)}`), Buffer.from(broken, "hex"), utf8('"')]);
    const text = JsonBytes.of(bytes);
    expect([afterValue(text, 0, 0), afterPlainString(text, 1)]).toEqual([-1, -1]);
  }
});
