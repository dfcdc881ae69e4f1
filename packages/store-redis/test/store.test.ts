/** What only a real server's clock, wire and memory can show; the arithmetic is the model's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "@redis/client";
import { createClient as createClient5 } from "redis-client5";
import { createRedisStore, ioredisDriver, nodeRedisDriver, type RedisDriver } from "@gatehouse/redis";
import type { LimitOp, StateStore } from "@gatehouse/core";
import { clients } from "./clients.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";
import { bucket, context, flood, openStore, quota, slot, take, until, window } from "./world.test-support.js";
import { TOGETHER } from "../src/drivers/cork.js";
import { writesDuring } from "./writes.test-support.js";

const HOUR_US = 3_600_000_000;

/** Calls that reach the server, counted on the way. */
function counting(driver: RedisDriver): { readonly driver: RedisDriver; calls: number } {
  const counted = {
    calls: 0,
    driver: {
      cluster: driver.cluster,
      open: () => {
        const connection = driver.open();
        return {
          isReady: () => connection.isReady(),
          evalsha: (...args: Parameters<typeof connection.evalsha>) => {
            counted.calls += 1;
            return connection.evalsha(...args);
          },
          eval: (...args: Parameters<typeof connection.eval>) => connection.eval(...args),
          destroy: () => connection.destroy(),
        };
      },
    },
  };
  return counted;
}

