/** The way to the server, over connections of drivers that misbehave. */
import { StoreError } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import type { RedisConnection } from "./driver.js";
import { Link } from "./link.js";
import { script } from "./scripts/script.js";

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
