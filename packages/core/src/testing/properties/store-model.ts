/**
 * What a state store is, written down a second time: slow, without bounds, straight from what the port promises. Stores are held
 * against it, each answer and each instant.
 */
import type { LimitOp, Penalty, TakePart } from "../../index.js";

type Op<K extends LimitOp["kind"]> = Extract<LimitOp, { kind: K }>;

interface Look extends TakePart {
  /** As it stands after this take. */
  readonly after: Pick<TakePart, "remaining" | "resetUs">;
}

interface Strikes {
  count: number;
  until: number;
  forgotten: number;
}

/** One take that was admitted. */
export interface Taken {
  readonly at: number;
  readonly ops: readonly LimitOp[];
  settled: boolean;
}

export class StoreModel {
  #now = 0;
  readonly #arrivals = new Map<string, number>();
  /** Units by bucket, and the newest bucket that ever got some. */
  readonly #windows = new Map<string, { readonly units: Map<number, number>; head: number }>();
  readonly #periods = new Map<string, { readonly end: number; readonly used: number }>();
  readonly #leases = new Map<string, Map<string, number>>();
  readonly #strikes = new Map<string, Strikes>();
  readonly #seen = new Map<string, number>();
  readonly #values = new Map<string, { readonly text: string; readonly until: number }>();
  readonly #log: { readonly text: string; readonly until: number }[] = [];

  advance(us: number): void {
    this.#now += us;
  }

  get now(): number {
    return this.#now;
  }

  append(text: string, us: number): void {
    this.#log.push({ text, until: this.#now + us });
  }

  get appended(): number {
    return this.#log.length;
  }

  /** What has not run out of all that was appended from this one on. */
  logged(from: number): readonly string[] {
    return this.#log.slice(from).flatMap(({ text, until }) => (until > this.#now ? [text] : []));
  }

