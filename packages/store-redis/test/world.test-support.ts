/** A store on a real server, and what tests ask of it. */
import { createRedisStore, type RedisDriver, type RedisStoreOptions } from "@gatehouse/redis";
import type { CallContext, LimitOp, StateStore, TakeResult } from "@gatehouse/core";

/** Four times the default: a busy machine is not what is tested. */
const DEADLINE_US = 200_000;
const UNHURRIED_US = 5_000_000;

export function context(deadlineUs = DEADLINE_US): CallContext {
  const nowUs = Math.floor(performance.now() * 1000);
  return { nowUs, wallUs: Date.now() * 1000, deadlineUs };
}

let prefixes = 0;

export async function openStore(
  driver: RedisDriver,
  options: Partial<RedisStoreOptions> = {},
): Promise<StateStore> {
  const store = createRedisStore({ driver, prefix: `t${++prefixes}-${process.pid}:`, ...options });
  await store.start(new AbortController().signal);
  return store;
}

export async function take(store: StateStore, ...ops: readonly LimitOp[]): Promise<TakeResult> {
  return store.take("limits", ops, context());
}

export const bucket = (key: string, burst: number, emissionUs = 60_000_000, cost = 1): LimitOp => ({
  kind: "gcra",
  key,
  emissionUs,
  burst,
  cost,
});

export const window = (key: string, limit: number, windowUs = 60_000_000, cost = 1): LimitOp => ({
  kind: "strict",
  key,
  windowUs,
  buckets: 10,
  limit,
  cost,
});

export const slot = (key: string, limit: number, holder: string, leaseUs = 30_000_000): LimitOp => ({
  kind: "lease",
  key,
  limit,
  leaseUs,
  holder,
});

export const quota = (key: string, limit: number, endsAtUs: number): LimitOp => ({
  kind: "period",
  key,
  limit,
  cost: 1,
  endsAtUs,
});

/** Calls in parallel, and how many were admitted. How long a busy machine takes for all of them is not the question. */
export async function flood(store: StateStore, times: number, ...ops: readonly LimitOp[]): Promise<number> {
  const results = await Promise.all(
    Array.from({ length: times }, async () => store.take("limits", ops, context(UNHURRIED_US))),
  );
  return results.filter(({ allowed }) => allowed).length;
}

/** Until it is so; the test's own time-out ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
