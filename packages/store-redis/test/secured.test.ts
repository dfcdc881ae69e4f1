/** Servers as they run in earnest: behind TLS with a certificate that is checked, and with a user who may do no more than it takes. */
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, type StateStore } from "@gatehouse/core";
import { issueCertificate } from "@gatehouse/core/conformance";
import { ioredisDriver, nodeRedisDriver, type RedisDriver } from "@gatehouse/redis";
import { advised, askAll } from "./asks.test-support.js";
import { ReservedPort } from "./port.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";
import { bucket, openStore, slot, take, until } from "./world.test-support.js";

const host = "localhost";
const authority = issueCertificate({ subject: [["CN", "redis test"]], ca: true });
const stranger = issueCertificate({ subject: [["CN", "another"]], ca: true });
const own = issueCertificate({ subject: [["CN", host]], hosts: [host], issuer: authority });

interface Way {
  readonly tls: (port: number, ca: string) => RedisDriver;
  readonly user: (port: number, username: string, password: string) => RedisDriver;
}

const WAYS: Readonly<Record<string, Way>> = {
  "ioredis 6": {
    tls: (port, ca) =>
      ioredisDriver(new Redis(`rediss://${host}:${port}`, { lazyConnect: true, tls: { ca } })),
    user: (port, username, password) =>
      ioredisDriver(new Redis({ port, username, password, lazyConnect: true })),
  },
  iovalkey: {
    tls: (port, ca) =>
      ioredisDriver(new Valkey(`rediss://${host}:${port}`, { lazyConnect: true, tls: { ca } })),
    user: (port, username, password) =>
      ioredisDriver(new Valkey({ port, username, password, lazyConnect: true })),
  },
  "node-redis 6": {
    tls: (port, ca) =>
      nodeRedisDriver(createClient({ url: `rediss://${host}:${port}`, socket: { tls: true, ca } })),
    user: (port, username, password) =>
      nodeRedisDriver(createClient({ url: `redis://127.0.0.1:${port}`, username, password })),
  },
};

describeEngines("a secured server", (engine) => {
  let server: Server;
  let folder: string;
  let reserved: ReservedPort;
  let secure: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gatehouse-redis-tls-"));
    const files = { "ca.pem": authority.cert, "cert.pem": own.cert, "key.pem": own.key };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    reserved = await ReservedPort.claim();
    secure = reserved.number;
    const settings = {
      "--tls-port": String(secure),
      "--tls-auth-clients": "no",
      "--tls-ca-cert-file": join(folder, "ca.pem"),
      "--tls-cert-file": join(folder, "cert.pem"),
      "--tls-key-file": join(folder, "key.pem"),
    };
    server = await Server.start(engine, ...Object.entries(settings).flat());
  });
  afterAll(async () => {
    await server.stop();
    await reserved.free();
    await rm(folder, { recursive: true, force: true });
  });

  describe.concurrent.each(Object.entries(WAYS))("with %s", (client, way) => {
    const withStore = async (
      driver: RedisDriver,
      work: (store: StateStore) => Promise<void>,
      options = {},
    ): Promise<void> => {
      const store = await openStore(driver, options);
      try {
        await work(store);
      } finally {
        await store.close();
      }
    };

    it("counts through TLS", () => withStore(way.tls(secure, authority.cert), askAll));

    it("asks nothing of a server whose certificate is another authority's, and says why not", () =>
      withStore(way.tls(secure, stranger.cert), async (store) => {
        await expect(take(store, bucket("a:t:1", 5))).rejects.toMatchObject({
          code: expect.stringMatching(/^(not-ready|connection)$/),
          ambiguous: false,
        });
        await until(() => store.health().state !== "closed");
      }));

    it("needs no more than the user of the guide may do", async () => {
      const user = `ok-${client.replace(" ", "-")}`;
      const prefix = `${user}:`;
      expect(await server.command(...advised(user, "right", prefix))).toBe("+OK");
      await withStore(way.user(server.port, user, "right"), askAll, { prefix });
    });

    it.each([
      ["a command", "-zadd"],
      ["the keys", "resetkeys"],
    ])(
      "a user who may not use %s is told as such, and what is closed then stays closed",
      async (_what, less) => {
        const user = `less${less}-${client.replace(" ", "-")}`;
        const prefix = `${user}:`;
        expect(await server.command(...advised(user, "right", prefix))).toBe("+OK");
        expect(await server.command("ACL", "SETUSER", user, less)).toBe("+OK");
        await withStore(
          way.user(server.port, user, "right"),
          async (store) => {
            await expect(take(store, slot("d:l:1", 2, "holder"))).rejects.toMatchObject({ code: "auth" });
            await expect(refusedBy(store)).resolves.toEqual(["capacity-reduced", 503]);
            expect(store.health().lastError).toBe("auth");
          },
          { prefix },
        );
      },
    );

    it("counts nothing for a user whose password is wrong", async () => {
      const user = `wrong-${client.replace(" ", "-")}`;
      expect(await server.command(...advised(user, "right", user))).toBe("+OK");
      await withStore(way.user(server.port, user, "wrong"), async (store) => {
        await expect(take(store, bucket("a:t:1", 5))).rejects.toMatchObject({ ambiguous: false });
        await expect(refusedBy(store)).resolves.toEqual(["capacity-reduced", 503]);
      });
    });
  });
});

/** What a caller is told where a limit is closed without its store. */
async function refusedBy(store: StateStore): Promise<readonly [string, number]> {
  const engine = await createEngine(
    {
      gatehouse: 1,
      name: "closed",
      transport: { https: "off" },
      defaults: { authenticate: "none" },
      limits: {
        slots: { algorithm: "concurrency", limit: 2, by: ["client.ip"], onStoreFailure: "closed" },
      },
      routes: { "GET /a": { limits: ["slots"] } },
    },
    { store },
  );
  const raw = {
    method: "GET",
    target: "/a",
    headers: ["Host", "a.test"],
    remoteAddress: "203.0.113.7",
    encrypted: false,
  };
  const exchange = engine.open(raw);
  const decided = await exchange.head();
  exchange.end(decided.outcome === "refuse" ? decided.status : 200);
  await engine.close();
  if (decided.outcome !== "refuse") throw new Error(`not refused: ${decided.outcome}`);
  return [decided.code, decided.status];
}
