/** Where the parts meet: a policy, its environment, and the exchanges that it decides. */
import { platform } from "#platform";
import { judgePolicy } from "./compile/check.js";
import { compilePolicy, type CompiledPolicy } from "./compile/compile.js";
import { environmentFor, type EngineOptions, type EnvironmentParts } from "./compile/environment.js";
import { sourceWithFiles } from "./compile/key-files.js";
import { fileOf, withPositions } from "./compile/positions.js";
import { reportCertificateReads, reportPeerReads } from "./compile/peer-reads.js";
import { withGoodSecrets } from "./compile/good-secrets.js";
import { SecretKeeper, type DraftMode, type SecretDraft } from "./compile/secret-keeper.js";
import { healthOf } from "./health.js";
import { SecretRotation, type SecretsEvent } from "./compile/secret-rotation.js";
import { Report, PolicyError } from "./errors/diagnostics.js";
import { markerOf } from "./events/mark.js";
import {
  checkOptions,
  duration,
  FUNCTION,
  FUNCTIONS,
  having,
  oneOf,
  type OptionTest,
  TEXT,
  TRUTH,
} from "./errors/options.js";
import { PolicyExchange, type Exchange, type ExchangeServices } from "./exchange.js";
import { canonicalJson } from "./lib/canonical-json.js";
import { correlationOf } from "./lib/correlation.js";
import { parseDuration } from "./lib/duration.js";
import { heardBy } from "./lib/heard.js";
import { oneAfterAnother } from "./lib/in-turn.js";
import { lazy } from "./lib/lazy.js";
import { Secret } from "./lib/secret.js";
import { createIdSource } from "./lib/uuid.js";
import type { Precedence, RegisteredRoute, RouteInventory } from "./match/inventory.js";
import type { FrameworkMatching, Router } from "./match/router.js";
import type { Decision } from "./model/decision.js";
import type { PolicyDocument } from "./model/policy.js";
import type { EngineHealth, HealthPart, HealthProblem } from "./model/health.js";
import { pairsOf } from "./model/header-pairs.js";
import type { ClientCertificate, HeaderField, RawRequest } from "./model/request.js";
import { readClientCertificate } from "./normalize/index.js";
import { parseCookies } from "./normalize/cookies.js";
import { parseQuery } from "./normalize/query.js";
import { outwardCall } from "./outward/call.js";
import { Commons } from "./outward/commons.js";
import { Legacies } from "./outward/legacies.js";
import { PolicyLifetime } from "./outward/lifetime.js";
import type { DecisionSink, EventOptions, ServedPolicy } from "./ports/decision-sink.js";
import type { HtmlSanitizer } from "./ports/html-sanitizer.js";
import type { Revocation } from "./ports/revocations.js";
import type { StateStore } from "./ports/state-store.js";
import type { RunningShadow } from "./shadow/begin.js";
import type { Shadow, ShadowOptions, ShadowStatus } from "./shadow/shadow.js";
import { createMemoryStore, StoreRevocations } from "./store/index.js";

export type { EngineOptions } from "./compile/environment.js";

/** Decides one framework's requests: how it matches was declared in `bind`. Follows `replace`. */
export interface BoundEngine {
  readonly name: string;
  /**
   * sha256 of the canonical document (RFC 8785), lower-case hex. Worked out at the start where somebody listens to events, and else when it is
   * first read: of a large document that takes a while.
   */
  readonly revision: string;
  /** One per HTTP exchange. */
  open(request: RawRequest): Exchange;
  /**
   * Head and body in one call, for tests and tools. The exchange ends with the decision.
   * @param request `body`: text or bytes as received, or any other value as already parsed JSON
   */
  evaluate(request: RawRequest & { readonly body?: unknown }): Promise<Decision>;
  /**
   * What an application has registered beside what the policy names, read the way in which its framework matches.
   * @param precedence which handler the framework runs where several fit; default `specificity`
   */
  inventory(registered: readonly RegisteredRoute[], precedence?: Precedence): RouteInventory;
}

