/** Statements about a policy that are searched for a request that breaks them. */
import type { Arbitrary } from "fast-check";
import { Report } from "../../errors/diagnostics.js";
import type { Check, PolicyDocument } from "../../index.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import { readPolicy } from "../../node/index.js";
import { exchangeIn, type PolicyResult } from "../exchange.js";
import { refuseUnknown } from "../kit.js";
import type { KnownPerson } from "../people.js";
import type { CheckStub, TestPerson, TestRequest } from "../policy-test.gen.js";
import { sentRequest } from "../request.js";
import { describeResult } from "../trace.js";
import { World } from "../world.js";
import type { Caller } from "./ways.js";
import { curlLine } from "./curl.js";
import type { FastCheck } from "./fast-check.js";
import { Requests, type GeneratedRequest } from "./requests.js";
import {
  checkWho,
  isThere,
  overlaps,
  parseDestination,
  parseStatement,
  type Destination,
  type Statement,
  type Who,
} from "./statement.js";
import { nearTargets } from "./targets.js";

export interface NeverOptions {
  /** fast-check, as the test imports it. */
  readonly fc: FastCheck;
  /** How many requests are tried. Default: 200 for each route that may lead there. */
  readonly runs?: number;
  /** Of the search: the same seed tries the same requests. Default 1. */
  readonly seed?: number;
  /** What checks answer. Default: `true`, so that a statement holds whatever they say. */
  readonly checks?: Readonly<Record<string, CheckStub | Check>>;
}

export interface NeverReport {
  /** How many requests were tried, none of which got there. */
  readonly runs: number;
  /** Keys of the routes that may lead there. */
  readonly routes: readonly string[];
}

/** The smallest request that was found. */
export interface Counterexample {
  /** Undefined: the request is anonymous. */
  readonly as: TestPerson | undefined;
  readonly request: TestRequest;
  /** A line to type, with a variable where a credential stands. */
  readonly curl: string;
  readonly result: PolicyResult;
}

/** A statement does not hold. */
export class CounterexampleError extends Error {
  // As assertions of runners are called: some tell a failed test from a broken one by it.
  override readonly name = "AssertionError";
  declare readonly counterexample: Counterexample;

  constructor(statement: string, counterexample: Counterexample) {
    const { as, request, curl, result } = counterexample;
    const step = JSON.stringify({ ...(as === undefined ? {} : { as }), request });
    super([`it happens: ${statement}`, step, curl, describeResult(result)].join("\n"));
    Object.defineProperty(this, "counterexample", { value: counterexample });
  }
}

const RUNS_FOR_ROUTE = 200;

