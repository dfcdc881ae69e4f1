/** Limits as arguments of a script, and its answer as parts of a result. */
import { StoreError, type LimitOp, type TakePart } from "@gatehouse/core";
import { redisKey } from "./slots.js";

export function keysOf(prefix: string, ops: readonly LimitOp[]): string[] {
  const keys: string[] = [];
  for (const op of ops) {
    const key = redisKey(prefix, op.key);
    keys.push(key);
    // Behind the tag: it lies in the same slot.
    if (op.penalty !== undefined || op.kind === "block") keys.push(`${key}!`);
  }
  return keys;
}

/** Appends what the scripts read of a limit. */
export function pushOp(values: string[], op: LimitOp, want = 0): void {
  switch (op.kind) {
    case "gcra":
      values.push("g", String(op.emissionUs), String(op.burst), String(op.cost), String(want));
      break;
    case "strict": {
      const width = String(Math.ceil(op.windowUs / op.buckets));
      values.push("s", width, String(op.buckets + 1), String(op.limit), String(op.cost), String(op.windowUs));
      break;
    }
    case "period":
      values.push("p", String(op.limit), String(op.cost), String(op.endsAtUs));
      break;
    case "lease":
      values.push("l", String(op.limit), String(op.leaseUs), op.holder);
      break;
    case "block":
      values.push("b");
      break;
  }
  const { penalty } = op;
  if (penalty === undefined) values.push(op.kind === "block" ? "n" : "-");
  else {
    const { after, blockUs, factor, maxUs, strikes } = penalty;
    const kind = strikes === "outcomes" ? "o" : "r";
    values.push(kind, String(after), String(blockUs), String(factor), String(maxUs));
  }
}

const HEAD = 2;
const EACH = 6;

/** What one script said of its limits. */
export interface Heard {
  readonly allowed: boolean;
  /** The server's instant. */
  readonly nowUs: number;
  readonly per: readonly TakePart[];
  /** Refused by a penalty. */
  blocked(index: number): boolean;
  /** Units beyond the cost that were handed out. */
  granted(index: number): number;
}

class Parts implements Heard {
  readonly allowed: boolean;
  readonly nowUs: number;
  readonly per: readonly TakePart[];

  constructor(private readonly numbers: readonly number[]) {
    const [allowed = 0, nowUs = 0] = numbers;
    this.allowed = allowed === 1;
    this.nowUs = nowUs;
    const per: TakePart[] = [];
    for (let at = HEAD; at < numbers.length; at += EACH) {
      per.push({
        allowed: numbers[at] === 1,
        remaining: numbers[at + 1] ?? 0,
        resetUs: numbers[at + 2] ?? 0,
        retryUs: numbers[at + 3] ?? 0,
      });
    }
    this.per = per;
  }

  blocked(index: number): boolean {
    return this.numbers[HEAD + EACH * index + 4] === 1;
  }

  granted(index: number): number {
    return this.numbers[HEAD + EACH * index + 5] ?? 0;
  }
}

/** @throws StoreError where it is no answer: nothing that comes from outside is believed */
export function readTake(reply: unknown, count: number): Heard {
  if (!isNumbers(reply) || reply.length !== HEAD + EACH * count) throw unreadable();
  return new Parts(reply);
}

function isNumbers(reply: unknown): reply is readonly number[] {
  return Array.isArray(reply) && reply.every((value) => Number.isSafeInteger(value));
}

export function unreadable(): StoreError {
  return new StoreError("protocol", true, "the server gave no answer that can be read");
}
