import fc from "fast-check";
import { expect, it } from "vitest";
import { correlationOf } from "./correlation.js";

it("takes a well-formed id over", () => {
  expect(correlationOf("Az09._-", "own")).toBe("Az09._-");
  expect(correlationOf("a".repeat(64), "own")).toBe("a".repeat(64));
});

it.each([
  undefined,
  "",
  "a".repeat(65),
  "a b",
  "a,b",
  "a\r\nX: y",
  "a\n",
  "\u0000",
  "é",
  "<b>",
  "a/b",
  "a, a",
])("goes by its own id instead of %j (B8.133)", (sent) => {
  expect(correlationOf(sent, "own")).toBe("own");
});

it("nothing_else_of_the_caller_is_reflected", () => {
  fc.assert(
    fc.property(fc.string(), (sent) => {
      const id = correlationOf(sent, "own");
      expect(id === "own" || (id === sent && /^[A-Za-z0-9._-]{1,64}$/u.test(id))).toBe(true);
    }),
  );
});
