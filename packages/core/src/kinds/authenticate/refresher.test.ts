/** When something is fetched anew: a fleet that started together does not ask together. */
import { expect, it } from "vitest";
import { PolicyLifetime } from "../../outward/lifetime.js";
import { Refresher, type Fetched } from "./refresher.js";

interface Fixture {
  readonly refresher: Refresher<string>;
  readonly fetches: () => number;
  readonly advance: (milliseconds: number) => Promise<void>;
}

function start(chance: number, answers: () => Fetched<string>): Fixture {
  let [now, fetches] = [0, 0];
  const lifetime = new PolicyLifetime();
  const refresher = new Refresher<string>({
    fetch: () => {
      fetches += 1;
      return Promise.resolve(answers());
    },
    cooldownMs: 10_000,
    maxStaleMs: 1_000_000,
    now: () => now,
    random: () => chance,
    lifetime,
    fetched: () => undefined,
  });
  return {
    refresher,
    fetches: () => fetches,
    advance: async (milliseconds) => {
      now += milliseconds;
      refresher.at(now);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it.each([
  [0, 80_000],
  [0.5, 90_000],
  [1, 100_000],
])("a set that is good for 100 s is refreshed early, by chance: %d", async (chance, due) => {
  const set = start(chance, () => ({ kind: "fetched", value: "keys", freshMs: 100_000 }));
  await set.refresher.filled(0);
  await set.advance(due - 1);
  expect(set.fetches()).toBe(1);
  await set.advance(1);
  expect(set.fetches()).toBe(2);
});

it.each([
  [0, [500, 1000, 2000]],
  [1, [1000, 2000, 4000]],
])("a failure is repeated after a growing pause, half of it by chance: %d", async (chance, pauses) => {
  const set = start(chance, () => ({ kind: "failure", reason: "away" }));
  await set.refresher.filled(0);
  for (const [index, pause] of pauses.entries()) {
    await set.advance(pause - 1);
    expect(set.fetches()).toBe(index + 1);
    await set.advance(1);
    expect(set.fetches()).toBe(index + 2);
  }
});
