import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fleet } from "./fleet.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A fleet whose server says what the test says. */
function fleetOf(told: { answer: unknown }, fixed?: number): Fleet {
  const run = (): Promise<unknown> =>
    told.answer instanceof Error ? Promise.reject(told.answer) : Promise.resolve(told.answer);
  return new Fleet(fixed, "k", () => "", run);
}

const beats = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 5000);

describe("how many count together", () => {
  it("grows at once, and shrinks when three beats in a row have said so", async () => {
    const told = { answer: 4 as unknown };
    const fleet = fleetOf(told);
    expect(fleet.members).toBe(1);
    fleet.start(() => undefined);
    await fleet.beat();
    expect(fleet.members).toBe(4);
    told.answer = 8;
    await beats(1);
    expect(fleet.members).toBe(8);
    told.answer = 5;
    await beats(2);
    expect(fleet.members).toBe(8);
    await beats(1);
    expect(fleet.members).toBe(5);
    await fleet.leave();
  });

  it("does not shrink with a server that comes back without its data, and is away again before the others have told it", async () => {
    const told = { answer: 75 as unknown };
    const fleet = fleetOf(told);
    fleet.start(() => undefined);
    await fleet.beat();
    told.answer = 1;
    await beats(1);
    told.answer = new Error("away");
    await beats(100);
    expect(fleet.members).toBe(75);
    told.answer = 75;
    await beats(1);
    expect(fleet.members).toBe(75);
    await fleet.leave();
  });

  it.each([0, -1, 1.5, "9", null, Number.NaN])("is no %s", async (answer) => {
    const fleet = fleetOf({ answer });
    await fleet.beat();
    expect(fleet.members).toBe(1);
  });

  it("is what was told, whatever a server says", async () => {
    const fleet = fleetOf({ answer: 9 }, 3);
    await fleet.beat();
    expect(fleet.members).toBe(3);
  });
});
