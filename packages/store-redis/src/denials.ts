/**
 * Refusals that still hold. A limit that refused for `wait` refuses the same cost until then whoever asks, for its count only falls
 * with time; what may undo that (a refund elsewhere, a limit that was raised) is met within a second. A flood of one caller then
 * costs the server a question a second, not one a request.
 */
import type { LimitOp, TakePart, TakeResult } from "@gatehouse/core";
import type { MonotonicUs } from "./clock.js";

const LONGEST_US = 1_000_000;
/** One that is lost costs a question. */
const MOST = 4096;

interface Denial {
  readonly op: LimitOp;
  /** All keys that were asked together: another set says other things of the rest. */
  readonly asked: string;
  readonly per: readonly TakePart[];
  /** Not later than the refusal ends there. */
  readonly untilUs: number;
  /** When the answer was here: by then it was true already. */
  readonly heardUs: number;
}

interface Learned {
  readonly allowed: boolean;
  readonly per: readonly TakePart[];
  blocked(index: number): boolean;
}

export class Denials {
  hits = 0;
  readonly #byKey = new Map<string, Denial>();

  /** What is still refused. */
  find(ops: readonly LimitOp[], nowUs: number): TakeResult | undefined {
    if (this.#byKey.size === 0) return undefined;
    for (const op of ops) {
      const denial = this.#byKey.get(op.key);
      if (denial === undefined || nowUs >= denial.untilUs) continue;
      if (!isSame(denial.op, op) || denial.asked !== namesOf(ops)) continue;
      this.hits += 1;
      const passed = nowUs - denial.heardUs;
      return { allowed: false, source: "deny-cache", per: denial.per.map((part) => aged(part, passed)) };
    }
    return undefined;
  }

  /** One that has run out: whoever asks first finds out for all. */
  reopens(ops: readonly LimitOp[], nowUs: number): string | undefined {
    if (this.#byKey.size === 0) return undefined;
    return ops.find(({ key }) => {
      const denial = this.#byKey.get(key);
      return denial !== undefined && nowUs >= denial.untilUs;
    })?.key;
  }

  /** @param now read only where there is something to learn */
  learn(ops: readonly LimitOp[], heard: Learned, sentUs: number, now: MonotonicUs): void {
    const { allowed, per } = heard;
    if (allowed) {
      if (this.#byKey.size === 0) return;
      // With room to spare everybody may ask again; with none the next one asks for the others, too.
      for (const [index, { key }] of ops.entries())
        if ((per[index]?.remaining ?? 0) > 0) this.#byKey.delete(key);
      return;
    }
    // A refusal that strikes has to be heard by the server, whichever limit refuses: unless a block silences it.
    if (ops.some((op, index) => strikes(op) && !heard.blocked(index))) return;
    const heardUs = now();
    for (const [index, op] of ops.entries()) {
      const part = per[index];
      if (part === undefined || part.allowed || !(heard.blocked(index) || holds(op))) continue;
      this.#byKey.delete(op.key);
      if (this.#byKey.size >= MOST) this.#evict();
      const untilUs = sentUs + Math.min(part.retryUs, LONGEST_US);
      this.#byKey.set(op.key, { op, asked: namesOf(ops), per, untilUs, heardUs });
    }
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #evict(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      return;
    }
  }
}

function strikes({ kind, penalty }: LimitOp): boolean {
  return kind !== "block" && penalty !== undefined && penalty.strikes !== "outcomes";
}

/** A slot is free as soon as somebody leaves. */
function holds({ kind }: LimitOp): boolean {
  return kind !== "lease" && kind !== "block";
}

/** The same question, or a dearer one, of a limit that was not changed since. */
function isSame(then: LimitOp, now: LimitOp): boolean {
  switch (then.kind) {
    case "gcra":
      return (
        now.kind === "gcra" &&
        now.cost >= then.cost &&
        now.burst === then.burst &&
        now.emissionUs === then.emissionUs
      );
    case "strict":
      return (
        now.kind === "strict" &&
        now.cost >= then.cost &&
        now.limit === then.limit &&
        now.windowUs === then.windowUs
      );
    case "period":
      return (
        now.kind === "period" &&
        now.cost >= then.cost &&
        now.limit === then.limit &&
        now.endsAtUs === then.endsAtUs
      );
    default:
      return now.kind === then.kind;
  }
}

function aged({ allowed, remaining, resetUs, retryUs }: TakePart, passedUs: number): TakePart {
  const left = (us: number): number => Math.max(0, us - passedUs);
  return { allowed, remaining, resetUs: left(resetUs), retryUs: allowed ? 0 : Math.max(1, left(retryUs)) };
}

function namesOf(ops: readonly LimitOp[]): string {
  const [first] = ops;
  return ops.length === 1 && first !== undefined ? first.key : JSON.stringify(ops.map(({ key }) => key));
}
