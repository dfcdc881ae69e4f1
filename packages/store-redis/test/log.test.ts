/** What is revoked on one machine is refused on the others, and what holds while the server is away, or has lost what it knew. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createEngine,
  type Engine,
  type PolicyDocument,
  type StateLog,
  type StateStore,
} from "@gatehouse/core";
import type { RedisDriver } from "@gatehouse/redis";
import { clients, clusterClients } from "./clients.test-support.js";
import { ClusterHere } from "./cluster.test-support.js";
import { describeEngines, Server, type EngineHere } from "./server.test-support.js";
import { context, openStore, until } from "./world.test-support.js";

const KEY = "k".repeat(43);
const MINUTE_US = 60_000_000;

function policyOf(onStoreFailure: "closed" | "open"): PolicyDocument {
  return {
    gatehouse: 1,
    name: "revoking",
    transport: { https: "off" },
    revocation: { refresh: "100ms", maxStale: "400ms", onStoreFailure },
    authenticators: {
      till: { type: "api-key", in: "header", name: "X-Till", keys: { lookup: "till" } },
      shop: { type: "api-key", in: "header", name: "X-Shop", keys: { lookup: "shop" } },
    },
    routes: {
      "GET /": { authenticate: ["till", "shop"], authorize: "authenticated" },
    },
  } as unknown as PolicyDocument;
}

interface Machine {
  readonly engine: Engine;
  readonly store: StateStore;
  ask(who: "till" | "shop"): Promise<string>;
}

const machines: Machine[] = [];

async function machineOn(
  driver: RedisDriver,
  prefix: string,
  onStoreFailure: "closed" | "open" = "closed",
): Promise<Machine> {
  const store = await openStore(driver, { prefix });
  const lookups = { till: () => ({ id: "till" }), shop: () => ({ id: "shop" }) };
  const engine = await createEngine(policyOf(onStoreFailure), { store, lookups });
  const ask = async (who: "till" | "shop"): Promise<string> => {
    const headers = [["Host", "a.test"] as const, [`X-${who}`, KEY] as const];
    const decision = await engine.evaluate({ method: "GET", target: "/", headers });
    return decision.outcome === "refuse" ? decision.code : decision.outcome;
  };
  const machine = { engine, store, ask };
  machines.push(machine);
  return machine;
}

/** Stores and servers that a test has for itself. */
const stores: StateStore[] = [];
const servers: Server[] = [];

async function serverOf(engine: EngineHere): Promise<Server> {
  const server = await Server.start(engine);
  servers.push(server);
  return server;
}

// Also where a test failed: a server that it left running would outlive the process.
afterEach(async () => {
  try {
    for (const { engine, store } of machines.splice(0)) {
      await engine.close();
      await store.close();
    }
    for (const store of stores.splice(0)) await store.close();
  } finally {
    for (const server of servers.splice(0)) await server.stop();
  }
});

const NO = "invalid-credential";

function logOf({ log }: StateStore): StateLog {
  if (log === undefined) throw new Error("the store has no log");
  return log;
}

async function readAll(
  log: StateLog,
  after?: string,
): Promise<{ values: string[]; cursor: string; pages: number }> {
  const all = { values: [] as string[], cursor: after ?? "", pages: 0 };
  for (let more = true; more;) {
    const page = await log.read("l", all.cursor, context());
    all.values.push(...page.entries.map((bytes) => Buffer.from(bytes).toString()));
    all.pages += 1;
    ({ cursor: all.cursor, more } = page);
  }
  return all;
}

