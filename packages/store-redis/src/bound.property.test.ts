/**
 * The bound of a fleet in virtual time, under whatever a network and a server may do: questions and answers that are late, lost or overtake
 * each other, a server that hangs, refuses, comes back with or without its data, and whose clock is another than the processes'. The
 * server is a stand-in that counts as the script does, which the model test holds to be the same.
 */
import { fc } from "@fast-check/vitest";
import {
  createEngine,
  createMemoryStore,
  type Engine,
  type PolicyDocument,
  type StateStore,
} from "@gatehouse/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RedisConnection, RedisDriver } from "./driver.js";
import { settingsOf } from "./options.js";
import { FLEET, LEAVE, PROBE } from "./scripts/small.js";
import { TAKE } from "./scripts/take.js";
import { RedisStore } from "./store.js";

const RUNS = Number(process.env["GATEHOUSE_BOUND_RUNS"] ?? 25);
const LIMIT = 10;
const WINDOW_MS = 200;
const DEADLINE_MS = 20;
const SPAN_MS = 1000;

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "bound",
  transport: { https: "off" },
  store: { deadline: `${DEADLINE_MS}ms` },
  limits: { few: { limit: LIMIT, window: `${WINDOW_MS}ms`, onStoreFailure: "local" } },
  routes: { "GET /": { authenticate: "none", limits: ["few"] } },
};

/** Of one question, in milliseconds. */
interface Fate {
  readonly there: number;
  readonly back: number;
  readonly lost: "nothing" | "question" | "answer";
}

interface Outage {
  readonly fromMs: number;
  readonly forMs: number;
  /** `hangs`: what came meanwhile is done afterwards. */
  readonly how: "hangs" | "refuses";
  readonly forgets: boolean;
}

interface World {
  readonly processes: number;
  readonly skewMs: number;
  readonly fates: readonly Fate[];
  readonly outages: readonly Outage[];
  readonly gaps: readonly number[];
}

const delay = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3) },
  { weight: 2, arbitrary: fc.nat(2 * DEADLINE_MS) },
  fc.nat(2 * WINDOW_MS),
);
const fate: fc.Arbitrary<Fate> = fc.record({
  there: delay,
  back: delay,
  lost: fc.oneof(
    { weight: 8, arbitrary: fc.constant("nothing" as const) },
    fc.constant("question" as const),
    fc.constant("answer" as const),
  ),
});
const outage: fc.Arbitrary<Outage> = fc.record({
  fromMs: fc.nat(SPAN_MS),
  forMs: fc.nat(2 * WINDOW_MS),
  how: fc.constantFrom("hangs", "refuses"),
  forgets: fc.boolean(),
});
const world: fc.Arbitrary<World> = fc.record({
  processes: fc.constantFrom(1, 2, 3, 4),
  skewMs: fc.integer({ min: -10_000, max: 10_000 }),
  fates: fc.array(fate, { minLength: 1, maxLength: 40 }),
  outages: fc.array(outage, { maxLength: 3 }),
  gaps: fc.array(fc.nat(15), { minLength: 1, maxLength: 40 }),
});

class SimulatedServer {
  #store = createMemoryStore();
  readonly forgotMs: number[] = [];
  #asked = 0;

  constructor(
    private readonly world: World,
    private readonly began: number,
  ) {
    for (const { fromMs, forMs, forgets } of world.outages)
      if (forgets)
        setTimeout(() => {
          this.#store = createMemoryStore();
          this.forgotMs.push(Date.now());
        }, fromMs + forMs);
  }

  driver(): RedisDriver {
    const evalsha = (sha: string, keys: readonly string[], values: readonly string[]): Promise<unknown> =>
      this.#answer(sha, keys, values);
    const connection: RedisConnection = {
      isReady: () => true,
      evalsha,
      eval: evalsha,
      destroy: () => undefined,
    };
    return { cluster: false, open: () => connection };
  }

