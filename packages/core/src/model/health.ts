/** What an engine can tell of its own state. Names and reasons, never a secret or a caller's value. */

/**
 * `degraded`: it decides, and something is not as it should be. `failing`: requests are refused that would otherwise be let in,
 * whoever sends them.
 */
export type HealthStatus = "ok" | "degraded" | "failing";

export interface HealthPart {
  readonly status: HealthStatus;
  /** Why it is not `ok`. */
  readonly reason?: string;
}

/** Keys that are fetched. */
export interface KeySetHealth extends HealthPart {
  /** Names of those that verify with it. */
  readonly authenticators: readonly string[];
  /** Milliseconds since the epoch; absent: they never were. */
  readonly fetchedAt?: number;
  /** They should have been refreshed, and that failed. */
  readonly stale: boolean;
}

export interface RevocationHealth extends HealthPart {
  /** Milliseconds since all that is revoked was known. */
  readonly behind: number;
}

export interface ShedHealth extends HealthPart {
  readonly signal: "event-loop" | "concurrency";
  /** Somebody would be refused now. */
  readonly shedding: boolean;
  /** Of `event-loop`: milliseconds by which it was late when it was last looked at. */
  readonly delay?: number;
  /** Of `concurrency`: requests under way. */
  readonly inFlight?: number;
}

/** What the kinds of a policy have to tell. */
export interface KindHealth {
  readonly keySets?: readonly KeySetHealth[];
  readonly revocation?: RevocationHealth;
  readonly shed?: ShedHealth;
}

/** Something that failed, and what was before stays. */
export interface HealthProblem {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

export interface EngineHealth extends HealthPart {
  readonly policy: {
    readonly name: string;
    readonly revision: string;
    /** Milliseconds since the epoch: from when on this revision has been in force. */
    readonly since: number;
  };
  /** Servers that were bound. */
  readonly bindings: number;
  readonly store: HealthPart & {
    readonly scope: "process" | "shared";
    /** `closed`: it is asked; `open`: it is away, and each limit does what its `onStoreFailure` says; `half-open`: it is being tried. */
    readonly state: "closed" | "open" | "half-open";
    readonly lastError?: string;
    readonly counters: Readonly<Record<string, number>>;
  };
  readonly keySets: readonly KeySetHealth[];
  /** `problem`: a secret that could not be rotated; the old value stays. */
  readonly secrets: HealthPart & {
    readonly problem?: HealthProblem & { readonly references: readonly string[] };
  };
  /** `problem`: the last `replace`, where it failed. */
  readonly changes: HealthPart & { readonly problem?: HealthProblem };
  readonly revocation?: RevocationHealth;
  readonly shed?: ShedHealth;
  /** What was added by `engine.addHealth`: followers of a policy, and the application's own. */
  readonly added: Readonly<Record<string, HealthPart>>;
}
