/** Policy tests as code, in whatever runner: who asks for what, and what came of it. */
import { Report } from "../errors/diagnostics.js";
import type { Check, DecisionEvent, FrameworkMatching, PolicyDocument } from "../index.js";
import { didYouMean } from "../errors/did-you-mean.js";
import { parseInstant } from "../lib/http-date.js";
import { pointerTo } from "../lib/pointer.js";
import { readPolicy } from "../node/index.js";
import type { TestClock } from "./clock.js";
import { exchangeIn, type PolicyResult } from "./exchange.js";
import type { KnownPerson } from "./people.js";
import type {
  CheckStub,
  FailureStubs,
  RequestDefaults,
  TestAnswer,
  TestPerson,
  TestRequest,
} from "./policy-test.gen.js";
import { didNotFit, PolicyTestError } from "./problems.js";
import { closed } from "./read.js";
import { sentRequest } from "./request.js";
import { checkStubs } from "./stubs.js";
import { World } from "./world.js";

export interface KitOptions {
  /** Who calls, by name. */
  readonly people?: Readonly<Record<string, TestPerson>>;
  /** What the application's checks answer: as tests that are data say it, or the function itself. */
  readonly checks?: Readonly<Record<string, CheckStub | Check>>;
  readonly authenticators?: FailureStubs;
  readonly lookups?: FailureStubs;
  /** Values of secrets, by reference. Default: throwaway ones. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What every request has that does not say otherwise. */
  readonly requests?: RequestDefaults;
  /** What the virtual clock says at the start. Default `2026-06-01T12:00:00Z`. */
  readonly at?: string;
  /** How the server's framework matches. */
  readonly matching?: FrameworkMatching;
  /** Called for every exchange, when it has ended. */
  readonly onDecision?: (result: PolicyResult, event: DecisionEvent) => void;
}

/** What a request has besides method, target and body. */
export type RequestOptions = Omit<TestRequest, "method" | "target" | "body"> & {
  /** Leaves an admitted exchange open until its result is released: it goes on holding its slots. */
  readonly hold?: boolean;
};

/** Somebody who asks. */
export interface Caller {
  get(target: string, options?: RequestOptions): Promise<PolicyResult>;
  head(target: string, options?: RequestOptions): Promise<PolicyResult>;
  options(target: string, options?: RequestOptions): Promise<PolicyResult>;
  /** @param body JSON; undefined: none is sent */
  post(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult>;
  put(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult>;
  patch(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult>;
  delete(target: string, options?: RequestOptions): Promise<PolicyResult>;
  request(request: TestRequest, options?: { readonly hold?: boolean }): Promise<PolicyResult>;
  /** The same caller, whose requests the handler answers so. Default: 204 without a body. */
  answering(answer: TestAnswer): Caller;
}

export interface PolicyKit {
  /**
   * @param person a name from `people`, or the person
   * @throws PolicyTestError where the policy could make no such principal of anybody
   */
  as(person: string | TestPerson): Caller;
  readonly anonymous: Caller;
  readonly clock: TestClock;
  /**
   * How late the event loop is from now on, for a policy that sheds by it.
   * @param duration as of the clock
   */
  delay(duration: string): void;
  /** Fresh counters, and the clock back at the start. */
  reset(): void;
  close(): Promise<void>;
}

/**
 * A policy that can be asked without a server: real tokens signed with throwaway keys, a clock that moves when it is told, stubs
 * in place of the application's code. Nothing of the policy is weakened for it; only its keys and secrets are others.
 * @param policy the document, or the path of its file
 * @throws PolicyError (rejects) for a policy that cannot be served
 * @throws PolicyTestError (rejects) for people or stubs that do not fit the policy
 */
export async function policyKit(
  policy: string | PolicyDocument,
  options: KitOptions = {},
): Promise<PolicyKit> {
  refuseUnknown(options, OPTIONS);
  if (options.at !== undefined && parseInstant(options.at) === undefined)
    throw didNotFit(options.at, "an instant such as `2026-06-01T12:00:00Z`");
  const document = typeof policy === "string" ? await readPolicy(policy) : policy;
  const world = await World.of(document, options);
  const report = new Report();
  checkStubs(options, world.calls, "", report);
  const people = new Map<string, KnownPerson>();
  for (const [name, person] of Object.entries(options.people ?? {}))
    people.set(name, world.know(name, closed("TestPerson", person), pointerTo("/people", name), report));
  if (report.failed) {
    await world.close();
    throw new PolicyTestError(report.diagnostics);
  }
  return new Kit(world, people, options);
}

const OPTIONS: readonly (keyof KitOptions)[] = [
  "people",
  "checks",
  "authenticators",
  "lookups",
  "secrets",
  "requests",
  "at",
  "matching",
  "onDecision",
];

/** @throws TypeError naming the option that nobody knows */
export function refuseUnknown(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `unknown option \`${name}\`: ${didYouMean(name, known) ?? `write ${known.join(", ")}`}`,
    );
  }
}

class Kit implements PolicyKit {
  #strangers = 0;

