/**
 * Token buckets that are taken together. The server says how full each was; what follows from it for the caller is worked out here, as
 * `take.ts` works it out there.
 */
import type { LimitOp, TakePart } from "@gatehouse/core";
import { unreadable, type Heard } from "./wire.js";

export type Bucket = Extract<LimitOp, { kind: "gcra" }>;

/** Some three weeks: how long a key lives is printed as a whole number of milliseconds, which has 31 bits where the server has 32. */
const LONGEST_US = 2e12;

/** None has a penalty, and all times are whole, as they are in answers: only then are they taken by their script. */
export function areBuckets(ops: readonly LimitOp[]): ops is readonly Bucket[] {
  for (const op of ops) if (op.kind !== "gcra" || op.penalty !== undefined || !isWhole(op)) return false;
  return true;
}

function isWhole({ emissionUs, burst, cost }: Bucket): boolean {
  return (
    Number.isInteger(emissionUs * burst) &&
    emissionUs * burst < LONGEST_US &&
    Number.isSafeInteger(emissionUs * cost)
  );
}

export function bucketValues(now: string, ops: readonly Bucket[]): string[] {
  const values = [now];
  for (const { emissionUs, burst, cost } of ops)
    values.push(String(emissionUs * burst), String(emissionUs * cost));
  return values;
}

const HEAD = 2;

/** @throws StoreError where it is no answer: nothing that comes from outside is believed */
export function readBuckets(reply: unknown, ops: readonly Bucket[]): Heard {
  if (!Array.isArray(reply) || reply.length !== HEAD + ops.length) throw unreadable();
  const numbers: readonly unknown[] = reply;
  const allowed = numbers[0] === 1;
  const nowUs = wholeOf(numbers[1]);
  const per: TakePart[] = [];
  let fits = true;
  let at = HEAD;
  for (const op of ops) {
    const part = partOf(op, wholeOf(numbers[at++]), allowed);
    per.push(part);
    fits &&= part.allowed;
  }
  if (fits !== allowed) throw unreadable();
  return { allowed, nowUs, per, blocked: no, granted: none };
}

/** @param taken whether all were: then it stands as it is after this */
function partOf({ emissionUs, burst, cost }: Bucket, levelUs: number, taken: boolean): TakePart {
  const full = burst * emissionUs;
  const after = levelUs + emissionUs * cost;
  const allowed = after <= full;
  const resetUs = taken ? after : levelUs;
  return {
    allowed,
    remaining: Math.max(0, Math.floor((full - resetUs) / emissionUs)),
    resetUs,
    retryUs: allowed ? 0 : cost > burst ? Math.max(levelUs, full) : after - full,
  };
}

function wholeOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw unreadable();
  return value;
}

const no = (): boolean => false;
const none = (): number => 0;
