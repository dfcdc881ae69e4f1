/** What is good once, a proof of possession or a signed message: whoever shares the store knows which have been seen. */
import { isPromiseLike, withinTime } from "../../lib/deadline.js";
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { Clock } from "../../ports/clock.js";
import { StoreError, type CallContext, type StateStore } from "../../ports/state-store.js";

export type Seen = "first" | "again" | Fault;

export interface ReplayParts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

export class ReplayGuard {
  /** Several authenticators may ask about one and the same of one request, which is one use of it. */
  readonly #asked = new WeakMap<RequestState, Map<string, Seen | Promise<Seen>>>();

  constructor(private readonly parts: ReplayParts) {}

  /**
   * @param key made of hashes: texts of the caller's are neither kept nor sent anywhere
   * @param forMs how long it could be used again
   */
  first(key: string, forMs: number, rule: string, state: RequestState): Seen | Promise<Seen> {
    const asked = this.#asked.get(state) ?? new Map<string, Seen | Promise<Seen>>();
    this.#asked.set(state, asked);
    const known = asked.get(key);
    if (known !== undefined) return known;
    const seen = this.#ask(key, forMs, rule);
    asked.set(key, seen);
    return seen;
  }

  /** Whatever is not a plain yes or no closes the door: a store that fails must not make anything good twice. */
  #ask(key: string, forMs: number, rule: string): Seen | Promise<Seen> {
    const { store, clock, deadlineMs } = this.parts;
    const failed = (error: unknown): Fault => ({
      kind: "fault",
      where: "outside",
      reason: "the store could not tell whether the same was used before",
      rule,
      error,
    });
    const heard = (answer: unknown): Seen => {
      if (typeof answer !== "boolean")
        return failed(new StoreError("protocol", false, "`once` answered no boolean"));
      return answer ? "first" : "again";
    };
    let answer: unknown;
    try {
      answer = store.once(key, Math.ceil(forMs * 1000), contextOf(clock, deadlineMs));
    } catch (error) {
      return failed(error);
    }
    if (!isPromiseLike(answer)) return heard(answer);
    const overdue = (): StoreError => new StoreError("timeout", true, "the store did not answer in time");
    return withinTime<Seen>(answer, deadlineMs, heard, failed, overdue, () => undefined);
  }
}

/** The time now and not when the request began: who lets the last bytes of a body wait could else outlast the memory. */
function contextOf(clock: Clock, deadlineMs: number): CallContext {
  const monotonic = clock.monotonic();
  const now = clock.now();
  // At no time nothing would be remembered.
  if (!Number.isFinite(monotonic) || !Number.isFinite(now))
    throw new Error("the clock does not tell the time");
  return {
    nowUs: Math.floor(monotonic * 1000),
    wallUs: Math.floor(now * 1000),
    deadlineUs: deadlineMs * 1000,
  };
}
