/**
 * The state of one process: synchronous, so that a warm decision makes no promise, and bounded without forgetting anybody in the
 * caller's favour. Sliding limits count by a clock that never goes back; calendar quotas by the wall clock.
 */
import type {
  CallContext,
  LimitOp,
  StateLog,
  StateStore,
  StoreHealth,
  TakePart,
  TakeResult,
  TakeToken,
} from "../ports/state-store.js";
import { checkOptions, oneOf, type OptionTest } from "../errors/options.js";
import { StoreError } from "../ports/state-store.js";
import { Blocks } from "./blocks.js";
import { Expiring } from "./expiring.js";
import { GcraTable } from "./gcra.js";
import { LeaseTable } from "./leases.js";
import { MemoryLog } from "./log.js";
import type { OverflowOptions, OverflowPolicy } from "./overflow.js";
import { PeriodTable } from "./period.js";
import { Row } from "./row.js";
import type { Calls } from "./slots.js";
import { StrictTable } from "./strict.js";

export interface MemoryStoreOptions {
  /** Keys of each kind (token buckets, sliding windows, quotas, penalties, leases, stored values) that are kept whole. At least 32, default 100,000. */
  readonly maxKeys?: number;
  /** Cells in each of the 4 rows of a limit's sketch, made when its first live key has to leave: a power of two, default 2^16 (4 MiB a limit). */
  readonly sketchCells?: number;
  /** What a full store does with a key it has not seen. Default `sketch`. */
  readonly onOverflow?: OverflowPolicy;
  /** Processes or threads that share the load, each with a store of its own: each keeps that part of every limit, rounded up. Default 1. */
  readonly processes?: number;
  /** Seed of the sketches' hash, for tests. Default: random, so that nobody outside can choose keys that collide. */
  readonly seed?: readonly [number, number];
}

const DEFAULT_KEYS = 100_000;
const DEFAULT_CELLS = 2 ** 16;

const NUMBER: OptionTest = ["a number", (value) => typeof value === "number"];
const SEED: OptionTest = [
  "two numbers",
  (value) => Array.isArray(value) && value.length === 2 && value.every((word) => typeof word === "number"),
];
const OPTIONS = {
  maxKeys: NUMBER,
  sketchCells: NUMBER,
  onOverflow: oneOf("sketch", "deny-new", "admit"),
  processes: NUMBER,
  seed: SEED,
} as const satisfies Readonly<Record<keyof MemoryStoreOptions, OptionTest>>;

