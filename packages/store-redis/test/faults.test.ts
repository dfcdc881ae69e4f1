/**
 * Faults of a real server, under load: a small fleet asks all the while, the server is broken and mended, and what must hold of
 * every decision is looked at afterwards. What was seen is written to `reports/`.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { RedisDriver } from "@gatehouse/redis";
import { slotOf } from "../src/slots.js";
import { clients, clusterClients } from "./clients.test-support.js";
import { ClusterHere } from "./cluster.test-support.js";
import { Fleet, isShared, LIMIT, type Seen } from "./load.test-support.js";
import { Proxy } from "./proxy.test-support.js";
import { describeEngines, Server, type EngineHere } from "./server.test-support.js";
import { until } from "./world.test-support.js";

const NODES = 3;
const LOCAL = NODES * Math.ceil(LIMIT / NODES);
const BEFORE_MS = 400;
const BROKEN_MS = 1500;
/** Long enough for the breaker to have opened everywhere. */
const SETTLED_MS = 800;

/** What one fault does to a server. */
interface Fault {
  readonly name: string;
  /** Whether what was counted is gone with it: the limit once more. */
  readonly forgets: boolean;
  readonly begin: (world: World) => unknown;
  readonly end: (world: World) => unknown;
  /** True: the server stays of use for the limits that need no write, so that sources are mixed. */
  readonly partly?: boolean;
  /** It is the client that has to notice. */
  readonly clients?: "all";
}

interface World {
  readonly server: Server;
  readonly proxy: Proxy;
}

const FAULTS: readonly Fault[] = [
  {
    name: "killed",
    clients: "all",
    forgets: true,
    begin: ({ server }) => server.kill(),
    end: ({ server }) => server.run(),
  },
  {
    name: "hangs",
    clients: "all",
    forgets: false,
    begin: ({ server }) => server.signal("SIGSTOP"),
    end: ({ server }) => server.signal("SIGCONT"),
  },
  {
    name: "out of memory",
    forgets: false,
    partly: true,
    begin: ({ server }) => server.command("CONFIG", "SET", "maxmemory", "1"),
    end: ({ server }) => server.command("CONFIG", "SET", "maxmemory", "0"),
  },
  {
    name: "read-only replica",
    forgets: false,
    partly: true,
    begin: ({ server }) => server.command("REPLICAOF", "127.0.0.1", "1"),
    end: ({ server }) => server.command("REPLICAOF", "NO", "ONE"),
  },
  {
    name: "slow command",
    forgets: false,
    // Longer than it is looked at, so that it never ends before.
    begin: ({ server }) => void server.command("DEBUG", "SLEEP", String((BROKEN_MS + 500) / 1000)),
    end: async ({ server }) => void (await server.command("PING")),
  },
  {
    name: "busy script",
    forgets: false,
    begin: ({ server }) => void server.command("EVAL", "while true do end", "0"),
    end: ({ server }) => server.command("SCRIPT", "KILL"),
  },
  {
    name: "half-open connection",
    clients: "all",
    forgets: false,
    begin: ({ proxy }) => proxy.swallow(),
    end: ({ proxy }) => proxy.heal(),
  },
];

/** Meet every fault; the others those that a client of theirs could handle otherwise. */
const WHOLE: ReadonlySet<string> = new Set(["ioredis 6", "node-redis 6"]);

interface Row {
  readonly fault: string;
  readonly client: string;
  readonly decisions: number;
  readonly sources: string;
  readonly late: number;
  readonly worst: number;
  readonly bound: number;
  readonly backMs: number;
}

const rows: Row[] = [];

describeEngines("faults", (engine) => {
  describe.concurrent.each(Object.entries(clients))("with %s", (client, make) => {
    const faults = WHOLE.has(client) ? FAULTS : FAULTS.filter(({ clients }) => clients === "all");
    it.each(faults)("$name", async (fault) => {
      await underLoad(engine, fault, client, make);
    });
    if (!WHOLE.has(client)) return;

    it("restarted at once, without its scripts and counts", async () => {
      const restart: Fault = {
        name: "restarted",
        forgets: true,
        partly: true,
        begin: async ({ server }) => {
          await server.kill();
          await server.run();
        },
        end: () => undefined,
      };
      await underLoad(engine, restart, client, make);
    });

    it("down at boot", async () => {
      const server = await Server.plan(engine);
      try {
        const fleet = await Fleet.start(() => make(server.port), "boot:", ["x"], 50);
        fleet.run();
        await pause(BROKEN_MS);
        const healed = performance.now();
        await server.run();
        const running = performance.now();
        await until(() => fleet.backAt(running) !== undefined);
        await fleet.stop();
        judge(fleet, { name: "down at boot", forgets: false }, client, running, [0, healed]);
      } finally {
        await server.stop();
      }
    });
  });

  describe.concurrent.each(["ioredis 6", "node-redis 6"])("a cluster, with %s", (client) => {
    const make = clusterClients[client];
    if (make === undefined) throw new Error(`no client ${client}`);

    it("loses a master, and moves a slot", async () => {
      const cluster = await ClusterHere.start(engine);
      const callers = callersOfSlots();
      const start = async (prefix: string): Promise<Fleet> => {
        const fleet = await Fleet.start(() => make(cluster.ports), prefix, [...callers.keys()]);
        fleet.run();
        await until(() => fleet.backAt(0) !== undefined);
        await pause(BEFORE_MS);
        return fleet;
      };
      try {
        const moving = await start("moves:");
        const [[, slot = 0] = []] = callers;
        const from = await cluster.masterOf(slot);
        const to = await cluster.masterOf((slot + 8192) % 16384);
        if (from === undefined || to === undefined) throw new Error("the cluster has no masters");
        const moved = [
          "--cluster-from",
          from.id,
          "--cluster-to",
          to.id,
          "--cluster-slots",
          "600",
          "--cluster-yes",
        ];
        const began = performance.now();
        await cluster.command("--cluster", "reshard", `127.0.0.1:${from.server.port}`, ...moved);
        const ended = performance.now();
        await until(() => moving.backAt(ended) !== undefined);
        await moving.stop();
        judge(moving, { name: "slots moved", forgets: false, partly: true }, client, ended, [began, ended]);

        const losing = await start("loses:");
        const lost = await cluster.masterOf(slot);
        const killed = performance.now();
        await lost?.server.kill();
        await until(async () => {
          const master = await cluster.masterOf(slot);
          return master !== undefined && master.server !== lost?.server;
        });
        const elected = performance.now();
        await until(() => losing.backAt(elected) !== undefined);
        await losing.stop();
        judge(losing, { name: "master lost", forgets: true, partly: true }, client, elected, [
          killed,
          elected,
        ]);
      } finally {
        await cluster.stop();
      }
    });
  });

  afterAll(() => {
    const table = tableOf(rows);
    mkdirSync("reports", { recursive: true });
    writeFileSync(`reports/faults-${engine.name}.md`, table);
    process.stdout.write(`\nfaults of ${engine.name} ${engine.version}\n\n${table}`);
  });
});

