/** Who leaves a full table: nobody who is counted in the call that needs the room, and sooner those whose time has run out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LimitOp } from "../ports/state-store.js";
import { Slots, type Calls } from "./slots.js";
import { gcra, memory, SECOND, strict, take } from "./store.test-support.js";

const ROOM = 32;

interface Held {
  readonly slots: Slots;
  readonly calls: Calls;
  readonly gone: string[];
  readonly add: (key: string, until: number, now?: number) => void;
  readonly use: (...keys: readonly string[]) => void;
}

function held(first = 0): Held {
  const calls = { number: first };
  const until: number[] = [];
  const gone: string[] = [];
  const slots = new Slots(ROOM, calls, {
    until: (slot) => until[slot] ?? 0,
    evicted: (key) => gone.push(key),
  });
  const step = (): void => void (calls.number = (calls.number + 1) >>> 0);
  const add = (key: string, end: number, now = 0): void => {
    step();
    until[slots.claim(key, now)] = end;
  };
  const use = (...keys: readonly string[]): void => {
    step();
    for (const key of keys) slots.find(key);
  };
  return { slots, calls, gone, add, use };
}

function full(first = 0): Held {
  const table = held(first);
  for (let n = 0; n < ROOM; n++) table.add(`k${n}`, 100);
  return table;
}

const names = Array.from({ length: ROOM }, (_, n) => `k${n}`);

describe("who leaves a full table", () => {
  it("one whose time has run out, though it was used last", () => {
    const table = held();
    for (const key of names) table.add(key, key === "k7" ? 50 : 100);
    table.use("k7");
    table.add("new", 100, 60);
    expect(table.gone).toEqual(["k7"]);
  });

  it.each([
    ["at the start", 0],
    ["when the number of calls wraps", 2 ** 32 - 40],
  ])("else the one that was used least recently of those compared: %s", (_name, first) => {
    const table = full(first);
    for (const key of names) if (key !== "k9") table.use(key);
    table.add("new", 100);
    expect(table.gone).toEqual(["k9"]);
  });

  it("never one that is used in this call, wherever the search begins", () => {
    for (const spared of names) {
      const table = full();
      table.use(...names.filter((key) => key !== spared));
      table.slots.claim("new", 1000);
      expect(table.gone).toEqual([spared]);
    }
  });

  it("each in its turn, so that a flood does not go round among a few", () => {
    const table = full();
    for (let n = 0; n < ROOM; n++) table.add(`new${n}`, 100);
    expect(new Set(table.gone).size).toBe(ROOM);
  });
});

describe("room for a new key", () => {
  it("is there as soon as anybody's time has run out, and the search for it is not repeated in vain", () => {
    const table = held();
    for (const [index, key] of names.entries()) table.add(key, 100 + ROOM - 1 - index);
    expect([99, 100].map((now) => table.slots.hasRoom(now))).toEqual([false, true]);
    table.add("new", 1000, 100);
    expect(table.gone).toEqual(["k31"]);
    expect([100, 101].map((now) => table.slots.hasRoom(now))).toEqual([false, true]);
  });

  it("is found wherever it is", () => {
    for (const free of names) {
      const table = held();
      for (const key of names) table.add(key, key === free ? 10 : 100);
      expect(table.slots.hasRoom(10)).toBe(true);
      table.add("new", 100, 10);
      expect(table.gone).toEqual([free]);
    }
  });
});

it("limits of one call that together fill the store do not push each other out", () => {
  const keys = fc.uniqueArray(fc.integer({ min: 0, max: 79 }), { minLength: 1, maxLength: ROOM });
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 8 }), fc.boolean(), (calls, buckets) => {
      const store = memory({ maxKeys: ROOM });
      const op = (key: number): LimitOp =>
        buckets ? gcra(`g:${key}`, 1000 * SECOND, 1) : strict(`s:${key}`, 1, 1000 * SECOND);
      for (const [now, group] of calls.entries()) {
        if (!take(store, now, ...group.map(op)).allowed) continue;
        // Counted under each of their names, and not in another's place.
        for (const key of group) expect(take(store, now, op(key)).allowed).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});
