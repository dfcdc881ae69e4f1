/**
 * Several processes. With Redis the limit is one, whoever counts: never more in any window, and all of it. With stores of their own
 * each process keeps a part, and together they keep the limit.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Admitted, Embedded, Order, Task } from "./member.js";
import { describeEngines, Server } from "./server.test-support.js";
import { bucket, slot, window } from "./world.test-support.js";

const PROCESSES = 8;
const HOUR_US = 3_600_000_000;
const root = new URL("../../..", import.meta.url).pathname;
let folder = "";
let program = "";

beforeAll(async () => {
  folder = await mkdtemp(join(root, "node_modules/.gatehouse-fleet-"));
  program = join(folder, "member.mjs");
  const source = (path: string): string => join(root, "packages", path);
  await build({
    entryPoints: [source("store-redis/test/member.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
    alias: {
      "@gatehouse/core": source("core/src/index.ts"),
      "@gatehouse/redis": source("store-redis/src/index.ts"),
      "#platform": source("core/src/platform/node.ts"),
    },
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const WINDOW_US = 200_000;
const TASKS = {
  sliding: { op: window("a:s:x", 37, HOUR_US), rounds: 60, atOnce: 3, holdMs: 0 },
  bucket: { op: bucket("b:t:x", 41, HOUR_US), rounds: 60, atOnce: 3, holdMs: 0 },
  leased: {
    op: { kind: "gcra", key: "c:t:x", emissionUs: HOUR_US, burst: 400, cost: 1, precision: "leased" },
    rounds: 60,
    atOnce: 3,
    holdMs: 0,
  },
  often: { op: window("d:s:x", 20, WINDOW_US), rounds: 120, atOnce: 3, holdMs: 0 },
  slots: { op: slot("e:l:", 5, ""), rounds: 25, atOnce: 3, holdMs: 10 },
} as const satisfies Readonly<Record<string, Task>>;

describeEngines(`a fleet of ${PROCESSES} processes on one server`, (engine) => {
  let server: Server;
  const admitted = new Map<string, readonly Admitted[]>();
  const of = (name: keyof typeof TASKS): readonly Admitted[] => admitted.get(name) ?? [];

  beforeAll(async () => {
    server = await Server.start(engine);
    const order: Order = { port: server.port, tasks: Object.values(TASKS) };
    const members = Array.from({ length: PROCESSES }, () => start(order));
    await Promise.all(members.map((member) => once(member, "message")));
    const told = members.map((member) => once(member, "message"));
    for (const member of members) member.send("go");
    const answers = (await Promise.all(told)).map(([lists]) => lists as readonly (readonly Admitted[])[]);
    for (const [index, name] of Object.keys(TASKS).entries()) {
      admitted.set(
        name,
        answers.flatMap((lists) => lists[index] ?? []),
      );
    }
  });
  afterAll(() => server.stop());

  it("admits exactly the limit", () => {
    expect(of("sliding")).toHaveLength(37);
    expect(of("bucket")).toHaveLength(41);
  });

  it("leased, never more, and less only by what a process held and did not need in time", () => {
    expect(of("leased").length).toBeLessThanOrEqual(400);
    expect(of("leased").length).toBeGreaterThanOrEqual(300);
  });

  it("admits at most the limit in ANY window, again and again", () => {
    expect(of("often").length).toBeGreaterThan(20);
    for (const { sent } of of("often")) {
      // Asked and answered within it, they were counted within it, whatever the server's clock says.
      const within = of("often").filter((one) => one.sent >= sent && one.heard <= sent + WINDOW_US);
      expect(within.length).toBeLessThanOrEqual(20);
    }
  });

  it("lends at most as many slots as there are", () => {
    expect(of("slots").length).toBeGreaterThan(5);
    for (const { heard } of of("slots")) {
      const held = of("slots").filter((one) => one.heard <= heard && one.left > heard);
      expect(held.length).toBeLessThanOrEqual(5);
    }
  });
});

describe("stores of their own", () => {
  const LIMIT = 100;
  const WORKERS = 2;

  it("node:cluster: together they keep the limit, each its part", async () => {
    const primary = start({ processes: WORKERS, attempts: LIMIT + 20 });
    const [total] = await once(primary, "message");
    expect(total).toBe(LIMIT);
  });

  it.each([
    [WORKERS, LIMIT],
    // Where nobody says how many there are, each keeps the whole.
    [1, WORKERS * LIMIT],
  ])("worker threads, told of %i: %i in all", async (processes, total) => {
    const counts = await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        const workerData: Embedded = { processes, attempts: LIMIT + 20 };
        const [count] = await once(new Worker(program, { workerData }), "message");
        return Number(count);
      }),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
  });
});

function start(order: Order | Embedded): ChildProcess {
  return fork(program, { env: { ...process.env, GATEHOUSE_ORDER: JSON.stringify(order) }, execArgv: [] });
}
