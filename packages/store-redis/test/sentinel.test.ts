/** A master that Sentinel watches is lost: the count goes on where its replica was. */
import { createSentinel } from "@redis/client";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { createSentinel as createSentinel5 } from "redis-client5";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ioredisDriver, nodeRedisDriver, type RedisDriver } from "@gatehouse/redis";
import { describeEngines, Server } from "./server.test-support.js";
import { openStore, take, until, window } from "./world.test-support.js";

const host = "127.0.0.1";

const clients: Readonly<Record<string, (port: number) => RedisDriver>> = {
  "ioredis 6": (port) =>
    ioredisDriver(new Redis({ sentinels: [{ host, port }], name: "main", lazyConnect: true })),
  iovalkey: (port) =>
    ioredisDriver(new Valkey({ sentinels: [{ host, port }], name: "main", lazyConnect: true })),
  "node-redis 6": (port) =>
    nodeRedisDriver(createSentinel({ name: "main", sentinelRootNodes: [{ host, port }] })),
};

it("node-redis 5 cannot open a second client like a Sentinel's, and says so", () => {
  const client = createSentinel5({ name: "main", sentinelRootNodes: [{ host, port: 1 }] });
  expect(() => nodeRedisDriver(client)).toThrow("for Sentinel it needs node-redis 6");
});

describeEngines("Sentinel", (engine) => {
  let master: Server;
  let replica: Server;
  let sentinel: Server;

  beforeAll(async () => {
    master = await Server.start(engine);
    replica = await Server.start(
      engine,
      "--replicaof",
      "127.0.0.1",
      String(master.port),
      "--repl-diskless-sync-delay",
      "0",
    );
    sentinel = await Server.plan(engine, "--sentinel");
    const settings = [
      `port ${sentinel.port}`,
      "bind 127.0.0.1",
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      "sentinel down-after-milliseconds main 500",
      "sentinel failover-timeout main 3000",
    ];
    await writeFile(join(sentinel.dir, "sentinel.conf"), settings.join("\n"));
    await sentinel.run(join(sentinel.dir, "sentinel.conf"));
    await until(async () =>
      (await sentinel.command("SENTINEL", "REPLICAS", "main")).includes(String(replica.port)),
    );
  });
  afterAll(() => Promise.all([master, replica, sentinel].map((server) => server.stop())));

  it("is followed through a failover by every client", async () => {
    const stores = await Promise.all(
      Object.values(clients).map((make) =>
        openStore(make(sentinel.port), { prefix: "s:", startTimeout: 5000 }),
      ),
    );
    const op = window("a:s:x", 1000);
    const shared = async (): Promise<boolean> => {
      const results = await Promise.allSettled(stores.map((store) => take(store, op)));
      return results.every((result) => result.status === "fulfilled" && result.value.source === "shared");
    };
    await until(shared);
    await master.kill();
    await until(async () => !(await shared()));
    await until(shared);
    const [left] = (await take(stores[0] ?? never(), op)).per;
    expect(left?.remaining).toBeLessThan(1000);
    await Promise.all(stores.map(async (store) => store.close()));
  });
});

function never(): never {
  throw new Error("no store");
}
