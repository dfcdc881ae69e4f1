import { describe, expect, it } from "vitest";
import { WorkGate } from "./work-gate.js";

describe("costly work", () => {
  it("runs as much as fits, lets as much wait, and turns the rest away", async () => {
    const gate = new WorkGate(2, 1);
    const ends: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const work = async (): Promise<string> => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return "done";
    };
    const begun = [1, 2, 3].map(() => gate.run(work));
    expect(gate.run(work)).toBeUndefined();
    expect([running, ends.length]).toEqual([2, 2]);
    while (ends.length > 0) {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(begun.map(async (one) => one))).toEqual(["done", "done", "done"]);
    expect(most).toBe(2);
  });

  it("goes on after work that failed", async () => {
    const gate = new WorkGate(1, 1);
    const failing = gate.run(() => Promise.reject(new Error("no memory")));
    const next = gate.run(() => Promise.resolve("next"));
    await expect(failing).rejects.toThrow("no memory");
    expect(await next).toBe("next");
    expect(await gate.run(() => Promise.resolve("again"))).toBe("again");
  });
});
