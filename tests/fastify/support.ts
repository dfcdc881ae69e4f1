/** Fastify applications on loopback for the adapter's own tests. */
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { createEngine, type DecisionEvent, type EngineOptions, type PolicyDocument } from "@gatehouse/core";
import type { WireAnswer } from "@gatehouse/core/conformance";
import { gatehouse, type GatehouseOptions } from "@gatehouse/fastify";
import { later, readable, Wire } from "../servers/wire.js";
import { HTTP, portOf } from "./target.js";

export interface Served {
  readonly app: FastifyInstance;
  readonly port: number;
  /** What `onError` was told. */
  readonly errors: string[];
  readonly events: DecisionEvent[];
}

export interface ServeOptions {
  readonly guard?: Partial<GatehouseOptions>;
  readonly engine?: EngineOptions;
  readonly fastify?: FastifyServerOptions & Readonly<Record<string, unknown>>;
  /** Another copy of fastify. */
  readonly framework?: typeof Fastify;
  /** Where the guard comes among what `build` registers: default first. */
  readonly last?: boolean;
}

export interface Built extends Omit<Served, "port"> {
  readonly guard: () => void;
}

/** An application that is not started, and what registers the guard in it. */
export async function built(
  policy: PolicyDocument,
  { guard, engine: engineOptions, fastify, framework = Fastify }: ServeOptions = {},
): Promise<Built> {
  const errors: string[] = [];
  const events: DecisionEvent[] = [];
  const engine = await createEngine(policy, {
    ...engineOptions,
    onDecision: (event) => void events.push(event),
  });
  const app = framework({ http: HTTP, ...fastify }) as unknown as FastifyInstance;
  later(async () => {
    app.server.closeAllConnections?.();
    await app.close();
    await engine.close();
  });
  return {
    app,
    errors,
    events,
    guard: () =>
      void app.register(gatehouse, {
        engine,
        onError: (error) => void errors.push(error instanceof Error ? error.message : String(error)),
        inventory: "off",
        ...guard,
      }),
  };
}

export async function serve(
  policy: PolicyDocument,
  build: (app: FastifyInstance) => unknown,
  options: ServeOptions = {},
): Promise<Served> {
  const { guard, ...rest } = await built(policy, options);
  const { app } = rest;
  if (options.last !== true) guard();
  build(app);
  if (options.last === true) guard();
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { ...rest, port: portOf(app) };
}

export type Answer = ReturnType<typeof readable> & { readonly raw: WireAnswer };

/** One request, one answer. */
export async function ask({ port }: { readonly port: number }, head: string, body = ""): Promise<Answer> {
  const wire = await Wire.open(port);
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  wire.send(`${head.trim().replaceAll("\n", "\r\n")}\r\nHost: a.test\r\n${length}\r\n${body}`);
  const raw = await wire.answer(head.trim().split(" ")[0]);
  return { ...readable(raw), raw };
}
