/** How an engine is, and whether it should be given requests. */
import type { CompiledPolicy } from "./compile/compile.js";
import { checkOptions, TRUTH, type OptionTest } from "./errors/options.js";
import type { EngineHealth, HealthPart, HealthProblem, HealthStatus, KindHealth } from "./model/health.js";
import type { HeaderField } from "./model/request.js";
import type { StateStore } from "./ports/state-store.js";

export interface HealthSources {
  readonly policy: CompiledPolicy;
  readonly since: number;
  readonly bindings: number;
  readonly store: StateStore;
  readonly secrets: (HealthProblem & { readonly references: readonly string[] }) | undefined;
  readonly change: HealthProblem | undefined;
  readonly closed: boolean;
  readonly added: ReadonlyMap<string, () => HealthPart>;
}

const OK: HealthPart = { status: "ok" };

export function healthOf(sources: HealthSources): EngineHealth {
  const { policy, since, bindings } = sources;
  const kinds = policy.health();
  const store = storeHealth(sources);
  const secrets = problemHealth("a secret or key set was not rotated", sources.secrets);
  const changes = problemHealth("the last policy that was handed in is not in force", sources.change);
  const added = Object.fromEntries([...sources.added].map(([name, part]) => [name, partOf(part)]));
  const keySets = kinds.keySets ?? [];
  const parts = [
    sources.closed ? ({ status: "failing", reason: "the engine is closed" } as const) : OK,
    store,
    ...keySets,
    secrets,
    changes,
    ...(kinds.revocation === undefined ? [] : [kinds.revocation]),
    ...(kinds.shed === undefined ? [] : [kinds.shed]),
    ...Object.values(added),
  ];
  return {
    ...worstOf(parts),
    policy: { name: policy.name, revision: policy.revision, since },
    bindings,
    store,
    keySets,
    secrets,
    changes,
    ...optional(kinds),
    added,
  };
}

function optional({ revocation, shed }: KindHealth): Pick<KindHealth, "revocation" | "shed"> {
  return { ...(revocation !== undefined && { revocation }), ...(shed !== undefined && { shed }) };
}

const GRAVITY: Readonly<Record<HealthStatus, number>> = { ok: 0, degraded: 1, failing: 2 };

/** The first of the gravest. */
function worstOf(parts: readonly HealthPart[]): HealthPart {
  let worst = OK;
  for (const part of parts) if (GRAVITY[part.status] > GRAVITY[worst.status]) worst = part;
  const { status, reason } = worst;
  return reason === undefined ? { status } : { status, reason };
}

function storeHealth({ store, policy }: HealthSources): EngineHealth["store"] {
  const { scope } = store;
  try {
    const { state, lastError, counters } = store.health();
    const told = { scope, state, ...(lastError !== undefined && { lastError }), counters };
    if (state === "closed") return { status: "ok", ...told };
    const closes = [...policy.resolved.limits.values()].some(
      ({ value }) => value.onStoreFailure === "closed",
    );
    const reason = "the store of the limits is away";
    return { status: closes ? "failing" : "degraded", reason, ...told };
  } catch {
    // One that was handed in: whether it counts is told by its takes.
    const reason = "the store does not tell how it is";
    return { status: "degraded", reason, scope, state: "closed", counters: {} };
  }
}

function problemHealth<T extends HealthProblem>(
  what: string,
  problem: T | undefined,
): HealthPart & { readonly problem?: T } {
  return problem === undefined ? OK : { status: "degraded", reason: what, problem };
}

/** The application's own, perhaps. */
function partOf(part: () => HealthPart): HealthPart {
  try {
    const told = part();
    // One that waits is none, and if it rejected nobody would hear it: that ends a process.
    if (told instanceof Promise) told.catch(ignore);
    // What is no JSON would fail whoever answers with it.
    else if (Object.hasOwn(GRAVITY, told.status) && JSON.stringify(told) !== undefined) return told;
  } catch {
    // Told as any other that is wrong.
  }
  return { status: "degraded", reason: "it does not tell how it is" };
}

function ignore(): void {
  // It told nothing in time.
}

export interface ReadinessOptions {
  /** True: all of `engine.health()` is in the answer. Only where nobody but operators can ask. Default false: the status alone. */
  readonly details?: boolean;
}

const READINESS_OPTIONS = {
  details: TRUTH,
} as const satisfies Readonly<Record<keyof ReadinessOptions, OptionTest>>;

/** What goes out, for any server. */
export interface ReadinessAnswer {
  readonly status: 200 | 503;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

/**
 * For a load balancer's probe: 200 while the engine is `ok` or `degraded`, 503 while it is `failing`.
 * @returns the answer, anew each time
 * @throws TypeError where an option is wrong
 */
export function readiness(
  engine: { health(): EngineHealth },
  options: ReadinessOptions = {},
): () => ReadinessAnswer {
  checkOptions(options, "readiness", READINESS_OPTIONS);
  return () => {
    const health = engine.health();
    const body = JSON.stringify(options.details === true ? health : { status: health.status });
    const headers: HeaderField[] = [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ];
    return { status: health.status === "failing" ? 503 : 200, headers, body };
  };
}
