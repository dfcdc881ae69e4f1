/**
 * The state of a fleet. Every count lies on the server, and every instant that counts is the server's. What a failing server means
 * for a request is the policy's to say (`onStoreFailure`): here it is an error, in time.
 */
import {
  StoreError,
  type CallContext,
  type LimitOp,
  type StateLog,
  type StateStore,
  type StoreHealth,
} from "@gatehouse/core";
import type { TakePart, TakeResult, TakeToken } from "@gatehouse/core";
import { REAL, type Time } from "./clock.js";
import { Denials } from "./denials.js";
import { Fleet } from "./fleet.js";
import { Link } from "./link.js";
import { RedisLog } from "./log.js";
import { settingsOf, type RedisStoreOptions, type Settings } from "./options.js";
import { Owed } from "./owed.js";
import { isLeased, Pools, type Spent } from "./pools.js";
import { DROP, GET, ONCE, PUT } from "./scripts/small.js";
import type { Script } from "./scripts/script.js";
import { Taker, type Answered } from "./taker.js";
import { RedisToken } from "./token.js";

/** For what no request waits for. */
const UNHURRIED_US = 1_000_000;
const FIRST_PATIENCE_US = 50_000;
const READY_POLL_MS = 5;

/**
 * The shared store, on Redis 6.2 or Valkey 7.2 and newer.
 * @throws TypeError when an option is unknown or of the wrong kind
 */
export function createRedisStore(options: RedisStoreOptions): StateStore {
  return new RedisStore(settingsOf(options), REAL);
}

/** A take on its way: what is in hand already, and what has to be asked. */
interface Plan {
  readonly ops: readonly LimitOp[];
  readonly asked: readonly LimitOp[];
  /** By place in `ops`; undefined: asked. */
  readonly spent: readonly (Spent | undefined)[] | undefined;
  readonly refills: string | undefined;
}

export class RedisStore implements StateStore {
  readonly scope = "shared";
  readonly log: StateLog;
  readonly #link: Link;
  readonly #taker: Taker;
  readonly #fleet: Fleet;
  readonly #denials = new Denials();
  readonly #pools: Pools;
  readonly #owed: Owed;
  /** By key: a question whose answer others wait for. */
  readonly #flights = new Map<string, Promise<TakeResult>>();

  constructor(
    private readonly settings: Settings,
    private readonly time: Time,
  ) {
    const home = `${settings.prefix}{.fleet}`;
    this.#link = new Link(settings.driver, FIRST_PATIENCE_US, home, time.local, () => void this.#owed.pay());
    this.#taker = new Taker(this.#link, settings.prefix, time, (ops) => this.#owed.add(ops));
    this.#owed = new Owed((ops) => this.#taker.release(ops, UNHURRIED_US), time.local);
    this.#fleet = new Fleet(settings.fleetSize, home, time.server, (call) =>
      this.#link.run(call, UNHURRIED_US, (reply) => reply),
    );
    this.#pools = new Pools(() => this.#fleet.members);
    this.log = new RedisLog(this.#link, settings.prefix, time);
  }

