/** One list of properties for every state store: what it answers is what the model answers, whatever is asked in whatever order. */
import type {
  CallContext,
  LimitOp,
  Penalty,
  StateLog,
  StateStore,
  TakeResult,
  TakeToken,
} from "../../index.js";
import type { FastCheck } from "./fast-check.js";
import { StoreModel, type Taken } from "./store-model.js";

export interface StoreTarget {
  readonly name: string;
  /**
   * An empty store whose time is `nowUs()`, in microseconds, and nothing else: no timer of its own passes.
   * @returns the store, and what ends it
   */
  readonly open: (
    nowUs: () => number,
  ) => Promise<{ readonly store: StateStore; readonly close: () => unknown }>;
}

/** What vitest, jest and node:test have in common, and the caller's fast-check. */
export interface StoreTestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
  readonly fc: FastCheck;
  /** Sequences of each kind. Default 100. */
  readonly runs?: number;
}

type Command =
  | { readonly do: "take" | "peek"; readonly ops: readonly LimitOp[] }
  | { readonly do: "wait"; readonly us: number }
  | { readonly do: "settle"; readonly which: number; readonly deltas: readonly (number | undefined)[] }
  | { readonly do: "renew"; readonly which: number }
  | { readonly do: "once" | "get" | "del"; readonly key: string }
  | { readonly do: "set"; readonly key: string; readonly bytes: Uint8Array };

type LogCommand =
  | { readonly do: "wait"; readonly us: number }
  | { readonly do: "append"; readonly us: number }
  | { readonly do: "read"; readonly reader: number; readonly anew: boolean };

/** Far from zero, as on any server's clock. */
const START_US = 1_000_000_000_000;
const WINDOW_US = 10_000_000;
const LIFE_US = 3_000_000;

const REFUSALS: Penalty = { after: 2, blockUs: 4_000_000, factor: 1.5, maxUs: 30_000_000 };
const OUTCOMES: Penalty = { after: 2, blockUs: 5_000_000, factor: 2, maxUs: 12_000_000, strikes: "outcomes" };

/**
 * ```ts
 * import fc from "fast-check";
 * import { describe, it } from "vitest";
 * describeStore({ name: "my store", open }, { describe, it, fc });
 * ```
 */
export function describeStore(target: StoreTarget, { describe, it, fc, runs = 100 }: StoreTestRunner): void {
  const check = (name: string, ops: readonly LimitOp[]): unknown =>
    it(name, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commands(fc, ops), { minLength: 1, maxLength: 50 }), (list) =>
          run(target, list),
        ),
        { numRuns: runs },
      );
    });
  describe(`${target.name} does what a store does`, () => {
    for (const [name, ops] of UNIVERSES) check(name, ops);
    it("logs, where it has them", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(logCommands(fc), { minLength: 1, maxLength: 50 }), (list) =>
          runLog(target, list),
        ),
        { numRuns: runs },
      );
    });
  });
}

const gcra: LimitOp = { kind: "gcra", key: "a:t:1", emissionUs: 1_333_334, burst: 4, cost: 1 };
const strict: LimitOp = {
  kind: "strict",
  key: "b:s:1",
  windowUs: WINDOW_US + 3,
  buckets: 10,
  limit: 5,
  cost: 1,
};
const period: LimitOp = { kind: "period", key: "c:c:1", limit: 6, cost: 1, endsAtUs: 0 };
const lease: LimitOp = { kind: "lease", key: "d:l:", limit: 2, leaseUs: 4_000_000, holder: "" };

/** Keys of one universe share state: what one command leaves behind another meets. */
const UNIVERSES: readonly (readonly [name: string, ops: readonly LimitOp[]])[] = [
  ["token buckets", [gcra, { ...gcra, key: "a:t:2", burst: 2, emissionUs: 700_000 }]],
  ["sliding windows", [strict, { ...strict, key: "b:s:2", limit: 3 }]],
  ["calendar quotas", [period, { ...period, key: "c:c:2", limit: 3 }]],
  ["concurrency", [lease, { ...lease, key: "d:l:2", limit: 3, penalty: REFUSALS }]],
  [
    "penalties",
    [
      { ...gcra, penalty: REFUSALS },
      { ...strict, penalty: OUTCOMES },
      { kind: "block", key: "e:b:1" },
      { kind: "block", key: "e:b:2", penalty: REFUSALS },
    ],
  ],
  ["all together", [gcra, strict, period, lease, { ...strict, key: "f:s:1", limit: 2, penalty: REFUSALS }]],
];

