/** An engine of limits alone, under a clock that moves when it is told, and stores that fail as they are told. */
import { virtualClock, type VirtualClock } from "../../conformance/clock.js";
import { createEngine, type Engine } from "../../engine.js";
import type { Exchange } from "../../exchange.js";
import type { Decision, DecisionEvent } from "../../model/decision.js";
import type { LimitSettings, PolicyDocument, RouteSettings } from "../../model/policy.js";
import type { StateStore } from "../../ports/state-store.js";
import { createMemoryStore } from "../../store/index.js";

export interface World {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly events: DecisionEvent[];
}

export function documentOf(
  limits: Readonly<Record<string, LimitSettings>>,
  route: RouteSettings = {},
  parts: Partial<PolicyDocument> = {},
): PolicyDocument {
  return {
    gatehouse: 1,
    name: "limits",
    transport: { https: "off" },
    limits,
    routes: { "GET /x/:id": { authenticate: "none", limits: Object.keys(limits), ...route } },
    ...parts,
  };
}

export async function worldOf(document: PolicyDocument, store?: StateStore, trace = false): Promise<World> {
  const clock = virtualClock(Date.UTC(2026, 5, 1, 12));
  const events: DecisionEvent[] = [];
  const engine = await createEngine(document, {
    clock,
    trace,
    onDecision: (event) => void events.push(event),
    ...(store === undefined ? {} : { store }),
  });
  return { engine, clock, events };
}

export function open({ engine }: World, id = "1", ip = "127.0.0.1"): Exchange {
  return engine.open({
    method: "GET",
    target: `/x/${id}`,
    headers: [["Host", "a.test"]],
    remoteAddress: ip,
  });
}

/** Status, or what the engine says where it admits. */
export function said(decision: Decision | { readonly outcome: "continue" }): string {
  return decision.outcome === "refuse" ? `${decision.status} ${decision.code}` : decision.outcome;
}

/** A whole exchange whose handler answers at once. */
export async function pass(world: World, id = "1", status = 200): Promise<string> {
  const exchange = open(world, id);
  const decision = await exchange.head();
  if (decision.outcome === "admit") exchange.respond({ status, headers: [] });
  exchange.end(decision.outcome === "refuse" ? decision.status : status);
  return said(decision);
}

/** Memory, but for the methods that are given; `calls` lists what was asked of it. */
export function storeWith(
  broken: Partial<Record<keyof StateStore, unknown>>,
  calls: string[] = [],
  scope: "process" | "shared" = "shared",
): StateStore {
  const memory = createMemoryStore();
  const store: StateStore = {
    scope,
    start: (signal) => memory.start(signal),
    take: (...args) => memory.take(...args),
    settle: (...args) => memory.settle(...args),
    peek: (...args) => memory.peek(...args),
    renew: (...args) => memory.renew(...args),
    once: (...args) => memory.once(...args),
    get: (...args) => memory.get(...args),
    set: (...args) => memory.set(...args),
    del: (...args) => memory.del(...args),
    health: () => memory.health(),
    close: () => memory.close(),
    ...(broken as Partial<StateStore>),
  };
  return {
    ...store,
    take: (...args) => {
      calls.push("take");
      return store.take(...args);
    },
    settle: (...args) => {
      calls.push("settle");
      return store.settle(...args);
    },
    renew: (...args) => {
      calls.push("renew");
      return store.renew(...args);
    },
  };
}
