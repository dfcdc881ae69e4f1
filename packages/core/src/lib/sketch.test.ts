import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyedHash } from "./keyed-hash.js";
import { MaxSketch } from "./sketch.js";

describe("sketch", () => {
  it("never says less of a key than was folded in", () => {
    const entry = fc.record({
      key: fc.string({ maxLength: 4 }),
      until: fc.integer({ min: 1, max: 1000 }),
      amount: fc.integer({ min: 1, max: 100 }),
      now: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.constantFrom(2, 16), (entries, cells) => {
        const sketch = new MaxSketch({ cells, seed: [1, 2] });
        const truth = new Map<string, { until: number; amount: number }>();
        let now = 0;
        for (const one of entries) {
          now += one.now;
          const until = now + one.until;
          sketch.fold(one.key, until, one.amount, now);
          const known = truth.get(one.key);
          const alive = known !== undefined && known.until > now;
          truth.set(one.key, {
            until: alive ? Math.max(known.until, until) : until,
            amount: alive ? Math.max(known.amount, one.amount) : one.amount,
          });
        }
        for (const [key, { until, amount }] of truth) {
          if (until <= now) continue;
          expect(sketch.look(key, now)).toBe(true);
          expect(sketch.until).toBeGreaterThanOrEqual(until);
          expect(sketch.amount).toBeGreaterThanOrEqual(amount);
        }
      }),
    );
  });

  it("says nothing of most keys that it never saw", () => {
    const sketch = new MaxSketch({ cells: 1024, seed: [1, 2] });
    for (let n = 0; n < 300; n++) sketch.fold(`seen-${n}`, 1000, 1, 0);
    let taken = 0;
    for (let n = 0; n < 1000; n++) if (sketch.look(`new-${n}`, 0)) taken += 1;
    // Three hundred of a thousand cells in each of four rows: about one in two hundred.
    expect(taken).toBeLessThan(30);
  });

  it("answers with the least of its rows", () => {
    const sketch = new MaxSketch({ cells: 32, seed: [1, 2] });
    for (let n = 0; n < 30; n++) sketch.fold(`${n}`, 100 + n, n, 0);
    let exact = 0;
    for (let n = 0; n < 30; n++)
      if (sketch.look(`${n}`, 0) && sketch.until === 100 + n && sketch.amount === n) exact += 1;
    expect(exact).toBeGreaterThan(24);
  });

  it("forgets by itself: a cell whose time has passed is taken over", () => {
    const sketch = new MaxSketch({ cells: 2, seed: [1, 2] });
    sketch.fold("old", 10, 99, 0);
    expect(sketch.look("old", 10)).toBe(false);
    sketch.fold("old", 20, 1, 10);
    expect([sketch.look("old", 10), sketch.until, sketch.amount]).toEqual([true, 20, 1]);
  });
});

describe("keyed hash", () => {
  const digest = (text: string, seed: readonly [number, number] = [1, 2]): string => {
    const hash = new KeyedHash(seed[0], seed[1]);
    hash.update(text);
    return `${hash.first}.${hash.second}`;
  };

  it("tells texts apart by every unit, their length and their key", () => {
    const texts = ["", "\0", "\0\0", "a", "b", "ab", "ba", "abc", "abcd", "ab\u0100d", "\u0001", "\u0100"];
    expect(new Set(texts.map((text) => digest(text))).size).toBe(texts.length);
    expect(new Set([digest("a"), digest("a", [1, 3]), digest("a", [2, 2])]).size).toBe(3);
  });

  it("changes about half of its bits with one of the text's", () => {
    let changed = 0;
    for (let n = 0; n < 256; n++) {
      const hash = new KeyedHash(7, 9);
      hash.update(`key-${n}`);
      const { first, second } = hash;
      hash.update(`kez-${n}`);
      for (let bits = first ^ hash.first; bits !== 0; bits &= bits - 1) changed += 1;
      for (let bits = second ^ hash.second; bits !== 0; bits &= bits - 1) changed += 1;
    }
    expect(changed / 256).toBeGreaterThan(29);
    expect(changed / 256).toBeLessThan(35);
  });
});