/**
 * @throws RangeError when a bound is no bound
 * @throws TypeError when an option is unknown or of the wrong kind
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): StateStore {
  checkOptions(options, "createMemoryStore", OPTIONS);
  const {
    maxKeys = DEFAULT_KEYS,
    sketchCells: cells = DEFAULT_CELLS,
    onOverflow: policy = "sketch",
    processes = 1,
  } = options;
  if (!Number.isInteger(maxKeys) || maxKeys < 32 || maxKeys > 2 ** 24) {
    throw new RangeError("`maxKeys` must be an integer from 32 to 2^24");
  }
  if (!Number.isInteger(cells) || cells < 2 || cells > 2 ** 24 || (cells & (cells - 1)) !== 0) {
    throw new RangeError("`sketchCells` must be a power of two from 2 to 2^24");
  }
  if (!Number.isInteger(processes) || processes < 1 || processes > 2 ** 16) {
    throw new RangeError("`processes` must be an integer from 1 to 2^16");
  }
  let { seed } = options;
  const sketch = {
    cells,
    // When the first sketch is made, which is in hardly any process: loading what makes it takes a millisecond.
    get seed() {
      return (seed ??= randomSeed());
    },
  };
  return new MemoryStore({ maxKeys, policy, sketch, calls: { number: 0 } }, 1 / processes);
}

function randomSeed(): readonly [number, number] {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [words[0] ?? 0, words[1] ?? 0];
}

const wallUs = (context: CallContext): number => context.wallUs ?? context.nowUs;

class MemoryToken implements TakeToken {
  settled = false;

  constructor(
    readonly takenAtUs: number,
    readonly wallUs: number,
    readonly ops: readonly LimitOp[],
  ) {}
}

class MemoryStore implements StateStore {
  readonly scope = "process";
  readonly repeats = true;

  readonly #gcra: GcraTable;
  readonly #strict: StrictTable;
  readonly #period: PeriodTable;
  readonly #blocks: Blocks;
  readonly #leases: LeaseTable;
  readonly #values: Expiring<Uint8Array>;
  readonly #seen: Expiring<true>;
  readonly #rows: Row[] = [];
  readonly log: StateLog;
  readonly #calls: Calls;
  #now = 0;
  #wall = 0;

  constructor(
    private readonly options: OverflowOptions,
    private readonly part: number,
  ) {
    this.#calls = options.calls;
    this.#gcra = new GcraTable(options);
    this.#strict = new StrictTable(options);
    this.#period = new PeriodTable(options);
    this.#blocks = new Blocks(options);
    this.#leases = new LeaseTable(options.maxKeys);
    this.#values = new Expiring(options.maxKeys);
    this.#seen = new Expiring(options.maxKeys);
    this.log = new MemoryLog(options.maxKeys);
  }

  start(): void {}

  take(_group: string, ops: readonly LimitOp[], context: CallContext): TakeResult {
    this.#enter(context);
    const only = ops.length === 1 ? ops[0] : undefined;
    if (only !== undefined && only.penalty === undefined) {
      const part = this.#takeOne(only);
      if (part !== undefined) return this.#answer(part.allowed, [part], ops, context);
    }
    return this.#takeAll(ops, context);
  }

  #takeAll(ops: readonly LimitOp[], context: CallContext): TakeResult {
    this.#wall = wallUs(context);
    if (!this.#evaluate(ops)) {
      this.#strike(ops);
      return this.#answer(false, this.#parts(ops.length, false), ops, context);
    }
    for (let index = 0; index < ops.length; index++) {
      const op = ops[index];
      if (op !== undefined) this.#apply(op, this.#row(index));
    }
    return this.#answer(true, this.#parts(ops.length, true), ops, context);
  }

  /** Most takes have one limit and no penalty. Undefined: it has to be looked at before it is written. */
  #takeOne(op: LimitOp): TakePart | undefined {
    if (op.kind === "strict") return this.#strict.take(op, this.#now);
    return op.kind === "gcra" ? this.#gcra.take(op, this.#now) : undefined;
  }

  #answer(
    allowed: boolean,
    per: readonly TakePart[],
    ops: readonly LimitOp[],
    context: CallContext,
  ): TakeResult {
    if (!allowed || context.final === true) return { allowed, source: "memory", per };
    return { allowed, source: "memory", per, token: new MemoryToken(this.#now, wallUs(context), ops) };
  }

  peek(_group: string, ops: readonly LimitOp[], context: CallContext): TakeResult {
    this.#enter(context);
    this.#wall = wallUs(context);
    const allowed = this.#evaluate(ops);
    return { allowed, source: "memory", per: this.#parts(ops.length, allowed) };
  }

  settle(
    _group: string,
    token: TakeToken,
    deltas: readonly (number | undefined)[],
    context: CallContext,
  ): void {
    if (!(token instanceof MemoryToken))
      throw new StoreError("protocol", false, "the token is another store's");
    if (token.settled) return;
    token.settled = true;
    this.#enter(context);
    this.#wall = wallUs(context);
    for (let index = 0; index < token.ops.length; index++) {
      const op = token.ops[index];
      const delta = deltas[index];
      if (op !== undefined && delta !== undefined) this.#settleOne(op, token, delta);
    }
  }

  renew(_group: string, token: TakeToken, context: CallContext): boolean {
    this.#enter(context);
    let kept = true;
    for (const op of token.ops) if (op.kind === "lease" && !this.#leases.renew(op, this.#now)) kept = false;
    return kept;
  }

  once(key: string, ttlUs: number, context: CallContext): boolean {
    if (this.#seen.get(key, context.nowUs) !== undefined) return false;
    this.#seen.set(key, true, context.nowUs + ttlUs, context.nowUs);
    return true;
  }

  get(key: string, context: CallContext): Uint8Array | undefined {
    return this.#values.get(key, context.nowUs);
  }

  set(key: string, value: Uint8Array, ttlUs: number, context: CallContext): void {
    this.#values.set(key, value, context.nowUs + ttlUs, context.nowUs);
  }

  del(key: string): void {
    this.#values.delete(key);
  }

  share(): number {
    return this.part;
  }

  health(): StoreHealth {
    const limits = this.#gcra.size + this.#strict.size + this.#period.size;
    const overflowed =
      this.#gcra.overflowed + this.#strict.overflowed + this.#period.overflowed + this.#blocks.overflowed;
    return {
      state: "closed",
      counters: {
        limits,
        penalties: this.#blocks.size,
        leases: this.#leases.size,
        values: this.#values.size + this.#seen.size,
        overflowed,
      },
    };
  }

  close(): void {}

  /**
   * A caller's instant may be older than one already seen (it was read when its exchange opened): time here never goes back, or the
   * late one would count in a past that is over.
   */
  #enter(context: CallContext): void {
    if (context.nowUs > this.#now) this.#now = context.nowUs;
    this.#calls.number = (this.#calls.number + 1) >>> 0;
  }

  #evaluate(ops: readonly LimitOp[]): boolean {
    // More limits than keys could evict each other within one call.
    if (ops.length > this.options.maxKeys)
      throw new StoreError("protocol", false, "more limits in one call than the store keeps keys");
    let allowed = true;
    for (let index = 0; index < ops.length; index++) {
      const op = ops[index];
      const row = this.#row(index);
      if (op === undefined) continue;
      this.#look(op, row);
      row.blocked = false;
      if (op.penalty !== undefined || op.kind === "block") this.#askBlock(op.key, row);
      if (!row.allowed) allowed = false;
    }
    return allowed;
  }

  #look(op: LimitOp, row: Row): void {
    switch (op.kind) {
      case "gcra":
        return this.#gcra.evaluate(op, this.#now, row);
      case "strict":
        return this.#strict.evaluate(op, this.#now, row);
      case "period":
        return this.#period.evaluate(op, this.#wall, row);
      case "lease":
        return this.#leases.evaluate(op, this.#now, row);
      case "block":
        return row.open();
    }
  }

  #askBlock(key: string, row: Row): void {
    const blockedUs = this.#blocks.remaining(key, this.#now);
    if (blockedUs > 0) row.block(blockedUs);
  }

  #apply(op: LimitOp, row: Row): void {
    switch (op.kind) {
      case "gcra":
        return this.#gcra.apply(op, this.#now, row);
      case "strict":
        return this.#strict.apply(op, this.#now, row);
      case "period":
        return this.#period.apply(op, this.#wall, row);
      case "lease":
        return this.#leases.apply(op, this.#now);
      case "block":
        return;
    }
  }

  /** A refusal leaves the limits as they were; only the penalty of the one that refused counts it. */
  #strike(ops: readonly LimitOp[]): void {
    for (let index = 0; index < ops.length; index++) {
      const op = ops[index];
      const row = this.#row(index);
      if (op?.penalty === undefined || op.penalty.strikes === "outcomes" || row.allowed || row.blocked)
        continue;
      const blockUs = this.#blocks.strike(op.key, op.penalty, this.#now);
      if (blockUs > 0) row.block(blockUs);
    }
  }

  #settleOne(op: LimitOp, token: MemoryToken, delta: number): void {
    if (delta >= 0 && op.penalty?.strikes === "outcomes") this.#blocks.strike(op.key, op.penalty, this.#now);
    if (delta === 0) return;
    switch (op.kind) {
      case "gcra":
        return this.#gcra.settle(op, token.takenAtUs, delta, this.#now);
      case "strict":
        return this.#strict.settle(op, token.takenAtUs, delta, this.#now);
      case "period":
        return this.#period.settle(op, token.wallUs, delta, this.#wall);
      case "lease":
        if (delta < 0) this.#leases.release(op);
        return;
      case "block":
        if (delta > 0 && op.penalty !== undefined && op.penalty.strikes !== "outcomes")
          this.#blocks.strike(op.key, op.penalty, this.#now);
        return;
    }
  }

  #parts(count: number, taken: boolean): TakePart[] {
    if (count === 0) return [];
    // Begun with its one entry, the list has no room to spare.
    const parts = [this.#part(0, taken)];
    for (let index = 1; index < count; index++) parts.push(this.#part(index, taken));
    return parts;
  }

  #part(index: number, taken: boolean): TakePart {
    const row = this.#row(index);
    return taken ? row.partWhenTaken() : row.partWhenRefused();
  }

  #row(index: number): Row {
    return (this.#rows[index] ??= new Row());
  }
}
