/** A provider that is not there: keys, answers and outages under a test's thumb, and a clock that moves when it is told. */
import type { KeyObject } from "node:crypto";
import {
  createEngine,
  type Clock,
  type DecisionEvent,
  type Engine,
  type EngineOptions,
  type Fetch,
} from "@gatehouse/core";
import { SignJWT, type JWTPayload } from "jose";
import { ecPair } from "../../packages/core/src/node/key-pair.js";

export const ISSUER = "https://id.test/tenant";
export const JWKS = "https://id.test/keys?x-key=c4n4ry-query";

export interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function pair(kid: string): Pair {
  const { privateKey, publicKey } = ecPair("P-256");
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig" } };
}

export class TestClock implements Clock {
  #at = 0;
  static readonly START = Date.UTC(2026, 5, 1, 12);

  now(): number {
    return TestClock.START + this.#at;
  }

  monotonic(): number {
    return this.#at;
  }

  advance(milliseconds: number): void {
    this.#at += milliseconds;
  }
}

export type Answering = (url: string, init: RequestInit) => Response | Promise<Response>;

/** Counts what is called, and answers what the test says now. */
export class Provider {
  readonly calls: { readonly url: string; readonly init: RequestInit }[] = [];
  answering: Answering;

  constructor(answering: Answering) {
    this.answering = answering;
  }

  get fetch(): Fetch {
    return async (url, init) => {
      this.calls.push({ url, init });
      return this.answering(url, init);
    };
  }

  /** From here on the keys are these. */
  publish(pairs: readonly Pair[], headers: Readonly<Record<string, string>> = {}): void {
    this.answering = () => json({ keys: pairs.map(({ jwk }) => jwk) }, headers);
  }

  fail(): void {
    this.answering = () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } }));
  }
}

export function publishing(...pairs: readonly Pair[]): Provider {
  const provider = new Provider(() => json({}));
  provider.publish(pairs);
  return provider;
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

export interface Setting {
  readonly engine: Engine;
  readonly clock: TestClock;
  readonly events: DecisionEvent[];
}

export const user = {
  type: "jwt",
  issuer: ISSUER,
  audience: "api",
  algorithms: ["ES256"],
  keys: { jwks: JWKS },
} as const;

export function policyWith(authenticators: Readonly<Record<string, unknown>>, more: object = {}): unknown {
  return {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    authenticators,
    routes: { "GET /": { authorize: "authenticated" } },
    ...more,
  };
}

export async function engineWith(
  policy: unknown,
  provider: Provider,
  options: EngineOptions = {},
): Promise<Setting> {
  const clock = new TestClock();
  const events: DecisionEvent[] = [];
  const engine = await createEngine(policy as Parameters<typeof createEngine>[0], {
    clock,
    fetch: provider.fetch,
    onDecision: (event) => void events.push(event),
    ...options,
  });
  return { engine, clock, events };
}

export async function tokenBy(
  { kid, privateKey }: Pair,
  clock: Clock,
  claims: JWTPayload = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  return new SignJWT({ iss: ISSUER, aud: "api", sub: "ann", iat: now, exp: now + 100_000, ...claims })
    .setProtectedHeader({ alg: "ES256", kid, ...header })
    .sign(privateKey);
}

export function requestWith(authorization: string, more: object = {}) {
  return {
    method: "GET",
    target: "/",
    headers: [
      ["Host", "a.test"],
      ["Authorization", authorization],
    ] as const,
    ...more,
  };
}

/** The status, or the id of who was let in. */
export async function outcome(engine: Engine, token: string): Promise<string | number> {
  const decision = await engine.evaluate(requestWith(`Bearer ${token}`));
  return decision.outcome === "admit" ? (decision.principal?.id ?? "anonymous") : decision.status;
}

/** True when the decision was there at once. */
export function isWarm(engine: Engine, token: string): boolean {
  const exchange = engine.open(requestWith(`Bearer ${token}`));
  const head = exchange.head();
  const warm = !(head instanceof Promise);
  if (warm) exchange.end(200);
  else void head.then(() => exchange.end(200));
  return warm;
}

/** Lets everything that is ready happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
