/** A real cluster of three masters, each with a replica. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EngineHere } from "./server.test-support.js";
import { Server } from "./server.test-support.js";
import { until } from "./world.test-support.js";

const run = promisify(execFile);
const NODES = 6;
const SETTINGS = [
  ["--cluster-enabled", "yes"],
  ["--cluster-node-timeout", "500"],
  ["--cluster-require-full-coverage", "no"],
  ["--cluster-replica-validity-factor", "0"],
  ["--repl-diskless-sync-delay", "0"],
].flat();

export class ClusterHere {
  private constructor(
    private readonly cli: string,
    readonly servers: readonly Server[],
  ) {}

  static async start(engine: EngineHere): Promise<ClusterHere> {
    const servers = await Promise.all(Array.from({ length: NODES }, () => Server.start(engine, ...SETTINGS)));
    const cluster = new ClusterHere(engine.name.replace("-server", "-cli"), servers);
    const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
    try {
      await cluster.command("--cluster", "create", ...nodes, "--cluster-replicas", "1", "--cluster-yes");
      // Each learns it by itself, and refuses what it is asked until then.
      await until(async () => {
        const said = await Promise.all(servers.map((server) => server.command("CLUSTER", "INFO")));
        return said.every((text) => text.includes("cluster_state:ok"));
      });
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get ports(): readonly number[] {
    return this.servers.map(({ port }) => port);
  }

  async command(...words: readonly string[]): Promise<string> {
    const { stdout } = await run(this.cli, [...words], { encoding: "utf8" });
    return stdout;
  }

  /** The server that answers for a slot, and its id; undefined while nobody was elected. */
  async masterOf(slot: number): Promise<{ readonly server: Server; readonly id: string } | undefined> {
    for (const line of await this.#nodes()) {
      const [id = "", address = "", flags = "", , , , , , ...ranges] = line.split(" ");
      const has = ranges.some((range) => {
        const [from, to = from] = range.split("-").map(Number);
        return from !== undefined && to !== undefined && slot >= from && slot <= to;
      });
      if (!flags.includes("master") || flags.includes("fail") || !has) continue;
      const server = this.servers.find(({ port }) => address.startsWith(`127.0.0.1:${port}@`));
      if (server !== undefined) return { server, id };
    }
    return undefined;
  }

  /** All servers that could answer for a slot: where they hang, nobody is elected. */
  async shardOf(slot: number): Promise<readonly Server[]> {
    const master = await this.masterOf(slot);
    if (master === undefined) throw new Error("nobody answers for the slot");
    const replicas = (await this.#nodes()).filter((line) => line.includes(` slave ${master.id} `));
    const servers = this.servers.filter(({ port }) =>
      replicas.some((line) => line.includes(` 127.0.0.1:${port}@`)),
    );
    return [master.server, ...servers];
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #nodes(): Promise<readonly string[]> {
    for (const server of this.servers) {
      try {
        const text = await server.command("CLUSTER", "NODES");
        return text.split(/\r?\n/).filter((line) => line.includes("@"));
      } catch {
        // This one is down.
      }
    }
    throw new Error("no node of the cluster answers");
  }
}
