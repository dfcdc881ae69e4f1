/**
 * As many requests as the event loop can bear. Two things are watched. A turn of the loop that lasts longer than the target ends the
 * admissions: who comes later in it would wait for all before him. And where the loop still came to twice the target, because work
 * follows that a turn's beginning does not show, the number admitted in a tenth of a second is cut, and grows again while it is calm.
 * Of each number a class has its share, and at least one request: else nobody would learn that it is over.
 */
import type { ExchangeEnd, RequestState, Settlement } from "../../model/state.js";
import type { EventLoopWatch } from "../../ports/load.js";
import { rankOf } from "../../stages.js";
import { partOf } from "./classes.js";
import type { Door, Gate, GateStatus } from "./gate.js";

const INTERVAL_US = 100_000;
/** The loop is not looked at more often. */
const LOOK_US = 10_000;
/** What was before says nothing. */
const FORGOTTEN_US = 1_000_000;

/** However late the loop was, at most so much is cut at once: the number that one interval saw is a rough one. */
const DEEPEST_CUT = 0.5;
const GROWTH = 1.1;

/** Up to here a refusal costs less than the work that it saves others. */
const CHEAP = rankOf("limit-connection");

interface Part {
  readonly share: number;
  /** Admitted in this interval. */
  used: number;
}

export class EventLoopGate implements Gate {
  readonly reason: string;
  readonly #parts: ReadonlyMap<string, Part>;
  /** Admissions in an interval; Infinity while all is well. */
  #capacity = Infinity;
  #used = 0;
  #refused = 0;
  #interval = 0;
  #beganUs = -Infinity;
  #lookedUs = -Infinity;
  #late = 0;
  #longest = 0;

  constructor(
    private readonly targetMs: number,
    shares: ReadonlyMap<string, number>,
    private readonly watch: EventLoopWatch,
  ) {
    this.reason = `the event loop comes round later than ${targetMs} ms`;
    this.#parts = new Map([...shares].map(([name, share]) => [name, { share, used: 0 }]));
  }

  door(name: string): Door {
    const part = this.#parts.get(name) ?? { share: 0, used: 0 };
    return { enter: (state) => this.enter(part, state) };
  }

  status(): GateStatus {
    return { shedding: this.#room < Infinity, delay: Math.round(this.#late) };
  }

  private enter(part: Part, state: RequestState): boolean {
    this.look(state.monotonicUs);
    const room = this.#room;
    if (room < Infinity && part.used >= keptFor(part, room) && this.committed(room) >= room) {
      this.#refused += 1;
      return false;
    }
    part.used += 1;
    this.#used += 1;
    if (room < Infinity) (state.settlements ??= []).push(this.returning(part));
    return true;
  }

  /** What may be admitted in this interval: while a turn is too long, no more than what was. */
  get #room(): number {
    return this.#late > this.targetMs ? Math.min(this.#capacity, this.#used) : this.#capacity;
  }

  private committed(room: number): number {
    let sum = 0;
    for (const part of this.#parts.values()) sum += Math.max(part.used, keptFor(part, room));
    return sum;
  }

  /** Whoever is over a limit, or at no route, must not take the place of others. */
  private returning(part: Part): Settlement {
    const interval = this.#interval;
    return {
      settle: ({ refusedAt }: ExchangeEnd): void => {
        if (refusedAt === undefined || rankOf(refusedAt) > CHEAP || interval !== this.#interval) return;
        part.used -= 1;
        this.#used -= 1;
      },
    };
  }

  /** @throws Error where the delay is no number: compared with one, it would say that all is well */
  private look(nowUs: number): void {
    if (nowUs - this.#lookedUs < LOOK_US) return;
    this.#lookedUs = nowUs;
    this.#late = known(this.watch.late());
    this.#longest = Math.max(this.#longest, this.#late);
    const elapsed = nowUs - this.#beganUs;
    // One request may take longer than an interval: a turn that goes on is still the same one.
    if (elapsed >= (this.#late > this.targetMs ? FORGOTTEN_US : INTERVAL_US)) this.begin(nowUs);
  }

  private begin(nowUs: number): void {
    const elapsed = nowUs - this.#beganUs;
    this.#longest = Math.max(this.#longest, known(this.watch.longest()));
    this.#capacity = this.next(elapsed);
    this.#interval += 1;
    this.#beganUs = nowUs;
    this.#longest = 0;
    this.#used = 0;
    this.#refused = 0;
    for (const part of this.#parts.values()) part.used = 0;
  }

  private next(elapsedUs: number): number {
    const most = this.targetMs * 2;
    // The process had little to do, whatever once kept it.
    if (elapsedUs >= FORGOTTEN_US && this.#longest * 2000 < elapsedUs) return Infinity;
    // Where one of a class was all that was admitted, fewer could not be: it was something else, or it is one request that takes so long.
    if (this.#longest > most && this.#used > this.#parts.size) {
      // A long interval tells what can be done, and a short one what was too much.
      const admitted = (this.#used * INTERVAL_US) / elapsedUs;
      const cut = Math.max(DEEPEST_CUT, most / this.#longest);
      return Math.max(this.#parts.size, Math.floor(Math.min(admitted, this.#capacity) * cut));
    }
    if (this.#capacity === Infinity || this.#longest > this.targetMs) return this.#capacity;
    if (this.#refused === 0) return Infinity;
    return Math.max(this.#capacity + 1, Math.floor(this.#capacity * GROWTH));
  }
}

function keptFor({ share }: Part, room: number): number {
  return Math.max(1, partOf(share, room));
}

function known(delay: number): number {
  if (!Number.isFinite(delay)) throw new Error("the delay of the event loop is not known");
  return delay;
}
