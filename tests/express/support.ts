/** Express applications on loopback for the adapter's own tests. */
import { createServer, type Server } from "node:http";
import { createEngine, type DecisionEvent, type EngineOptions, type PolicyDocument } from "@gatehouse/core";
import { gatehouse, type Gatehouse, type GatehouseOptions } from "@gatehouse/express";
import { later } from "../servers/wire.js";
import { listen, stop } from "../node-http/target.js";
import type { Express, Factory } from "./versions.js";

export interface Served {
  readonly port: number;
  /** What `onError` was told. */
  readonly errors: string[];
  readonly events: DecisionEvent[];
}

export interface ServeOptions {
  readonly guard?: GatehouseOptions;
  readonly engine?: EngineOptions;
  /** Before anything is registered. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Default: `http.createServer(app)`. */
  readonly server?: (app: Express) => Server;
}

/** @param build registers everything, the guard too */
export async function serve(
  express: Factory,
  policy: PolicyDocument,
  build: (app: Express, guard: Gatehouse) => unknown,
  options: ServeOptions = {},
): Promise<Served> {
  const { guarded, engine, errors, events } = await guardOf(policy, options);
  const app = express();
  for (const [name, value] of Object.entries(options.settings ?? {})) app.set(name, value);
  build(app, guarded);
  const server = options.server?.(app) ?? createServer(app);
  const port = await listen(server);
  later(async () => {
    await stop(server);
    await engine.close();
  });
  return { port, errors, events };
}

export async function guardOf(
  policy: PolicyDocument,
  { guard, engine: engineOptions }: ServeOptions = {},
): Promise<{
  readonly guarded: Gatehouse;
  readonly engine: Awaited<ReturnType<typeof createEngine>>;
  readonly errors: string[];
  readonly events: DecisionEvent[];
}> {
  const errors: string[] = [];
  const events: DecisionEvent[] = [];
  const engine = await createEngine(policy, {
    ...engineOptions,
    onDecision: (event) => void events.push(event),
  });
  const guarded = gatehouse(engine, {
    onError: (error) => void errors.push(error instanceof Error ? error.message : String(error)),
    inventory: "off",
    ...guard,
  });
  return { guarded, engine, errors, events };
}