export interface Engine extends BoundEngine {
  /**
   * Once per server: how its framework matches.
   * @throws PolicyError when two routes cannot be told apart under this matching
   * @throws TypeError where it says something that no matching has
   */
  bind(matching: FrameworkMatching): BoundEngine;
  /**
   * Compiles aside and swaps whole: requests in flight keep the policy they began with, limits keep their state.
   * @throws PolicyError (rejects) on any problem; the old policy stays
   */
  replace(policy: PolicyDocument): Promise<void>;
  /**
   * A candidate beside the policy that serves: asked about the same requests after they were answered, and what it would have said otherwise
   * is told. It has a store of its own and never touches an answer. Undefined ends it; another candidate takes its place.
   * @throws PolicyError (rejects) for one that cannot be served; the candidate before stays
   * @throws TypeError (rejects) where an option is wrong
   */
  shadow(candidate: PolicyDocument, options: ShadowOptions): Promise<void>;
  shadow(candidate: undefined): Promise<void>;
  /** Undefined where there is no candidate. */
  readonly shadowing: ShadowStatus | undefined;
  /**
   * Refuses credentials before their time, here at once and in every process that shares the store within `refresh`. The policy
   * must have `revocation`. Nothing is taken back: an entry ends by its time.
   * @throws TypeError (rejects) for what cannot be revoked
   * @throws StoreError (rejects) where the store did not take it: it holds here alone, so revoke it again
   */
  revoke(revocation: Revocation): Promise<void>;
  /** How the engine is now. It asks nobody: what it tells is what it has come to know. */
  health(): EngineHealth;
  /**
   * Something else belongs to that: a database without which no request can be answered, a sink of events.
   * @param name in `added`; of two with one name the later is `name-2`
   * @param part called by `health()`; it must not block. What throws, or is no part, counts as degraded
   * @returns takes it out again
   * @throws TypeError for a name that is not made of lower-case letters, digits and `-`
   */
  addHealth(name: string, part: () => HealthPart): () => void;
  /**
   * Releases what the engine made: its store (one that was handed in is its owner's), the threads that sanitize, and what
   * its policy holds. Calls that are under way are given up.
   */
  close(): Promise<void>;
}

const SINK = having("write");
const SINKS: OptionTest = [
  "a list of objects with `write`",
  (value) => Array.isArray(value) && value.every((sink) => SINK[1](sink)),
];

