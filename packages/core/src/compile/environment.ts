/** What compiling may use, made from the engine's options. */
import { strictText } from "../lib/bytes.js";
import type { Report } from "../errors/diagnostics.js";
import type { CompileEnvironment, HandedOn, Commons } from "../model/kind.js";
import type { DecisionEvent } from "../model/decision.js";
import type { PolicyDocument } from "../model/policy.js";
import type { ApiKeyLookup, Check, CustomAuthenticator, KeySeen } from "../ports/application.js";
import type { Clock } from "../ports/clock.js";
import type { DecisionSink, EventOptions } from "../ports/decision-sink.js";
import type { HtmlSanitizer, PurifierFactory } from "../ports/html-sanitizer.js";
import type { EventLoopWatch, LoadSignals } from "../ports/load.js";
import type { Lifetime } from "../ports/lifetime.js";
import type { Fetch, OutwardCall } from "../ports/outward.js";
import type { Platform } from "../ports/platform.js";
import type { Revocations } from "../ports/revocations.js";
import type { SchemaCompiler } from "../ports/schema-compiler.js";
import type { SecretSource } from "../ports/secrets.js";
import type { SecretsEvent } from "./secret-rotation.js";
import type { StateStore } from "../ports/state-store.js";
import { fileReference } from "./key-files.js";
import type { SecretReader } from "./secret-keeper.js";

/** What a policy cannot say because it is code. */
export interface EngineOptions {
  /** Where `{ "secret": … }` is looked up. Default: on Node `env:` and `file:`; elsewhere none, and an unresolved reference fails the load. */
  readonly secrets?: SecretSource;
  /** How long a secret that was replaced still verifies beside the new one. At most `7d`; default `1h`; `0s`: it ends at once. */
  readonly secretOverlap?: string;
  /** What happens to secrets while serving. Default on Node: `process.emitWarning` for what was kept, nothing for the rest. */
  readonly onSecrets?: (event: SecretsEvent) => void;
  /** Default: bounded memory of this process. */
  readonly store?: StateStore;
  /** Functions that `check` names. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** Functions that authenticators of type `custom` name. */
  readonly authenticators?: Readonly<Record<string, CustomAuthenticator>>;
  /** Functions that an api-key's `{ "lookup": … }` names. */
  readonly lookups?: Readonly<Record<string, ApiKeyLookup>>;
  /** Functions that an api-key's `lastSeen` names. */
  readonly lastSeen?: Readonly<Record<string, KeySeen>>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Called once when an exchange ends. What it throws is ignored; it must not block. */
  readonly onDecision?: (event: DecisionEvent) => void;
  /** Where events go beside `onDecision`. They are asked first whether they want an event, and never block a request. */
  readonly sinks?: readonly DecisionSink[];
  /** What events say, to `onDecision` and to every sink. */
  readonly events?: EventOptions;
  /**
   * In a page: what the package `dompurify` exports, for a policy that sanitizes HTML. Not on Node, where it is loaded
   * together with jsdom.
   */
  readonly dompurify?: PurifierFactory;
  /**
   * What calls identity providers and other servers that the policy names. Default: the platform's. It must honour
   * `redirect: "manual"` and `signal`.
   */
  readonly fetch?: Fetch;
  /**
   * How late the event loop is, in milliseconds, for a policy that sheds by it; or what else stands for that here. Called up to a
   * hundred times a second and must not block. Default: what the platform measures, on Node.
   */
  readonly eventLoopDelay?: () => number;
  /** Decisions and events say what each stage decided and read. Default false: nothing is collected. */
  readonly trace?: boolean;
}

export interface EnvironmentParts {
  readonly policy: PolicyDocument;
  readonly revision: () => string;
  readonly options: EngineOptions;
  readonly platform: Platform;
  readonly store: StateStore;
  readonly revocations: Revocations;
  readonly fallback: () => StateStore;
  readonly html: () => Promise<HtmlSanitizer>;
  readonly call: OutwardCall;
  /** Undefined: nobody is served. */
  readonly inFlight: LoadSignals["inFlight"] | undefined;
  readonly lifetime: Lifetime;
  readonly handedOn: HandedOn;
  readonly commons: Commons;
  readonly secrets: SecretReader;
  readonly report: Report;
}

export function environmentFor(parts: EnvironmentParts): CompileEnvironment {
  const { options, platform, report } = parts;
  let schemas: Promise<SchemaCompiler> | undefined;
  return {
    platform,
    clock: options.clock ?? platform.clock,
    store: parts.store,
    revocations: parts.revocations,
    fallback: parts.fallback,
    secrets: options.secrets ?? platform.secrets,
    secret: (reference, pointer) => readSecret(reference, pointer, parts),
    formerSecrets: async (reference) =>
      (await parts.secrets.former(reference)).map((secret) => secret.reveal()),
    ...(platform.readFile !== undefined && {
      textFile: (path: string) => readText(path, parts.secrets),
    }),
    checks: options.checks ?? {},
    authenticators: options.authenticators ?? {},
    lookups: options.lookups ?? {},
    lastSeen: options.lastSeen ?? {},
    keepsEvents: options.sinks?.some((sink) => sink.commit !== undefined) === true,
    schemas: () =>
      (schemas ??= import("../schemas/index.js").then((room) => room.loadSchemaCompiler(platform))),
    html: parts.html,
    call: parts.call,
    ...(parts.inFlight !== undefined && { load: loadOf(parts, parts.inFlight) }),
    lifetime: parts.lifetime,
    handedOn: parts.handedOn,
    again: parts.secrets.again,
    commons: parts.commons,
    get revision() {
      return parts.revision();
    },
    report,
  };
}

function loadOf({ options, platform }: EnvironmentParts, inFlight: LoadSignals["inFlight"]): LoadSignals {
  const { eventLoopDelay } = options;
  return {
    inFlight,
    watchEventLoop: () =>
      eventLoopDelay === undefined ? platform.watchEventLoop?.() : watchOf(eventLoopDelay),
  };
}

function watchOf(delay: () => number): EventLoopWatch {
  return { late: delay, longest: delay, stop: () => undefined };
}

/** An unresolved reference is never used literally: the load fails. */
async function readSecret(
  reference: string,
  pointer: string,
  { secrets, report, options, platform }: EnvironmentParts,
): Promise<Uint8Array | undefined> {
  const reading = await secrets.read(reference);
  if ("secret" in reading) return reading.secret.reveal();
  const help =
    (options.secrets ?? platform.secrets) === undefined
      ? "hand `secrets` to createEngine: this platform has neither an environment nor files"
      : howToSet(reference);
  report.error("unresolved-secret", pointer, reading.problem, help);
  return undefined;
}

async function readText(
  path: string,
  secrets: SecretReader,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  const reading = await secrets.read(fileReference(path));
  return "problem" in reading ? reading : { text: strictText(reading.secret.reveal()) ?? "" };
}

function howToSet(reference: string): string {
  const variable = /^env:(.+)$/u.exec(reference)?.[1];
  const place = variable === undefined ? "it where the reference points" : `the variable \`${variable}\``;
  return `set ${place}, or hand \`secrets\` to createEngine`;
}
