/** Memory and Redis obey one model: the same list of properties, with the model's clock in place of the server's. */
import fc from "fast-check";
import { describeStore } from "@gatehouse/core/testing/properties";
import { afterAll, beforeAll, describe, it } from "vitest";
import { settingsOf } from "../src/options.js";
import { RedisStore } from "../src/store.js";
import { clients } from "./clients.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";

const runs = Number(process.env["GATEHOUSE_RUNS"] ?? 25);

describeEngines("the model", (engine) => {
  let server: Server;
  beforeAll(async () => void (server = await Server.start(engine)));
  afterAll(() => server.stop());
  for (const [name, driverFor] of Object.entries(clients)) {
    let opened = 0;
    let shared: ReturnType<typeof driverFor> | undefined;
    describeStore(
      {
        name,
        open: async (nowUs) => {
          const connection = (shared ??= onlyOnce(driverFor(server.port)));
          const settings = settingsOf({
            driver: connection,
            prefix: `${name.replaceAll(" ", "-")}-${opened++}:`,
            fleetSize: 1,
          });
          const store = new RedisStore(settings, { local: nowUs, server: () => String(nowUs()) });
          await store.start(new AbortController().signal);
          return { store, close: () => undefined };
        },
      },
      { describe, it, fc, runs },
    );
    afterAll(() => shared?.open().destroy());
  }
});

/** One connection for all the stores of a file: their prefixes keep them apart. */
function onlyOnce(driver: ReturnType<(typeof clients)[string]>): ReturnType<(typeof clients)[string]> {
  let connection: ReturnType<typeof driver.open> | undefined;
  return { cluster: driver.cluster, open: () => (connection ??= driver.open()) };
}
