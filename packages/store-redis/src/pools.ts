/**
 * `precision: "leased"`: units that were taken from the shared count ahead of need, and are spent here without asking. Taken first,
 * so a fleet never admits what the count does not hold; unspent ones die, so nothing of an earlier time adds to a later burst:
 * in any interval t at most burst + (t + LIFE) / emission, and at most burst + t / emission + processes · batch. Where the count has
 * too little, who needs much of it asks hardly oftener than it would for batches: what comes in meanwhile is the next one. Asking for
 * each unit as it comes in would cost the server more than counts that nobody takes ahead of.
 */
import type { LimitOp, TakePart } from "@gatehouse/core";

export type LeasedOp = Extract<LimitOp, { kind: "gcra" }>;

/** Told in the reference of the policy language. */
export const LIFE_US = 250_000;
/** A batch is what this process needs in a twentieth of a second. */
const BATCHES_A_SECOND = 20;
/** All processes together hold at most this part of the burst. */
const HELD = 4;
const MOST_POOLS = 1024;
const RATE_WINDOW_US = 100_000;
const SHORTEST_US = 50_000;
const PAUSE_US = 1_000_000 / BATCHES_A_SECOND;

export function isLeased(op: LimitOp): op is LeasedOp {
  return op.kind === "gcra" && op.precision === "leased";
}

/** Units that a take has in hand. */
export interface Spent {
  readonly op: LeasedOp;
  readonly part: TakePart;
  readonly takenAtUs: number;
  readonly untilUs: number;
}

class Pool {
  units = 0;
  untilUs = 0;
  /** The server's instant of the debit: what a refund is reckoned from. */
  takenAtUs = 0;
  remaining = 0;
  fullAtUs = 0;
  /** Until then the count is taken to have less than `dryCost`, as it was found to have. */
  dryUntilUs = 0;
  dryCost = 0;
  #spent = 0;
  #rate = 0;
  #since: number;

  constructor(nowUs: number) {
    this.#since = nowUs;
  }

  count(cost: number, nowUs: number): void {
    const passed = nowUs - this.#since;
    if (passed >= RATE_WINDOW_US) {
      this.#rate = (this.#spent * 1_000_000) / passed;
      this.#spent = 0;
      this.#since = nowUs;
    }
    this.#spent += cost;
  }

