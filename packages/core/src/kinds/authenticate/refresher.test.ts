/** When something is fetched anew: a fleet that started together does not ask together. */
import { afterEach, describe, expect, it, vi } from "vitest";
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

describe("a clock that fails", () => {
  afterEach(() => {
    vi.useRealTimers();
    process.removeListener("unhandledRejection", hear);
    process.removeListener("uncaughtException", hear);
  });
  let unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);

  interface Failing {
    readonly refresher: Refresher<string>;
    readonly fetches: () => number;
    /** From that many looks at the clock on it throws, until it is mended. */
    fails: (looks: number) => void;
    readonly mend: () => void;
    readonly pass: (milliseconds: number) => Promise<void>;
  }

  function start(answer: () => Fetched<string>): Failing {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    unheard = [];
    process.on("unhandledRejection", hear).on("uncaughtException", hear);
    let [now, fetches, looks] = [0, 0, Infinity];
    const refresher = new Refresher<string>({
      fetch: () => {
        fetches += 1;
        return Promise.resolve(answer());
      },
      cooldownMs: 10_000,
      maxStaleMs: 1_000_000,
      now: () => {
        looks -= 1;
        if (looks < 0) throw new Error("no clock");
        return now;
      },
      random: () => 1,
      lifetime: new PolicyLifetime(),
      fetched: () => undefined,
    });
    return {
      refresher,
      fetches: () => fetches,
      fails: (after) => void (looks = after),
      mend: () => void (looks = Infinity),
      pass: async (milliseconds) => {
        now += milliseconds;
        await vi.advanceTimersByTimeAsync(milliseconds);
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  }

  const keys = (): Fetched<string> => ({ kind: "fetched", value: "keys", freshMs: 100_000 });
  const away = (): Fetched<string> => ({ kind: "failure", reason: "away" });

  it.each([0, 1, 2, 3, 4])(
    "ends no process, and what is due is fetched once it works again: after %d looks",
    async (looks) => {
      const set = start(keys);
      await set.refresher.filled(0);
      set.fails(looks);
      await set.pass(100_000);
      await set.pass(60_000);
      const before = set.fetches();
      set.mend();
      await set.pass(120_000);
      expect(unheard).toEqual([]);
      expect(set.fetches()).toBeGreaterThan(before);
      expect(set.refresher.at(280_000)).toBe("keys");
      expect(set.refresher.problem).toBeUndefined();
    },
  );

  it.each([0, 1, 2, 3, 4])("nor where the fetch fails too: after %d looks", async (looks) => {
    let answer = keys;
    const set = start(() => answer());
    await set.refresher.filled(0);
    answer = away;
    set.fails(looks);
    await set.pass(100_000);
    await set.pass(60_000);
    answer = keys;
    set.mend();
    await set.pass(120_000);
    expect(unheard).toEqual([]);
    expect(set.refresher.problem).toBeUndefined();
  });

  it("rejects for nobody who waits, and asks no faster than for another failure", async () => {
    const set = start(keys);
    set.fails(0);
    await expect(set.refresher.filled(0)).resolves.toBeUndefined();
    expect(set.refresher.problem).toBe("the clock failed");
    set.refresher.at(1);
    await set.pass(59_000);
    expect([unheard, set.fetches()]).toEqual([[], 0]);
    set.mend();
    await set.pass(60_000);
    expect([set.fetches(), set.refresher.at(119_000)]).toEqual([1, "keys"]);
  });

  it("that fails every other time is no loop", async () => {
    const set = start(keys);
    for (let round = 0; round < 20; round += 1) {
      set.fails(0);
      const waiting = set.refresher.filled(0);
      set.mend();
      await waiting;
      expect(vi.getTimerCount()).toBe(1);
      await set.pass(499);
    }
    expect([unheard, set.fetches()]).toEqual([[], 0]);
    await set.pass(1);
    expect(set.fetches()).toBe(1);
  });
});
