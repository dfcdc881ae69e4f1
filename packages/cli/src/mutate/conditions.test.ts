import { expect, it } from "vitest";
import { conditionMutants } from "./conditions.js";

const changed = (text: string): unknown[] =>
  conditionMutants(text, "/when").map(({ edits }) => edits[0]?.value);

it("turns operators, operands, negations and literals round", () => {
  expect(changed("principal.tenant == params.tenant")).toEqual([
    "true",
    "false",
    "principal.tenant != params.tenant",
  ]);
  expect(changed("a.x < 3 || !b.y")).toEqual([
    "true",
    "false",
    "true || !b.y",
    "false || !b.y",
    "a.x <= 3 || !b.y",
    "a.x >= 3 || !b.y",
    "a.x < 4 || !b.y",
    "a.x < 2 || !b.y",
    "a.x < 3 || true",
    "a.x < 3 || false",
    "a.x < 3 || b.y",
    "a.x < 3 && !b.y",
  ]);
});

it("keeps parentheses whole, and leaves what stands in quotes alone", () => {
  const found = changed("(a.x == 'b || c' || a.y) && a.z");
  expect(found).toContain("(true) && a.z");
  expect(found).toContain("(a.x == 'b || c' && a.y) && a.z");
  expect(found).toContain("(a.x == 'b || c' || a.y) || a.z");
  expect(found).toContain("(a.x == '' || a.y) && a.z");
  for (const text of found) expect(text).not.toContain("b && c");
});

it("makes nothing of a text that is no condition", () => {
  expect(conditionMutants("a ==", "/when")).toEqual([]);
});
