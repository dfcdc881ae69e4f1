/** What a cluster alone shows: who may ask it, in how many writes, and that what may have been counted is not sent again there either. */
import { createCluster } from "@redis/client";
import { Cluster } from "ioredis";
import { Cluster as Cluster5 } from "ioredis5";
import { Cluster as ValkeyCluster } from "iovalkey";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCluster as createCluster5 } from "redis-client5";
import { ioredisDriver, nodeRedisDriver, type RedisDriver } from "@gatehouse/redis";
import { StoreError, type LimitOp, type StateStore, type TakeToken } from "@gatehouse/core";
import { redisKey, slotOf } from "../src/slots.js";
import { advised, advisedOnCluster, askAll } from "./asks.test-support.js";
import { clusterClients } from "./clients.test-support.js";
import { ClusterHere } from "./cluster.test-support.js";
import { describeEngines, type Server } from "./server.test-support.js";
import { bucket, context, openStore, take, until, window } from "./world.test-support.js";
import { TOGETHER } from "../src/drivers/cork.js";
import { writesDuring } from "./writes.test-support.js";

const LIMIT = 5;

type AsUser = (ports: readonly number[], username: string, password: string) => RedisDriver;

const nodesOf = (ports: readonly number[]): { host: string; port: number }[] =>
  ports.map((port) => ({ host: "127.0.0.1", port }));
const rootsOf = (ports: readonly number[]): { url: string }[] =>
  ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));

const USERS: Readonly<Record<string, AsUser>> = {
  "ioredis 6": (ports, username, password) =>
    ioredisDriver(new Cluster(nodesOf(ports), { lazyConnect: true, redisOptions: { username, password } })),
  "ioredis 5": (ports, username, password) =>
    ioredisDriver(new Cluster5(nodesOf(ports), { lazyConnect: true, redisOptions: { username, password } })),
  iovalkey: (ports, username, password) =>
    ioredisDriver(
      new ValkeyCluster(nodesOf(ports), { lazyConnect: true, redisOptions: { username, password } }),
    ),
  "node-redis 6": (ports, username, password) =>
    nodeRedisDriver(createCluster({ rootNodes: rootsOf(ports), defaults: { username, password } })),
  "node-redis 5": (ports, username, password) =>
    nodeRedisDriver(createCluster5({ rootNodes: rootsOf(ports), defaults: { username, password } })),
};

