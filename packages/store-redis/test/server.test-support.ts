/** Real servers, started by tests on ports of the loopback that are theirs until they stop, in folders of their own, and ended by their own handle. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { ReservedPort } from "./port.test-support.js";

export interface EngineHere {
  readonly name: string;
  readonly version: string;
}

const ENGINES = ["redis-server", "valkey-server"];

/** What is installed; Debian has Redis always, Valkey from version 13 on. */
export const engines: readonly EngineHere[] = ENGINES.flatMap((name) => {
  const { stdout, error } = spawnSync(name, ["--version"], { encoding: "utf8" });
  const version = /v=([\d.]+)/.exec(stdout ?? "")?.[1];
  return error === undefined && version !== undefined ? [{ name, version }] : [];
});

/** Once for each engine; where there is none, skipped with the reason in its name, but CI owes it. */
export function describeEngines(name: string, define: (engine: EngineHere) => void): void {
  for (const engine of engines) {
    describe(`${name}, on ${engine.name} ${engine.version}`, () => {
      define(engine);
    });
  }
  if (engines.length > 0) return;
  if (process.env["CI"] === "true")
    throw new Error("CI owes the tests on a real server: install redis-server");
  describe.runIf(false)(`${name} (no redis-server on this machine)`, () => {
    define({ name: "redis-server", version: "0" });
  });
}

export class Server {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly engine: EngineHere,
    private readonly reserved: ReservedPort,
    readonly dir: string,
    private readonly more: readonly string[],
  ) {}

  static async start(engine: EngineHere, ...more: readonly string[]): Promise<Server> {
    const server = await Server.plan(engine, ...more);
    await server.run();
    return server;
  }

  /** Has a port and a folder, and does not run yet. */
  static async plan(engine: EngineHere, ...more: readonly string[]): Promise<Server> {
    return new Server(
      engine,
      await ReservedPort.claim(),
      await mkdtemp(join(tmpdir(), "gatehouse-redis-")),
      more,
    );
  }

  /** Its own also while it does not run. */
  get port(): number {
    return this.reserved.number;
  }

  /** @param file of settings, where they are more than can be said on the command line */
  async run(file?: string): Promise<void> {
    const place = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.dir];
    const kept = ["--save", "", "--appendonly", "no", ...this.#debugging()];
    const settings = file === undefined ? [...place, ...kept] : [file];
    const child = spawn(this.engine.name, [...settings, ...this.more], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve();
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the server ended: ${said}`)));
    });
  }

  /** Before Redis 7 the tests' `DEBUG` needed no leave, and a server ends at a setting that it does not know. */
  #debugging(): readonly string[] {
    return Number.parseInt(this.engine.version, 10) < 7 ? [] : ["--enable-debug-command", "yes"];
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.reserved.free();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** One command on a connection of its own; the answer as it came. */
  command(...words: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1");
      let said = "";
      socket.on("data", (chunk) => {
        said += chunk.toString();
        if (!said.endsWith("\r\n")) return;
        socket.destroy();
        resolve(said.trim());
      });
      socket.on("error", reject);
      socket.write(
        `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
      );
    });
  }
}
