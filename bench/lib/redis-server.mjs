// A server of the benchmark's own, on a free port of the loopback, ended by its own handle.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/lib/free-port.mjs";

export function whyNoRedis() {
  return spawnSync("redis-server", ["--version"]).error === undefined
    ? undefined
    : "no redis-server on this machine";
}

export async function startRedis() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
  let child;
  const run = async () => {
    const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
    child = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.includes("Ready to accept connections")) break;
    }
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await run();
  return {
    port,
    run,
    kill,
    signal: (name) => child.kill(name),
    stop: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
