import { afterEach, describe, expect, it, vi } from "vitest";
import { PolicyLifetime } from "./lifetime.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("the lifetime of a policy", () => {
  it("runs a timer once, and none after the end", async () => {
    vi.useFakeTimers();
    const lifetime = new PolicyLifetime();
    const ran: string[] = [];
    lifetime.after(10, () => ran.push("first"));
    lifetime.after(1000, () => ran.push("second"));
    vi.advanceTimersByTime(500);
    await lifetime.end();
    lifetime.after(10, () => ran.push("third"));
    vi.advanceTimersByTime(5000);
    expect(ran).toEqual(["first"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begins what waits for it once it is in force, and nothing of a policy that never was", async () => {
    const [good, refused] = [new PolicyLifetime(), new PolicyLifetime()];
    const ran: string[] = [];
    good.onForce(() => ran.push("first"));
    refused.onForce(() => ran.push("never"));
    expect(ran).toEqual([]);
    await refused.end();
    refused.enforce();
    good.enforce();
    good.enforce();
    good.onForce(() => ran.push("late"));
    await good.end();
    good.onForce(() => ran.push("too late"));
    expect(ran).toEqual(["first", "late"]);
  });

  it("begins the others too where one fails: what is in force is so wholly", () => {
    const lifetime = new PolicyLifetime();
    const ran: string[] = [];
    lifetime.onForce(() => {
      throw new Error("first");
    });
    lifetime.onForce(() => ran.push("second"));
    lifetime.enforce();
    expect(ran).toEqual(["second"]);
  });

  it("takes a timer back", () => {
    vi.useFakeTimers();
    const lifetime = new PolicyLifetime();
    const run = vi.fn<() => void>();
    lifetime.after(10, run)();
    vi.advanceTimersByTime(100);
    expect(run).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not fire at once what is due in a year", async () => {
    vi.useFakeTimers();
    const lifetime = new PolicyLifetime();
    const run = vi.fn<() => void>();
    lifetime.after(365 * 86_400_000, run);
    vi.advanceTimersByTime(86_400_000);
    expect(run).not.toHaveBeenCalled();
    await lifetime.end();
  });

  it("keeps no process alive", () => {
    const timers: unknown[] = [];
    const spy = vi.spyOn(globalThis, "setTimeout");
    const lifetime = new PolicyLifetime();
    lifetime.after(60_000, () => undefined);
    timers.push(...spy.mock.results.map(({ value }) => value as NodeJS.Timeout));
    spy.mockRestore();
    expect(timers.map((timer) => (timer as NodeJS.Timeout).hasRef())).toEqual([false]);
    void lifetime.end();
  });

  it("releases all that is held, once, also what fails and what comes late", async () => {
    const lifetime = new PolicyLifetime();
    const released: string[] = [];
    lifetime.onEnd(() => {
      throw new Error("first");
    });
    lifetime.onEnd(async () => {
      await Promise.resolve();
      released.push("second");
    });
    expect(lifetime.signal.aborted).toBe(false);
    await Promise.all([lifetime.end(), lifetime.end()]);
    expect(lifetime.signal.aborted).toBe(true);
    lifetime.onEnd(() => void released.push("late"));
    expect(released).toEqual(["second", "late"]);
  });
});
