// Limits on a real server: beside the same client without us, and through a crash and a hang.
import { createEngine } from "@gatehouse/core";
import { createRedisStore, ioredisDriver } from "@gatehouse/redis";
import { Redis } from "ioredis";
import { interleaved, median } from "../lib/compare.mjs";
import { atLeast, atMost, fraction } from "../lib/target.mjs";
import { startRedis, whyNoRedis } from "../lib/redis-server.mjs";

const AT_ONCE = 64;
const DEADLINE_US = 50_000;
const T = 1;

const bucket = (key, more = {}) => ({ kind: "gcra", key, emissionUs: T, burst: 1_000_000, cost: 1, ...more });
/** What is measured is throughput: on a busy machine none of it may end in a fallback. */
const context = { nowUs: 0, deadlineUs: 10_000_000 };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;

/** A driver that keeps the client, the digest and the arguments of its calls for others to send again. */
function spying(driver) {
  const seen = { calls: 0, last: undefined };
  return {
    seen,
    driver: {
      cluster: driver.cluster,
      open: () => {
        const connection = driver.open();
        return {
          isReady: () => connection.isReady(),
          evalsha: (...call) => {
            seen.calls += 1;
            seen.last = call;
            return connection.evalsha(...call);
          },
          eval: (...call) => connection.eval(...call),
          destroy: () => connection.destroy(),
        };
      },
    },
  };
}

/** Nanoseconds a piece of work, and the median of what one took, with 64 at once. */
async function flood(work, count) {
  const took = [];
  let left = count;
  const start = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const from = performance.now();
        await work(left);
        took.push(performance.now() - from);
      }
    }),
  );
  return { each: Number(process.hrtime.bigint() - start) / count, p50: median(took) };
}

async function storeOn(port, options = {}) {
  const spied = spying(ioredisDriver(new Redis({ port, host: "127.0.0.1", lazyConnect: true })));
  const store = createRedisStore({ driver: spied.driver, fleetSize: 1, ...options });
  await store.start(new AbortController().signal);
  return { store, seen: spied.seen };
}

async function overhead(port, short) {
  const { store, seen } = await storeOn(port);
  const client = new Redis({ port, host: "127.0.0.1" });
  const count = short ? 500 : 12_000;
  const names = Array.from({ length: 1000 }, (_, n) => `a:t:${n}`);
  await store.take("limits", [bucket("a:t:0")], context);
  const [sha1, , values] = seen.last;
  const [allowed] = await client.evalsha(sha1, 1, "raw:a:t:0", ...values);
  if (allowed !== 1) throw new Error("what is held against us does not take");
  const ours = async () =>
    (await flood((n) => store.take("limits", [bucket(names[n % 1000])], context), count)).each;
  const raw = async () =>
    (await flood((n) => client.evalsha(sha1, 1, `raw:${names[n % 1000]}`, ...values), count)).each;
  const driver = await interleaved(ours, raw, short);

  const three = (n) => [bucket(names[n % 1000]), bucket(`b:t:${n % 1000}`), bucket(`c:t:${n % 1000}`)];
  const latencies = { one: [], each: [] };
  const together = await interleaved(
    async () => {
      const { each, p50 } = await flood((n) => store.take("limits", three(n), context), count / 2);
      latencies.one.push(p50);
      return each;
    },
    async () => {
      const { each, p50 } = await flood(async (n) => {
        for (const op of three(n)) await store.take("limits", [op], context);
      }, count / 2);
      latencies.each.push(p50);
      return each;
    },
    short,
  );
  client.disconnect();
  await store.close();
  // Inside each round, like the throughput: what else runs on the machine is not the same for two rounds. The first was a warm-up.
  const waits = latencies.one.map((wait, round) => wait / latencies.each[round]).slice(1);
  return { driver, together, p50: median(waits) };
}

const denied = (port, short) =>
  callsFor(port, short, {
    prefix: "denied:",
    op: { kind: "gcra", key: "hot:t:x", emissionUs: 50_000, burst: 5, cost: 1 },
    workers: AT_ONCE,
    inTurn: 20,
    rest: () => new Promise((resolve) => setImmediate(resolve)),
  });

/** @param emissionUs so that much less is asked for than comes in, or much more */
const leased = (port, short, emissionUs) =>
  callsFor(port, short, {
    prefix: `leased${emissionUs}:`,
    op: {
      kind: "gcra",
      key: "all:t:",
      emissionUs,
      burst: 200_000 / emissionUs,
      cost: 1,
      precision: "leased",
    },
    workers: 16,
    inTurn: 10,
    rest: () => pause(1),
  });

