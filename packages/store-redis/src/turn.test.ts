/** One timer for all who asked in one turn, beside one timer each. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { thisTurn, type Waiting } from "./turn.js";

const ticks = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe("who asked in one turn", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Milliseconds after which each was given up; undefined: never, it was answered. */
  async function gaveUp(turns: readonly Asked[][]): Promise<(number | undefined)[]> {
    const given: (number | undefined)[] = [];
    const began = performance.now();
    const asked: (readonly [Waiting, Asked])[] = [];
    for (const turn of turns) {
      for (const one of turn) {
        const place = given.push(undefined) - 1;
        const waiting = thisTurn().wait(one.ms, () => (given[place] = performance.now() - began));
        asked.push([waiting, one]);
      }
      await ticks();
      await vi.advanceTimersByTimeAsync(1);
    }
    for (let now = turns.length; now <= 130; now++) {
      for (const [waiting, { answered }] of asked) if (answered === now) waiting.end();
      await vi.advanceTimersByTimeAsync(1);
    }
    return given;
  }

  const asked = fc.record({
    ms: fc.constantFrom(1, 2, 5, 20, 20, 50, 100),
    answered: fc.option(fc.integer({ min: 5, max: 120 }), { nil: undefined }),
  });
  type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

  it("is given up as if each had a timer of its own, and never once it is answered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(asked, { maxLength: 6 }), { maxLength: 5 }), async (turns) => {
        const given = await gaveUp(turns);
        for (const [turn, all] of turns.entries()) {
          for (const { ms, answered } of all) {
            const ended = given.shift();
            const ends = turn + ms;
            if (answered !== undefined && answered < ends) expect(ended).toBeUndefined();
            else if (answered === undefined || answered > ends + 2) {
              expect(ended).toBeGreaterThanOrEqual(ends - 1);
              expect(ended).toBeLessThanOrEqual(ends + 2);
            }
          }
        }
        // Nothing is left that would keep the process.
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: Number(process.env["GATEHOUSE_RUNS"] ?? 100) },
    );
  });

  it("ends though somebody fakes the ticks of the process meanwhile", async () => {
    vi.useRealTimers();
    const fake = vi.spyOn(process, "nextTick").mockImplementation(() => undefined);
    const during = thisTurn();
    fake.mockRestore();
    await ticks();
    expect(thisTurn()).not.toBe(during);
  });

  it("leaves no timer when all are answered", async () => {
    const [one, other] = [thisTurn().wait(50, () => undefined), thisTurn().wait(20, () => undefined)];
    await ticks();
    expect(vi.getTimerCount()).toBe(1);
    expect(one.end()).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
    expect(other.end()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(other.end()).toBe(false);
  });

  it("is given up at once where its time is no number, and not waited for without end", async () => {
    let given = 0;
    thisTurn().wait(Number.NaN, () => (given += 1));
    await ticks();
    await vi.advanceTimersByTimeAsync(5);
    expect(given).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has a moment from the end of a turn that took longer than its time, and no more", async () => {
    let given = false;
    thisTurn().wait(50, () => (given = true));
    vi.advanceTimersByTime(200);
    await ticks();
    await vi.advanceTimersByTimeAsync(8);
    expect(given).toBe(false);
    await vi.advanceTimersByTimeAsync(5);
    expect(given).toBe(true);
  });
});
