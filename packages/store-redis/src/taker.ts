/**
 * Limits to scripts. All of one slot go in one call, applied all or none. On a cluster the limits of one stage may lie in several
 * slots: they are asked one after another, the narrowest first, and what an earlier one reserved is given back, by the safe rule,
 * when a later one refuses.
 */
import { StoreError, type LimitOp, type TakePart } from "@gatehouse/core";
import { areBuckets, bucketValues, readBuckets } from "./buckets.js";
import type { Time } from "./clock.js";
import type { Link } from "./link.js";
import type { LeaseOp } from "./owed.js";
import { RENEW } from "./scripts/small.js";
import { TAKE_BUCKETS } from "./scripts/buckets.js";
import { SETTLE } from "./scripts/settle.js";
import { TAKE } from "./scripts/take.js";
import { redisKey, slotOf } from "./slots.js";
import { RedisToken } from "./token.js";
import { type Heard, keysOf, pushOp, readTake, unreadable } from "./wire.js";

/** What all slots together said. */
export interface Answered extends Heard {
  /** For each limit that was taken; where one call took them all, there is one instant. */
  readonly takenAtUs?: readonly number[];
}

/** Limits of one slot, and their places among those that were asked for. */
interface Slot {
  readonly places: readonly number[];
  readonly ops: readonly LimitOp[];
}

const LATE_US = 1_000_000;

const UNKNOWN: TakePart = { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 };

export class Taker {
  constructor(
    private readonly link: Link,
    private readonly prefix: string,
    private readonly time: Time,
    private readonly owe: (ops: readonly LimitOp[]) => void,
  ) {}

  take<T>(
    ops: readonly LimitOp[],
    wants: readonly number[] | undefined,
    nowUs: number,
    endsUs: number,
    heard: (answer: Answered) => T,
  ): Promise<T> {
    const slots = this.link.cluster && ops.length > 1 ? this.#slotsOf(ops) : [];
    if (slots.length > 1) return this.#takeEach(ops, wantingLast(slots, wants), wants, endsUs).then(heard);
    return this.#ask("t", ops, wants, endsUs - nowUs, heard);
  }

