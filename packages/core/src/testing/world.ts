/** A policy that can be asked: compiled once, with throwaway keys, a clock that is told the time, and stubs in place of code. */
import { resolvePolicy } from "../compile/resolve.js";
import { Report } from "../errors/diagnostics.js";
import {
  checkPolicy,
  createEngine,
  PolicyError,
  type ApiKeyLookup,
  type BoundEngine,
  type Check,
  type CustomAuthenticator,
  type DecisionEvent,
  type Engine,
  type FrameworkMatching,
  type PolicyDocument,
} from "../index.js";
import { parseDuration } from "../lib/duration.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { VirtualClock } from "./clock.js";
import type { IssuedCredential, Moment } from "./credentials.js";
import { FreshStore } from "./fresh-store.js";
import { knowPerson, type KnownPerson } from "./people.js";
import type { TestPerson } from "./policy-test.gen.js";
import { didNotFit } from "./problems.js";
import { lookupName, replaceKeys } from "./replace-keys.js";
import { secretText, usersOf, withUsers } from "./secrets.js";
import { askCheck, codeCalledBy, NO_STUBS, type CalledCode, type Stubs } from "./stubs.js";

export interface WorldOptions {
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** How the server's framework matches; default as the engine does without `bind`. */
  readonly matching?: FrameworkMatching | undefined;
}

/** Records of API keys by SHA-256. */
type Records = Map<string, NonNullable<IssuedCredential["record"]>["of"]>;

const DEFAULT_START = "2026-06-01T12:00:00Z";

export class World {
  readonly clock = new VirtualClock(Date.parse(DEFAULT_START));
  readonly calls: CalledCode;
  /** What happened that no test wants, since it was last taken: a check without a stub was asked. */
  #problems: string[] = [];
  #events: DecisionEvent[] = [];
  #stubs = NO_STUBS;
  #delay = 0;
  #start = this.clock.now();
  readonly #records = new Map<string, Records>();
  readonly #verdicts = new Map<string, NonNullable<IssuedCredential["verdict"]>["of"]>();
  readonly #introspected = new Map<string, NonNullable<IssuedCredential["introspected"]>["of"]>();
  /** Records of users as JSON, by the reference of their list, then by name. */
  readonly #users = new Map<string, Map<string, string>>();
  readonly #store = new FreshStore();
  #engine: Engine | undefined;
  #bound: BoundEngine | undefined;

  private constructor(
    readonly document: PolicyDocument,
    readonly policy: ResolvedPolicy,
    private readonly options: WorldOptions,
  ) {
    this.calls = codeCalledBy(document);
  }

  /** @throws PolicyError (rejects) for a policy that cannot be served */
  static async of(document: PolicyDocument, options: WorldOptions): Promise<World> {
    // Before its keys are replaced: what is wrong is told with the place in the author's own text.
    const problems = checkPolicy(document).filter(({ severity }) => severity === "error");
    const report = new Report();
    const policy = problems.length > 0 ? undefined : resolvePolicy(document, report);
    if (policy === undefined) throw new PolicyError([...problems, ...report.diagnostics]);
    const world = new World(document, policy, options);
    await world.compile();
    return world;
  }

  private async compile(): Promise<void> {
    const engine = await createEngine(replaceKeys(this.document), {
      clock: this.clock,
      store: this.#store,
      eventLoopDelay: () => this.#delay,
      secrets: { get: (reference) => this.secret(reference) },
      checks: named(this.calls.checks, (name) => this.check(name)),
      authenticators: named(this.calls.authenticators, (name) => this.authenticator(name)),
      lookups: this.lookups(),
      lastSeen: named(this.calls.lastSeen, () => () => undefined),
      fetch: (_url, init) => Promise.resolve(this.introspection(init)),
      trace: true,
      // What a policy wants kept is kept: there is no log that could fail.
      sinks: [{ write: () => undefined, commit: () => Promise.resolve() }],
      onDecision: (event) => void this.#events.push(event),
    });
    this.#engine = engine;
    this.#bound = this.options.matching === undefined ? engine : engine.bind(this.options.matching);
  }

