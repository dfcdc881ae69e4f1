/** A request put to the real engine: with the policy's own keys, or with throwaway ones for somebody who is assumed. */
import {
  createEngine,
  PolicyError,
  type Check,
  type CustomAuthenticator,
  type Decision,
  type DecisionEvent,
  type PolicyDocument,
  type SecretSource,
} from "@gatehouse/core";
import { resolveAuthenticators } from "@gatehouse/core/analysis";
import { policyKit, type TestPerson } from "@gatehouse/core/testing";
import { fieldOf, type WireRequest } from "./request.js";

export interface Asked {
  readonly decision: Decision;
  /** With the trace, and what the caller is not told. */
  readonly event: DecisionEvent;
  /** What the application's code was assumed to say, where nobody said it: names of checks, and of code that knows credentials. */
  readonly assumed: readonly string[];
}

export interface AskOptions {
  /** Somebody whose credential need not be had: a throwaway one is made. */
  readonly person?: TestPerson | undefined;
  /** What the application's checks answer. Default: yes, and it is told. */
  readonly checks?: Readonly<Record<string, boolean>>;
  /** Milliseconds since the epoch. Default: now. */
  readonly at?: number | undefined;
  /** How often the request is made; the last time counts. Default 1. */
  readonly repeat?: number | undefined;
  /** Where secrets are looked up. Default: the environment and files. */
  readonly secrets?: SecretSource | undefined;
}

/** @throws PolicyError (rejects) where the policy cannot be served, a secret that is not set included */
export async function ask(policy: PolicyDocument, request: WireRequest, options: AskOptions): Promise<Asked> {
  const needsNoKeys = options.person !== undefined || !presentsCredential(policy, request);
  return needsNoKeys ? askKit(policy, request, options) : askEngine(policy, request, options);
}

async function askKit(policy: PolicyDocument, request: WireRequest, options: AskOptions): Promise<Asked> {
  const assumed = new Set<string>();
  let seen: DecisionEvent | undefined;
  const kit = await policyKit(policy, {
    onDecision: (_result, event) => {
      seen = event;
    },
    checks: checksFor(policy, options.checks ?? {}, assumed),
    at: new Date(options.at ?? Date.now()).toISOString(),
  });
  try {
    const caller = options.person === undefined ? kit.anonymous : kit.as(options.person);
    let decision: Decision | undefined;
    for (let time = 0; time < (options.repeat ?? 1); time += 1) {
      const result = await caller.request(testRequest(request));
      decision = result.decision;
    }
    if (decision === undefined || seen === undefined) throw new Error("nothing was asked");
    return { decision, event: seen, assumed: [...assumed].sort() };
  } finally {
    await kit.close();
  }
}

function testRequest(
  request: WireRequest,
): Parameters<ReturnType<Awaited<ReturnType<typeof policyKit>>["as"]>["request"]>[0] {
  const headers = new Map<string, string[]>();
  for (const [name, value] of request.headers) headers.set(name, [...(headers.get(name) ?? []), value]);
  return {
    method: request.method,
    target: request.target,
    headers: Object.fromEntries(headers),
    https: request.https,
    ip: request.ip,
    upgrade: asksUpgrade(request),
    ...(request.body === undefined ? {} : { base64: Buffer.from(request.body).toString("base64") }),
  };
}

async function askEngine(policy: PolicyDocument, request: WireRequest, options: AskOptions): Promise<Asked> {
  const assumed = new Set<string>();
  let seen: DecisionEvent | undefined;
  const { at } = options;
  const engine = await createEngine(policy, {
    trace: true,
    // How busy this command is says nothing of a server.
    eventLoopDelay: () => 0,
    checks: checksFor(policy, options.checks ?? {}, assumed),
    ...unknownCallers(policy, assumed),
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    ...(at === undefined ? {} : { clock: { now: () => at, monotonic: () => 0 } }),
    sinks: [{ write: () => undefined, commit: () => Promise.resolve() }],
    onDecision: (event) => {
      seen = event;
    },
  });
  try {
    const { method, target, headers, body, ip, https } = request;
    const raw = {
      method,
      target,
      headers,
      remoteAddress: ip,
      encrypted: https,
      upgrade: asksUpgrade(request),
    };
    let decision: Decision | undefined;
    for (let time = 0; time < (options.repeat ?? 1); time += 1)
      decision = await engine.evaluate(body === undefined ? raw : { ...raw, body });
    if (decision === undefined || seen === undefined) throw new Error("nothing was asked");
    return { decision, event: seen, assumed: [...assumed].sort() };
  } finally {
    await engine.close();
  }
}

