/** From a limit's terms to what the store is asked. Whole microseconds only. */
import { periodEnds } from "../../lib/calendar.js";
import type { RequestState } from "../../model/state.js";
import type { LimitOp } from "../../ports/state-store.js";
import type { Terms } from "./terms.js";

export type MakeOp = (key: string, cost: number, state: RequestState) => LimitOp;

/** Parts of a sliding window: counting the oldest one whole costs at most one eleventh of the limit. */
const BUCKETS = 10;

/** Time that one unit takes to come back: rounded up, on the safe side. */
export function emissionUs(windowUs: number, limit: number): number {
  return Math.ceil(windowUs / limit);
}

/** @param share part of the limit that is kept: 1, or less in a process that counts alone */
export function opMaker(terms: Terms, share: number): MakeOp {
  const limit = part(terms.limit, share);
  const { leased, penalty } = terms;
  const extra = {
    ...(penalty === undefined ? {} : { penalty }),
    ...(leased ? { precision: "leased" as const } : {}),
  };
  const plain = penalty === undefined && !leased;
  switch (terms.algorithm) {
    case "sliding-window": {
      const { windowUs } = terms;
      return (key, cost) => {
        const op = { kind: "strict", key, windowUs, buckets: BUCKETS, limit, cost } as const;
        return plain ? op : { ...op, ...extra };
      };
    }
    case "token-bucket": {
      const [emission, burst] = bucketOf(terms, share);
      return (key, cost) => {
        const op = { kind: "gcra", key, emissionUs: emission, burst, cost } as const;
        return plain ? op : { ...op, ...extra };
      };
    }
    case "calendar": {
      const endOf = periodEnds(terms.unit, terms.zone);
      return (key, cost, state) => {
        const op = { kind: "period", key, limit, cost, endsAtUs: endOf(state.now) * 1000 } as const;
        return plain ? op : { ...op, ...extra };
      };
    }
    case "concurrency": {
      const { leaseUs } = terms;
      return (key, _cost, state) => {
        const op = { kind: "lease", key, limit, leaseUs, holder: state.id } as const;
        return plain ? op : { ...op, ...extra };
      };
    }
  }
}

/** For ops that are kept and asked again. Undefined: it is another one for each request. */
export function repeatedOpMaker(
  terms: Terms,
  share: number,
  cost: number,
): ((key: string) => LimitOp) | undefined {
  const { algorithm, leased, penalty, windowUs } = terms;
  if (leased || penalty !== undefined) return undefined;
  if (algorithm === "sliding-window") {
    const limit = part(terms.limit, share);
    return (key) => new WindowOp(key, windowUs, limit, cost);
  }
  if (algorithm === "token-bucket") {
    const [emission, burst] = bucketOf(terms, share);
    return (key) => new BucketOp(key, emission, burst, cost);
  }
  return undefined;
}

/**
 * The store's note is no part of what is asked: a copy that somebody makes under another key does not bring it along. Each class by itself:
 * one that extends another takes twice as long to be made, and where callers are many they are made often.
 */
class WindowOp {
  readonly kind = "strict";
  readonly buckets = BUCKETS;
  #slot = 0;
  #since = 0;

  constructor(
    readonly key: string,
    readonly windowUs: number,
    readonly limit: number,
    readonly cost: number,
  ) {}

  get slot(): number {
    return this.#slot;
  }
  set slot(slot: number) {
    this.#slot = slot;
  }
  get since(): number {
    return this.#since;
  }
  set since(since: number) {
    this.#since = since;
  }
}

class BucketOp {
  readonly kind = "gcra";
  #slot = 0;
  #since = 0;

  constructor(
    readonly key: string,
    readonly emissionUs: number,
    readonly burst: number,
    readonly cost: number,
  ) {}

  get slot(): number {
    return this.#slot;
  }
  set slot(slot: number) {
    this.#slot = slot;
  }
  get since(): number {
    return this.#since;
  }
  set since(since: number) {
    this.#since = since;
  }
}

function bucketOf(
  { windowUs, limit, burst }: Terms,
  share: number,
): readonly [emission: number, burst: number] {
  return [Math.ceil(emissionUs(windowUs, limit) / share), part(burst, share)];
}

/**
 * Rounded up, but not for what the arithmetic of doubles adds: 525 · (1/75) is a little more than 7, and so is 100 · 0.07. A
 * unit more in each of 75 processes would be 75 beyond what is promised.
 */
function part(whole: number, share: number): number {
  const exact = whole * share;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) <= nearest * ROUNDING ? nearest : Math.ceil(exact);
}

/** Of a share that was rounded once, and a product that was rounded once more. */
const ROUNDING = 2 * Number.EPSILON;
