/** Tables that forget nobody: what they hold is counted right, and room is found as soon as something has run out. */
import { expect, it } from "vitest";
import type { LimitOp } from "../ports/state-store.js";
import { at, memory, settle, take } from "./store.test-support.js";

const ROOM = 32;

const lease = (holder: number, leaseUs: number): LimitOp => ({
  kind: "lease",
  key: "l:all",
  limit: 1000,
  leaseUs,
  holder: String(holder),
});

it("a holder who takes again holds one place", () => {
  const store = memory({ maxKeys: ROOM });
  take(store, 0, lease(1, 100));
  const again = take(store, 1, lease(1, 100));
  expect(store.health().counters["leases"]).toBe(1);
  settle(store, again, 2, -1);
  expect(store.health().counters["leases"]).toBe(0);
});

it("a short lease that came after the last search for room makes room when it ends", () => {
  const store = memory({ maxKeys: ROOM });
  const long = Array.from({ length: ROOM }, (_, index) => take(store, 0, lease(index, 1000)));
  const full = expect.objectContaining({ code: "oom" });
  expect(() => take(store, 1, lease(100, 10))).toThrow(full);
  const [first] = long;
  if (first !== undefined) settle(store, first, 2, -1);
  expect(take(store, 3, lease(101, 10)).allowed).toBe(true);
  expect(() => take(store, 12, lease(102, 10))).toThrow(full);
  expect(take(store, 13, lease(102, 10)).allowed).toBe(true);
});

it("so does a key that is to be seen once", () => {
  const store = memory({ maxKeys: ROOM });
  const once = (key: string, now: number, ttlUs: number): unknown => store.once(key, ttlUs, at(now));
  for (let index = 0; index < ROOM - 1; index++) once(`long ${index}`, 0, 1000);
  once("first", 0, 5);
  const full = expect.objectContaining({ code: "oom" });
  expect(() => once("too early", 4, 10)).toThrow(full);
  expect(once("short", 5, 10)).toBe(true);
  expect(() => once("too early", 14, 10)).toThrow(full);
  expect(once("late", 15, 10)).toBe(true);
});
