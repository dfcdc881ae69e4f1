/** What the scan remembers of names. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "../../lib/bytes.js";
import { JsonBytes } from "../../lib/json-bytes.js";
import { OBJECT } from "./json-type.js";
import type { Node } from "./node.js";
import type { MakeMemberScanner, Scanning } from "./scan-code.js";
import { ScanPlan, stands } from "./scan-plan.js";

const child = {} as Node;
const long = "n".repeat(100);
const node = {
  types: OBJECT,
  isClosed: true,
  members: {
    named: new Map([
      ["a", child],
      [`${long}!`, child],
    ]),
  },
} as unknown as Node;
const plan = (make?: MakeMemberScanner): ScanPlan => new ScanPlan(node, make);

it("remembers names of few members, and no long one that is data", () => {
  const one = plan();
  expect(one.find("b", 0, 4)).toMatchObject({ length: 4, step: undefined, bit: 0 });
  expect(one.find(long, 1, 103)).toMatchObject({ length: 103, step: undefined, bit: 0 });
  expect(one.find("c", 64, 4)).toMatchObject({ length: 4, step: undefined, bit: 0 });
  expect(one.guessed.map(({ length }) => length)).toEqual([4]);
});

it("leads from a declared name to its step, wherever it stands and however long it is", () => {
  const one = plan();
  const [first, other] = [one.find("a", 0, 4), one.find(`${long}!`, 1, 104)];
  expect([first.step, first.length, other.step, other.length]).toEqual([child, 4, child, 104]);
  expect(one.guessed).toEqual([first, other]);
  expect(one.find("a", 9000, 4)).toBe(first);
});

it("finds_a_name_where_it_stands_and_nowhere_else", () => {
  const names = fc.oneof(
    fc.constantFrom("", "a", "ab", "abc", "abcd", "é", "née"),
    fc.string({ maxLength: 12 }).filter((name) => JSON.stringify(name) === `"${name}"`),
  );
  fc.assert(
    fc.property(names, names, fc.nat(3), (name, other, cut) => {
      const member = plan().find(name, 0, 0);
      const text = JsonBytes.of(`,"${other}":`.slice(0, cut === 0 ? undefined : -cut));
      // The empty one is looked up.
      expect(stands(text, 1, member)).toBe(name !== "" && name === other && cut === 0);
    }),
  );
});

/** Long texts have rooms of their own, with little behind them. */
it("looks for no name behind the last byte that there is", () => {
  const member = plan().find("a name that is long", 0, 0);
  for (const text of ["", '"', '"a name', '"a name that is long"'])
    expect(stands(JsonBytes.of(utf8("x".repeat(300_000) + text)), 300_000, member)).toBe(false);
});

it("has code made for what was alike several times, and not for ever", () => {
  const asked: number[] = [];
  const one = plan((_, members) => {
    asked.push(members.length);
    return () => 7;
  });
  for (let round = 0; round < 20; round++) {
    one.find(round % 2 === 0 ? "a" : "b", 0, 4);
    for (let count = 0; count < 3; count++) one.scanned(node, 1);
    expect(asked).toHaveLength(Math.min(round, 4));
    for (let count = 0; count < 3; count++) one.scanned(node, 1);
  }
  expect(one.code?.({} as Scanning, 0, 0)).toBe(7);
  expect(asked).toEqual([1, 1, 1, 1]);
});