async function underLoad(
  engine: EngineHere,
  fault: Fault,
  client: string,
  make: (port: number) => RedisDriver,
): Promise<void> {
  const server = await Server.start(engine, "--lua-time-limit", "100");
  const proxy = await Proxy.start(server.port);
  const world = { server, proxy };
  try {
    const fleet = await Fleet.start(() => make(proxy.port), "f:");
    fleet.run();
    await until(() => fleet.backAt(0) !== undefined);
    await pause(BEFORE_MS);
    const began = performance.now();
    await fault.begin(world);
    await pause(BROKEN_MS);
    // Before it is mended, and not after: between the two some may be answered already.
    const ended = performance.now();
    await fault.end(world);
    const healed = performance.now();
    await until(() => fleet.backAt(healed) !== undefined);
    await pause(BEFORE_MS);
    await fleet.stop();
    judge(fleet, fault, client, healed, [began, ended]);
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

function judge(
  fleet: Fleet,
  { name, forgets, partly = false }: Pick<Fault, "name" | "forgets" | "partly">,
  client: string,
  healedMs: number,
  [beganMs, endedMs]: readonly [number, number],
): void {
  const bound = LIMIT * (forgets ? 2 : 1) + LOCAL;
  const broken = fleet.since(beganMs + SETTLED_MS, endedMs);
  const row: Row = {
    fault: name,
    client,
    decisions: fleet.seen.length,
    sources: countOf(broken),
    late: fleet.seen.filter(({ late }) => late).length,
    worst: fleet.worst("local"),
    bound,
    backMs: Math.round((fleet.backAt(healedMs) ?? Infinity) - healedMs),
  };
  rows.push(row);
  const wrong: Readonly<Record<string, Seen | undefined>> = {
    late: fleet.seen.find(({ late }) => late),
    withoutSource: fleet.seen.find(({ sources }) => sources.length === 0),
    contradicting: fleet.seen.find(contradicts),
    // A refusal that is remembered still holds; nothing else that is shared can be known.
    sharedWithoutServer: partly ? undefined : broken.find(({ sources }) => sources.includes("shared")),
  };
  expect({ fault: name, wrong }).toEqual({ fault: name, wrong: {} });
  expect(row.worst, "admitted in a window").toBeLessThanOrEqual(bound);
}

/** An outcome that its source does not explain. */
function contradicts({ route, outcome, sources }: Seen): boolean {
  if (sources.every(isShared)) return outcome !== "admit" && outcome !== "429";
  if (route === "local")
    return !sources.includes("local-fallback") || (outcome !== "admit" && outcome !== "429");
  if (route === "closed") return !sources.includes("fail-closed") || outcome !== "503";
  return !sources.includes("fail-open") || outcome !== "admit";
}

function countOf(seen: readonly Seen[]): string {
  const counts = new Map<string, number>();
  for (const { sources } of seen) for (const one of sources) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([source, count]) => `${source} ${count}`).join(", ");
}

function tableOf(found: readonly Row[]): string {
  const head =
    "| fault | client | decisions | counted by, while broken | late | most in a window (bound) | shared again after |";
  const lines = found
    .toSorted((a, b) => (a.fault < b.fault ? -1 : 1))
    .map(
      (row) =>
        `| ${row.fault} | ${row.client} | ${row.decisions} | ${row.sources} | ${row.late} | ${row.worst} (${row.bound}) | ${row.backMs} ms |`,
    );
  return `${[head, "| --- | --- | --- | --- | --- | --- | --- |", ...lines].join("\n")}\n`;
}

/** Names of callers that lie in each third of the slots, by the tag that the core's keys give what a caller chooses. */
function callersOfSlots(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (let third = 0; third < 3; third++) {
    for (let n = 0; ; n++) {
      const name = `c${n}`;
      const digest = createHash("sha256").update(`${name.length}=${name}`).digest("hex").slice(0, 32);
      const slot = slotOf(`{.#${digest}}`);
      if (Math.floor((slot * 3) / 16384) !== third) continue;
      found.set(name, slot);
      break;
    }
  }
  return found;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