function commands(fc: FastCheck, universe: readonly LimitOp[]): ReturnType<typeof fc.constant<Command>> {
  const ops = fc
    .subarray([...universe], { minLength: 1 })
    .chain((some) => fc.tuple(...some.map((op) => varied(fc, op))));
  const delta = fc.option(fc.integer({ min: -3, max: 4 }), { nil: undefined });
  const deltas = fc.array(delta, { minLength: universe.length, maxLength: universe.length });
  const which = fc.nat(20);
  const key = fc.constantFrom("x", "y:{z}", "");
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant("take" as const), ops }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("peek" as const), ops }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), us: waits(fc) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const), which, deltas }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("renew" as const), which }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("once" as const, "get" as const, "del" as const), key }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("set" as const), key, bytes: fc.uint8Array({ maxLength: 9 }) }),
    },
  );
}

function waits(fc: FastCheck): ReturnType<typeof fc.integer> {
  return fc.oneof(
    fc.integer({ min: 0, max: 1_500_000 }),
    fc.constantFrom(1, LIFE_US, 4_000_000, WINDOW_US, 1_000_001),
    fc.integer({ min: 0, max: 2 * WINDOW_US }),
  );
}

/** The same limit for another caller's cost, or holder; a quota's period is known when it is asked. */
function varied(fc: FastCheck, op: LimitOp): ReturnType<typeof fc.constant<LimitOp>> {
  if (op.kind === "block") return fc.constant(op);
  if (op.kind === "lease")
    return fc.constantFrom("h1", "h2", "h3", "h4").map((holder): LimitOp => ({ ...op, holder }));
  return fc
    .integer({ min: 1, max: op.kind === "gcra" ? op.burst + 1 : op.limit + 1 })
    .map((cost): LimitOp => ({ ...op, cost: Math.max(1, cost - 2) }));
}

async function run(target: StoreTarget, list: readonly Command[]): Promise<void> {
  const model = new StoreModel();
  model.advance(START_US);
  const { store, close } = await target.open(() => model.now);
  const tokens: { readonly token: TakeToken; readonly taken: Taken }[] = [];
  const again = store.repeats === true ? repeater() : undefined;
  try {
    for (const command of list) {
      const context: CallContext = { nowUs: model.now, wallUs: model.now, deadlineUs: 5_000_000 };
      await step(command, store, model, tokens, context, again);
    }
  } finally {
    await close();
  }
}

/** The very op that was handed over before: a store that wrote into it would meet that now. */
function repeater(): (op: LimitOp) => LimitOp {
  const known = new Map<string, LimitOp>();
  return (op) => {
    if (op.kind !== "gcra" && op.kind !== "strict") return op;
    const text = JSON.stringify(op);
    const same = known.get(text) ?? { ...op, slot: 0 };
    known.set(text, same);
    return same;
  };
}

async function step(
  command: Command,
  store: StateStore,
  model: StoreModel,
  tokens: { readonly token: TakeToken; readonly taken: Taken }[],
  context: CallContext,
  again: ((op: LimitOp) => LimitOp) | undefined,
): Promise<void> {
  switch (command.do) {
    case "wait":
      return model.advance(command.us);
    case "take": {
      const ops = command.ops.map((op) => dated(op, model.now));
      const expected = model.take(ops);
      const result = await store.take("limits", again === undefined ? ops : ops.map(again), context);
      const taken = expected.taken;
      compare(result, { allowed: taken !== undefined, per: expected.per });
      if (taken === undefined) return same("token", result.token, undefined);
      if (result.token === undefined) throw new Error("nothing was handed out to settle by");
      tokens.push({ token: result.token, taken });
      return;
    }
    case "peek": {
      const ops = command.ops.map((op) => dated(op, model.now));
      const per = model.peek(ops);
      return compare(await store.peek("limits", ops, context), {
        allowed: per.every(({ allowed }) => allowed),
        per,
      });
    }
    case "settle": {
      const one = tokens[command.which % Math.max(1, tokens.length)];
      if (one === undefined) return;
      const deltas = one.taken.ops.map((op, index) => (op.kind === "lease" ? -1 : command.deltas[index]));
      model.settle(one.taken, deltas);
      return await store.settle("limits", one.token, deltas, context);
    }
    case "renew": {
      const one = tokens[command.which % Math.max(1, tokens.length)];
      if (one === undefined) return;
      return same("renew", await store.renew("limits", one.token, context), model.renew(one.taken));
    }
    case "once":
      return same("once", await store.once(command.key, LIFE_US, context), model.once(command.key, LIFE_US));
    case "get":
      return same("get", textOf(await store.get(command.key, context)), model.get(command.key));
    case "set":
      model.set(command.key, textOf(command.bytes) ?? "", LIFE_US);
      return await store.set(command.key, command.bytes, LIFE_US, context);
    case "del":
      model.del(command.key);
      return await store.del(command.key, context);
  }
}