  async start(signal: AbortSignal): Promise<void> {
    const endsUs = this.time.local() + this.settings.startTimeout * 1000;
    while (!this.#link.ready && !signal.aborted && this.time.local() < endsUs) {
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    this.#fleet.start(() => void this.#owed.pay());
    await this.#fleet.beat();
  }

  take(_group: string, ops: readonly LimitOp[], context: CallContext): TakeResult | Promise<TakeResult> {
    this.#link.allow(context.deadlineUs);
    const nowUs = this.time.local();
    for (const op of ops) if (isLeased(op)) this.#pools.demand(op, nowUs);
    return this.#take(ops, nowUs, nowUs + context.deadlineUs, nowUs + context.deadlineUs / 2);
  }

  async peek(_group: string, ops: readonly LimitOp[], context: CallContext): Promise<TakeResult> {
    const { allowed, per } = await this.#taker.look(ops, this.time.local() + context.deadlineUs);
    return { allowed, source: "shared", per };
  }

  async settle(
    _group: string,
    token: TakeToken,
    deltas: readonly (number | undefined)[],
    context: CallContext,
  ): Promise<void> {
    const own = ownToken(token);
    if (own.settled) return;
    own.settled = true;
    for (const [index, { key }] of own.ops.entries()) {
      if ((deltas[index] ?? 0) >= 0) continue;
      this.#denials.forget(key);
      this.#pools.forget(key);
    }
    await this.#taker.settle(own, deltas, context.deadlineUs);
  }

  renew(_group: string, token: TakeToken, context: CallContext): Promise<boolean> {
    return this.#taker.renew(ownToken(token), context.deadlineUs);
  }

  async once(key: string, ttlUs: number, context: CallContext): Promise<boolean> {
    const first = await this.#value(ONCE, "once", key, context, String(ttlUs));
    if (first !== 0 && first !== 1) throw unread();
    return first === 1;
  }

  async get(key: string, context: CallContext): Promise<Uint8Array | undefined> {
    const text = await this.#value(GET, "value", key, context);
    if (text === null || text === undefined) return undefined;
    if (typeof text !== "string") throw unread();
    return new Uint8Array(Buffer.from(text, "base64"));
  }

  async set(key: string, value: Uint8Array, ttlUs: number, context: CallContext): Promise<void> {
    await this.#value(PUT, "value", key, context, String(ttlUs), Buffer.from(value).toString("base64"));
  }

  async del(key: string, context: CallContext): Promise<void> {
    await this.#value(DROP, "value", key, context);
  }

  share(): number {
    return 1 / this.#fleet.members;
  }

  health(): StoreHealth {
    const { lastError, counters, state, ready } = this.#link;
    return {
      state: ready ? state : "open",
      ...(lastError === undefined ? {} : { lastError }),
      counters: {
        ...counters,
        fleet: this.#fleet.members,
        denied: this.#denials.hits + this.#pools.refusals,
        leased: this.#pools.hits,
        owed: this.#owed.size,
      },
    };
  }

  /** What was asked is answered first, and what was given back arrives: a process that ends must not keep its slots. */
  async close(): Promise<void> {
    await this.#owed.pay();
    await this.#fleet.leave();
    await this.#link.drain();
    this.#link.close();
  }

  /** @param lineEndsUs from then on nobody waits for another's answer: there must be time left to ask */
  #take(
    ops: readonly LimitOp[],
    nowUs: number,
    endsUs: number,
    lineEndsUs: number,
  ): TakeResult | Promise<TakeResult> {
    const denied = this.#denials.find(ops, nowUs);
    if (denied !== undefined) return denied;
    const waits = nowUs < lineEndsUs;
    const plan = this.#plan(ops, nowUs, waits);
    if (plan.asked.length === 0) return leasedResult(plan, nowUs);
    const dry = this.#dry(plan, nowUs);
    if (dry !== undefined) return dry;
    const gate = plan.refills ?? (waits ? this.#denials.reopens(plan.asked, nowUs) : undefined);
    if (gate === undefined) return this.#ask(plan, nowUs, endsUs);
    const flight = this.#flights.get(gate);
    if (flight === undefined) return this.#fly(gate, this.#ask(plan, nowUs, endsUs));
    this.#putBack(plan);
    return flight.then(() => {
      const then = this.time.local();
      return this.#take(ops, then, endsUs, plan.refills === undefined ? lineEndsUs : 0);
    });
  }

  #fly(gate: string, asked: Promise<TakeResult>): Promise<TakeResult> {
    this.#flights.set(gate, asked);
    const landed = (): void => void this.#flights.delete(gate);
    asked.then(landed, landed);
    return asked;
  }

