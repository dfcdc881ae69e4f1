/** An op that is asked again is found where it was found before; whatever its note says, it is decided as one that is new. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  StoreError,
  type LimitOp,
  type StateStore,
  type TakeResult,
  type TakeToken,
} from "../ports/state-store.js";
import { at, gcra, memory, strict } from "./store.test-support.js";

const W = 1000;

type Steady = Extract<LimitOp, { kind: "gcra" | "strict" }>;

const step = fc.record({
  /** Short, for the most part: only a store that is full of keys that still count lets one leave. */
  gap: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: W / 4 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * W }) },
  ),
  /** Two stores are asked with the very same ops, as when a policy is compiled for another one. */
  store: fc.constantFrom(0, 0, 0, 1),
  keys: fc.uniqueArray(fc.nat({ max: 60 }), { minLength: 1, maxLength: 6 }),
  /** What a policy says of the same keys, and what one that replaced it says. */
  limit: fc.oneof(
    { weight: 8, arbitrary: fc.constant(4) },
    { weight: 1, arbitrary: fc.constantFrom(1, 3, 40_000) },
  ),
  cost: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 3) }),
  delta: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
  /** What stands in the note, where it is not what the store noted. */
  planted: fc.option(fc.oneof(fc.nat({ max: 64 }), fc.constantFrom(2 ** 31, -1, 0.5, NaN)), {
    nil: undefined,
  }),
  /** What either store noted of the op at some time, and may be out of date or the other's: how many notes ago. */
  older: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  look: fc.constantFrom(false, false, false, true),
});

const runs = Number(process.env["GATEHOUSE_RUNS"] ?? 60);

describe.each([
  ["token bucket", (key: string, limit: number, cost: number) => gcra(key, W, limit, cost)],
  ["sliding window", (key: string, limit: number, cost: number) => strict(key, limit, W, cost)],
])("fast path: %s", (_name, make) => {
  it("an op that is asked again is decided as one that is new, while keys leave and come back", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("sketch", "deny-new", "admit"),
        fc.constantFrom(3, 60),
        fc.array(step, { minLength: 1, maxLength: 120, size: "max" }),
        (onOverflow, keys, steps) => {
          const options = { maxKeys: 32, sketchCells: 4, onOverflow };
          const again = [memory(options), memory(options)];
          const anew = [memory(options), memory(options)];
          const kept = new Map<string, Kept>();
          let now = 0;
          for (const one of steps) {
            now += one.gap;
            const names = [...new Set(one.keys.map((key) => `a:${key % keys}`))];
            const ops = names.map((key) => make(key, one.limit, one.cost));
            const held = ops.map((op) => keptOf(kept, op as Steady));
            for (const each of held) misremember(each, one);
            const same = held.map(({ op }) => op);
            const before = same.map(withoutNote);
            const [mine, theirs] = [again[one.store], anew[one.store]];
            if (mine === undefined || theirs === undefined) continue;
            const got = answerOf(mine, same, now, one.look);
            const expected = answerOf(theirs, ops, now, one.look);
            expect(withoutToken(got)).toEqual(withoutToken(expected));
            expect(mine.health()).toEqual(theirs.health());
            expect(same.map(withoutNote)).toEqual(before);
            for (const { op, notes } of held) notes.push([op.slot, op.since]);
            if (one.delta === undefined || got?.token === undefined || expected?.token === undefined)
              continue;
            settle(mine, got.token, now, one.delta);
            settle(theirs, expected.token, now, one.delta);
          }
        },
      ),
      { numRuns: runs },
    );
  });
});

it("a note that leads to an empty place is no key's", () => {
  const store = memory({ maxKeys: 32 });
  const wide = { ...strict("a:1", 40_000, W), slot: 0, since: 0 };
  const narrow = { ...strict("a:1", 4, W), slot: 0, since: 0 };
  expect(parts(answerOf(store, [wide], 0))).toEqual([39_999]);
  // The key changes sides: the place that the wide one remembers is empty now.
  expect(parts(answerOf(store, [narrow], 1))).toEqual([2]);
  const nobody = { ...strict("", 40_000, W), slot: 0, since: 0 };
  expect(parts(answerOf(store, [nobody], 2))).toEqual([39_999]);
  expect(parts(answerOf(store, [narrow], 3))).toEqual([1]);
});

interface Kept {
  readonly op: Steady;
  readonly notes: (readonly [slot: number | undefined, since: number | undefined])[];
}

function keptOf(kept: Map<string, Kept>, op: Steady): Kept {
  const name = JSON.stringify(op);
  const known = kept.get(name) ?? { op: { ...op, slot: 0, since: 0 }, notes: [] };
  kept.set(name, known);
  return known;
}

/** A place that the store never noted has no state of its either. */
function misremember(
  { op, notes }: Kept,
  { planted, older }: { readonly planted: number | undefined; readonly older: number | undefined },
): void {
  if (planted !== undefined)
    Object.assign(op, { slot: planted, since: planted % 2 === 0 ? 0 : -1 - planted });
  const note = older === undefined ? undefined : notes.at(-1 - older);
  if (note !== undefined) Object.assign(op, { slot: note[0], since: note[1] });
}

function withoutNote({ slot: _slot, since: _since, ...op }: Steady): unknown {
  return op;
}

/** Undefined: the store is full. */
function answerOf(
  store: StateStore,
  ops: readonly LimitOp[],
  now: number,
  look = false,
): TakeResult | undefined {
  try {
    const answer = look ? store.peek("", ops, at(now)) : store.take("", ops, at(now));
    if (answer instanceof Promise) throw new Error("the memory store made a promise");
    return answer;
  } catch (error) {
    if (error instanceof StoreError && error.code === "oom") return undefined;
    throw error;
  }
}

function settle(store: StateStore, token: TakeToken, now: number, delta: number): void {
  void store.settle(
    "",
    token,
    token.ops.map(() => delta),
    at(now),
  );
}

function withoutToken(answer: TakeResult | undefined): unknown {
  return answer === undefined ? undefined : { allowed: answer.allowed, per: answer.per };
}

function parts(answer: TakeResult | undefined): readonly number[] | undefined {
  return answer?.per.map(({ remaining }) => remaining);
}
