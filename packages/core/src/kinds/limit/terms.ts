/** What a limit says, with its defaults filled in: the same on every route that has it. */
import type { CalendarUnit } from "../../lib/calendar.js";
import { parseDuration } from "../../lib/duration.js";
import { asList } from "../../lib/lists.js";
import { parsePointer } from "../../lib/pointer.js";
import type { FactSettings, LimitSettings } from "../../model/policy.js";
import type { Placed } from "../../model/resolved.js";
import type { Penalty } from "../../ports/state-store.js";

export type Algorithm = NonNullable<LimitSettings["algorithm"]>;

export interface Terms {
  readonly name: string;
  readonly pointer: string;
  readonly algorithm: Algorithm;
  readonly limit: number;
  /** Microseconds; 0 for concurrency and calendar months. */
  readonly windowUs: number;
  readonly unit: CalendarUnit;
  readonly zone: string;
  readonly burst: number;
  readonly leaseUs: number;
  /** Statuses that are charged; undefined: every outcome. */
  readonly counted: ReadonlySet<number> | undefined;
  /** Where in the answer the real cost stands. */
  readonly settle: readonly string[] | undefined;
  readonly penalty: Penalty | undefined;
  readonly onStoreFailure: "local" | "closed" | "open";
  readonly onMissing: "group" | "refuse" | "skip";
  /** This process's part of the limit while the store is away; `auto`: what the store says. */
  readonly share: number | "auto";
  /** A shared store may hand units out ahead of need. */
  readonly leased: boolean;
  readonly observe: boolean;
}

const FAILURES: readonly number[] = [401, 403, 422];
const DAY_US = 86_400_000_000;

/** @param limit one that passed the checks */
export function termsOf(name: string, { value, pointer }: Placed<LimitSettings>): Terms {
  const { limit, algorithm = "sliding-window", window, share, burst, zone, lease } = value;
  const counted = countedOf(value);
  return {
    name,
    pointer,
    algorithm,
    limit,
    windowUs: window === "day" ? DAY_US : durationUs(window),
    unit: window === "month" ? "month" : "day",
    zone: zone ?? "UTC",
    burst: burst ?? limit,
    leaseUs: durationUs(lease ?? "30s"),
    counted,
    settle: settleOf(value),
    penalty: penaltyOf(value, counted !== undefined),
    onStoreFailure: value.onStoreFailure ?? "local",
    onMissing: value.onMissing ?? "group",
    share: share ?? "auto",
    leased: value.precision === "leased",
    observe: value.mode === "observe",
  };
}

/** 0 for what is no duration: the calendar's `day` and `month` have none. */
export function durationUs(text: string | undefined): number {
  return text === undefined ? 0 : (parseDuration(text) ?? 0) * 1000;
}

export function factsOf({ by }: LimitSettings): readonly Exclude<FactSettings, string>[] {
  if (by === undefined) return [];
  return asList(by).map((entry) => (typeof entry === "string" ? { fact: entry } : entry));
}

function countedOf({ count }: LimitSettings): ReadonlySet<number> | undefined {
  if (count === undefined || count === "all") return undefined;
  return new Set(count === "failures" ? FAILURES : count);
}

function settleOf({ cost }: LimitSettings): readonly string[] | undefined {
  return typeof cost === "object" ? parsePointer(cost.settle.slice("response.".length)) : undefined;
}

/** A limit that counts failures strikes for failures: refusing alone would not tell a guesser from a busy caller. */
function penaltyOf({ penalty }: LimitSettings, counted: boolean): Penalty | undefined {
  if (penalty === undefined) return undefined;
  const blockUs = durationUs(penalty.block);
  return {
    after: penalty.after,
    blockUs,
    factor: penalty.factor ?? 2,
    maxUs: penalty.max === undefined ? Math.max(blockUs, 3_600_000_000) : durationUs(penalty.max),
    strikes: counted ? "outcomes" : "refusals",
  };
}