  take(ops: readonly LimitOp[]): { readonly per: readonly TakePart[]; readonly taken: Taken | undefined } {
    const looks = ops.map((op) => this.#look(op));
    if (looks.every(({ allowed }) => allowed)) {
      for (const op of ops) this.#charge(op);
      return { per: looks.map(admitted), taken: { at: this.#now, ops, settled: false } };
    }
    const per = looks.map(({ after: _after, ...part }, index) => {
      const op = ops[index];
      const penalty = op?.penalty;
      if (op === undefined || penalty === undefined || penalty.strikes === "outcomes") return part;
      if (part.allowed || this.#blockedUs(op.key) > 0) return part;
      const length = this.#strike(op.key, penalty);
      if (length === 0) return part;
      const { resetUs, retryUs } = part;
      return {
        allowed: false,
        remaining: 0,
        resetUs: Math.max(resetUs, length),
        retryUs: Math.max(retryUs, length),
      };
    });
    return { per, taken: undefined };
  }

  peek(ops: readonly LimitOp[]): readonly TakePart[] {
    const looks = ops.map((op) => this.#look(op));
    if (looks.every(({ allowed }) => allowed)) return looks.map(admitted);
    return looks.map(({ after: _after, ...part }) => part);
  }

  settle(taken: Taken, deltas: readonly (number | undefined)[]): void {
    if (taken.settled) return;
    taken.settled = true;
    for (const [index, op] of taken.ops.entries()) {
      const delta = deltas[index];
      if (delta !== undefined) this.#settle(op, taken.at, delta);
    }
  }

  renew({ ops }: Taken): boolean {
    let kept = true;
    for (const op of ops) {
      if (op.kind !== "lease") continue;
      const held = this.#held(op.key);
      if (held.has(op.holder)) held.set(op.holder, this.#now + op.leaseUs);
      else kept = false;
    }
    return kept;
  }

  once(key: string, us: number): boolean {
    if ((this.#seen.get(key) ?? 0) > this.#now) return false;
    this.#seen.set(key, this.#now + us);
    return true;
  }

  get(key: string): string | undefined {
    const value = this.#values.get(key);
    return value !== undefined && value.until > this.#now ? value.text : undefined;
  }

  set(key: string, text: string, us: number): void {
    this.#values.set(key, { text, until: this.#now + us });
  }

  del(key: string): void {
    this.#values.delete(key);
  }

  #look(op: LimitOp): Look {
    const look = this.#lookAt(op);
    const blocked = op.kind === "block" || op.penalty !== undefined ? this.#blockedUs(op.key) : 0;
    if (blocked === 0) return look;
    return {
      ...look,
      allowed: false,
      remaining: 0,
      resetUs: Math.max(look.resetUs, blocked),
      retryUs: Math.max(look.retryUs, blocked),
    };
  }

  #lookAt(op: LimitOp): Look {
    switch (op.kind) {
      case "gcra":
        return this.#lookBucket(op);
      case "strict":
        return this.#lookWindow(op);
      case "period":
        return this.#lookPeriod(op);
      case "lease":
        return this.#lookLease(op);
      case "block":
        return { allowed: true, remaining: 1, resetUs: 0, retryUs: 0, after: { remaining: 1, resetUs: 0 } };
    }
  }

  #lookBucket({ key, emissionUs, burst, cost }: Op<"gcra">): Look {
    const full = burst * emissionUs;
    const debt = Math.max(0, (this.#arrivals.get(key) ?? 0) - this.#now);
    const then = debt + cost * emissionUs;
    const allowed = then <= full;
    const left = (used: number): number => Math.max(0, Math.floor((full - used) / emissionUs));
    const wait = cost > burst ? Math.max(debt, full) : then - full;
    return {
      allowed,
      remaining: left(debt),
      resetUs: debt,
      retryUs: allowed ? 0 : wait,
      after: { remaining: left(then), resetUs: then },
    };
  }

  #lookWindow(op: Op<"strict">): Look {
    const { key, buckets, windowUs, limit, cost } = op;
    const width = Math.ceil(windowUs / buckets);
    const window = this.#windows.get(key);
    const used = this.#used(op, this.#now);
    const allowed = used + cost <= limit;
    const ends = (bucket: number): number => (bucket + buckets + 1) * width - this.#now;
    const resetUs = used === 0 || window === undefined ? 0 : ends(window.head);
    let retryUs = Math.max(resetUs, windowUs);
    if (cost <= limit) {
      // The first instant at which a bucket has left and the rest leaves room.
      const leaving = [...(window?.units.keys() ?? [])].map((bucket) => ends(bucket)).filter((us) => us > 0);
      retryUs = Math.min(...leaving.filter((us) => this.#used(op, this.#now + us) + cost <= limit));
    }
    return {
      allowed,
      remaining: Math.max(0, limit - used),
      resetUs,
      retryUs: allowed ? 0 : retryUs,
      after: { remaining: Math.max(0, limit - used - cost), resetUs: ends(Math.floor(this.#now / width)) },
    };
  }

  #used({ key, buckets, windowUs }: Op<"strict">, at: number): number {
    const oldest = Math.floor(at / Math.ceil(windowUs / buckets)) - buckets;
    let used = 0;
    for (const [bucket, units] of this.#windows.get(key)?.units ?? []) if (bucket >= oldest) used += units;
    return used;
  }

  #lookPeriod(op: Op<"period">): Look {
    const { end, used } = this.#period(op);
    const left = Math.max(0, end - this.#now);
    const allowed = used + op.cost <= op.limit;
    return {
      allowed,
      remaining: Math.max(0, op.limit - used),
      resetUs: used === 0 ? 0 : left,
      retryUs: allowed ? 0 : left,
      after: { remaining: Math.max(0, op.limit - used - op.cost), resetUs: left },
    };
  }

  #period({ key, endsAtUs }: Op<"period">): { readonly end: number; readonly used: number } {
    const known = this.#periods.get(key);
    return known !== undefined && known.end >= endsAtUs ? known : { end: endsAtUs, used: 0 };
  }

  #lookLease({ key, limit }: Op<"lease">): Look {
    const held = this.#held(key);
    const remaining = Math.max(0, limit - held.size);
    const allowed = held.size < limit;
    return {
      allowed,
      remaining,
      resetUs: 0,
      retryUs: allowed ? 0 : Math.min(...held.values()) - this.#now,
      after: { remaining: Math.max(0, remaining - 1), resetUs: 0 },
    };
  }

  #held(key: string): Map<string, number> {
    const held = this.#leases.get(key) ?? new Map<string, number>();
    this.#leases.set(key, held);
    for (const [holder, until] of held) if (until <= this.#now) held.delete(holder);
    return held;
  }

  #charge(op: LimitOp): void {
    switch (op.kind) {
      case "gcra":
        this.#arrivals.set(
          op.key,
          Math.max(this.#arrivals.get(op.key) ?? 0, this.#now) + op.cost * op.emissionUs,
        );
        return;
      case "strict":
        return this.#count(op, op.cost);
      case "period": {
        const { end, used } = this.#period(op);
        this.#periods.set(op.key, { end, used: used + op.cost });
        return;
      }
      case "lease":
        this.#held(op.key).set(op.holder, this.#now + op.leaseUs);
        return;
      case "block":
        return;
    }
  }

  #count({ key, windowUs, buckets }: Op<"strict">, units: number): void {
    const bucket = Math.floor(this.#now / Math.ceil(windowUs / buckets));
    const window = this.#windows.get(key) ?? { units: new Map<number, number>(), head: bucket };
    window.units.set(bucket, (window.units.get(bucket) ?? 0) + units);
    window.head = bucket;
    this.#windows.set(key, window);
  }

  #settle(op: LimitOp, takenAt: number, delta: number): void {
    if (delta >= 0 && op.penalty?.strikes === "outcomes") this.#strike(op.key, op.penalty);
    switch (op.kind) {
      case "gcra": {
        const arrival = this.#arrivals.get(op.key) ?? 0;
        if (delta > 0) this.#arrivals.set(op.key, Math.max(arrival, this.#now) + delta * op.emissionUs);
        // What a reservation changed shrinks with time, and no more of it can be given back.
        const refund = Math.max(0, Math.min(-delta, op.cost) * op.emissionUs - (this.#now - takenAt));
        if (delta < 0) this.#arrivals.set(op.key, arrival - refund);
        return;
      }
      case "strict": {
        if (delta > 0) return this.#count(op, delta);
        const bucket = Math.floor(takenAt / Math.ceil(op.windowUs / op.buckets));
        const units = this.#windows.get(op.key)?.units;
        if (units !== undefined)
          units.set(bucket, Math.max(0, (units.get(bucket) ?? 0) - Math.min(-delta, op.cost)));
        return;
      }
      case "period": {
        const known = this.#periods.get(op.key);
        if (known?.end !== op.endsAtUs) return;
        this.#periods.set(op.key, {
          end: known.end,
          used: Math.max(0, known.used + Math.max(delta, -op.cost)),
        });
        return;
      }
      case "lease":
        if (delta < 0) this.#leases.get(op.key)?.delete(op.holder);
        return;
      case "block":
        if (delta > 0 && op.penalty !== undefined && op.penalty.strikes !== "outcomes")
          this.#strike(op.key, op.penalty);
        return;
    }
  }

  #blockedUs(key: string): number {
    return Math.max(0, (this.#strikes.get(key)?.until ?? 0) - this.#now);
  }

  #strike(key: string, { after, blockUs, factor, maxUs }: Penalty): number {
    const known = this.#strikes.get(key);
    const count = (known !== undefined && known.forgotten > this.#now ? known.count : 0) + 1;
    const length =
      count % after === 0 ? Math.min(maxUs, Math.floor(blockUs * factor ** (count / after - 1))) : 0;
    const until = Math.max(known?.until ?? 0, this.#now + length);
    this.#strikes.set(key, { count, until, forgotten: until + maxUs });
    return length;
  }
}

function admitted({ after }: Look): TakePart {
  return { allowed: true, ...after, retryUs: 0 };
}