/**
 * Searches for a request that breaks a statement, through the real engine. It is no proof: it says that none of so many requests,
 * made for the routes that may lead there, got there.
 *
 * ```ts
 * await never("policy.jsonc", "anonymous reaches /admin/*", { fc });
 * await never(policy, { who: { withoutRole: "clerk" }, reaches: "DELETE /orders/:id" }, { fc });
 * ```
 * @throws CounterexampleError (rejects) with the smallest request that was found
 * @throws TypeError (rejects) for a statement about nothing: no such role, no route that could lead there
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function never(
  policy: string | PolicyDocument,
  statement: string | Statement,
  options: NeverOptions,
): Promise<NeverReport> {
  refuseUnknown(options, ["fc", "runs", "seed", "checks"]);
  const { who, reaches } = typeof statement === "string" ? parseStatement(statement) : statement;
  const destination = parseDestination(reaches);
  const world = await World.of(typeof policy === "string" ? await readPolicy(policy) : policy, {});
  try {
    checkWho(who, world.policy);
    const routes = world.policy.routes.filter((route) => mayLead(route, destination));
    if (routes.length === 0) throw new TypeError(`no route of the policy can lead to \`${reaches}\``);
    const told = typeof statement === "string" ? statement : `${nameOf(who)} reaches ${reaches}`;
    const search = new Search(world, who, destination, options);
    const runs = await search.run(routes, told);
    return { runs, routes: routes.map(({ key }) => key) };
  } finally {
    await world.close();
  }
}

function nameOf(who: Who): string {
  if (typeof who === "string") return who;
  if (typeof who === "function") return who.name === "" ? "somebody" : who.name;
  if ("role" in who) return `role ${who.role}`;
  return "withoutRole" in who
    ? `anyone without role ${who.withoutRole}`
    : `anyone without scope ${who.withoutScope}`;
}

function mayLead(route: ResolvedRoute, { methods, parts }: Destination): boolean {
  const answered = route.methods.includes("GET") ? [...route.methods, "HEAD"] : route.methods;
  if (methods !== undefined && !methods.some((method) => answered.includes(method))) return false;
  return overlaps(route.pattern, parts);
}

class Search {
  readonly #requests: Requests;
  readonly #checks: Readonly<Record<string, CheckStub | Check>>;

  constructor(
    private readonly world: World,
    private readonly who: Who,
    private readonly destination: Destination,
    private readonly options: NeverOptions,
  ) {
    this.#requests = new Requests(options.fc, world.policy);
    const granted = Object.fromEntries(world.calls.checks.map((name) => [name, true]));
    this.#checks = { ...granted, ...options.checks };
  }

  /** @returns how many requests were tried */
  async run(routes: readonly ResolvedRoute[], told: string): Promise<number> {
    const { fc, seed = 1, runs = RUNS_FOR_ROUTE * routes.length } = this.options;
    const arbitrary = fc.oneof(...routes.flatMap((route) => this.towards(route) ?? []));
    const property = fc.asyncProperty(arbitrary, async (tried) => !(await this.gotThere(tried)));
    const outcome = await fc.check(property, { seed, numRuns: runs });
    const [smallest] = outcome.counterexample ?? [];
    if (smallest !== undefined) throw new CounterexampleError(told, await this.counterexample(smallest));
    // Not a request that got there: the generator itself gave up.
    if (outcome.failed)
      throw new Error(`the search for a counterexample failed: ${String(outcome.errorInstance)}`);
    return outcome.numRuns;
  }

  private async gotThere({ as, request }: GeneratedRequest): Promise<boolean> {
    const result = await this.ask(request, this.know(as));
    return result.outcome === "admit" && isThere(this.destination, result.request.method, request.target);
  }

  private async counterexample({ as, request }: GeneratedRequest): Promise<Counterexample> {
    const person = this.know(as);
    const result = await this.ask(request, person);
    return { as, request, curl: curlLine(request, person, this.world.policy), result };
  }

  private know(as: TestPerson | undefined): KnownPerson | undefined {
    return as && this.world.know("somebody", as, "", new Report());
  }

  private ask(request: TestRequest, person: KnownPerson | undefined): Promise<PolicyResult> {
    const { world } = this;
    // Each request by itself: a limit that others used up would hide what one alone can do.
    world.begin(undefined, { checks: this.#checks, authenticators: {}, lookups: {} });
    const sent = sentRequest(request, {}, person, world.moment, world.policy);
    return exchangeIn(world, sent, { answer: {}, hold: false, ended: undefined, person });
  }

  /** Requests for a route, where they may get there, and as many in another spelling. */
  private towards(route: ResolvedRoute): Arbitrary<GeneratedRequest> | undefined {
    const { fc } = this.options;
    const { parts, methods } = this.destination;
    const segment = (index: number): string | undefined => {
      const part = parts[index];
      return part?.kind === "static" ? part.text : undefined;
    };
    const plain = this.#requests.fitting(route, this.caller(route), segment);
    if (plain === undefined) return undefined;
    const asked = plain.map((tried) => withMethod(tried, methods));
    const spelled = fc.tuple(asked, fc.nat(nearTargets("/").length - 1)).map(([tried, index]) => {
      const target = nearTargets(tried.request.target)[index] ?? tried.request.target;
      return { ...tried, request: { ...tried.request, target } };
    });
    const headed = plain.map((tried) => withMethod(tried, methods ?? ["HEAD"]));
    return fc.oneof(
      { weight: 4, arbitrary: asked },
      { weight: 1, arbitrary: headed },
      { weight: 2, arbitrary: spelled },
    );
  }

  private caller(route: ResolvedRoute): Arbitrary<Caller> | undefined {
    const { fc } = this.options;
    const { callers } = this.#requests;
    const { who } = this;
    const nobody = fc.constant<Caller>({ as: () => undefined, certain: false });
    if (who === "anonymous") return nobody;
    if (typeof who === "object" && "role" in who)
      return callers.anybody(route, (one) => callers.role(one, who.role));
    const anybody = callers.anybody(route, (one) => {
      if (typeof who !== "object") return callers.rights(one);
      if ("withoutRole" in who)
        return callers.rights(one, { role: (role) => !callers.includes(role, who.withoutRole) });
      return callers.rights(one, { scope: (scope) => scope !== who.withoutScope });
    });
    const anyone = anybody === undefined ? nobody : fc.oneof(nobody, anybody);
    if (typeof who !== "function") return anyone;
    return anyone.filter((caller) => who(caller.as({})));
  }
}

/** One of the methods that the statement is about, where the route's own is none of them. */
function withMethod(tried: GeneratedRequest, methods: readonly string[] | undefined): GeneratedRequest {
  const { method = "GET" } = tried.request;
  if (methods === undefined || methods.includes(method)) return tried;
  return { ...tried, request: { ...tried.request, method: methods[0] ?? method } };
}
