import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeJson } from "./json-escape.js";

it("escapes what could end a script, open a tag or an entity, or end a line", () => {
  expect(escapeJson('{"a":"</script>&\u2028\u2029"}')).toBe(
    '{"a":"\\u003c/script\\u003e\\u0026\\u2028\\u2029"}',
  );
});

it("returns the same text where nothing has to be escaped", () => {
  expect(escapeJson('{"a":"b\\u003c"}')).toBe('{"a":"b\\u003c"}');
});

it("means_the_same_value_and_holds_no_unsafe_character", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.string({ unit: fc.constantFrom("<", ">", "&", "\u2028", "\u2029", "a", "\\", '"') }),
      (value, text) => {
        const json = JSON.stringify({ value, text });
        const escaped = escapeJson(json);
        expect(JSON.parse(escaped)).toEqual(JSON.parse(json));
        expect(escaped).not.toMatch(/[<>&\u2028\u2029]/u);
      },
    ),
  );
});