describeEngines("the store", (engine) => {
  let server: Server;
  beforeAll(async () => void (server = await Server.start(engine)));
  afterAll(() => server.stop());

  const withStore = async (
    work: (store: StateStore, calls: () => number) => Promise<void>,
    name = "ioredis 6",
    options = {},
  ): Promise<void> => {
    const make = clients[name];
    if (make === undefined) throw new Error(`no client ${name}`);
    const counted = counting(make(server.port));
    const store = await openStore(counted.driver, options);
    try {
      await work(store, () => counted.calls);
    } finally {
      await store.close();
    }
  };

  describe.each(Object.keys(clients))("with %s", (name) => {
    it("admits exactly the limit to a crowd, all limits of a stage in one call", async () => {
      await withStore(async (store, calls) => {
        const before = calls();
        const ops = [
          bucket("a:t:ann", 7),
          window("b:s:ann", 9),
          quota("c:c:ann", 8, (Date.now() + 60_000) * 1000),
        ];
        expect(await flood(store, 50, ...ops)).toBe(7);
        expect(calls() - before).toBeLessThanOrEqual(50);
      }, name);
    });

    it("is closed when what was asked is answered, and what was given back has arrived", async () => {
      const prefix = `closed-${name.replace(" ", "-")}:`;
      const op = (n: number): LimitOp => slot("closed:l:x", 3, `h${n}`);
      await withStore(
        async (store) => {
          for (let n = 0; n < 3; n++) {
            const { token } = await take(store, op(n));
            if (token === undefined) throw new Error("no token");
            void store.settle("limits", token, [-1], context());
          }
          const asked = take(store, bucket("closed:t:x", 5));
          await store.close();
          expect(await asked).toMatchObject({ allowed: true, source: "shared" });
        },
        name,
        // Nobody who counts a fleet leaves it without a word that all others have come before.
        { prefix, fleetSize: 1 },
      );
      const left = (store: StateStore): unknown => store.peek("limits", [op(0)], context());
      await withStore(
        async (store) => expect(await left(store)).toMatchObject({ per: [{ remaining: 2 }] }),
        name,
        { prefix, fleetSize: 1 },
      );
    });

    it("keeps bytes as they are, and sees a key once", async () => {
      await withStore(async (store) => {
        const bytes = new Uint8Array([0, 255, 10, 13, 128, 36]);
        await store.set("k", bytes, 10_000_000, context());
        expect(await store.get("k", context())).toEqual(bytes);
        await store.del("k", context());
        expect(await store.get("k", context())).toBeUndefined();
        const seen = await Promise.all(
          Array.from({ length: 20 }, async () => store.once("jti", 10_000_000, context())),
        );
        expect(seen.filter(Boolean)).toHaveLength(1);
      }, name);
    });

    it("asks all that is asked in one turn in few writes", async () => {
      await withStore(async (store) => {
        const ask = (): Promise<number> => flood(store, 64, bucket("w:t:x", 1000));
        await ask();
        // A PING may come between.
        expect(await writesDuring(ask)).toBeLessThan(64 / TOGETHER + 4);
      }, name);
    });

    it("sends a script's text once where the server does not know it", async () => {
      await withStore(async (store, calls) => {
        await server.command("SCRIPT", "FLUSH");
        const before = calls();
        expect((await take(store, bucket("n:t:x", 1))).allowed).toBe(true);
        expect(calls() - before).toBe(1);
        expect((await take(store, bucket("n:t:x", 1))).allowed).toBe(false);
        expect(store.health().counters["failures"]).toBe(0);
      }, name);
    });
  });

  it("counts by the server's clock, and what ended is gone", async () => {
    const prefix = "gone:";
    await withStore(
      async (store) => {
        const fast = bucket("a:t:x", 1, 30_000);
        expect((await take(store, fast)).allowed).toBe(true);
        const refused = await take(store, fast);
        expect(refused.per[0]?.retryUs).toBeGreaterThan(0);
        expect(refused.per[0]?.retryUs).toBeLessThanOrEqual(30_000);
        await until(async () => (await take(store, fast)).allowed);
        // Beside one that lives, so that what is looked for could be found.
        await take(store, bucket("a:t:y", 1));
        await until(async () => {
          const said = await server.command("KEYS", `${prefix}a:*`);
          return (
            said
              .split("\r\n")
              .filter((line) => line.startsWith(prefix))
              .join() === `${prefix}a:t:{.y}`
          );
        });
      },
      "ioredis 6",
      { prefix },
    );
  });

  it.each<[string, LimitOp, number]>([
    ["a token bucket", bucket("ttl:t:x", 4, 1_000_000, 3), 3_000_000],
    ["a sliding window", window("ttl:s:x", 4, 10_000_000), 11_000_000],
    ["a lease", slot("ttl:l:x", 4, "h", 5_000_000), 5_000_000],
  ])("no key outlives its meaning, nor ends before it: %s", async (_what, op, meansUs) => {
    const prefix = `ttl-${op.kind}:`;
    await withStore(
      async (store) => {
        await take(store, op);
        const { per } = await store.peek("limits", [op], context());
        expect(per).toHaveLength(1);
        const left =
          Number((await server.command("PTTL", `${prefix}${op.key.slice(0, 6)}{.x}`)).slice(1)) * 1000;
        // A bucket of the window may be half over when it is asked.
        expect(left).toBeGreaterThan(meansUs - 1_000_000 - 500_000);
        expect(left).toBeLessThanOrEqual(meansUs + 2000);
      },
      "ioredis 6",
      { prefix },
    );
  });

  it("a quota is kept an hour longer: a process whose clock is late still meets it", async () => {
    await withStore(async (store) => {
      const ended = quota("late:c:x", 1, Date.now() * 1000 - 1_000_000);
      expect((await take(store, ended)).allowed).toBe(true);
      expect((await take(store, ended)).allowed).toBe(false);
      expect((await take(store, quota("late:c:x", 1, Date.now() * 1000 + HOUR_US))).allowed).toBe(true);
    });
  });

  it("all keys of one caller lie in one slot, whatever the caller is called", async () => {
    const prefix = "slot:";
    await withStore(
      async (store) => {
        await take(store, bucket("a:t:9={x}y", 3), window("b:s60:9={x}y", 3), {
          ...slot("c:l:9={x}y", 2, "h"),
          penalty,
        });
        await take(store, { ...bucket("p:t:9={x}y", 1, 1_000_000, 2), penalty });
        const said = await server.command("KEYS", `${prefix}*`);
        const keys = said.split("\r\n").filter((line) => line.startsWith(prefix));
        expect(keys.length).toBeGreaterThan(3);
        const tags = keys.map((key) => /\{(.*?)\}/.exec(key)?.[1]);
        expect(new Set(tags)).toEqual(new Set([".9={x"]));
      },
      "ioredis 6",
      { prefix, fleetSize: 1 },
    );
  });

  it("remembers a refusal for a second at most, and asks once for a crowd", async () => {
    await withStore(async (store, calls) => {
      const op = bucket("hot:t:x", 1);
      expect(await flood(store, 1, op)).toBe(1);
      await take(store, op);
      const before = calls();
      const more = await Promise.all(Array.from({ length: 500 }, () => take(store, op)));
      expect(new Set(more.map(({ source }) => source))).toEqual(new Set(["deny-cache"]));
      expect(calls() - before).toBe(0);
      await until(async () => (await take(store, op)).source === "shared");
      expect((await take(store, op)).source).toBe("deny-cache");
    });
  });

  it.each([
    ["node-redis 6", (url: string) => createClient({ url, commandsQueueMaxLength: 5 })],
    ["node-redis 5", (url: string) => createClient5({ url, commandsQueueMaxLength: 5 })],
  ])("a queue that is short is the pattern's own, with %s", async (_name, make) => {
    const store = await openStore(nodeRedisDriver(make(`redis://127.0.0.1:${server.port}`)));
    try {
      expect(await flood(store, 50, bucket("queue:t:x", 50))).toBe(50);
    } finally {
      await store.close();
    }
  });

  it("what it gives back is admitted again at once, although it had refused", async () => {
    await withStore(async (store) => {
      const op = window("back:s:x", 1);
      const { token } = await take(store, op);
      expect((await take(store, op)).allowed).toBe(false);
      if (token === undefined) throw new Error("no token");
      await store.settle("limits", token, [-1], context());
      expect((await take(store, op)).allowed).toBe(true);
    });
  });

  it("a refusal that strikes is told the server each time", async () => {
    await withStore(async (store) => {
      const op: LimitOp = {
        ...bucket("strike:t:x", 1),
        penalty: { after: 3, blockUs: HOUR_US, factor: 2, maxUs: HOUR_US },
      };
      await take(store, op);
      await take(store, op);
      await take(store, op);
      expect((await take(store, op)).per[0]?.retryUs).toBe(HOUR_US);
      // Blocked now: nothing strikes any more, and the refusal may be remembered.
      await take(store, op);
      expect((await take(store, op)).source).toBe("deny-cache");
    });
  });

  it("takes what it holds from the one count that it is held against", async () => {
    await withStore(async (store, calls) => {
      const op: LimitOp = {
        kind: "gcra",
        key: "lease:t:x",
        emissionUs: HOUR_US,
        burst: 400,
        cost: 1,
        precision: "leased",
      };
      let admitted = 0;
      const before = calls();
      for (let round = 0; round < 40; round++) admitted += await flood(store, 25, op);
      expect(admitted).toBe(400);
      expect(calls() - before).toBeLessThan(200);
      expect(store.health().counters["leased"]).toBeGreaterThan(200);
    });
  });

  it("a leased count that is used up costs the server no question for each request", async () => {
    await withStore(
      async (store, calls) => {
        const leased = { kind: "gcra", emissionUs: 1000, burst: 400, cost: 1, precision: "leased" } as const;
        const op: LimitOp = { ...leased, key: "lease:t:y" };
        await flood(store, 2000, op);
        const [before, began] = [calls(), performance.now()];
        const sources = new Set<string>();
        let asked = 0;
        while (performance.now() - began < 400) {
          const crowd = Array.from({ length: 50 }, async () =>
            store.take("limits", [op], context(5_000_000)),
          );
          const results = await Promise.all(crowd);
          for (const { source } of results) sources.add(source);
          asked += results.length;
        }
        // One each twentieth of a second, and one more where it found nothing.
        expect(calls() - before).toBeLessThanOrEqual(4 + (performance.now() - began) / 25);
        expect(asked).toBeGreaterThan(1000);
        expect(sources).toEqual(new Set(["deny-cache", "lease", "shared"]));
      },
      "ioredis 6",
      { fleetSize: 1 },
    );
  });

  it("what is given back to a leased count that is used up may be taken at once", async () => {
    await withStore(async (store) => {
      const leased = { kind: "gcra", emissionUs: HOUR_US, burst: 40, precision: "leased" } as const;
      const op: LimitOp = { ...leased, key: "lease:t:z", cost: 1 };
      const crowd = Array.from({ length: 400 }, async () => store.take("limits", [op], context(5_000_000)));
      const results = await Promise.all(crowd);
      const [token] = results.flatMap(({ token: own }) => (own === undefined ? [] : [own]));
      if (token === undefined) throw new Error("nothing was admitted");
      expect(results.filter(({ allowed }) => allowed).length).toBe(40);
      expect((await take(store, op)).source).toBe("deny-cache");
      await store.settle("limits", token, [-1], context(5_000_000));
      expect(await take(store, op)).toMatchObject({ allowed: true, source: "shared" });
    });
  });

  it("a dear request that a leased count has too little for keeps nobody from what it has", async () => {
    await withStore(async (store) => {
      const leased = { kind: "gcra", emissionUs: HOUR_US, burst: 100, precision: "leased" } as const;
      const dear: LimitOp = { ...leased, key: "lease:t:d", cost: 100 };
      const cheap: LimitOp = { ...dear, cost: 1 };
      expect((await take(store, cheap)).allowed).toBe(true);
      let admitted = 0;
      for (let round = 0; round < 40; round++) {
        expect(await flood(store, 5, dear)).toBe(0);
        admitted += await flood(store, 1, cheap);
      }
      expect(admitted).toBe(40);
    });
  });

  it("counts its fleet, and forgets who left", async () => {
    const prefix = "fleet:";
    await withStore(
      async (first) => {
        expect(first.share?.()).toBe(1);
        await withStore(async (second) => expect(second.share?.()).toBe(0.5), "node-redis 6", { prefix });
        await withStore(async (third) => expect(third.share?.()).toBe(0.5), "iovalkey", { prefix });
        await withStore(async (told) => expect(told.share?.()).toBe(0.1), "ioredis 5", {
          prefix,
          fleetSize: 10,
        });
      },
      "ioredis 6",
      { prefix },
    );
  });

  it("a token of another store is none", async () => {
    await withStore(async (store) => {
      await expect(store.settle("limits", { takenAtUs: 0, ops: [] }, [], context())).rejects.toThrow(
        "another store's",
      );
    });
  });

  const penalty = { after: 1, blockUs: 1_000_000, factor: 2, maxUs: 2_000_000 } as const;
});

describe("options", () => {
  const driver: RedisDriver = { cluster: false, open: () => never() };
  it.each<[object, string]>([
    [{}, "`driver` is no driver: write `ioredisDriver(client)` or `nodeRedisDriver(client)`"],
    [{ driver, prefx: "" }, "unknown option `prefx`; did you mean `prefix`?"],
    [{ driver, prefix: "a{b}" }, "`prefix` is not a text of at most 64 characters without blanks and braces"],
    [{ driver, fleetSize: 0 }, "`fleetSize` is not a whole number of processes"],
    [{ driver, startTimeout: -1 }, "`startTimeout` is not a whole number of milliseconds up to 60000"],
  ])("%j", (options, message) => {
    expect(() => createRedisStore(options as Parameters<typeof createRedisStore>[0])).toThrow(
      new TypeError(message),
    );
  });

  it("a client of another library is told", () => {
    expect(() => ioredisDriver({})).toThrow(TypeError);
    expect(() => nodeRedisDriver({})).toThrow(TypeError);
  });
});

function never(): never {
  throw new Error("not to be called");
}
