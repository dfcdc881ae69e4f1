import { expect, it } from "vitest";
import { isFieldName, isFieldValue, isFramingField } from "./header-field.js";

it("knows tokens", () => {
  expect(["X-Request-Id", "a", "!#$%&'*+.^_`|~0"].map(isFieldName)).toEqual([true, true, true]);
  expect(["", "a b", "a:", "a\r", "é", "(a)"].map(isFieldName)).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});

it("takes values that no server or proxy reads two ways (B8.132)", () => {
  expect(["a", "a b", "a\tb", "default-src 'none'; a"].map(isFieldValue)).toEqual([true, true, true, true]);
  const bad = ["", " a", "a ", "a\r\nX: y", "a\nb", "a\u0000", "é", "a\u007f", "\t"];
  expect(bad.filter(isFieldValue)).toEqual([]);
});

it("knows the fields that frame a message", () => {
  expect(["content-length", "transfer-encoding", "connection", "upgrade"].every(isFramingField)).toBe(true);
  expect(isFramingField("cache-control")).toBe(false);
});
