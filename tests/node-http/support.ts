/** Servers on loopback for the adapter's own tests. */
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import {
  createEngine,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type PolicyDocument,
} from "@gatehouse/core";
import { guard, type GuardOptions, type HandlerContext } from "@gatehouse/node-http";
import { later, Wire } from "../servers/wire.js";
import { listen, stop } from "./target.js";

export { ask, later, policyOf, readable, Wire } from "../servers/wire.js";

export type PlainHandler = (req: IncomingMessage, res: ServerResponse, context: HandlerContext) => unknown;

export interface Served {
  readonly port: number;
  readonly engine: Engine;
  /** In the order in which exchanges ended. */
  readonly events: DecisionEvent[];
  /** What `onError` was told. */
  readonly errors: string[];
  connect(): Promise<Wire>;
  /** The next event, or the one that just came. */
  event(): Promise<DecisionEvent>;
}

export interface ServeOptions {
  readonly guard?: GuardOptions;
  readonly engine?: EngineOptions;
  readonly server?: ServerOptions;
}

export async function serve(
  policy: PolicyDocument,
  handler: PlainHandler,
  options: ServeOptions = {},
): Promise<Served> {
  const events: DecisionEvent[] = [];
  const errors: string[] = [];
  const waiting: ((event: DecisionEvent) => void)[] = [];
  const engine = await createEngine(policy, {
    ...options.engine,
    onDecision: (event) => {
      events.push(event);
      waiting.shift()?.(event);
    },
  });
  const server = guard(engine, handler, {
    onError: (error) => void errors.push(error instanceof Error ? error.message : String(error)),
    ...options.guard,
  }).attach(createServer({ requireHostHeader: false, ...options.server }));
  const port = await listen(server);
  later(async () => {
    await stop(server);
    await engine.close();
  });
  let read = 0;
  return {
    port,
    engine,
    events,
    errors,
    connect: () => Wire.open(port),
    event: async () => {
      const known = events[read++];
      return known ?? new Promise((resolve) => waiting.push(resolve));
    },
  };
}
