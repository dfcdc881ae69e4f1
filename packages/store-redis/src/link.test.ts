/** The way to the server, over connections of drivers that misbehave. */
import { StoreError } from "@gatehouse/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RedisConnection } from "./driver.js";
import { Link } from "./link.js";
import { script } from "./scripts/script.js";
import { slotOf } from "./slots.js";

const CALL = { script: script("return 1"), keys: ["k"], values: [] };

function linkTo(connection: Partial<RedisConnection>): Link {
  const whole: RedisConnection = {
    isReady: () => true,
    evalsha: () => Promise.reject(new Error("NOSCRIPT No matching script")),
    eval: () => Promise.resolve(1),
    destroy: () => undefined,
    ...connection,
  };
  const driver = { cluster: false, open: () => whole };
  return new Link(
    driver,
    50_000,
    "home",
    () => 0,
    () => undefined,
  );
}

const no = (): never => {
  throw new Error("The client is closed");
};

describe("a call", () => {
  it("is sent as text where the server does not know the script", async () => {
    const link = linkTo({});
    expect(await link.run(CALL, 50_000, (reply) => reply)).toBe(1);
    link.close();
  });

  it.each<readonly [string, Partial<RedisConnection>]>([
    ["as a digest", { evalsha: no }],
    ["as text", { eval: no }],
  ])("that the client throws at, sent %s, fails at once", async (_name, connection) => {
    const link = linkTo(connection);
    // Within no time: what is thrown must not be left to the deadline, nor end the process.
    const failed = link.run(CALL, 3_600_000_000, (reply) => reply);
    await expect(failed).rejects.toEqual(
      new StoreError("not-ready", false, "there is no connection to the server"),
    );
    link.close();
  });
});

describe("a connection whose other end is gone without a word", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const CONNECT_MS = 20;
  const ANSWER_MS = 5;
  const never = (): Promise<never> => new Promise(() => undefined);

  /** @returns milliseconds of virtual time from what is later, the healing or the breaker's opening, until it is closed again */
  async function backAfter(healMs: number): Promise<number> {
    const began = Date.now();
    const since = (): number => Date.now() - began;
    // The first was good before; what is begun while nothing goes through never gets anywhere, also later.
    const open = (): RedisConnection => {
      const [openedMs, first] = [since(), opened++ === 0];
      const good = !first && openedMs >= healMs;
      return {
        isReady: () => first || (good && since() >= openedMs + CONNECT_MS),
        evalsha: () => (good ? new Promise((resolve) => setTimeout(resolve, ANSWER_MS, 1)) : never()),
        eval: never,
        destroy: () => undefined,
      };
    };
    let opened = 0;
    const driver = { cluster: false, open };
    const link = new Link(
      driver,
      50_000,
      "home",
      () => Date.now() * 1000,
      () => undefined,
    );
    const asking = setInterval(
      () => void link.run(CALL, 50_000, (reply) => reply).catch(() => undefined),
      30,
    );
    const isClosed = (): boolean => link.state === "closed";
    let from = healMs;
    while (isClosed()) await vi.advanceTimersByTimeAsync(5);
    from = Math.max(from, since());
    while (!isClosed() || since() < healMs) await vi.advanceTimersByTimeAsync(5);
    clearInterval(asking);
    link.close();
    return since() - from;
  }

  // Every wait of the prober is from half of its longest to all of it.
  it.each([
    ["short", 0],
    ["as long as can be", 0.999_999],
  ])("is given up, and the server asked again within 1 s, where waits are %s", async (_name, random) => {
    vi.spyOn(Math, "random").mockReturnValue(random);
    const worst = { healMs: 0, backMs: 0 };
    for (let healMs = 0; healMs < 3500; healMs += 45) {
      const backMs = await backAfter(healMs);
      if (backMs > worst.backMs) Object.assign(worst, { healMs, backMs });
    }
    expect(worst.backMs, `healed after ${worst.healMs} ms`).toBeLessThanOrEqual(1000);
  });

  it.each<readonly [string, boolean | undefined, boolean]>([
    ["its driver renews that of one node, no other is", true, false],
    ["its driver does not know that node, all are", false, true],
    ["its driver renews none, all are", undefined, true],
  ])("of a cluster, is given up: where %s", async (_name, renews, others) => {
    const renewed = new Set<number>();
    let opened = 0;
    const renew = (slot: number): boolean => {
      renewed.add(slot);
      return renews === true;
    };
    const open = (): RedisConnection => {
      opened += 1;
      const connection = { isReady: () => true, evalsha: never, eval: never, destroy: () => undefined };
      return renews === undefined ? connection : { ...connection, renew };
    };
    const link = new Link(
      { cluster: true, open },
      50_000,
      "home",
      () => Date.now() * 1000,
      () => undefined,
    );
    for (let n = 0; n < 5; n++) void link.run(CALL, 50_000, (reply) => reply).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(2000);
    link.close();
    expect([...renewed]).toEqual(renews === undefined ? [] : [slotOf("k")]);
    expect(opened > 1).toBe(others);
  });
});
