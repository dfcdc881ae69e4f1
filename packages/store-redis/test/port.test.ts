/** That nobody takes the port of a server that a test has killed. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { ReservedPort } from "./port.test-support.js";
import { describeEngines, Server } from "./server.test-support.js";

/** Where Linux has a whole network, and others may have the one of the newer protocol. */
const SECOND = process.platform === "linux" ? "127.0.0.3" : "::1";

const claimed: ReservedPort[] = [];
afterEach(async () => {
  for (const port of claimed.splice(0)) await port.free();
});

async function claim(from?: number): Promise<number> {
  const port = await ReservedPort.claim(from);
  claimed.push(port);
  return port.number;
}

it("is none that the system gives out, its bus included", async () => {
  const path = "/proc/sys/net/ipv4/ip_local_port_range";
  const range = await readFile(path, "utf8").catch(() => "49152 65535");
  for (let times = 0; times < 20; times++)
    expect((await claim()) + 10_000).toBeLessThan(Number.parseInt(range, 10));
});

it("is given to one alone until it is free, and not where somebody listens", async () => {
  const first = await claim();
  expect(await claim(first)).not.toBe(first);
  await claimed[0]?.free();
  const stranger = createServer().listen(first, "127.0.0.1");
  expect(await claim(first)).not.toBe(first);
  await new Promise((done) => stranger.close(done));
  expect(await claim(first)).toBe(first);
});

it("is reserved at another address of this machine where a system gives it only one", async () => {
  // An address for documentation: nobody has it.
  const guards = ["192.0.2.1", SECOND];
  const reserved = await ReservedPort.claim(undefined, guards);
  claimed.push(reserved);
  expect((await ReservedPort.claim(reserved.number, guards)).number).not.toBe(reserved.number);
});

it("says what is missing where there is no other", async () => {
  await expect(ReservedPort.claim(undefined, ["192.0.2.1"])).rejects.toThrow(
    "no port can be reserved: this machine has none of 192.0.2.1; give it one, as `ifconfig lo0 alias 192.0.2.1` does",
  );
});

describeEngines("a killed server", (engine) => {
  it("keeps its port", async () => {
    const server = await Server.start(engine);
    try {
      await server.kill();
      expect(await claim(server.port)).not.toBe(server.port);
      await server.run();
      expect(await server.command("PING")).toBe("+PONG");
    } finally {
      await server.stop();
    }
    expect(await claim(server.port)).toBe(server.port);
  });
});
