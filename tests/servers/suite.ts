/** What a server under test has to offer, and what its behaviours are told by. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { it } from "vitest";
import {
  createEngine,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type PolicyDocument,
} from "@gatehouse/core";
import type { UpgradeHandler } from "@gatehouse/node-http";
import { later, Wire } from "./wire.js";

export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** One admitted request, in the server's own idiom: what a handler of its framework would call. */
export interface Turn {
  /** As the handler finds it. */
  readonly method: string;
  readonly target: string;
  /** A request's header field as the framework shows it; undefined where there is none. */
  field(name: string): string | undefined;
  /** The body as the handler finds it where a rule read it. */
  readonly body: unknown;
  /** Where no rule read it: the whole of the stream. Rejects when the client leaves. */
  read(): Promise<string>;
  /** An object goes out as the framework sends objects, text and bytes as they stand. */
  answer(status: number, fields: Fields, body?: unknown): unknown;
  /** As the framework sends a stream. */
  stream(status: number, fields: Fields, chunks: AsyncIterable<string | Uint8Array>): unknown;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Node's own objects, taken from the framework so that it answers nothing itself. Only where the server does not lack `raw`. */
  raw(): { readonly req: IncomingMessage; readonly res: ServerResponse };
}

/** What the suite hands to a server. All requests lead to the handler; no route of the framework's own is needed but a catch-all. */
export interface ServerStart {
  readonly engine: Engine;
  readonly handler: (turn: Turn) => unknown;
  /** For the adapter's option of that name. */
  readonly onError: (error: unknown) => void;
  /** For `guardUpgrade`, or the adapter's own option; undefined: upgrades have no listener. */
  readonly onUpgrade: UpgradeHandler | undefined;
  /** The `compression` package, with threshold 0, or the framework's own stands before the guard. */
  readonly compress: boolean;
}

export type StartServer = (start: ServerStart) => Promise<{
  readonly port: number;
  close(): Promise<void>;
}>;

/**
 * What a server cannot show, each with its reason:
 * - `raw`: a handler has no way to Node's own response
 * - `expect`: `100 Continue` cannot wait for the decision
 * - `upgrade`: upgrades are not the guard's
 * - `compression`: nothing can compress behind the guard's back
 */
export type ServerLack = "raw" | "expect" | "upgrade" | "compression";
export type ServerLacks = Partial<Readonly<Record<ServerLack, string>>>;

export interface Running {
  readonly port: number;
  /** In the order in which exchanges ended. */
  readonly events: DecisionEvent[];
  /** What `onError` was told. */
  readonly errors: string[];
  connect(): Promise<Wire>;
  /** The next event, or the one that just came. */
  event(): Promise<DecisionEvent>;
}

export interface ServeOptions {
  readonly onUpgrade?: UpgradeHandler;
  readonly compress?: boolean;
  readonly engine?: EngineOptions;
}

/** A server's behaviours are told by these two. */
export interface Suite {
  readonly serve: (
    policy: PolicyDocument,
    handler: (turn: Turn) => unknown,
    options?: ServeOptions,
  ) => Promise<Running>;
  /** One behaviour; skipped with the reason where the server lacks what it needs. */
  readonly it: (title: string, run: () => Promise<void>, needs?: ServerLack) => void;
}

export function suiteOf(start: StartServer, lacks: ServerLacks): Suite {
  return {
    serve: (policy, handler, options = {}) => serve(start, policy, handler, options),
    it: (title, run, needs) => {
      const reason = needs === undefined ? undefined : lacks[needs];
      it.skipIf(reason !== undefined)(`${title}${reason === undefined ? "" : ` (${reason})`}`, run);
    },
  };
}

async function serve(
  start: StartServer,
  policy: PolicyDocument,
  handler: (turn: Turn) => unknown,
  { onUpgrade, compress = false, engine: options }: ServeOptions,
): Promise<Running> {
  const events: DecisionEvent[] = [];
  const errors: string[] = [];
  const waiting: ((event: DecisionEvent) => void)[] = [];
  const engine = await createEngine(policy, {
    ...options,
    onDecision: (event) => {
      events.push(event);
      waiting.shift()?.(event);
    },
  });
  const server = await start({
    engine,
    handler,
    onError: (error) => void errors.push(error instanceof Error ? error.message : String(error)),
    onUpgrade,
    compress,
  });
  later(async () => {
    await server.close();
    await engine.close();
  });
  let read = 0;
  return {
    port: server.port,
    events,
    errors,
    connect: () => Wire.open(server.port),
    event: async () => events[read++] ?? new Promise((resolve) => waiting.push(resolve)),
  };
}
