/** The contract of a policy kind: one folder, one skeleton, one entry in the list of `compile/kinds.ts`. */
import type { Report } from "../errors/diagnostics.js";
import type { ApiKeyLookup, Check, CustomAuthenticator, KeySeen } from "../ports/application.js";
import type { Clock } from "../ports/clock.js";
import type { HtmlSanitizer } from "../ports/html-sanitizer.js";
import type { LoadSignals } from "../ports/load.js";
import type { Lifetime } from "../ports/lifetime.js";
import type { OutwardCall } from "../ports/outward.js";
import type { Platform } from "../ports/platform.js";
import type { Revocations } from "../ports/revocations.js";
import type { SchemaCompiler } from "../ports/schema-compiler.js";
import type { SecretSource } from "../ports/secrets.js";
import type { StateStore } from "../ports/state-store.js";
import type { BodyRule, ErrorShaper, HeaderContribution, RecordedFact, Stage } from "./compiled.js";
import type { KindHealth } from "./health.js";
import type { HeaderField } from "./request.js";
import type { CheckedPolicy, ResolvedPolicy, ResolvedRoute } from "./resolved.js";

/** Bounded: what was left longest ago goes first. */
export interface HandedOn {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
}

/** What policies of one engine share while one of them needs it. */
export interface Commons {
  /**
   * What stands under the name, or else what is made. It is let go when the last policy ends that took it.
   * @param name tells all that it depends on
   */
  take<Value extends object>(
    name: string,
    kind: abstract new (...given: never[]) => Value,
    make: () => Value,
    lifetime: Lifetime,
  ): Value;
}

/** What compiling may use. Everything here is ready before the first request. */
export interface CompileEnvironment {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly store: StateStore;
  /** What is revoked; one an engine: `replace` keeps it. */
  readonly revocations: Revocations;
  /** This process's own store, for limits whose store has failed; made at first use, one an engine: `replace` keeps it. Undefined: there is none. */
  readonly fallback?: () => StateStore;
  /** Resolves a `{ "secret": … }`; reports and returns undefined when it is unresolved or empty. Never a literal. */
  secret(reference: string, pointer: string): Promise<Uint8Array | undefined>;
  /**
   * Values that the reference led to before and that still verify for a while, newest first. For what is verified; what is made (a hash, a
   * signature, a token) is made with `secret` alone. Never for a list: an entry that was taken out of one is meant to end at once.
   */
  formerSecrets?(reference: string): Promise<readonly Uint8Array[]>;
  readonly secrets: SecretSource | undefined;
  /** Text of a file beside the policy, which is compiled again when it changes; undefined where there are no files. */
  textFile?(path: string): Promise<{ readonly text: string } | { readonly problem: string }>;
  readonly checks: Readonly<Record<string, Check>>;
  readonly authenticators: Readonly<Record<string, CustomAuthenticator>>;
  readonly lookups: Readonly<Record<string, ApiKeyLookup>>;
  readonly lastSeen: Readonly<Record<string, KeySeen>>;
  /** Somebody listens who says when an event is kept. */
  readonly keepsEvents: boolean;
  /** Loaded on first call: a policy without schemas never pays for it. */
  schemas(): Promise<SchemaCompiler>;
  /** The same, one an engine: `replace` keeps it. @throws HtmlSanitizerError (rejects) where nothing here can be trusted with HTML */
  html(): Promise<HtmlSanitizer>;
  /** Undefined: what is compiled serves nobody, so nothing can be told of its load. */
  readonly load?: LoadSignals;
  /** The one way to call out; ends with the engine. */
  readonly call: OutwardCall;
  /** Ends with the policy that is being compiled: timers, and whatever else must be released. */
  readonly lifetime: Lifetime;
  /** The same document is in force already: others who are away keep it from nothing, and are not waited for. */
  readonly again?: boolean;
  /** What one policy of the engine leaves to the next, by a name that tells all that it depends on. Undefined: there is no next. */
  readonly handedOn?: HandedOn;
  /** What one policy of the engine shares with the next. Undefined: there is no next. */
  readonly commons?: Commons;
  /** sha256 of the canonical document: part of every cache key that must not outlive a policy. Worked out when it is first read. */
  readonly revision: string;
  readonly report: Report;
}

/** A kind, compiled for one document. */
export interface CompiledKind {
  /** Request stages of a route (or of the document where nothing matched); the engine sorts them by `at`. */
  stages?(route: ResolvedRoute): readonly Stage[];
  /** Stages of a CORS preflight that leads to this route; undefined when the kind has none. */
  preflight?(route: ResolvedRoute): readonly Stage[] | undefined;
  headers?(route: ResolvedRoute): HeaderContribution | undefined;
  bodyRule?(route: ResolvedRoute): BodyRule | undefined;
  /** The same for the data of each event, where the answer is a stream of events. */
  eventRule?(route: ResolvedRoute): BodyRule | undefined;
  /** What is done to what either left; it may change the value that it is given. */
  afterRule?(route: ResolvedRoute): BodyRule | undefined;
  encode?(route: ResolvedRoute): ((json: string) => string) | undefined;
  errors?(route: ResolvedRoute): ErrorShaper;
  /** `WWW-Authenticate` fields of the route, for a 401 that a later stage gives an anonymous caller. */
  challenge?(route: ResolvedRoute): readonly HeaderField[];
  /** What it can tell of its own state now. */
  health?(): KindHealth;
  /** True where a settlement of this route reads the handler's answer (`ExchangeEnd.answer`). */
  readsAnswer?(route: ResolvedRoute): boolean;
  /** Facts that enter the decision event. */
  recorded?(route: ResolvedRoute): readonly RecordedFact[];
}

export interface Kind {
  readonly name: string;
  /** Cross-checks: pure; no files, secrets, network or heavy imports. Runs in `checkPolicy` too, and always before `compile`. */
  check(policy: CheckedPolicy, report: Report): void;
  /** Only called for a policy that passed every check. What only the environment can tell (a key that does not parse) is reported. */
  compile(policy: ResolvedPolicy, environment: CompileEnvironment): CompiledKind | Promise<CompiledKind>;
}