  constructor(
    private readonly world: World,
    private readonly people: ReadonlyMap<string, KnownPerson>,
    private readonly options: KitOptions,
  ) {
    this.reset();
  }

  get clock(): TestClock {
    return this.world.clock;
  }

  get anonymous(): Caller {
    return new KitCaller(this.world, undefined, this.options, {});
  }

  as(person: string | TestPerson): Caller {
    const known = typeof person === "string" ? this.personCalled(person) : this.stranger(person);
    return new KitCaller(this.world, known, this.options, {});
  }

  reset(): void {
    const { checks = {}, authenticators = {}, lookups = {} } = this.options;
    this.world.begin(this.options.at, { checks, authenticators, lookups });
  }

  delay(duration: string): void {
    this.world.delay(duration);
  }

  close(): Promise<void> {
    return this.world.close();
  }

  private personCalled(name: string): KnownPerson {
    const known = this.people.get(name);
    if (known !== undefined) return known;
    const help = didYouMean(name, this.people.keys()) ?? "name them in `people`";
    throw new TypeError(`nobody in \`people\` is called \`${name}\`: ${help}`);
  }

  private stranger(person: TestPerson): KnownPerson {
    const report = new Report();
    const known = this.world.know(
      "somebody",
      closed("TestPerson", person),
      `/somebody/${this.#strangers++}`,
      report,
    );
    if (report.failed) throw new PolicyTestError(report.diagnostics);
    return known;
  }
}

class KitCaller implements Caller {
  constructor(
    private readonly world: World,
    private readonly person: KnownPerson | undefined,
    private readonly kit: KitOptions,
    private readonly answer: TestAnswer,
  ) {}

  get(target: string, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("GET", target, undefined, options);
  }

  head(target: string, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("HEAD", target, undefined, options);
  }

  options(target: string, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("OPTIONS", target, undefined, options);
  }

  post(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("POST", target, body, options);
  }

  put(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("PUT", target, body, options);
  }

  patch(target: string, body?: unknown, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("PATCH", target, body, options);
  }

  delete(target: string, options?: RequestOptions): Promise<PolicyResult> {
    return this.send("DELETE", target, undefined, options);
  }

  request(request: TestRequest, { hold = false }: { readonly hold?: boolean } = {}): Promise<PolicyResult> {
    const { world, kit, person } = this;
    const sent = sentRequest(
      closed("TestRequest", request),
      kit.requests ?? {},
      person,
      world.moment,
      world.policy,
    );
    return exchangeIn(world, sent, { person, answer: this.answer, hold, ended: kit.onDecision });
  }

  answering(answer: TestAnswer): Caller {
    return new KitCaller(this.world, this.person, this.kit, closed("TestAnswer", answer));
  }

  private send(
    method: string,
    target: string,
    body: unknown,
    { hold = false, ...options }: RequestOptions = {},
  ): Promise<PolicyResult> {
    return this.request({ ...options, method, target, ...(body === undefined ? {} : { body }) }, { hold });
  }
}
