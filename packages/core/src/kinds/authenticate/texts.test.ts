import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedTexts, textsFrom, textsOf } from "./texts.js";

const TEXT = fc.constantFrom("", "a", "b", "a b", "1:a", "a:b", "a1:b", " a", "a  b", "admin", "1:a1:b");
const VALUE = fc.oneof(
  TEXT,
  fc.array(TEXT, { maxLength: 3 }),
  fc.array(fc.oneof(TEXT, fc.constantFrom<unknown>(1, null, [], ["a"])), { maxLength: 3 }),
  fc.constantFrom<unknown>(undefined, null, 1, true, {}),
);

describe("SharedTexts", () => {
  it("shared_texts_are_the_texts", () => {
    const shared = new SharedTexts();
    fc.assert(
      fc.property(VALUE, (value) => {
        expect(shared.of(value)).toEqual(textsOf(value));
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps one object of equal values, and none of the caller's", () => {
    const shared = new SharedTexts();
    const roles = ["admin", "clerk"];
    const first = shared.of(roles);
    roles.push("root");
    expect(shared.of(["admin", "clerk"])).toBe(first);
    expect(first).toEqual(textsFrom(["admin", "clerk"]));
    expect(shared.of("admin clerk")).toBe(shared.of("admin clerk"));
    expect([first, first?.all, first?.list].map((value) => Object.isFrozen(value))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("takes no list for another one that looks like it", () => {
    const shared = new SharedTexts();
    const lists = [["a", "b"], ["a:b"], ["a1:b"], ["1:a", "b"], ["1:a1:b"], ["ab"], ["a b"], ["", "a"]];
    for (const list of [...lists, ...lists]) {
      expect(shared.of(list)).toEqual(textsOf(list));
      expect(shared.of(list.join(" "))).toEqual(textsOf(list.join(" ")));
    }
  });

  it("stays right however many lists there are, and however long", () => {
    const shared = new SharedTexts();
    for (let turn = 0; turn < 2; turn += 1) {
      for (let index = 0; index < 600; index += 1)
        expect(shared.of([`r${index}`])?.list).toEqual([`r${index}`]);
    }
    const long = Array.from({ length: 300 }, (_, index) => `role-${index}`);
    expect(shared.of(long)?.list).toEqual(long);
    expect(shared.of(long.join(" "))?.list).toEqual(long);
  });
});
