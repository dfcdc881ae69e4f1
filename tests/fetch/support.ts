/** Guards for the adapter's own tests: over a Request alone, and hono on its server for Node. */
import type { HttpBindings } from "@hono/node-server";
import {
  createEngine,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type PolicyDocument,
} from "@gatehouse/core";
import {
  gatehouse,
  guard,
  type GatehouseVariables,
  type GuardOptions,
  type Handler,
  type HonoContext,
} from "@gatehouse/fetch";
import { Hono } from "hono";
import { listen, stop } from "../node-http/target.js";
import { later } from "../servers/wire.js";
import { serve } from "./target.js";

export type App = Hono<{ Bindings: HttpBindings; Variables: GatehouseVariables }>;

export interface Told {
  readonly engine: Engine;
  /** In the order in which exchanges ended. */
  readonly events: DecisionEvent[];
  /** What `onError` was told. */
  readonly errors: string[];
}

export async function engineOf(policy: PolicyDocument, options: EngineOptions = {}): Promise<Told> {
  const events: DecisionEvent[] = [];
  const engine = await createEngine(policy, { ...options, onDecision: (event) => void events.push(event) });
  later(() => engine.close());
  return { engine, events, errors: [] };
}

export function onErrorOf({ errors }: Told): (error: unknown) => void {
  return (error) => void errors.push(error instanceof Error ? error.message : String(error));
}

export interface Guarded extends Told {
  readonly fetch: (target: string, init?: RequestInit & { duplex?: "half" }) => Promise<Response>;
}

/** The guard without a server. */
export async function guarded(
  policy: PolicyDocument,
  handler: Handler<readonly unknown[]>,
  options: GuardOptions = {},
): Promise<Guarded> {
  const told = await engineOf(policy);
  const guardedFetch = guard(told.engine, handler, { onError: onErrorOf(told), ...options });
  return { ...told, fetch: (target, init) => guardedFetch(new Request(`http://a.test${target}`, init)) };
}

export interface Served extends Told {
  readonly port: number;
}

/** hono on its server for Node. @param build registers what stands behind the guard; `before` what stands in front */
export async function honoServer(
  policy: PolicyDocument,
  build: (app: App) => void,
  options: GuardOptions<[c: HonoContext]> = {},
  before: (app: App) => void = () => undefined,
  app: App = new Hono(),
): Promise<Served> {
  const told = await engineOf(policy);
  before(app);
  app.use(gatehouse(told.engine, { onError: onErrorOf(told), ...options }));
  build(app);
  const server = serve((request, env) => app.fetch(request, env), undefined);
  const port = await listen(server);
  later(() => stop(server));
  return { ...told, port };
}