  #plan(ops: readonly LimitOp[], nowUs: number, refill: boolean): Plan {
    if (!ops.some(isLeased)) return { ops, asked: ops, spent: undefined, refills: undefined };
    let refills: string | undefined;
    const asked: LimitOp[] = [];
    const spent = ops.map((op) => {
      const found = isLeased(op) ? this.#pools.spend(op, nowUs) : undefined;
      if (found !== undefined) return found;
      if (refill && isLeased(op)) refills ??= op.key;
      asked.push(op);
      return undefined;
    });
    return { ops, asked, spent, refills };
  }

  /** Limits that have to be asked for each take tell of the others, too: those are refused without asking only where they are alone. */
  #dry(plan: Plan, nowUs: number): TakeResult | undefined {
    const { ops, asked, spent } = plan;
    if (spent === undefined || !asked.every(isLeased)) return undefined;
    const refusal = this.#pools.refusal(asked, nowUs);
    if (refusal === undefined) return undefined;
    this.#putBack(plan);
    let next = 0;
    const per = ops.map((_op, index) => unspent(spent[index]) ?? refusal[next++] ?? NOTHING);
    return { allowed: false, source: "deny-cache", per };
  }

  #ask(plan: Plan, sentUs: number, endsUs: number): Promise<TakeResult> {
    const { asked, spent, refills } = plan;
    // Only who asks for the others, too: each for itself, they would hold a batch each.
    const wants =
      refills === undefined
        ? undefined
        : asked.map((op) => (isLeased(op) && op.key === refills ? this.#pools.want(op, sentUs) : 0));
    const answer = this.#taker.take(asked, wants, sentUs, endsUs, (heard) =>
      this.#conclude(plan, wants, heard, sentUs),
    );
    if (spent === undefined) return answer;
    return answer.catch((error: unknown) => {
      this.#putBack(plan);
      throw error;
    });
  }

  #conclude(plan: Plan, wants: readonly number[] | undefined, heard: Answered, sentUs: number): TakeResult {
    const { ops, asked, spent } = plan;
    this.#denials.learn(asked, heard, sentUs, this.time.local);
    const { allowed } = heard;
    if (spent === undefined) {
      const instants = heard.takenAtUs ?? heard.nowUs;
      return allowed
        ? { allowed, source: "shared", per: heard.per, token: new RedisToken(instants, ops) }
        : { allowed, source: "shared", per: heard.per };
    }
    if (!allowed) this.#putBack(plan);
    const takenAtUs: number[] = [];
    let next = 0;
    const per = ops.map((op, index) => {
      const had = spent[index];
      takenAtUs.push(had?.takenAtUs ?? heard.takenAtUs?.[next] ?? heard.nowUs);
      if (had !== undefined) return allowed ? had.part : (unspent(had) ?? NOTHING);
      const place = next++;
      const part = heard.per[place] ?? NOTHING;
      if (!isLeased(op)) return part;
      if (allowed)
        this.#pools.granted(op, part, wants?.[place] ?? 0, heard.granted(place), heard.nowUs, sentUs);
      else this.#pools.refused(op, part, sentUs);
      return part;
    });
    return allowed
      ? { allowed, source: "shared", per, token: new RedisToken(takenAtUs, ops) }
      : { allowed, source: "shared", per };
  }

  #putBack({ spent }: Plan): void {
    for (const one of spent ?? []) if (one !== undefined) this.#pools.putBack(one);
  }

  #value(
    script: Script,
    kind: string,
    key: string,
    context: CallContext,
    ...more: string[]
  ): Promise<unknown> {
    this.#link.allow(context.deadlineUs);
    const call = {
      script,
      keys: [`${this.settings.prefix}${kind}:{.${key}}`],
      values: [this.time.server(), ...more],
    };
    return this.#link.run(call, context.deadlineUs, (reply) => reply);
  }
}

const NOTHING = { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 };

/** As it stands when what was in hand is put back. */
function unspent(had: Spent | undefined): TakePart | undefined {
  return had && { ...had.part, remaining: had.part.remaining + had.op.cost };
}

function leasedResult({ ops, spent = [] }: Plan, nowUs: number): TakeResult {
  const per = spent.map((one) => one?.part ?? NOTHING);
  const takenAtUs = spent.map((one) => one?.takenAtUs ?? nowUs);
  return { allowed: true, source: "lease", per, token: new RedisToken(takenAtUs, ops) };
}

function ownToken(token: TakeToken): RedisToken {
  if (token instanceof RedisToken) return token;
  throw new StoreError("protocol", false, "the token is another store's");
}

function unread(): StoreError {
  return new StoreError("protocol", true, "the server gave no answer that can be read");
}
