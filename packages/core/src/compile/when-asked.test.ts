import { expect, it } from "vitest";
import { whenAsked } from "./when-asked.js";

it("makes nothing that nobody asks for, and nothing twice", () => {
  const made: string[] = [];
  const at = whenAsked([{ name: "a" }, { name: "b" }, { name: "c" }], ({ name }) => {
    made.push(name);
    return { of: name };
  });
  expect(made).toEqual([]);
  const first = at(1);
  expect(first).toEqual({ of: "b" });
  expect(at(1)).toBe(first);
  expect(at(0)).toEqual({ of: "a" });
  expect(made).toEqual(["b", "a"]);
  expect([at(3), at(-1)]).toEqual([undefined, undefined]);
});

it("makes again what could not be made", () => {
  let tries = 0;
  const at = whenAsked([{}], () => {
    tries += 1;
    if (tries === 1) throw new Error("not now");
    return { tries };
  });
  expect(() => at(0)).toThrow("not now");
  expect(at(0)).toEqual({ tries: 2 });
});
