import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchNodeLoop } from "./node-loop.js";

let now = 0;

beforeEach(() => {
  now = 5_000;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The thread is busy for so long before the loop comes round. */
function turn(milliseconds: number): void {
  now += milliseconds;
  vi.advanceTimersByTime(10);
}

it("tells of a turn while it goes on, and once more when it is over", () => {
  const watch = watchNodeLoop(() => now);
  turn(10);
  expect([watch.late(), watch.longest()]).toEqual([0, 0]);
  now += 80;
  expect(watch.late()).toBe(70);
  turn(20);
  expect([watch.late(), watch.longest(), watch.longest()]).toEqual([0, 90, 0]);
  watch.stop();
});

it("keeps the longest until it is asked", () => {
  const watch = watchNodeLoop(() => now);
  for (const milliseconds of [10, 40, 15]) turn(milliseconds);
  expect(watch.longest()).toBe(30);
  watch.stop();
});

it("ends with its policy", () => {
  const watch = watchNodeLoop(() => now);
  expect(vi.getTimerCount()).toBe(1);
  watch.stop();
  expect(vi.getTimerCount()).toBe(0);
});