function asksUpgrade({ headers }: WireRequest): boolean {
  return (
    /\bupgrade\b/iu.test(fieldOf(headers, "connection") ?? "") && fieldOf(headers, "upgrade") !== undefined
  );
}

function checksFor(
  policy: PolicyDocument,
  said: Readonly<Record<string, boolean>>,
  assumed: Set<string>,
): Record<string, Check> {
  const stub = (name: string): Check => {
    const answer = Object.hasOwn(said, name) ? said[name] : undefined;
    return () => {
      if (answer === undefined) assumed.add(`check \`${name}\` says yes`);
      return answer ?? true;
    };
  };
  return Object.fromEntries(checksIn(policy).map((name) => [name, stub(name)]));
}

/** Names of the application's checks, wherever they are asked. */
export function checksIn(policy: PolicyDocument): readonly string[] {
  const names = new Set<string>();
  const visit = (demand: unknown): void => {
    if (Array.isArray(demand)) demand.forEach(visit);
    else if (typeof demand === "object" && demand !== null && "check" in demand) {
      for (const name of [demand.check].flat()) if (typeof name === "string") names.add(name);
    }
  };
  visit(policy.defaults?.authorize);
  for (const { require } of Object.values(policy.groups ?? {})) visit(require);
  for (const { authorize } of Object.values(policy.routes)) visit(authorize);
  return [...names].sort();
}

/** Code of the application's that knows credentials is not here: it knows nobody, and that is told. */
function unknownCallers(
  policy: PolicyDocument,
  assumed: Set<string>,
): {
  readonly authenticators: Record<string, CustomAuthenticator>;
  readonly lookups: Record<string, () => undefined>;
  readonly lastSeen: Record<string, () => undefined>;
} {
  const authenticators: Record<string, CustomAuthenticator> = {};
  const lookups: Record<string, () => undefined> = {};
  const lastSeen: Record<string, () => undefined> = {};
  for (const settings of Object.values(policy.authenticators ?? {})) {
    if (settings.type === "api-key" && settings.lastSeen !== undefined)
      lastSeen[settings.lastSeen] = () => undefined;
    if (settings.type === "custom") {
      authenticators[settings.use] = () => {
        assumed.add(`authenticator \`${settings.use}\` knows nobody: it is code; assume a person instead`);
        return "bad";
      };
    } else if (settings.type === "api-key" && "lookup" in settings.keys) {
      const { lookup } = settings.keys;
      lookups[lookup] = () => {
        assumed.add(`lookup \`${lookup}\` knows no key: it is code; assume a person instead`);
      };
    }
  }
  return { authenticators, lookups, lastSeen };
}

/** Whether anything stands where an authenticator of the policy looks. */
export function presentsCredential(policy: PolicyDocument, { headers, target }: WireRequest): boolean {
  const cookies = headers
    .filter(([name]) => name.toLowerCase() === "cookie")
    .flatMap(([, value]) => value.split(";"));
  const query = new URLSearchParams(target.slice(target.indexOf("?") + 1));
  return [...resolveAuthenticators(policy).values()].some(({ carrier }) => {
    switch (carrier.in) {
      case "cookie":
        return cookies.some((cookie) => cookie.trim().startsWith(`${carrier.name}=`));
      case "query":
        return target.includes("?") && query.has(carrier.name);
      case "tls":
        // Of a connection a request that is written down has none.
        return false;
      case "header":
        return fieldOf(headers, carrier.name) !== undefined;
    }
  });
}

/** What only the environment lacks: the policy itself is good. */
export function lacksSecrets(error: unknown): error is PolicyError {
  const codes = ["unresolved-secret", "unreadable-file", "unreachable-keys"];
  return error instanceof PolicyError && error.diagnostics.every(({ code }) => codes.includes(code));
}
