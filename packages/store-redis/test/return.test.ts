/** What is left behind when a server is back: nothing that is lent to requests which have long gone, nobody uncounted who has not, and no way to a server that is no longer the one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, type PolicyDocument, type StateStore, type TakeResult } from "@gatehouse/core";
import { clients } from "./clients.test-support.js";
import { Proxy } from "./proxy.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";
import { bucket, context, openStore, slot, take, until } from "./world.test-support.js";

const SLOTS = 10;

const IN_FLIGHT: PolicyDocument = {
  gatehouse: 1,
  name: "in flight",
  transport: { https: "off" },
  limits: { one: { limit: 1, algorithm: "concurrency", lease: "300ms" } },
  routes: { "GET /": { authenticate: "none", limits: ["one"] } },
};

describeEngines("a server that is back", (engine) => {
  let server: Server;
  let other: Server;
  beforeAll(async () => {
    [server, other] = await Promise.all([Server.start(engine), Server.start(engine)]);
  });
  afterAll(async () => {
    await Promise.all([server.stop(), other.stop()]);
  });

  describe.each(Object.entries(clients))("with %s", (_client, make) => {
    it("lends again what it was asked for while it hung, by connections that are gone", async () => {
      const store = await openStore(make(server.port));
      try {
        expect(await free(store)).toBe(SLOTS);
        server.signal("SIGSTOP");
        const asked = Array.from({ length: SLOTS }, (_, n) => take(store, slot("c:l:x", SLOTS, `h${n}`)));
        const settled = await Promise.allSettled(asked);
        expect(settled.map(({ status }) => status)).toEqual(asked.map(() => "rejected"));
        // What is written to a connection that was given up is read all the same.
        await until(() => (store.health().counters["reconnects"] ?? 0) > 0);
        server.signal("SIGCONT");
        await until(() => store.health().state === "closed");
        await until(async () => (await free(store)) === SLOTS && store.health().counters["owed"] === 0);
      } finally {
        server.signal("SIGCONT");
        await store.close();
      }
    });

    it("counts what still runs, although it has lost its data", async () => {
      const store = await openStore(make(other.port));
      const engine = await createEngine(IN_FLIGHT, { store });
      const open = async (): Promise<{ readonly outcome: string; readonly end: () => void }> => {
        const exchange = engine.open({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
        const { outcome } = await exchange.head();
        return { outcome, end: () => exchange.end(200) };
      };
      const outcome = async (): Promise<string> => {
        const asked = await open();
        asked.end();
        return asked.outcome;
      };
      try {
        const first = await open();
        expect([first.outcome, await outcome()]).toEqual(["admit", "refuse"]);
        await other.command("FLUSHALL");
        await until(async () => (await outcome()) === "refuse");
        first.end();
        await until(async () => (await outcome()) === "admit");
      } finally {
        await engine.close();
        await store.close();
      }
    });

    it("is followed where its name leads to another, and the old one takes no more writes", async () => {
      const proxy = await Proxy.start(server.port);
      const store = await openStore(make(proxy.port));
      const ask = (): Promise<TakeResult> => take(store, bucket("a:t:x", 100));
      try {
        expect(await ask()).toMatchObject({ source: "shared" });
        proxy.lead(other.port);
        await server.command("REPLICAOF", "127.0.0.1", String(other.port));
        await until(async () => {
          await ask().catch(() => undefined);
          return store.health().state === "open";
        });
        await until(() => store.health().state === "closed");
        expect(await ask()).toMatchObject({ source: "shared" });
      } finally {
        await store.close();
        await proxy.stop();
        await server.command("REPLICAOF", "NO", "ONE");
      }
    });
  });
});

/** Slots that nobody has. */
async function free(store: StateStore): Promise<number> {
  const { allowed, per } = await store.peek("limits", [slot("c:l:x", SLOTS, "nobody")], context());
  // As it would be once it is taken.
  return (per[0]?.remaining ?? Number.NaN) + (allowed ? 1 : 0);
}