describeEngines("a cluster", (engine) => {
  let cluster: ClusterHere;
  beforeAll(async () => {
    cluster = await ClusterHere.start(engine);
  });
  afterAll(() => cluster.stop());

  const withStore = async (
    driver: RedisDriver,
    prefix: string,
    work: (store: StateStore) => Promise<void>,
  ): Promise<void> => {
    const store = await openStore(driver, { prefix });
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };

  const masterOf = async (prefix: string, key: string): Promise<Server> => {
    const master = await cluster.masterOf(slotOf(redisKey(prefix, key)));
    if (master === undefined) throw new Error("nobody answers for the slot");
    return master.server;
  };

  it("hands nothing out ahead of need to who is refused by a limit of another slot", async () => {
    const prefix = "ahead:";
    await withStore(connectedBy("ioredis 6", cluster), prefix, async (store) => {
      const key = keyIn(prefix, 0);
      const hour = { kind: "gcra", key, emissionUs: 3_600_000_000, burst: 100, cost: 1 } as const;
      const whole: LimitOp = { ...hour, precision: "leased" };
      // Wider, so that it would be asked later, and never met.
      const refused = window(keyIn(prefix, 1), 1000, 60_000_000, 1001);
      for (let round = 0; round < 3; round++) {
        const asked = await Promise.all(Array.from({ length: 200 }, () => take(store, whole, refused)));
        expect(asked.some(({ allowed }) => allowed)).toBe(false);
        await store.settle("limits", await tokenOf(store, window(refused.key, 2000)), [-1], context());
      }
      const { per } = await store.peek("limits", [hour], context());
      expect(per[0]?.remaining).toBe(99);
    });
  });

  describe.each(Object.entries(USERS))("with %s", (client, asUser) => {
    const nameless = client.replace(" ", "-");

    it("needs no more than the user of the guide may do", async () => {
      const prefix = `ok-${nameless}:`;
      for (const server of cluster.servers) {
        expect(await server.command(...advised(`ok-${nameless}`, "right", prefix))).toBe("+OK");
        expect(await server.command("ACL", "SETUSER", `ok-${nameless}`, ...advisedOnCluster())).toBe("+OK");
      }
      const driver = asUser(cluster.ports, `ok-${nameless}`, "right");
      await withStore(driver, prefix, async (store) => {
        await askAll(store);
        const { state, counters } = store.health();
        expect([state, counters["failures"]]).toEqual(["closed", 0]);
      });
    });

    it("is asked in few writes by all who ask in one turn", async () => {
      await withStore(connectedBy(client, cluster), `writes-${nameless}:`, async (store) => {
        const ops = Array.from({ length: 64 }, (_, n) => bucket(`a:t:${n}`, 10));
        const ask = (): Promise<unknown> => Promise.all(ops.map((op) => take(store, op)));
        await ask();
        expect(await writesDuring(ask)).toBeLessThan(64 / TOGETHER + 8);
      });
    });

    it("counts once what was asked of a node that did not answer in time", async () => {
      const prefix = `slow-${nameless}:`;
      await withStore(connectedBy(client, cluster), prefix, async (store) => {
        await take(store, bucket("a:t:x", LIMIT));
        const server = await masterOf(prefix, "a:t:x");
        // Shorter than what makes the others elect another.
        server.signal("SIGSTOP");
        const lost = await errorOf(take(store, bucket("a:t:x", LIMIT)));
        server.signal("SIGCONT");
        expect(lost).toMatchObject({ code: "timeout", ambiguous: true });
        expect(await remaining(store)).toBe(LIMIT - 3);
      });
    });

    it("goes on with the nodes that answer while others hang", async () => {
      const prefix = `hang-${nameless}:`;
      await withStore(connectedBy(client, cluster), prefix, async (store) => {
        const keys = [0, 1, 2].map((third) => keyIn(prefix, third));
        const ask = (key: string): Promise<string> =>
          take(store, bucket(key, 1_000_000, 1)).then(
            ({ source }) => source,
            (error: unknown) => (error instanceof StoreError ? error.code : "unknown"),
          );
        const [hanging = "", ...others] = keys;
        await until(async () =>
          (await Promise.all(keys.map((key) => ask(key)))).every((one) => one === "shared"),
        );
        const shard = await cluster.shardOf(slotOf(redisKey(prefix, hanging)));
        for (const server of shard) server.signal("SIGSTOP");
        const heard = new Set<string>();
        try {
          // As often as it takes to believe that the way to it is lost, and then some.
          await until(async () => {
            await ask(hanging);
            for (const source of await Promise.all(others.map((key) => ask(key)))) heard.add(source);
            return (store.health().counters["probes"] ?? 0) >= 8;
          });
        } finally {
          for (const server of shard) server.signal("SIGCONT");
        }
        // A machine that is busy may be late for one; a node that is given up is not asked.
        heard.delete("timeout");
        expect([...heard]).toEqual(["shared"]);
        await until(async () => (await ask(hanging)) === "shared");
      });
    });

    it("does not ask again what a node was asked whose connection was lost", async () => {
      const prefix = `cut-${nameless}:`;
      await withStore(connectedBy(client, cluster), prefix, async (store) => {
        await take(store, bucket("a:t:x", LIMIT));
        const server = await masterOf(prefix, "a:t:x");
        // What waits for the end of the pause ends with its connection.
        await server.command("CLIENT", "PAUSE", "10000", "WRITE");
        const lost = errorOf(take(store, bucket("a:t:x", LIMIT)));
        await new Promise((resolve) => setTimeout(resolve, 20));
        await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        expect(await lost).toMatchObject({ ambiguous: true });
        await server.command("CLIENT", "UNPAUSE");
        expect(await remaining(store)).toBe(LIMIT - 2);
      });
    });
  });
});

/** Of a take of a limit that admits: what it settles forgets that the key refused. */
async function tokenOf(store: StateStore, op: LimitOp): Promise<TakeToken> {
  const { token } = await take(store, op);
  if (token === undefined) throw new Error("it was refused");
  return token;
}

function errorOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** With one more taken, as soon as it is told. Whoever sends again does so before what is asked later, on the same way. */
async function remaining(store: StateStore): Promise<number | undefined> {
  let seen: number | undefined;
  await until(async () => {
    try {
      seen = (await store.peek("limits", [bucket("a:t:x", LIMIT)], context())).per[0]?.remaining;
      return true;
    } catch {
      return false;
    }
  });
  return seen;
}

/** A key that lies in the first, second or last third of the slots: each is another master's. */
function keyIn(prefix: string, third: number): string {
  for (let n = 0; ; n++) {
    const key = `a:t:${n}`;
    if (Math.floor((slotOf(redisKey(prefix, key)) * 3) / 16_384) === third) return key;
  }
}

function connectedBy(client: string, { ports }: ClusterHere): RedisDriver {
  const make = clusterClients[client];
  if (make === undefined) throw new Error(`no client ${client}`);
  return make(ports);
}
