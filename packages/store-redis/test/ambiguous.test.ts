/** A take that may have been counted is sent once: how often it reaches the server is seen on the way there, and in what it counted. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { clients } from "./clients.test-support.js";
import { Proxy } from "./proxy.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";
import { bucket, openStore, take, until } from "./world.test-support.js";

const LIMIT = 5;

describeEngines("an answer that is lost", (engine) => {
  let server: Server;
  beforeAll(async () => void (server = await Server.start(engine)));
  afterAll(() => server.stop());

  const ways = Object.entries(clients).flatMap(([name, make]) =>
    (["drop", "cut"] as const).map((how) => [name, how, make] as const),
  );

  it.concurrent.each(ways)("with %s (%s)", async (_name, how, make) => {
    const proxy = await Proxy.start(server.port);
    const store = await openStore(make(proxy.port));
    try {
      // So that the server knows the script, and its text has no reason to follow.
      await take(store, bucket("a:t:before", LIMIT));
      proxy.lose(how);
      const code = how === "drop" ? "timeout" : "connection";
      const lost = bucket("a:t:lost", LIMIT);
      await expect(take(store, lost)).rejects.toMatchObject({ code, ambiguous: true });
      proxy.heal();
      // Whoever sends again does so before what is asked later, on the same way.
      await until(() =>
        take(store, bucket("a:t:after", 1000)).then(
          () => true,
          () => false,
        ),
      );
      expect(proxy.sent.split("{.lost}\r\n")).toHaveLength(2);
      const second = await take(store, lost);
      expect(second.per[0]?.remaining).toBe(LIMIT - 2);
    } finally {
      await store.close();
      await proxy.stop();
    }
  });
});
