/** One process of a fleet, bundled by the test and run on its own: takes when it is told to, and tells what it was given. */
import cluster from "node:cluster";
import { parentPort, workerData, isMainThread } from "node:worker_threads";
import {
  createEngine,
  createMemoryStore,
  type LimitOp,
  type PolicyDocument,
  type StateStore,
} from "@gatehouse/core";
import { createRedisStore, ioredisDriver } from "@gatehouse/redis";
import { Redis } from "ioredis";

/** Instants of the machine's monotonic clock, which all processes read alike, in microseconds. */
export interface Admitted {
  readonly sent: number;
  readonly heard: number;
  /** When a slot was given back, or began to be. */
  readonly left: number;
}

export interface Order {
  readonly port: number;
  readonly tasks: readonly Task[];
}

export interface Task {
  readonly op: LimitOp;
  readonly rounds: number;
  readonly atOnce: number;
  /** Units are handed back after this long; 0: kept. */
  readonly holdMs: number;
}

export interface Embedded {
  readonly processes: number;
  readonly attempts: number;
}

const now = (): number => Number(process.hrtime.bigint() / 1000n);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function onRedis({ port, tasks }: Order): Promise<readonly (readonly Admitted[])[]> {
  const driver = ioredisDriver(new Redis(port, "127.0.0.1", { lazyConnect: true }));
  const store = createRedisStore({ driver, fleetSize: 8 });
  await store.start(new AbortController().signal);
  process.send?.("ready");
  await new Promise((resolve) => process.once("message", resolve));
  const admitted = await Promise.all(tasks.map((task) => run(store, task)));
  await store.close();
  return admitted;
}

async function run(store: StateStore, { op, rounds, atOnce, holdMs }: Task): Promise<readonly Admitted[]> {
  const admitted: Admitted[] = [];
  const one = async (name: string): Promise<void> => {
    const asked = op.kind === "lease" ? { ...op, holder: `${process.pid}-${name}` } : op;
    const sent = now();
    const context = { nowUs: 0, deadlineUs: 5_000_000 };
    const { allowed, token } = await store.take("limits", [asked], context);
    if (!allowed) return;
    const heard = now();
    if (holdMs > 0) await pause(holdMs);
    admitted.push({ sent, heard, left: now() });
    if (holdMs > 0 && token !== undefined) await store.settle("limits", token, [-1], context);
  };
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => one(`${round}-${index}`)));
    await pause(5);
  }
  return admitted;
}

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "embedded",
  transport: { https: "off" },
  limits: { few: { limit: 100, window: "1h" } },
  routes: { "GET /": { authenticate: "none", limits: ["few"] } },
};

async function embedded({ processes, attempts }: Embedded): Promise<number> {
  const engine = await createEngine(policy, { store: createMemoryStore({ processes }) });
  let admitted = 0;
  for (let n = 0; n < attempts; n++) {
    const { outcome } = await engine.evaluate({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
    if (outcome === "admit") admitted += 1;
  }
  return admitted;
}

async function main(): Promise<void> {
  if (!isMainThread) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage(await embedded(workerData as Embedded));
    return;
  }
  const order = JSON.parse(process.env["GATEHOUSE_ORDER"] ?? "{}") as Order | Embedded;
  if ("port" in order) {
    process.send?.(await onRedis(order));
  } else if (cluster.isPrimary) {
    let total = 0;
    const workers = Array.from({ length: order.processes }, () => cluster.fork());
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve) => {
            worker.once("message", (count: unknown) => {
              total += Number(count);
              resolve();
            });
          }),
      ),
    );
    process.send?.(total);
  } else {
    process.send?.(await embedded(order));
  }
  process.disconnect();
}

void main();