/** How often the store is asked by so many workers, and how often it asks Redis. */
async function callsFor(port, short, { prefix, op, workers, inTurn, rest }) {
  const { store, seen } = await storeOn(port, { prefix });
  let asked = 0;
  const run = { over: false };
  const before = seen.calls;
  const all = Array.from({ length: workers }, async () => {
    while (!run.over) {
      for (let n = 0; n < inTurn; n++, asked++) await store.take("limits", [op], context);
      await rest();
    }
  });
  await pause(short ? 200 : 2000);
  run.over = true;
  await Promise.all(all);
  const calls = seen.calls - before;
  await store.close();
  return { calls, asked };
}

async function faults(redis, short) {
  const policy = {
    gatehouse: 1,
    name: "bench",
    transport: { https: "off" },
    limits: { many: { limit: 1_000_000, window: "1h", by: "params.id" } },
    routes: { "GET /:id": { authenticate: "none", limits: ["many"] } },
  };
  const { store } = await storeOn(redis.port, { prefix: "faults:" });
  let told;
  const engine = await createEngine(policy, { store, onDecision: (event) => void (told = event) });
  const run = { over: false };
  const seen = [];
  const workers = Array.from({ length: 16 }, async (_, worker) => {
    while (!run.over) {
      const at = performance.now();
      const exchange = engine.open({ method: "GET", target: `/${worker}`, headers: [["Host", "a.test"]] });
      await exchange.head();
      const took = performance.now() - at;
      exchange.end(200);
      seen.push({ at, took, shared: told.countedBy.includes("shared") });
      await pause(2);
    }
  });
  const ms = short ? 300 : 3000;
  const phase = async (work, after = 0) => {
    await work();
    const from = performance.now() + after;
    await pause(ms + after);
    return seen.filter(({ at }) => at >= from).map(({ took }) => took);
  };
  const back = async (work) => {
    await work();
    const from = performance.now();
    while (!seen.some(({ at, shared }) => at >= from && shared)) await pause(5);
    return seen.find(({ at, shared }) => at >= from && shared).at - from;
  };
  const healthy = await phase(() => undefined);
  const crash = await phase(() => redis.kill(), 50);
  const afterCrash = await back(() => redis.run());
  await pause(300);
  const hang = await phase(() => redis.signal("SIGSTOP"), short ? 0 : 1000);
  const afterHang = await back(() => redis.signal("SIGCONT"));
  run.over = true;
  await Promise.all(workers);
  await engine.close();
  await store.close();
  return {
    crash: quantile(crash, 0.99) / quantile(healthy, 0.99),
    hang: hang.filter((took) => took >= DEADLINE_US / 1000).length / hang.length,
    afterCrash,
    afterHang,
  };
}

export const title = "Limits on Redis";

export async function run({ short }) {
  const why = whyNoRedis();
  if (why !== undefined) return { tables: [], targets: [], notes: [`not measured: ${why}`] };
  const redis = await startRedis();
  try {
    const { driver, together, p50 } = await overhead(redis.port, short);
    const hot = await denied(redis.port, short);
    const ahead = await leased(redis.port, short, 1);
    const dry = await leased(redis.port, short, 100);
    const fault = await faults(redis, short);
    const hung = (share) => `${(share * 100).toFixed(2)} %`;
    const wait = (ms) => `${Math.round(ms)} ms`;
    return {
      tables: [],
      targets: [
        atLeast(
          "13",
          "decisions a second on Redis, 64 at once, against `EVALSHA` of the same client",
          0.9,
          1 / driver.ratio,
        ),
        atLeast("13", "three limits in one call against three calls: throughput", 1.6, 1 / together.ratio),
        atMost("13", "three limits in one call against three calls: median wait", 0.6, p50),
        atMost("13", "calls a request of a caller who is refused", 1 / 50, hot.calls / hot.asked, fraction),
        atMost("13", "calls a decision of a leased limit", 1 / 50, ahead.calls / ahead.asked, fraction),
        atMost(
          "13",
          "the same, with much more asked for than it admits",
          1 / 50,
          dry.calls / dry.asked,
          fraction,
        ),
        atMost("13", "Redis dies: p99 of decisions while it is away, against before", 1.5, fault.crash),
        atMost(
          "13",
          "Redis hangs: requests that see the deadline, after the first second",
          0.01,
          fault.hang,
          hung,
        ),
        atMost("13", "shared again after Redis died", 1500, fault.afterCrash, wait),
        atMost("13", "shared again after Redis hung", 1500, fault.afterHang, wait),
      ],
      notes: [
        `one decision of 64 at once: ${(driver.a / 1000).toFixed(1)} µs, raw ${(driver.b / 1000).toFixed(1)} µs`,
        `refused caller: ${hot.asked} requests, ${hot.calls} calls; leased: ${ahead.asked} decisions, ${ahead.calls} calls, and ${dry.asked} decisions, ${dry.calls} calls`,
      ],
    };
  } finally {
    await redis.stop();
  }
}
