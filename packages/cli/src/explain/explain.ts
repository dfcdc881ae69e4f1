/** Why a request is admitted or refused, and what would have to change for it to be admitted. */
import {
  checkPolicy,
  PolicyError,
  type PolicyDocument,
  type Principal,
  type TraceStep,
} from "@gatehouse/core";
import type { TestPerson } from "@gatehouse/core/testing";
import { routeOf, type RouteView } from "../lib/routes.js";
import { ask, type Asked, type AskOptions } from "./ask.js";
import { hintsFor, type Refused } from "./hints.js";
import { unmetDemands } from "./probe.js";
import { has, withFraming, type WireRequest } from "./request.js";

export interface ExplainOptions extends AskOptions {
  /** Path of the policy's file: files and secrets are looked up beside it. */
  readonly file?: string | undefined;
}

export interface Explanation {
  readonly method: string;
  readonly target: string;
  readonly https: boolean;
  readonly outcome: "admit" | "refuse" | "answer";
  /** 200 stands for the handler's own. */
  readonly status: number;
  /** Key of the route; null where none matched. */
  readonly route: string | null;
  readonly stage?: string;
  /** What refused; where the caller is told something else, that is in `shown`. */
  readonly code?: string;
  /** The code that the caller is told in place of `code` (`conceal`). */
  readonly shown?: string;
  readonly reason?: string;
  /** JSON Pointer of the rule that refused. */
  readonly rule?: string;
  readonly principal: Principal | { readonly id: string; readonly authenticator: string } | null;
  /** What the explanation rests on. */
  readonly assumed: readonly string[];
  /** Observe mode: what would have been refused. */
  readonly observed: readonly Refused[];
  readonly trace: readonly TraceStep[];
  /** What would have to change. Empty for an admitted request. */
  readonly hints: readonly string[];
}

/**
 * Asks the engine for one request and tells all of its way.
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function explain(
  policy: PolicyDocument,
  request: WireRequest,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const problems = checkPolicy(policy).filter(({ severity }) => severity === "error");
  if (problems.length > 0) throw new PolicyError(problems);
  const sent = withFraming(withHost(policy, request));
  const { person } = options;
  const settled =
    person === undefined ? options : { ...options, person: await placed(person, policy, sent, options) };
  const asked = await ask(policy, sent, settled);
  const { event, decision } = asked;
  const view = decision.route === null ? undefined : routeOf(policy, decision.route);
  const refused = refusedIn(asked);
  return {
    method: sent.method,
    target: sent.target,
    https: sent.https,
    outcome: decision.outcome,
    status: decision.outcome === "admit" ? 200 : decision.status,
    route: decision.route,
    ...definedOnly({
      stage: event.stage,
      code: event.code,
      shown: decision.outcome === "refuse" && decision.code !== event.code ? decision.code : undefined,
      reason: event.reason,
      rule: event.rule,
    }),
    principal: decision.outcome === "admit" ? decision.principal : (event.principal ?? null),
    assumed: asked.assumed,
    observed: (event.observed ?? []).map(({ code, reason }) => ({ code, reason })),
    trace: event.trace ?? [],
    hints:
      refused === undefined
        ? []
        : hintsFor(refused, {
            policy,
            request: sent,
            asked,
            view,
            now: options.at ?? Date.now(),
            unmet: await unmet(refused, view, sent, options.file, settled),
          }),
  };
}

const ABOUT_CALLERS = new Set(["forbidden", "insufficient-scope", "condition-error", "unauthenticated"]);

async function unmet(
  { code }: Refused,
  view: RouteView | undefined,
  request: WireRequest,
  file: string | undefined,
  options: AskOptions,
): ReturnType<typeof unmetDemands> {
  if (view === undefined || !ABOUT_CALLERS.has(code)) return [];
  return unmetDemands(view, file, (policy) => ask(policy, request, { ...options, repeat: 1 }));
}

/** What observe mode lets pass is explained as what it would have been. */
function refusedIn({ event }: Asked): Refused | undefined {
  const [observed] = event.observed ?? [];
  if (observed !== undefined) return observed;
  return event.code === undefined ? undefined : { code: event.code, reason: event.reason };
}

/** Where a policy has several authenticators, an assumed person is of those that the route asks first. */
async function placed(
  person: TestPerson,
  policy: PolicyDocument,
  request: WireRequest,
  options: AskOptions,
): Promise<TestPerson> {
  if (person.authenticator !== undefined || person.credentials !== undefined) return person;
  const names = Object.keys(policy.authenticators ?? {});
  if (names.length < 2) return person;
  const anonymous = {
    ...request,
    headers: request.headers.filter(([name]) => !/^(?:authorization|cookie)$/iu.test(name)),
  };
  const { decision } = await ask(policy, anonymous, {
    ...options,
    person: undefined,
    repeat: 1,
    secrets: { get: () => undefined },
  }).catch(() => NOBODY);
  const view = decision.route === null ? undefined : routeOf(policy, decision.route);
  const [first = names.slice(0, 1)] = view?.authenticators ?? [];
  const { about: _about, ...credential } = person;
  return first.length === 1
    ? { ...person, authenticator: first[0] ?? "" }
    : { credentials: Object.fromEntries(first.map((name) => [name, credential])) };
}

const NOBODY = { decision: { route: null } } as const;

/** One that the policy serves. */
function withHost(policy: PolicyDocument, request: WireRequest): WireRequest {
  if (has(request.headers, "host")) return request;
  const host = (policy.transport?.hosts?.[0] ?? "api.test").replace(/^\*/u, "api");
  return { ...request, headers: [["Host", host], ...request.headers] };
}

function definedOnly<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