describeEngines("the log", (engine) => {
  let server: Server;
  beforeAll(async () => void (server = await Server.start(engine)));
  afterAll(() => server.stop());

  const withLog = async (work: (log: StateLog, prefix: string) => Promise<void>): Promise<void> => {
    const prefix = `log${++prefixes}:`;
    const store = await openStore(driverFor("ioredis 6", server.port), { prefix });
    try {
      await work(logOf(store), prefix);
    } finally {
      await store.close();
    }
  };

  it.each(Object.keys(clients))("tells another machine, with %s", async (name) => {
    const prefix = `two-${name.replaceAll(" ", "-")}:`;
    const one = await machineOn(driverFor(name, server.port), prefix);
    const two = await machineOn(driverFor("ioredis 6", server.port), prefix);
    expect(await two.ask("till")).toBe("admit");
    await one.engine.revoke({ authenticator: "till", id: "till" });
    expect(await one.ask("till")).toBe(NO);
    await until(async () => (await two.ask("till")) === NO);
    const late = await machineOn(driverFor(name, server.port), prefix);
    expect([await late.ask("till"), await late.ask("shop")]).toEqual([NO, "admit"]);
  });

  it("is read page by page, and from where one was", async () => {
    await withLog(async (log) => {
      const values = Array.from({ length: 512 }, (_, index) => String(index));
      for (const value of values) await log.append("l", Buffer.from(value), MINUTE_US, context());
      const all = await readAll(log);
      expect([all.values, all.pages]).toEqual([values, 2]);
      await log.append("l", Buffer.from("more"), 8.64e18, context());
      expect((await readAll(log, all.cursor)).values).toEqual(["more"]);
    });
  });

  it("forgets what has run out, also behind what has not, and not where somebody reads on", async () => {
    await withLog(async (log, prefix) => {
      await log.append("l", Buffer.from("long"), MINUTE_US, context());
      for (let n = 0; n < 50; n++) await log.append("l", Buffer.from("short"), 1000, context());
      const { values, cursor } = await readAll(log);
      expect(values[0]).toBe("long");
      const key = `${prefix}log:{.l}`;
      await until(async () => (await readAll(log)).values.length === 1);
      await log.append("l", Buffer.from("next"), MINUTE_US, context());
      expect(await server.command("XLEN", key)).toBe(":3");
      expect((await readAll(log, cursor)).values).toEqual(["next"]);
      await log.append("l", Buffer.from("last"), 1000, context());
      expect(await server.command("XLEN", key)).toBe(":3");
      expect(await server.command("ZCARD", `${key}!`)).toBe(":3");
      // Another's short life does not end the key.
      expect(Number((await server.command("PTTL", key)).slice(1))).toBeGreaterThan(50_000);
    });
  });

  it("a cursor that is ahead of a server, or was another's, reads from the start", async () => {
    await withLog(async (log) => {
      await log.append("l", Buffer.from("a"), MINUTE_US, context());
      const { cursor } = await readAll(log);
      const [id = "", ends = ""] = cursor.split(" ");
      for (const strange of [`9${id} ${ends}`, `${id} 1`]) {
        expect((await readAll(log, strange)).values).toEqual(["a"]);
      }
      expect((await readAll(log, cursor)).values).toEqual([]);
    });
  });

  it("a server that is full, or somebody's replica, says so", async () => {
    const other = await serverOf(engine);
    const store = await openStore(driverFor("ioredis 6", other.port));
    stores.push(store);
    const log = logOf(store);
    await log.append("l", Buffer.from("a"), MINUTE_US, context());
    await other.command("CONFIG", "SET", "maxmemory", "1");
    await expect(
      Promise.resolve(log.append("l", Buffer.from("b"), MINUTE_US, context())),
    ).rejects.toMatchObject({
      code: "oom",
      ambiguous: false,
    });
    expect((await readAll(log)).values).toEqual(["a"]);
    await other.command("CONFIG", "SET", "maxmemory", "0");
    await other.command("REPLICAOF", "127.0.0.1", "1");
    // It would answer, but what is revoked meanwhile goes to another.
    await expect(readAll(log)).rejects.toMatchObject({ code: "readonly" });
  });

  it.each(["ioredis 6", "node-redis 6"])(
    "a server that is away, and comes back with nothing, with %s",
    async (name) => {
      const lost = await serverOf(engine);
      const [one, open] = [
        await machineOn(driverFor(name, lost.port), "lost:"),
        await machineOn(driverFor(name, lost.port), "lost:", "open"),
      ];
      await one.engine.revoke({ authenticator: "till", id: "till" });
      await until(async () => (await open.ask("till")) === NO);
      await lost.kill();
      await until(async () => (await one.ask("shop")) === "unavailable");
      await expect(one.engine.revoke({ authenticator: "shop", id: "shop" })).rejects.toMatchObject({
        name: "StoreError",
      });
      // Here it holds, and what was known is refused all the same; who may let in does.
      expect([await one.ask("shop"), await one.ask("till")]).toEqual([NO, NO]);
      expect([await open.ask("shop"), await open.ask("till")]).toEqual(["admit", NO]);
      await lost.run();
      const retried = async (): Promise<boolean> =>
        one.engine.revoke({ authenticator: "shop", id: "shop" }).then(
          () => true,
          () => false,
        );
      await until(retried);
      // Once more, as after a time-out: it changes nothing.
      await one.engine.revoke({ authenticator: "shop", id: "shop" });
      await until(async () => (await open.ask("shop")) === NO);
      expect([await one.ask("till"), await open.ask("till")]).toEqual([NO, NO]);
      const late = await machineOn(driverFor(name, lost.port), "lost:");
      expect([await late.ask("shop"), await late.ask("till")]).toEqual([NO, "admit"]);
    },
  );

  describe("on a cluster", () => {
    let cluster: ClusterHere;
    beforeAll(async () => {
      cluster = await ClusterHere.start(engine);
    });
    afterAll(() => cluster.stop());

    it.each(Object.entries(clusterClients))("with %s", async (name, make) => {
      const prefix = `many-${name.replaceAll(" ", "-")}:`;
      const [one, two] = [
        await machineOn(make(cluster.ports), prefix),
        await machineOn(make(cluster.ports), prefix),
      ];
      await until(async () => (await two.ask("till")) === "admit");
      await one.engine.revoke({ authenticator: "till", id: "till" });
      await until(async () => (await two.ask("till")) === NO);
      expect(await two.ask("shop")).toBe("admit");
    });
  });
});

let prefixes = 0;

function driverFor(name: string, port: number): RedisDriver {
  const make = clients[name];
  if (make === undefined) throw new Error(`no client ${name}`);
  return make(port);
}