  async look(ops: readonly LimitOp[], endsUs: number): Promise<Pick<Answered, "allowed" | "per">> {
    const slots = this.#slotsOf(ops);
    const answers = await Promise.all(
      slots.map((slot) => this.#ask("p", slot.ops, undefined, this.#left(endsUs), (answer) => answer)),
    );
    const per: TakePart[] = ops.map(() => UNKNOWN);
    for (const [index, slot] of slots.entries()) place(per, slot, answers[index]?.per ?? []);
    return { allowed: answers.every(({ allowed }) => allowed), per };
  }

  /** What cannot be given back stays counted; slots of concurrency are owed. */
  async settle(
    token: RedisToken,
    deltas: readonly (number | undefined)[],
    deadlineUs: number,
  ): Promise<void> {
    const touched = token.ops.flatMap((_op, index) => (deltas[index] === undefined ? [] : [index]));
    const slots = this.#slotsOf(touched.map((index) => token.ops[index] ?? NO_OP));
    const indexesOf = ({ places }: Slot): number[] => places.map((at) => touched[at] ?? 0);
    try {
      await Promise.all(
        slots.map((slot) => {
          const indexes = indexesOf(slot);
          const own = indexes.map((index) => deltas[index] ?? 0);
          const takenAt = indexes.map((index) => token.takenAt(index));
          return this.#settleSlot(slot.ops, own, takenAt, deadlineUs);
        }),
      );
    } catch (error) {
      this.owe(token.ops.filter((op, index) => op.kind === "lease" && (deltas[index] ?? 0) < 0));
      throw error;
    }
  }

  /** Answers with what could not be given back, and never rejects. */
  async release(ops: readonly LeaseOp[], deadlineUs: number): Promise<readonly LeaseOp[]> {
    const left = await Promise.all(
      this.#slotsOf(ops).map(async ({ ops: some }) => {
        try {
          await this.#settleSlot(
            some,
            some.map(() => -1),
            some.map(() => 0),
            deadlineUs,
          );
          return [];
        } catch {
          return some;
        }
      }),
    );
    return left.flat().filter(isLease);
  }

  #settleSlot(
    ops: readonly LimitOp[],
    deltas: readonly number[],
    takenAtUs: readonly number[],
    deadlineUs: number,
  ): Promise<void> {
    const values = [this.time.server(), String(ops.length)];
    for (const [at, op] of ops.entries()) {
      values.push(String(deltas[at] ?? 0), String(takenAtUs[at] ?? 0));
      pushOp(values, op);
    }
    const call = { script: SETTLE, keys: keysOf(this.prefix, ops), values };
    return this.link.run(call, deadlineUs, () => undefined);
  }

  async renew(token: RedisToken, deadlineUs: number): Promise<boolean> {
    const leases = token.ops.filter((op) => op.kind === "lease");
    const kept = await Promise.all(
      this.#slotsOf(leases).map(({ ops }) => {
        const values = [this.time.server()];
        for (const op of ops) if (op.kind === "lease") values.push(String(op.leaseUs), op.holder);
        const keys = ops.map(({ key }) => redisKey(this.prefix, key));
        return this.link.run({ script: RENEW, keys, values }, deadlineUs, (reply) => {
          if (reply !== 0 && reply !== 1) throw unreadable();
          return reply === 1;
        });
      }),
    );
    return kept.every(Boolean);
  }

  async #takeEach(
    ops: readonly LimitOp[],
    slots: readonly Slot[],
    wants: readonly number[] | undefined,
    endsUs: number,
  ): Promise<Answered> {
    const per: TakePart[] = ops.map(() => UNKNOWN);
    const takenAtUs = ops.map(() => 0);
    const blocked = new Set<number>();
    const granted = new Map<number, number>();
    const taken: Slot[] = [];
    let nowUs = 0;
    const answered = (allowed: boolean): Answered => ({
      allowed,
      nowUs,
      takenAtUs,
      per,
      blocked: (index) => blocked.has(index),
      granted: (index) => granted.get(index) ?? 0,
    });
    for (const [index, slot] of slots.entries()) {
      const slotWants = wants && slot.places.map((at) => wants[at] ?? 0);
      const answer = await this.#ask("t", slot.ops, slotWants, this.#left(endsUs), (said) => said).catch(
        (error: unknown) => {
          this.#undo(taken, takenAtUs, endsUs);
          throw error;
        },
      );
      nowUs = answer.nowUs;
      place(per, slot, answer.per);
      for (const [at, where] of slot.places.entries()) {
        takenAtUs[where] = answer.nowUs;
        granted.set(where, answer.granted(at));
        if (answer.blocked(at)) blocked.add(where);
      }
      if (!answer.allowed) {
        this.#undo(taken, takenAtUs, endsUs);
        for (const done of taken)
          for (const where of done.places) per[where] = untaken(ops[where], per[where]);
        await this.#lookAt(slots.slice(index + 1), per, endsUs);
        return answered(false);
      }
      taken.push(slot);
    }
    return answered(true);
  }

  /** Of slots that nobody got to the caller is told what they are like; where that fails, nothing. */
  async #lookAt(slots: readonly Slot[], per: TakePart[], endsUs: number): Promise<void> {
    await Promise.all(
      slots.map(async (slot) => {
        try {
          const { per: seen } = await this.#ask(
            "p",
            slot.ops,
            undefined,
            this.#left(endsUs),
            (answer) => answer,
          );
          place(per, slot, seen);
        } catch {
          // `UNKNOWN` stands.
        }
      }),
    );
  }

  #undo(slots: readonly Slot[], takenAtUs: readonly number[], endsUs: number): void {
    for (const { ops, places } of slots) {
      const token = new RedisToken(
        places.map((at) => takenAtUs[at] ?? 0),
        ops,
      );
      const deltas = ops.map((op) => (op.kind === "block" ? undefined : op.kind === "lease" ? -1 : -op.cost));
      this.settle(token, deltas, Math.max(1000, endsUs - this.time.local())).catch(() => undefined);
    }
  }

  #ask<T>(
    mode: "t" | "p",
    ops: readonly LimitOp[],
    wants: readonly number[] | undefined,
    leftUs: number,
    heard: (answer: Heard) => T,
  ): Promise<T> {
    if (leftUs <= 0)
      return Promise.reject(new StoreError("timeout", false, "the server did not answer in time"));
    const keys = keysOf(this.prefix, ops);
    if (mode === "t" && wants === undefined && areBuckets(ops)) {
      const call = { script: TAKE_BUCKETS, keys, values: bucketValues(this.time.server(), ops) };
      return this.link.run(call, leftUs, (reply) => heard(readBuckets(reply, ops)));
    }
    const values = [this.time.server(), mode, String(ops.length)];
    for (const [index, op] of ops.entries()) pushOp(values, op, wants?.[index]);
    const call = { script: TAKE, keys, values };
    const leases = mode === "t" ? ops.filter(isLease) : [];
    if (leases.length === 0)
      return this.link.run(call, leftUs, (reply) => heard(readTake(reply, ops.length)));
    const late = (reply: unknown): void => this.#releaseLate(reply, ops.length, leases);
    return this.link
      .run(call, leftUs, (reply) => heard(readTake(reply, ops.length)), late)
      .catch((error: unknown) => {
        // A connection that is given up takes no late answer, and what was sent by it may be done all the same.
        if (error instanceof StoreError && error.ambiguous) this.owe(leases);
        throw error;
      });
  }

  #left(endsUs: number): number {
    return endsUs - this.time.local();
  }

  /** Slots that were lent after nobody waited any more. Other charges stay: giving them back could admit twice. */
  #releaseLate(reply: unknown, count: number, leases: readonly LeaseOp[]): void {
    try {
      if (!readTake(reply, count).allowed) return;
    } catch {
      return;
    }
    // Where that fails, it is still owed.
    void this.release(leases, LATE_US);
  }

  /** One where the server is no cluster; else by slot, the narrowest first: what it refuses costs the wider ones nothing. */
  #slotsOf(ops: readonly LimitOp[]): readonly Slot[] {
    if (!this.link.cluster || ops.length < 2)
      return ops.length === 0 ? [] : [{ ops, places: ops.map((_, at) => at) }];
    const bySlot = new Map<number, number[]>();
    for (const [at, { key }] of ops.entries()) {
      const slot = slotOf(redisKey(this.prefix, key));
      const places = bySlot.get(slot);
      if (places === undefined) bySlot.set(slot, [at]);
      else places.push(at);
    }
    return [...bySlot.values()]
      .map((places) => ({ places, ops: places.map((at) => ops[at] ?? NO_OP) }))
      .toSorted((a, b) => widthOf(a) - widthOf(b));
  }
}

const NO_OP: LimitOp = { kind: "block", key: "" };

/** What is handed out ahead of need is not given back: nobody may refuse after it. */
function wantingLast(slots: readonly Slot[], wants: readonly number[] | undefined): readonly Slot[] {
  if (wants === undefined) return slots;
  const isWanting = ({ places }: Slot): boolean => places.some((at) => (wants[at] ?? 0) > 0);
  return [...slots.filter((slot) => !isWanting(slot)), ...slots.filter(isWanting)];
}

function isLease(op: LimitOp): op is LeaseOp {
  return op.kind === "lease";
}

function widthOf({ ops }: Slot): number {
  return Math.min(...ops.map((op) => (op.kind === "gcra" ? op.burst : op.kind === "block" ? 0 : op.limit)));
}

function place(per: TakePart[], { places }: Slot, parts: readonly TakePart[]): void {
  for (const [at, where] of places.entries()) per[where] = parts[at] ?? UNKNOWN;
}

/** As it stands when what was reserved is given back. */
function untaken(op: LimitOp | undefined, part: TakePart = UNKNOWN): TakePart {
  const cost = op === undefined || op.kind === "block" ? 0 : op.kind === "lease" ? 1 : op.cost;
  return { ...part, remaining: part.remaining + cost };
}