  /** Of a key that is asked once in a while none is left to die. */
  batch(nowUs: number): number {
    const lately = (this.#spent * 1_000_000) / Math.max(nowUs - this.#since, SHORTEST_US);
    return Math.floor(Math.max(this.#rate, lately) / BATCHES_A_SECOND);
  }
}

export class Pools {
  hits = 0;
  /** Takes that were refused because the count was found to be used up just before. */
  refusals = 0;
  readonly #pools = new Map<string, Pool>();

  /**
   * @param members how many processes hold some of each count
   * @param random from 0 to 1
   */
  constructor(
    private readonly members: () => number,
    private readonly random: () => number = Math.random,
  ) {}

  demand(op: LeasedOp, nowUs: number): void {
    this.#poolOf(op.key, nowUs).count(op.cost, nowUs);
  }

  /** Units for this take that are here already. */
  spend(op: LeasedOp, nowUs: number): Spent | undefined {
    const pool = this.#pools.get(op.key);
    if (pool === undefined || pool.units < op.cost || nowUs >= pool.untilUs) return undefined;
    pool.units -= op.cost;
    this.hits += 1;
    const resetUs = Math.max(0, pool.fullAtUs - nowUs);
    const part = { allowed: true, remaining: pool.remaining + pool.units, resetUs, retryUs: 0 };
    return { op, part, takenAtUs: pool.takenAtUs, untilUs: pool.untilUs };
  }

  /** A take that was refused by another limit spent nothing. What another batch followed is lost, or it would outlive its time. */
  putBack({ op, untilUs }: Spent): void {
    const pool = this.#pools.get(op.key);
    if (pool?.untilUs !== untilUs) return;
    pool.units += op.cost;
    this.hits -= 1;
  }

  /** Units beyond its cost that a take asks for. */
  want(op: LeasedOp, nowUs: number): number {
    const pool = this.#poolOf(op.key, nowUs);
    const held = nowUs < pool.untilUs ? pool.units : 0;
    const most = Math.floor(op.burst / (HELD * Math.max(1, this.members())));
    return Math.max(0, Math.min(pool.batch(nowUs) - op.cost, most) - held);
  }

  /**
   * Refused without asking, as one of these counts has just been found to have too little. Of the others is told what is known of them;
   * where that is nothing, they have to be asked.
   */
  refusal(ops: readonly LeasedOp[], nowUs: number): readonly TakePart[] | undefined {
    if (!ops.some((op) => isDry(this.#pools.get(op.key), op, nowUs))) return undefined;
    const parts: TakePart[] = [];
    for (const op of ops) {
      const pool = this.#pools.get(op.key);
      if (pool === undefined || pool.fullAtUs === 0) return undefined;
      parts.push(isDry(pool, op, nowUs) ? refusedPart(pool, op, nowUs) : knownPart(pool, op, nowUs));
    }
    this.refusals += 1;
    return parts;
  }

  /** Nothing was taken, as this count had not even the cost, or another one. */
  refused(op: LeasedOp, part: TakePart, sentUs: number): void {
    const pool = this.#poolOf(op.key, sentUs);
    pool.fullAtUs = sentUs + part.resetUs;
    if (!part.allowed) this.#rest(pool, op, op.cost, sentUs);
  }

  /** Something was given back. */
  forget(key: string): void {
    const pool = this.#pools.get(key);
    if (pool !== undefined) pool.dryUntilUs = 0;
  }

  /**
   * What lies here from before dies with the older of the two, not with the newer.
   * @param wanted fewer units than that were all there were
   */
  granted(
    op: LeasedOp,
    part: TakePart,
    wanted: number,
    units: number,
    serverUs: number,
    sentUs: number,
  ): void {
    const pool = this.#poolOf(op.key, sentUs);
    pool.remaining = Math.max(0, part.remaining - units);
    pool.fullAtUs = sentUs + part.resetUs + units * op.emissionUs;
    if (units < wanted) this.#rest(pool, op, 1, sentUs);
    if (units === 0) return;
    const held = sentUs < pool.untilUs && pool.units > 0;
    pool.units = (held ? pool.units : 0) + units;
    pool.untilUs = held ? Math.min(pool.untilUs, sentUs + LIFE_US) : sentUs + LIFE_US;
    pool.takenAtUs = held ? Math.min(pool.takenAtUs, serverUs) : serverUs;
  }

  /**
   * Shorter than the bucket takes to fill: nothing of what comes in meanwhile is lost. Who asks once in a while asks as ever. Of two
   * processes that wait equally long the same one would always ask just before the other, and be handed nearly all.
   * @param least what the count was found not to have: who asks for less was not refused
   */
  #rest(pool: Pool, { burst, cost, emissionUs }: LeasedOp, least: number, sentUs: number): void {
    if (pool.batch(sentUs) <= cost) return;
    if (sentUs < pool.dryUntilUs && pool.dryCost <= least) return;
    const longestUs = Math.min(PAUSE_US, (burst * emissionUs) / HELD);
    pool.dryUntilUs = sentUs + Math.ceil(longestUs * (0.5 + this.random() / 2));
    pool.dryCost = least;
  }

  #poolOf(key: string, nowUs: number): Pool {
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    // Units that are thrown away were counted: too few are admitted, never too many.
    if (this.#pools.size >= MOST_POOLS) this.#pools.clear();
    const pool = new Pool(nowUs);
    this.#pools.set(key, pool);
    return pool;
  }
}

function isDry(pool: Pool | undefined, { cost }: LeasedOp, nowUs: number): boolean {
  return pool !== undefined && nowUs < pool.dryUntilUs && cost >= pool.dryCost;
}

/** What has come in is looked for when the pause ends. */
function refusedPart(pool: Pool, op: LeasedOp, nowUs: number): TakePart {
  const { burst, cost, emissionUs } = op;
  const [full, resetUs] = [burst * emissionUs, Math.max(0, pool.fullAtUs - nowUs)];
  const fitsUs = cost > burst ? Math.max(resetUs, full) : resetUs + cost * emissionUs - full;
  // It was found to have less than that, whatever may have come in since.
  const remaining = Math.min(pool.dryCost - 1, knownPart(pool, op, nowUs).remaining);
  return { allowed: false, remaining, resetUs, retryUs: Math.max(pool.dryUntilUs - nowUs, fitsUs) };
}

function knownPart(pool: Pool, { burst, emissionUs }: LeasedOp, nowUs: number): TakePart {
  const resetUs = Math.max(0, pool.fullAtUs - nowUs);
  const held = nowUs < pool.untilUs ? pool.units : 0;
  const shared = Math.max(0, Math.floor((burst * emissionUs - resetUs) / emissionUs));
  return { allowed: true, remaining: Math.min(burst, shared + held), resetUs, retryUs: 0 };
}
