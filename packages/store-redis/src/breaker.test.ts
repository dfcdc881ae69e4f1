/** When a server is left alone, and when it is asked again. */
import { expect, it } from "vitest";
import { Breaker } from "./breaker.js";

const SECOND = 1_000_000;

function after(events: string, everyUs: number): Breaker {
  const breaker = new Breaker();
  for (const [index, event] of events.split("").entries()) {
    if (event === "x") breaker.failed(index * everyUs);
    else breaker.succeeded(index * everyUs);
  }
  return breaker;
}

it.each([
  ["xxxx", "closed"],
  ["xxxxx", "open"],
  ["xxxx.xxxx", "closed"],
  // Ten of twenty.
  [".x".repeat(10), "open"],
  ["..x".repeat(10), "closed"],
  [".x".repeat(9), "closed"],
])("%s leaves it %s", (events, state) => {
  expect(after(events, 1000).state).toBe(state);
});

it("half of the calls failing is counted within a second", () => {
  expect(after(".x".repeat(30), SECOND / 10).state).toBe("closed");
});

it("tells the failure that opened it, once", () => {
  const breaker = new Breaker();
  expect([1, 2, 3, 4, 5, 6, 7].map((at) => breaker.failed(at))).toEqual([
    false,
    false,
    false,
    false,
    true,
    false,
    false,
  ]);
  expect(breaker.admits).toBe(false);
});

it("closes on two good probes in a row, and on no fewer", () => {
  const breaker = after("xxxxx", 1);
  expect(breaker.probed(true)).toBe(false);
  expect(breaker.state).toBe("half-open");
  expect(breaker.admits).toBe(false);
  expect(breaker.probed(false)).toBe(false);
  expect(breaker.state).toBe("open");
  expect([breaker.probed(true), breaker.probed(true)]).toEqual([false, true]);
  expect(breaker.admits).toBe(true);
});

it("begins anew when it has closed", () => {
  const breaker = after("xxxxx", 1);
  breaker.probed(true);
  breaker.probed(true);
  for (let at = 10; at < 14; at++) expect(breaker.failed(at)).toBe(false);
  expect(breaker.failed(14)).toBe(true);
});
