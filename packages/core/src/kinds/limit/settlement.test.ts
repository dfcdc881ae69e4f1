/** What the store is told when an exchange ends: whole units, and the right instant. */
import { expect, it } from "vitest";
import type { CallContext } from "../../ports/state-store.js";
import { documentOf, open, storeWith, worldOf } from "./limit.test-support.js";

it.each([
  [1, 0],
  [1.5, 1],
  [0.2, 0],
  [0, -1],
  [1e300, 2 ** 31 - 2],
  [-1, undefined],
  ["2", undefined],
])("a price of %s after an estimate of 1 settles %s", async (used, delta) => {
  const settled: unknown[] = [];
  let instant = 0;
  const settle = (_group: string, _token: unknown, deltas: unknown, context: CallContext): void => {
    settled.push(deltas);
    instant = context.nowUs;
  };
  const world = await worldOf(
    documentOf({ few: { limit: 10, window: "10s", cost: { estimate: 1, settle: "response./used" } } }),
    storeWith({ settle }),
  );
  const exchange = open(world);
  expect((await exchange.head()).outcome).toBe("admit");
  const opened = Math.floor(world.clock.monotonic() * 1000);
  world.clock.advance(3000);
  exchange.respond({ status: 200, headers: [["Content-Type", "application/json"]], body: { used } });
  exchange.end(200);
  expect(settled).toEqual(delta === undefined ? [] : [[delta]]);
  // A refund is reckoned from the take; a debt begins when it is known.
  if (delta !== undefined) expect(instant - opened).toBe(delta < 0 ? 0 : 3_000_000);
});
