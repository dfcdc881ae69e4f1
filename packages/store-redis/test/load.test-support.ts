/**
 * A small fleet under load in one process, and what must hold of each of its decisions whatever happens to the server. Nothing is
 * measured by the wall clock: a witness timer says whether a request was late, and only admissions that lie wholly within an
 * interval count against its bound.
 */
import {
  createEngine,
  type DecisionEvent,
  type Engine,
  type PolicyDocument,
  type StateStore,
} from "@gatehouse/core";
import { createRedisStore, type RedisDriver } from "@gatehouse/redis";

export const DEADLINE_MS = 50;
export const WINDOW_MS = 1000;
export const LIMIT = 30;
const NODES = 3;
const PAUSE_MS = 30;
/** Routes, each with one limit of its own behaviour when the store fails. */
const ROUTES = ["local", "closed", "open"] as const;
type Route = (typeof ROUTES)[number];

function policyOf(callers: number): PolicyDocument {
  const limit = { limit: LIMIT, window: `${WINDOW_MS}ms`, by: "params.id" } as const;
  return {
    gatehouse: 1,
    name: `faults of ${callers}`,
    transport: { https: "off" },
    store: { deadline: `${DEADLINE_MS}ms` },
    limits: {
      local: { ...limit, onStoreFailure: "local" },
      closed: { ...limit, onStoreFailure: "closed" },
      open: { ...limit, onStoreFailure: "open" },
    },
    routes: Object.fromEntries(
      ROUTES.map((name) => [`GET /${name}/:id`, { authenticate: "none", limits: [name] } as const]),
    ),
  };
}

export interface Seen {
  readonly node: number;
  readonly route: Route;
  readonly caller: string;
  readonly sentMs: number;
  readonly heardMs: number;
  /** By the clock that the server counts by, which may be set while the process's own goes on. */
  readonly wall: { readonly sentMs: number; readonly heardMs: number };
  readonly outcome: string;
  readonly sources: readonly string[];
  /** Known once `stop` has returned. */
  late: boolean;
}

interface Node {
  readonly engine: Engine;
  readonly store: StateStore;
  /** Of the exchange that ended last: the engine tells it before `end` returns. */
  readonly told: { event?: DecisionEvent };
}

export class Fleet {
  readonly seen: Seen[] = [];
  #over = false;
  readonly #workers: Promise<void>[] = [];
  readonly #pending: Promise<void>[] = [];

  private constructor(
    private readonly nodes: readonly Node[],
    private readonly callers: readonly string[],
  ) {}

  /** @param callers each is counted apart: on a cluster they lie in different slots */
  static async start(
    driverFor: () => RedisDriver,
    prefix: string,
    callers: readonly string[] = ["x"],
    startTimeout = 1000,
  ): Promise<Fleet> {
    const nodes: Node[] = [];
    for (let index = 0; index < NODES; index++) {
      const store = createRedisStore({ driver: driverFor(), prefix, fleetSize: NODES, startTimeout });
      const told: Node["told"] = {};
      const onDecision = (event: DecisionEvent): void => void (told.event = event);
      nodes.push({
        store,
        told,
        engine: await createEngine(policyOf(callers.length), { store, onDecision }),
      });
    }
    return new Fleet(nodes, callers);
  }

  run(): void {
    for (const [index, node] of this.nodes.entries()) {
      for (const route of ROUTES) this.#workers.push(this.#work(index, node, route));
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#workers);
    await Promise.all(this.#pending);
    for (const { engine, store } of this.nodes) {
      await engine.close();
      await store.close();
    }
  }

  /** Decisions that began at or after an instant. */
  since(ms: number, untilMs = Infinity): readonly Seen[] {
    return this.seen.filter(({ sentMs }) => sentMs >= ms && sentMs < untilMs);
  }

  /** When the last node was heard to be counted by the server again, for every caller; undefined: not yet. */
  backAt(ms: number): number | undefined {
    let last = 0;
    for (let node = 0; node < this.nodes.length; node++) {
      for (const caller of this.callers) {
        const first = this.since(ms).find(
          (one) => one.node === node && one.caller === caller && one.sources.every(isShared),
        );
        if (first === undefined) return undefined;
        last = Math.max(last, first.heardMs);
      }
    }
    return last;
  }

  /** The most that was admitted of one caller in any interval that is no longer than the window, by either clock. */
  worst(route: Route): number {
    let worst = 0;
    for (const caller of this.callers) {
      const admitted = this.seen.filter(
        (one) => one.route === route && one.caller === caller && one.outcome === "admit",
      );
      for (const { sentMs: from, wall: began } of admitted) {
        const within = admitted.filter(
          ({ sentMs, heardMs, wall }) =>
            // The wall clock is read in whole milliseconds.
            sentMs >= from && heardMs <= from + WINDOW_MS && wall.heardMs < began.sentMs + WINDOW_MS,
        );
        worst = Math.max(worst, within.length);
      }
    }
    return worst;
  }

  async #work(index: number, node: Node, route: Route): Promise<void> {
    for (let turn = index; !this.#over; turn++) {
      const caller = this.callers[turn % this.callers.length] ?? "x";
      this.seen.push(await this.#ask(node, index, route, caller));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #ask({ engine, told }: Node, node: number, route: Route, caller: string): Promise<Seen> {
    const sentMs = performance.now();
    const sentWallMs = Date.now();
    const exchange = engine.open({
      method: "GET",
      target: `/${route}/${caller}`,
      headers: [["Host", "a.test"]],
    });
    let over = false;
    const decided = Promise.resolve(exchange.head());
    const overdue = witness().then(() => !over);
    const decision = await decided;
    over = true;
    const heardMs = performance.now();
    const wall = { sentMs: sentWallMs, heardMs: Date.now() };
    const status = decision.outcome === "refuse" ? decision.status : 200;
    exchange.end(status);
    const outcome = decision.outcome === "refuse" ? `${status}` : decision.outcome;
    const sources = told.event?.countedBy ?? [];
    const seen = { node, route, caller, sentMs, heardMs, wall, outcome, sources, late: false };
    this.#pending.push(overdue.then((isLate) => void (seen.late = isLate)));
    return seen;
  }
}

export function isShared(source: string): boolean {
  return source === "shared" || source === "deny-cache";
}

/**
 * A timer of twice the deadline, begun after the request: a process that was busy delays both alike, and fires them in their order.
 * A few turns more for what the first one's turn put off.
 */
async function witness(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2 * DEADLINE_MS));
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
