/** Bounds hold whatever is asked. */
import { expect, it } from "vitest";
import { Pace } from "./pace.js";

it("sends no more than it may", async () => {
  const pace = new Pace({ rate: 10_000, maxRequests: 2, wait: 0 });
  expect([await pace.turn(), await pace.turn(), await pace.turn()]).toEqual([true, true, false]);
  expect([pace.sent, pace.left]).toEqual([2, 0]);
});

it("waits for limits no longer than it may, in all", async () => {
  const pace = new Pace({ rate: 10_000, maxRequests: 2, wait: 10 });
  expect([await pace.rest(5), await pace.rest(5), await pace.rest(1)]).toEqual([true, true, false]);
});
