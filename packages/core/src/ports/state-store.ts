/**
 * All times are integer microseconds; costs and limits are integers from 1 to 2^31 - 1. A key is `<limit>:<rest>` with a limit id that
 * matches [a-z0-9-]{1,64}; the same key always comes with the same kind, group and window, and no key stands twice in one call.
 */

export type TakeSource =
  | "memory"
  | "shared"
  | "lease"
  | "deny-cache"
  | "local-fallback"
  | "fail-open"
  | "fail-closed";

/** Every `after`-th strike of a key blocks it: for `blockUs`, then `factor` times longer each time, up to `maxUs`. */
export interface Penalty {
  readonly after: number;
  readonly blockUs: number;
  readonly factor: number;
  readonly maxUs: number;
  /**
   * What a strike is. `refusals` (default): the op itself refused a take; attempts while blocked are none. `outcomes`: a take was
   * settled and its charge kept (a delta of 0 or more).
   */
  readonly strikes?: "refusals" | "outcomes";
}

/**
 * `slot` and `since` are there in an op that is asked again and again, of a store that `repeats`: where that store found the key last, and
 * as of which state of its own. The store itself notes them, and never believes them of another state without a look at what is there now.
 */
export type LimitOp =
  | {
      readonly kind: "gcra";
      readonly key: string;
      readonly emissionUs: number;
      readonly burst: number;
      readonly cost: number;
      /** Units may be taken ahead of need and spent without asking, within the bound that the store states. Default: each is asked for. */
      readonly precision?: "leased";
      readonly penalty?: Penalty;
      slot?: number;
      since?: number;
    }
  | {
      readonly kind: "strict";
      readonly key: string;
      readonly windowUs: number;
      readonly buckets: number;
      readonly limit: number;
      readonly cost: number;
      readonly penalty?: Penalty;
      slot?: number;
      since?: number;
    }
  | {
      readonly kind: "period";
      readonly key: string;
      readonly limit: number;
      readonly cost: number;
      readonly endsAtUs: number;
      readonly penalty?: Penalty;
    }
  | {
      readonly kind: "lease";
      readonly key: string;
      readonly limit: number;
      readonly leaseUs: number;
      readonly holder: string;
      readonly penalty?: Penalty;
    }
  | { readonly kind: "block"; readonly key: string; readonly penalty?: Penalty };

export interface TakePart {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until the full quota is there again. */
  readonly resetUs: number;
  /** Until the same cost would be admitted; 0 when allowed. For a cost above the limit, which never is: until the limit is full again. */
  readonly retryUs: number;
}

/** Opaque; what `settle` needs to find the reservation again. */
export interface TakeToken {
  readonly takenAtUs: number;
  readonly ops: readonly LimitOp[];
}

export interface TakeResult {
  readonly allowed: boolean;
  readonly source: TakeSource;
  readonly per: readonly TakePart[];
  readonly token?: TakeToken;
}

export interface CallContext {
  /** Instant of the call on a clock that never goes back, from any fixed start: stores of one process count by it. Shared stores use their own. */
  readonly nowUs: number;
  /** The same instant by the wall clock, microseconds since the epoch: what `endsAtUs` of a period is compared with. Default `nowUs`. */
  readonly wallUs?: number;
  /** How long the caller waits at most, in microseconds. */
  readonly deadlineUs: number;
  /** Of a take that nothing will be settled of: its answer needs no token. */
  readonly final?: boolean;
  readonly signal?: AbortSignal;
}

export interface StoreHealth {
  readonly state: "closed" | "open" | "half-open";
  readonly lastError?: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** Some of what was appended to a log, oldest first. */
export interface LogPage {
  readonly entries: readonly Uint8Array[];
  /** Where to go on reading; opaque. */
  readonly cursor: string;
  /** There is more already. */
  readonly more: boolean;
}

/** Lists that everybody who uses the store reads to their end again and again: what is revoked. */
export interface StateLog {
  /** Whoever reads from the start finds it for that long at least. @throws StoreError (or rejects) unless it is kept */
  append(log: string, value: Uint8Array, ttlUs: number, context: CallContext): void | Promise<void>;
  /**
   * What was appended after `after`, or from the start, each entry at least once. A cursor that the store no longer knows reads from
   * the start. A store of this process answers at once.
   */
  read(log: string, after: string | undefined, context: CallContext): LogPage | Promise<LogPage>;
}

/** Where limits, replay protection and revocation live. The same integer arithmetic in every implementation. */
export interface StateStore {
  readonly scope: "process" | "shared";
  /**
   * It answers `take` at once, does not look at the context later, and leaves ops and their list as they are but for `slot` and `since`:
   * the very same may be handed to it again, the context with other instants. Default: each call has its own.
   */
  readonly repeats?: true;
  start(signal: AbortSignal): void | Promise<void>;
  /** All limits in one group: applied all or not at all. Denial is a value, never a throw. */
  take(group: string, ops: readonly LimitOp[], context: CallContext): TakeResult | Promise<TakeResult>;
  /** One delta an op, undefined: leave this op alone. Above 0 charges more (may go into debt), below 0 refunds by the safe rule. Idempotent per token. Leases: any negative delta releases. Blocks: above 0 is a strike. */
  settle(
    group: string,
    token: TakeToken,
    deltas: readonly (number | undefined)[],
    context: CallContext,
  ): void | Promise<void>;
  peek(group: string, ops: readonly LimitOp[], context: CallContext): TakeResult | Promise<TakeResult>;
  /** Extends the leases of a token; false when they were lost. */
  renew(group: string, token: TakeToken, context: CallContext): boolean | Promise<boolean>;
  /** True exactly once per key until it expires: replay and idempotency. */
  once(key: string, ttlUs: number, context: CallContext): boolean | Promise<boolean>;
  get(key: string, context: CallContext): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, ttlUs: number, context: CallContext): void | Promise<void>;
  del(key: string, context: CallContext): void | Promise<void>;
  /** Without it a policy that has `revocation` is refused. */
  readonly log?: StateLog | undefined;
  /**
   * This process's part of a limit, above 0 and at most 1; default 1. Of a `process` store always, and as it is when a policy is
   * compiled; of a `shared` one while it is away and the process counts alone.
   */
  share?(): number;
  health(): StoreHealth;
  close(): void | Promise<void>;
}

/** The store broke; a refusal is never one of these. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  constructor(
    readonly code:
      | "timeout"
      | "connection"
      | "not-ready"
      | "readonly"
      | "oom"
      | "busy"
      | "moved"
      | "crossslot"
      | "auth"
      | "noscript"
      | "protocol",
    /** True: the take may have been applied. Never retry it. */
    readonly ambiguous: boolean,
    message: string,
  ) {
    super(message);
  }
}