function logCommands(fc: FastCheck): ReturnType<typeof fc.constant<LogCommand>> {
  const us = fc.constantFrom(1, 1_000_000, LIFE_US, 4 * WINDOW_US);
  const reader = fc.nat(2);
  const anew = fc.boolean();
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("append" as const), us }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), us: waits(fc) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), reader, anew }) },
  );
}

interface Reader {
  cursor: string | undefined;
  /** How many entries there were when it had read them all. */
  seen: number;
}

async function runLog(target: StoreTarget, list: readonly LogCommand[]): Promise<void> {
  const model = new StoreModel();
  model.advance(START_US);
  const { store, close } = await target.open(() => model.now);
  const readers: Reader[] = [0, 1, 2].map(() => ({ cursor: undefined, seen: 0 }));
  try {
    for (const command of list) await stepLog(command, store, model, readers);
  } finally {
    await close();
  }
}

async function stepLog(
  command: LogCommand,
  { log }: StateStore,
  model: StoreModel,
  readers: readonly Reader[],
): Promise<void> {
  if (command.do === "wait") return model.advance(command.us);
  const context: CallContext = { nowUs: model.now, wallUs: model.now, deadlineUs: 5_000_000 };
  if (command.do === "append") {
    const number = model.appended;
    // Each its own: bytes that are no text, and none that stand in another's.
    const bytes = new Uint8Array([0, 255, 10, number]);
    await log?.append("a", bytes, command.us, context);
    model.append(textOf(bytes) ?? "", command.us);
    return;
  }
  const reader = readers[command.reader];
  if (log === undefined || reader === undefined) return;
  const from = command.anew ? 0 : reader.seen;
  const found = await readAll("a", log, command.anew ? undefined : reader.cursor, context);
  const owed = model.logged(from);
  // More may come, again or late, but nothing less, and in order.
  const firsts = found.entries.filter(
    (entry, index, all) => owed.includes(entry) && all.indexOf(entry) === index,
  );
  same("log", firsts, owed);
  same("another log", (await readAll("b", log, undefined, context)).entries, []);
  reader.cursor = found.cursor;
  reader.seen = model.appended;
}

async function readAll(
  name: string,
  log: StateLog,
  after: string | undefined,
  context: CallContext,
): Promise<{ readonly entries: readonly string[]; readonly cursor: string | undefined }> {
  const entries: string[] = [];
  let cursor = after;
  for (let more = true; more;) {
    const page = await log.read(name, cursor, context);
    entries.push(...page.entries.map((bytes) => textOf(bytes) ?? ""));
    ({ cursor, more } = page);
  }
  return { entries, cursor };
}

/** Periods of seven seconds, as days would be. */
function dated(op: LimitOp, now: number): LimitOp {
  if (op.kind !== "period") return op;
  const length = 7_000_000;
  return { ...op, endsAtUs: (Math.floor(now / length) + 1) * length };
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : [...bytes].join(" ");
}

/** What a store remembers of a refusal may be older than the count: it must still be one, no more. */
function compare(result: TakeResult, expected: Pick<TakeResult, "allowed" | "per">): void {
  same("allowed", result.allowed, expected.allowed);
  if (result.source === "deny-cache") return;
  const per = result.per.map(({ allowed, remaining, resetUs, retryUs }) => ({
    allowed,
    remaining,
    resetUs,
    retryUs,
  }));
  same("parts", per, expected.per);
}

function same(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other)
    throw new Error(`${what}: the store says ${one ?? "nothing"}, the model ${other ?? "nothing"}`);
}