  get engine(): BoundEngine {
    if (this.#bound === undefined) throw new Error("the policy is not compiled");
    return this.#bound;
  }

  get moment(): Moment {
    return { now: this.clock.now(), start: this.#start };
  }

  /** @param person reports what is wrong, at `pointer` */
  know(name: string, person: TestPerson, pointer: string, report: Report): KnownPerson {
    const secret = (reference: string): string => this.secret(reference);
    const known = knowPerson(name, person, pointer, { policy: this.policy, secret, report });
    for (const { authenticator, record, verdict, introspected } of known.credentials) {
      if (record !== undefined) this.recordsOf(authenticator.name).set(record.sha256, record.of);
      if (introspected !== undefined) this.#introspected.set(introspected.text, introspected.of);
      if (verdict !== undefined) this.#verdicts.set(verdict.text, verdict.of);
    }
    return known;
  }

  /**
   * Before a request of theirs: users are listed in a secret, which is read again where their records are others than before. Of two
   * people with one name it is the one who asks.
   */
  admit(person: KnownPerson | undefined): Promise<void> | undefined {
    let changed = false;
    for (const { user } of person?.credentials ?? []) {
      if (user === undefined) continue;
      const records = this.#users.get(user.reference) ?? new Map<string, string>();
      this.#users.set(user.reference, records);
      const record = JSON.stringify(user.of(this.#start));
      changed ||= records.get(user.id) !== record;
      records.set(user.id, record);
    }
    return changed ? this.#engine?.replace(replaceKeys(this.document)) : undefined;
  }

  private secret(reference: string): string {
    const text = secretText({ ...usersOf(this.document), ...this.options.secrets }, reference);
    const records = this.#users.get(reference);
    return records === undefined ? text : withUsers(text, records);
  }

  /** Fresh counters, and the clock where a test wants it. */
  begin(at: string | undefined, stubs: Stubs): void {
    this.#store.empty();
    this.#start = Date.parse(at ?? DEFAULT_START);
    this.clock.set(this.#start);
    this.#stubs = stubs;
    this.#delay = 0;
    this.#problems = [];
  }

  /** @throws TypeError for what is no duration */
  delay(duration: string): void {
    const milliseconds = parseDuration(duration);
    if (milliseconds === undefined) throw didNotFit(duration, "a duration such as `80ms`");
    this.#delay = milliseconds;
    // It is not looked at more often.
    this.clock.advance("10ms");
  }

  takeProblems(): readonly string[] {
    const taken = this.#problems;
    this.#problems = [];
    return taken;
  }

  /** The event of the exchange that ended just now. */
  takeEvent(): DecisionEvent | undefined {
    return this.#events.splice(0).at(-1);
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    await this.#store.close();
  }

  private check(name: string): Check {
    return (input) => {
      const stub = Object.hasOwn(this.#stubs.checks, name) ? this.#stubs.checks[name] : undefined;
      if (stub !== undefined) return askCheck(stub, input);
      this.#problems.push(`the check \`${name}\` was asked, and the test says nothing of it in \`checks\``);
      throw new Error("a check without a stub");
    };
  }

  private authenticator(name: string): CustomAuthenticator {
    return ({ credential }) => {
      if (this.#stubs.authenticators[name] === "throws")
        throw new Error("the stub of the authenticator throws");
      return this.#verdicts.get(credential)?.(this.moment) ?? "bad";
    };
  }

  /** Nothing else is called: keys that are fetched were replaced. */
  private introspection({ body }: RequestInit): Response {
    const token = new URLSearchParams(typeof body === "string" ? body : "").get("token") ?? "";
    const answer = this.#introspected.get(token)?.(this.moment) ?? { active: false };
    return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
  }

  private lookups(): Record<string, ApiKeyLookup> {
    const lookups: Record<string, ApiKeyLookup> = {};
    for (const [authenticator, settings] of Object.entries(this.document.authenticators ?? {})) {
      if (settings.type !== "api-key") continue;
      const stub = "lookup" in settings.keys ? settings.keys.lookup : undefined;
      lookups[lookupName(authenticator)] = (sha256) => {
        if (stub !== undefined && this.#stubs.lookups[stub] === "throws")
          throw new Error("the stub of the lookup throws");
        return this.recordsOf(authenticator).get(sha256)?.(this.#start);
      };
    }
    return lookups;
  }

  private recordsOf(authenticator: string): Records {
    const records: Records = this.#records.get(authenticator) ?? new Map();
    this.#records.set(authenticator, records);
    return records;
  }
}

function named<T>(names: readonly string[], make: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)]));
}
