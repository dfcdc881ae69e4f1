/** What is remembered of a refusal, and for how long. */
import { expect, it } from "vitest";
import type { LimitOp, Penalty, TakePart } from "@gatehouse/core";
import { Denials } from "./denials.js";

const SECOND = 1_000_000;
const gcra = (key: string, more: object = {}): LimitOp => ({
  kind: "gcra",
  key,
  emissionUs: 10,
  burst: 5,
  cost: 2,
  ...more,
});
const penalty: Penalty = { after: 2, blockUs: SECOND, factor: 2, maxUs: SECOND };
const no = (retryUs: number): TakePart => ({ allowed: false, remaining: 0, resetUs: retryUs + 5, retryUs });
const yes: TakePart = { allowed: true, remaining: 3, resetUs: 7, retryUs: 0 };

function learned(ops: readonly LimitOp[], per: readonly TakePart[], blocked = false): Denials {
  const denials = new Denials();
  const allowed = per.every((part) => part.allowed);
  denials.learn(ops, { allowed, per, blocked: () => blocked }, 100, () => 150);
  return denials;
}

it("is refused until the first instant at which it might pass, counted from when it was asked", () => {
  const denials = learned([gcra("a:1")], [no(40)]);
  expect(denials.find([gcra("a:1")], 139)?.allowed).toBe(false);
  expect(denials.find([gcra("a:1")], 140)).toBeUndefined();
});

it("names a wait that is never too short, counted from when it was heard", () => {
  const per = learned([gcra("a:1")], [no(400)]).find([gcra("a:1")], 250)?.per;
  expect(per).toEqual([{ allowed: false, remaining: 0, resetUs: 305, retryUs: 300 }]);
});

it("lasts a second at most", () => {
  const denials = learned([gcra("a:1")], [no(3600 * SECOND)]);
  expect(denials.find([gcra("a:1")], 100 + SECOND - 1)).toBeDefined();
  expect(denials.find([gcra("a:1")], 100 + SECOND)).toBeUndefined();
  expect(denials.reopens([gcra("a:1")], 100 + SECOND)).toBe("a:1");
});

it.each<[string, LimitOp, boolean]>([
  ["the same", gcra("a:1"), true],
  ["a dearer one", gcra("a:1", { cost: 3 }), true],
  ["a cheaper one", gcra("a:1", { cost: 1 }), false],
  ["a limit that was raised", gcra("a:1", { burst: 6 }), false],
  ["a faster one", gcra("a:1", { emissionUs: 9 }), false],
  ["another caller", gcra("a:2"), false],
])("%s: %s", (_what, op, refused) => {
  expect(learned([gcra("a:1")], [no(400)]).find([op], 200) !== undefined).toBe(refused);
});

it("holds for the same set of limits alone", () => {
  const both = [gcra("a:1"), gcra("b:1")];
  const denials = learned(both, [no(400), yes]);
  expect(denials.find(both, 200)?.per[1]).toEqual({ ...yes, resetUs: 0 });
  expect(denials.find([gcra("a:1")], 200)).toBeUndefined();
  expect(denials.find([gcra("b:1")], 200)).toBeUndefined();
});

it("a refusal that strikes is not remembered, whichever limit it is that strikes, but while a block lasts", () => {
  const struck = gcra("b:1", { penalty });
  expect(learned([struck], [no(400)]).find([struck], 200)).toBeUndefined();
  expect(learned([gcra("a:1"), struck], [no(400), yes]).find([gcra("a:1"), struck], 200)).toBeUndefined();
  expect(learned([struck], [no(400)], true).find([struck], 200)).toBeDefined();
  const outcomes = gcra("b:1", { penalty: { ...penalty, strikes: "outcomes" } });
  expect(learned([outcomes], [no(400)]).find([outcomes], 200)).toBeDefined();
});

it("a slot may be free again at any time", () => {
  const lease: LimitOp = { kind: "lease", key: "l:1", limit: 1, leaseUs: SECOND, holder: "h" };
  expect(learned([lease], [no(400)]).find([lease], 200)).toBeUndefined();
});

it("forgets what was given back, and what has room again", () => {
  const denials = learned([gcra("a:1")], [no(400)]);
  denials.forget("a:1");
  expect(denials.find([gcra("a:1")], 200)).toBeUndefined();
  const reopened = learned([gcra("a:1")], [no(40)]);
  reopened.learn(
    [gcra("a:1")],
    { allowed: true, per: [{ ...yes, remaining: 0 }], blocked: () => false },
    200,
    () => 201,
  );
  expect(reopened.reopens([gcra("a:1")], 300)).toBe("a:1");
  reopened.learn([gcra("a:1")], { allowed: true, per: [yes], blocked: () => false }, 400, () => 401);
  expect(reopened.reopens([gcra("a:1")], 500)).toBeUndefined();
});

it("is bounded", () => {
  const denials = new Denials();
  for (let n = 0; n < 5000; n++) {
    denials.learn([gcra(`a:${n}`)], { allowed: false, per: [no(400)], blocked: () => false }, 100, () => 150);
  }
  expect(denials.find([gcra("a:0")], 200)).toBeUndefined();
  expect(denials.find([gcra("a:4999")], 200)).toBeDefined();
});