  #outage(): Outage | undefined {
    const now = Date.now() - this.began;
    return this.world.outages.find(({ fromMs, forMs }) => now >= fromMs && now < fromMs + forMs);
  }

  async #answer(sha: string, keys: readonly string[], values: readonly string[]): Promise<unknown> {
    const { fates } = this.world;
    const { there, back, lost } = fates[this.#asked++ % fates.length] ?? {
      there: 0,
      back: 0,
      lost: "nothing",
    };
    if (lost === "question") return await new Promise(() => undefined);
    await later(there);
    for (let out = this.#outage(); out !== undefined; out = this.#outage()) {
      if (out.how === "refuses")
        throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
      await later(out.fromMs + out.forMs - (Date.now() - this.began));
    }
    const said = this.#run(sha, keys, values);
    await later(back);
    return lost === "answer" ? await new Promise(() => undefined) : said;
  }

  #run(sha: string, [key = ""]: readonly string[], values: readonly string[]): unknown {
    if (sha === PROBE.sha1 || sha === FLEET.sha1 || sha === LEAVE.sha1) return 1;
    if (sha !== TAKE.sha1) throw new Error("a script that nobody expects here");
    const [, mode, count, kind, , buckets, limit, cost, windowUs] = values;
    if (mode !== "t" || count !== "1" || kind !== "s") throw new Error("a limit that nobody expects here");
    const nowUs = (Date.now() + 1e9 + this.world.skewMs) * 1000;
    const op = {
      kind: "strict",
      key,
      windowUs: Number(windowUs),
      buckets: Number(buckets) - 1,
      limit: Number(limit),
      cost: Number(cost),
    } as const;
    const took = this.#store.take("", [op], { nowUs, deadlineUs: 0 });
    if (took instanceof Promise) throw new Error("the store in memory waits for nobody");
    const [part] = took.per;
    if (part === undefined) throw new Error("a limit without a part");
    return [
      Number(took.allowed),
      nowUs,
      Number(part.allowed),
      part.remaining,
      part.resetUs,
      part.retryUs,
      0,
      0,
    ];
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What is due in a millisecond, and all that follows from it. The clock's own way takes a real millisecond for each timer. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1) {
    vi.advanceTimersByTime(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Admitted {
  readonly sentMs: number;
  readonly heardMs: number;
}

interface Outcome {
  readonly admitted: readonly Admitted[];
  readonly sources: ReadonlySet<string>;
  readonly forgotMs: readonly number[];
}

async function live(given: World): Promise<Outcome> {
  const began = Date.now();
  const server = new SimulatedServer(given, began);
  const admitted: Admitted[] = [];
  const sources = new Set<string>();
  const clock = { now: () => Date.now(), monotonic: () => Date.now() - began };
  const stores: StateStore[] = [];
  const engines: Engine[] = [];
  for (let index = 0; index < given.processes; index += 1) {
    const settings = settingsOf({ driver: server.driver(), fleetSize: given.processes, startTimeout: 1 });
    const store = new RedisStore(settings, { local: () => clock.monotonic() * 1000, server: () => "" });
    stores.push(store);
    engines.push(
      await createEngine(policy, {
        store,
        clock,
        onDecision: ({ countedBy = [] }) => countedBy.forEach((source) => sources.add(source)),
      }),
    );
  }
  const ask = async (engine: Engine): Promise<void> => {
    const sentMs = Date.now();
    const { outcome } = await engine.evaluate({ method: "GET", target: "/", headers: [["Host", "a.test"]] });
    if (outcome === "admit") admitted.push({ sentMs, heardMs: Date.now() });
  };
  let at = 0;
  for (let turn = 0; at < SPAN_MS; turn += 1) {
    const engine = engines[turn % engines.length];
    if (engine !== undefined) setTimeout(() => void ask(engine), at);
    at += given.gaps[turn % given.gaps.length] ?? 1;
    if (turn > 1000) break;
  }
  await pass(SPAN_MS + 2 * WINDOW_MS + DEADLINE_MS);
  for (const one of [...engines, ...stores]) await one.close();
  vi.clearAllTimers();
  return { admitted, sources, forgotMs: server.forgotMs };
}

describe("a fleet, whatever becomes of its server", () => {
  beforeEach(
    () =>
      void vi.useFakeTimers({
        toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
      }),
  );
  afterEach(() => void vi.useRealTimers());

  it(
    "admits in no window more than the limit, once more for each time the server forgot, and each process's part",
    async () => {
      const seen = new Set<string>();
      await fc.assert(
        fc.asyncProperty(world, async (given) => {
          const { admitted, sources, forgotMs } = await live(given);
          for (const source of sources) seen.add(source);
          const local = given.processes * Math.ceil(LIMIT / given.processes);
          for (const { sentMs: from } of admitted) {
            const to = from + WINDOW_MS;
            const within = admitted.filter(({ sentMs, heardMs }) => sentMs >= from && heardMs <= to);
            const forgot = forgotMs.filter((ms) => ms >= from && ms <= to).length;
            expect(within.length).toBeLessThanOrEqual(LIMIT * (1 + forgot) + local);
          }
        }),
        // A whole fleet lives in each run: to make a failing one smaller takes minutes. `endOnFailure: false` does it.
        { endOnFailure: true, numRuns: RUNS },
      );
      expect([...seen].sort()).toEqual(["deny-cache", "local-fallback", "shared"]);
    },
    RUNS * 4000,
  );
});