const EVENT_OPTIONS = {
  hash: [
    "a list of names of facts",
    (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  ],
  key: [
    "a text, bytes, or a Secret",
    (value) => typeof value === "string" || value instanceof Uint8Array || value instanceof Secret,
  ],
  paths: TRUTH,
} as const satisfies Readonly<Record<keyof EventOptions, OptionTest>>;

const ENGINE_OPTIONS = {
  secrets: having("get"),
  secretOverlap: duration("7d"),
  onSecrets: FUNCTION,
  store: having("start", "take", "settle", "renew", "close"),
  checks: FUNCTIONS,
  authenticators: FUNCTIONS,
  lookups: FUNCTIONS,
  lastSeen: FUNCTIONS,
  clock: having("now", "monotonic"),
  onDecision: FUNCTION,
  sinks: SINKS,
  events: ["an object", (value: unknown) => typeof value === "object" && value !== null],
  dompurify: FUNCTION,
  fetch: FUNCTION,
  eventLoopDelay: FUNCTION,
  trace: TRUTH,
} as const satisfies Readonly<Record<keyof EngineOptions, unknown>>;

const SHADOW_OPTIONS = {
  onDifference: FUNCTION,
  sample: ["a number above 0 up to 1", (value) => typeof value === "number" && value > 0 && value <= 1],
  code: oneOf("reuse", "call"),
} as const satisfies Readonly<Record<keyof ShadowOptions, OptionTest>>;

const MATCHING = {
  caseSensitive: TRUTH,
  trailingSlash: oneOf("significant", "ignored"),
  staticText: oneOf("raw", "decoded"),
  wildcard: oneOf("below", "itself"),
  mountPrefix: TEXT,
  peerAddress: TRUTH,
  clientCertificates: TRUTH,
} as const satisfies Readonly<Record<keyof FrameworkMatching, unknown>>;

/**
 * Compiles a policy. Everything that can be known is computed here; a request only reads.
 * @throws PolicyError (rejects) with every diagnostic of severity `error`
 * @throws TypeError (rejects) where an option is unknown or of the wrong kind, or one that this platform does not have
 */
export async function createEngine(policy: PolicyDocument, options: EngineOptions = {}): Promise<Engine> {
  checkOptions(options, "createEngine", ENGINE_OPTIONS);
  checkOptions(options.events ?? {}, "events", EVENT_OPTIONS);
  if (options.dompurify !== undefined && platform.name === "node") {
    throw new TypeError("`dompurify` is for pages: on Node it is loaded together with jsdom");
  }
  const clock = options.clock ?? platform.clock;
  const stop = new AbortController();
  const store = options.store ?? createMemoryStore();
  await store.start(stop.signal);
  let local: StateStore | undefined;
  const fallback = (): StateStore => (local ??= createMemoryStore());
  let sanitizer: Promise<HtmlSanitizer> | undefined;
  const html = (): Promise<HtmlSanitizer> => (sanitizer ??= platform.openHtmlSanitizer(options.dompurify));
  const call = outwardCall(options.fetch, stop.signal, platform);
  const revocations = new StoreRevocations(store, clock);
  const kept = {
    store,
    revocations,
    fallback,
    html,
    call,
    handedOn: new Legacies(),
    commons: new Commons(),
    inFlight: new Map(),
  };
  const source = sourceWithFiles(options.secrets ?? platform.secrets, platform);
  const overlapMs = parseDuration(options.secretOverlap ?? SECRET_OVERLAP) ?? 0;
  const keeper = new SecretKeeper(source, overlapMs > 0);
  const services: ExchangeServices = {
    newId: createIdSource(platform.randomBytes),
    correlation: correlationOf,
    parseQuery,
    parseCookies,
    tracing: options.trace === true,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    utf8Length: platform.utf8Length,
    onDecision: options.onDecision,
    sinks: options.sinks ?? [],
    mark: markerOf(options.events ?? {}, platform),
    paths: options.events?.paths === true,
  };
  const compile: Compile = (document, secrets) => load(document, options, { ...kept, secrets });
  const openShadow: OpenShadow = async (document, own, matchings) => {
    const { beginShadow } = await import("./shadow/begin.js");
    // What a candidate counts takes nothing from anybody.
    const counters = createMemoryStore();
    // Nor does anybody know what it was told, or it what they were.
    const commons = new Commons();
    return beginShadow(document, {
      services,
      options: own,
      source,
      overlapMs,
      matchings,
      routerOf,
      call,
      compile: (candidate, secrets, quiet) =>
        load(candidate, unheard(options), {
          ...kept,
          store: counters,
          revocations: revocations.beside(),
          fallback: () => counters,
          commons,
          secrets,
          call: quiet,
          // It is asked when the answer is out already: what it took nobody has to do without.
          inFlight: undefined,
        }),
    });
  };
  const draft = keeper.draft("new", fileOf(policy));
  const parts: EngineParts = {
    services,
    compile,
    openShadow,
    keeper,
    rotation: new SecretRotation({
      source,
      keeper,
      overlapMs,
      recompile: (mode) => engine.recompile(mode),
      tell: (event) => {
        engine.heardOfSecrets(event);
        tellSecrets(event, options.onSecrets);
      },
    }),
    stop,
    revocations,
    store,
    release: async () => {
      await closeSanitizer(sanitizer);
      if (options.store === undefined) await store.close();
    },
  };
  let engine: PolicyEngine;
  try {
    engine = await open(await compile(policy, draft), parts);
  } catch (error) {
    // There is no engine that anybody could close.
    stop.abort();
    await parts.release();
    throw error;
  }
  engine.follow(draft);
  engine.announce();
  return engine;
}

/** A key that was seen was seen once, and an event is kept once, however many policies look at it. */
function unheard(options: EngineOptions): EngineOptions {
  const names = Object.keys(options.lastSeen ?? {});
  return {
    ...options,
    sinks: [KEEPS],
    lastSeen: Object.fromEntries(names.map((name) => [name, () => undefined])),
  };
}

/** What nobody is asked to keep is kept. */
const KEEPS: DecisionSink = { write: () => undefined, commit: () => Promise.resolve() };

/** Covers what is usually signed with a shared secret, a token or a webhook, from its making to its end. */
const SECRET_OVERLAP = "1h";

function tellSecrets(event: SecretsEvent, listener: EngineOptions["onSecrets"]): void {
  if (listener !== undefined) heardBy(listener, event);
  else if (event.outcome === "kept") platform.warn(`a secret or key set was not rotated: ${event.reason}`);
}

async function open(loaded: LoadedPolicy, parts: EngineParts): Promise<PolicyEngine> {
  try {
    const engine = new PolicyEngine(loaded, parts);
    loaded.lifetime.enforce();
    return engine;
  } catch (error) {
    await loaded.lifetime.end();
    throw error;
  }
}

/** One that could not be opened refused a policy, and there is nothing to close. */
async function closeSanitizer(sanitizer: Promise<HtmlSanitizer> | undefined): Promise<void> {
  const opened = await sanitizer?.catch(() => undefined);
  await opened?.close();
}

type Compile = (policy: PolicyDocument, secrets: SecretDraft) => Promise<LoadedPolicy>;

async function load(
  given: PolicyDocument,
  options: EngineOptions,
  kept: Pick<
    EnvironmentParts,
    "store" | "revocations" | "fallback" | "html" | "call" | "handedOn" | "commons" | "inFlight" | "secrets"
  >,
): Promise<LoadedPolicy> {
  const { diagnostics, resolved } = judgePolicy(given);
  const problems = diagnostics.filter(({ severity }) => severity === "error");
  if (problems.length > 0 || resolved === undefined) throw new PolicyError(problems);
  const { document: policy } = resolved;
  const report = new Report();
  // Of a large document it takes longer than all the rest; the copy is ours, so it comes to the same whenever it is asked for.
  const revision = lazy(() => platform.sha256Hex(canonicalJson(policy)));
  const lifetime = new PolicyLifetime();
  const parts = { policy, revision, options, platform, ...kept, lifetime, report };
  try {
    return { policy: await compilePolicy(resolved, environmentFor(parts)), lifetime };
  } catch (error) {
    // What a refused policy began is nobody's.
    await lifetime.end();
    throw error;
  }
}

/** A policy that is ready, and what it holds on to. */
interface LoadedPolicy {
  readonly policy: CompiledPolicy;
  readonly lifetime: PolicyLifetime;
}

class Binding implements BoundEngine {
  constructor(
    private readonly owner: PolicyEngine,
    readonly matching: FrameworkMatching,
    private router: Router,
  ) {}

  get name(): string {
    return this.owner.name;
  }

  get revision(): string {
    return this.owner.revision;
  }

  open(request: RawRequest): Exchange {
    const { policy, services, candidate } = this.owner;
    return (
      candidate?.beside(policy, this.router, request, this.matching) ??
      new PolicyExchange(policy, this.router, request, services)
    );
  }

  async evaluate(request: RawRequest & { readonly body?: unknown }): Promise<Decision> {
    const exchange = this.open(request.body === undefined ? request : withContent(request));
    try {
      const head = await exchange.head();
      const decision = head.outcome === "continue" ? await exchange.body(rawBody(request.body)) : head;
      exchange.end(decision.outcome === "admit" ? 200 : decision.status);
      return decision;
    } finally {
      exchange.end(0);
    }
  }

  inventory(registered: readonly RegisteredRoute[], precedence: Precedence = "specificity"): RouteInventory {
    return this.owner.policy.inventory(this.matching, registered, precedence);
  }

  /** Only after every binding was compiled: no request sees one policy here and another there. */
  follow(router: Router): void {
    this.router = router;
  }
}

type OpenShadow = (
  candidate: PolicyDocument,
  options: ShadowOptions,
  matchings: readonly FrameworkMatching[],
) => Promise<RunningShadow>;

interface EngineParts {
  readonly services: ExchangeServices;
  readonly compile: Compile;
  readonly openShadow: OpenShadow;
  readonly keeper: SecretKeeper;
  readonly rotation: SecretRotation;
  readonly stop: AbortController;
  readonly revocations: StoreRevocations;
  readonly store: StateStore;
  readonly release: () => Promise<void>;
}

class PolicyEngine implements Engine {
  readonly services: ExchangeServices;
  readonly #bindings: Binding[] = [];
  readonly #unbound: Binding;
  readonly #parts: EngineParts;
  /** Changes are made one after another: the last that was asked for is the one that stands. */
  readonly #inTurn = oneAfterAnother();
  readonly #shadowsInTurn = oneAfterAnother();
  #loaded: LoadedPolicy;
  #since: number;
  #secretsKeptAt = 0;
  #failedChange: HealthProblem | undefined = undefined;
  readonly #added = new Map<string, () => HealthPart>();
  #shadow: RunningShadow | undefined = undefined;

  constructor(loaded: LoadedPolicy, parts: EngineParts) {
    this.#parts = parts;
    this.services = parts.services;
    this.#loaded = loaded;
    this.#since = this.now();
    this.#unbound = this.add({});
  }

  get policy(): CompiledPolicy {
    return this.#loaded.policy;
  }

  get name(): string {
    return this.policy.name;
  }

  get revision(): string {
    return this.policy.revision;
  }

  open(request: RawRequest): Exchange {
    return this.#unbound.open(request);
  }

  evaluate(request: RawRequest & { readonly body?: unknown }): Promise<Decision> {
    return this.#unbound.evaluate(request);
  }

  inventory(registered: readonly RegisteredRoute[], precedence?: Precedence): RouteInventory {
    return this.#unbound.inventory(registered, precedence);
  }

  bind(matching: FrameworkMatching): BoundEngine {
    checkOptions(matching, "bind", MATCHING);
    return this.add(matching);
  }

  replace(document: PolicyDocument): Promise<void> {
    return this.#inTurn(async () => {
      this.mustBeOpen();
      const { keeper, compile } = this.#parts;
      const draft = keeper.draft("new", fileOf(document));
      try {
        await this.swap(await compile(document, draft), draft);
        this.#failedChange = undefined;
      } catch (error) {
        this.#failedChange = { at: this.now(), reason: whyNotInForce(error) };
        throw error;
      }
    });
  }

  /** The same policy, with what its references lead to now. */
  recompile(mode: DraftMode): Promise<SecretDraft> {
    return this.#inTurn(async () => {
      const { keeper, compile } = this.#parts;
      const { document } = this.policy;
      const draft = keeper.draft(mode, fileOf(document));
      const differs = await draft.refresh();
      if (!differs && !keeper.due) return draft;
      const rotated = await withGoodSecrets(draft, keeper.due, (one) => compile(document, one));
      if (rotated.loaded !== undefined) await this.swap(rotated.loaded, rotated.draft);
      return rotated.draft;
    });
  }

  get candidate(): Shadow | undefined {
    return this.#shadow?.shadow;
  }

  get shadowing(): ShadowStatus | undefined {
    return this.#shadow?.shadow.status;
  }

  shadow(candidate: PolicyDocument | undefined, options?: ShadowOptions): Promise<void> {
    return this.#shadowsInTurn(async () => {
      const next = candidate === undefined ? undefined : await this.beginShadow(candidate, options);
      const before = this.#shadow;
      this.#shadow = next;
      await before?.end();
    });
  }

  private async beginShadow(
    candidate: PolicyDocument,
    options: ShadowOptions | undefined,
  ): Promise<RunningShadow> {
    checkOptions(options, "shadow", SHADOW_OPTIONS);
    if (options?.onDifference === undefined) throw new TypeError("`shadow` needs `onDifference`");
    const matchings = this.#bindings.map(({ matching }) => matching);
    const next = await this.#parts.openShadow(candidate, options, matchings);
    if (!this.#parts.stop.signal.aborted) return next;
    await next.end();
    throw new Error("the engine is closed");
  }

  follow(draft: SecretDraft): void {
    this.#parts.rotation.follow(draft);
  }

  async revoke(revocation: Revocation): Promise<void> {
    const { revocation: terms, authenticators = {} } = this.policy.document;
    if (terms === undefined) throw new TypeError("the policy has no `revocation`");
    await this.#parts.revocations.revoke(revocation, authenticators);
  }

  health(): EngineHealth {
    const { rotation, stop, store } = this.#parts;
    const { problem } = rotation;
    return healthOf({
      policy: this.policy,
      since: this.#since,
      // The first is the engine's own.
      bindings: this.#bindings.length - 1,
      store,
      secrets: problem === undefined ? undefined : { at: this.#secretsKeptAt, ...problem },
      change: this.#failedChange,
      closed: stop.signal.aborted,
      added: this.#added,
    });
  }

  addHealth(name: string, part: () => HealthPart): () => void {
    if (!/^[a-z][a-z0-9-]{0,63}$/u.test(name))
      throw new TypeError("the name of a part of health is made of lower-case letters, digits and `-`");
    let free = name;
    for (let count = 2; this.#added.has(free); count += 1) free = `${name}-${count}`;
    this.#added.set(free, part);
    return () => {
      if (this.#added.get(free) === part) this.#added.delete(free);
    };
  }

  heardOfSecrets({ outcome }: SecretsEvent): void {
    if (outcome === "kept") this.#secretsKeptAt = this.now();
  }

  /** A clock that fails refuses requests; here it may say what it likes. */
  private now(): number {
    try {
      return this.services.now();
    } catch {
      return 0;
    }
  }

  async close(): Promise<void> {
    this.#parts.rotation.close();
    // First, so that nothing below waits for a call that hangs.
    this.#parts.stop.abort();
    await this.shadow(undefined);
    await this.#loaded.lifetime.end();
    await this.#parts.release();
  }

  private async swap(next: LoadedPolicy, draft: SecretDraft): Promise<void> {
    let routers: readonly Router[];
    try {
      this.mustBeOpen();
      routers = this.#bindings.map(({ matching }) => routerOf(next.policy, matching));
    } catch (error) {
      await next.lifetime.end();
      throw error;
    }
    // From here nothing can fail and nothing waits: the swap is whole.
    const before = this.#loaded;
    this.#loaded = next;
    if (before.policy.revision !== next.policy.revision) this.#since = this.now();
    for (const [index, binding] of this.#bindings.entries()) {
      const router = routers[index];
      if (router !== undefined) binding.follow(router);
    }
    next.lifetime.enforce();
    this.follow(draft);
    if (next.policy.revision !== before.policy.revision) this.announce();
    await before.lifetime.end();
  }

  /** To the sinks, so that a log tells by what policy it was written. */
  announce(): void {
    const { onDecision, sinks } = this.services;
    // Events tell the revision: it is worked out before the first of them, and at no start that nobody listens to.
    if (onDecision === undefined && sinks.length === 0) return;
    const { name, revision, document } = this.policy;
    for (const sink of sinks) {
      heardBy((served: ServedPolicy) => sink.policy?.(served), { name, revision, document });
    }
  }

  /** What a policy began after the end would never be released. */
  private mustBeOpen(): void {
    if (this.#parts.stop.signal.aborted) throw new Error("the engine is closed");
  }

  private add(matching: FrameworkMatching): Binding {
    const binding = new Binding(this, matching, routerOf(this.policy, matching));
    this.#bindings.push(binding);
    return binding;
  }
}

/** A policy may have a thousand problems. */
const LONGEST_REASON = 1000;

/** Words of strangers may quote anything. */
function whyNotInForce(error: unknown): string {
  if (!(error instanceof PolicyError)) return "the policy could not be put in force";
  const { message } = error;
  return message.length > LONGEST_REASON ? `${message.slice(0, LONGEST_REASON)} …` : message;
}

function routerOf(policy: CompiledPolicy, matching: FrameworkMatching): Router {
  const report = new Report();
  const router = policy.router(matching, report);
  if (matching.peerAddress === false) reportPeerReads(policy.document, report);
  if (matching.clientCertificates === false) reportCertificateReads(policy.document, report);
  if (report.failed) throw new PolicyError(withPositions(policy.document, report.diagnostics));
  return router;
}

/**
 * What a certificate says of its holder: for `clientCertificate` of a request's `tls`, once the server has verified it.
 * @param der the certificate's bytes, as in Node's `X509Certificate.raw`
 * @returns undefined for what is no certificate
 */
export function readCertificate(der: Uint8Array): ClientCertificate | undefined {
  return readClientCertificate(der, platform.sha256Hex);
}

/**
 * A test that gives a body need not spell the framing too; a value already parsed is JSON unless the request says
 * another type.
 */
function withContent(request: RawRequest & { readonly body?: unknown }): RawRequest {
  const { headers, body } = request;
  const typed = typeof body === "string" || body instanceof Uint8Array || names(headers, "content-type");
  if (typed) return { ...request, hasContent: true };
  const json: HeaderField = ["Content-Type", "application/json"];
  return { ...request, hasContent: true, headers: [...pairsOf(headers), json] };
}

function names(headers: RawRequest["headers"], lowerName: string): boolean {
  return pairsOf(headers).some(([name]) => name.toLowerCase() === lowerName);
}

const NO_BYTES = new Uint8Array();

function rawBody(
  body: unknown,
): { readonly bytes: Uint8Array; readonly complete: true } | { readonly value: unknown } {
  if (body === undefined) return { bytes: NO_BYTES, complete: true };
  if (typeof body === "string") return { bytes: new TextEncoder().encode(body), complete: true };
  if (body instanceof Uint8Array) return { bytes: body, complete: true };
  return { value: body };
}
