/** What the scan remembers of names. */
import { expect, it } from "vitest";
import { OBJECT } from "./json-type.js";
import type { Node } from "./node.js";
import { ScanPlan } from "./scan-plan.js";

const child = {} as Node;
const long = "n".repeat(100);
const plan = (): ScanPlan =>
  new ScanPlan({
    types: OBJECT,
    isClosed: true,
    members: {
      named: new Map([
        ["a", child],
        [`${long}!`, child],
      ]),
    },
  } as unknown as Node);

it("remembers names of few members, and no long one that is data", () => {
  const one = plan();
  expect(one.find("b", 0)).toMatchObject({ length: 4, step: undefined, bit: 0 });
  expect(one.find(long, 1)).toMatchObject({ length: 103, step: undefined, bit: 0 });
  expect(one.find("c", 64)).toMatchObject({ length: 4, step: undefined, bit: 0 });
  expect(one.guessed.map(({ length }) => length)).toEqual([4]);
});

it("leads from a declared name to its step, wherever it stands and however long it is", () => {
  const one = plan();
  const [first, other] = [one.find("a", 0), one.find(`${long}!`, 1)];
  expect([first.step, first.length, other.step, other.length]).toEqual([child, 4, child, 104]);
  expect(one.guessed).toEqual([first, other]);
  expect(one.find("a", 9000)).toBe(first);
});
