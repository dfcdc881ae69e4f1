/**
 * Something that is fetched, kept, and fetched anew in time: the keys of an issuer. One fetch at a time, whoever waits for
 * it. Once due it is refreshed behind the requests, which go on with what there is; a failure is repeated after a growing
 * pause, by one prober; what stays too old is used no more.
 */
import type { Lifetime } from "../../ports/lifetime.js";

/** What was fetched, and for how long it is good without another look, in milliseconds. */
export type Fetched<T> =
  | { readonly kind: "fetched"; readonly value: T; readonly freshMs: number }
  | { readonly kind: "failure"; readonly reason: string };

export interface RefresherParts<T> {
  /** @param before what there is already, so that what did not change can be kept */
  readonly fetch: (before: T | undefined) => Promise<Fetched<T>>;
  readonly cooldownMs: number;
  readonly maxStaleMs: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly lifetime: Lifetime;
  /** Told after each fetch that went well: what another one may go on with. */
  readonly fetched: (state: RefresherState<T>) => void;
}

export interface RefresherState<T> {
  readonly value: T;
  readonly fetchedAt: number;
  readonly dueAt: number;
  readonly askedAt: number;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export class Refresher<T> {
  #value: T | undefined;
  #fetchedAt: number | undefined;
  #dueAt = -Infinity;
  #failures = 0;
  #retryAt = -Infinity;
  #askedAt = -Infinity;
  #problem: string | undefined;
  #flight: Promise<void> | undefined;
  #unschedule: () => void = () => undefined;

  constructor(private readonly parts: RefresherParts<T>) {}

  /** Goes on with what another one had: it is as old as it was. */
  resume({ value, fetchedAt, dueAt, askedAt }: RefresherState<T>): void {
    this.#value = value;
    this.#fetchedAt = fetchedAt;
    this.#dueAt = dueAt;
    this.#askedAt = askedAt;
    this.#schedule();
  }

  /** Why the last fetch failed; undefined where it did not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** When what there is was fetched; undefined where nothing was. */
  get fetchedAt(): number | undefined {
    return this.#fetchedAt;
  }

  /** Something may be used; nothing is fetched for the question. */
  isUsable(now: number): boolean {
    return this.#value !== undefined && now < this.#dueAt + this.parts.maxStaleMs;
  }

  /** Milliseconds until another fetch is tried. */
  pauseAt(now: number): number {
    return Math.max(0, this.#retryAt - now);
  }

  /** What may be used now, never waiting; starts a refresh where one is due. Undefined: nothing, or too old. */
  at(now: number): T | undefined {
    if (now < this.#dueAt) return this.#value;
    if (this.#flight === undefined && now >= this.#retryAt) void this.#start();
    return now < this.#dueAt + this.parts.maxStaleMs ? this.#value : undefined;
  }

  /** True: it is used although it should have been refreshed, and that failed. */
  isStale(now: number): boolean {
    return now >= this.#dueAt && this.#problem !== undefined;
  }

  /**
   * For somebody who needs what is not there. Undefined where there is nothing to wait for: a fetch has just failed.
   * Else a promise that is kept when the fetch has ended, well or not.
   */
  filled(now: number): Promise<void> | undefined {
    if (this.#flight !== undefined) return this.#flight;
    return now < this.#retryAt ? undefined : this.#start();
  }

  /**
   * For somebody who misses a part of what is there. However many ask, and for whatever parts, that is one fetch in the
   * cool-down: undefined within it.
   */
  newer(now: number): Promise<void> | undefined {
    if (this.#flight !== undefined) return this.#flight;
    if (now < this.#retryAt || now < this.#askedAt + this.parts.cooldownMs) return undefined;
    this.#askedAt = now;
    return this.#start();
  }

  #start(): Promise<void> {
    const flight = this.#run().finally(() => {
      this.#flight = undefined;
      this.#schedule();
    });
    this.#flight = flight;
    return flight;
  }

  /** Never rejects: behind a timer there is nobody who would hear of it. */
  async #run(): Promise<void> {
    // Of the beginning: what changed while the answer was under way may not be in it.
    const began = this.#now();
    // Nobody could tell later how old it is.
    if (began === undefined) return this.#failed("the clock failed", undefined);
    const fetched = await this.#fetched();
    if (fetched.kind === "failure") return this.#failed(fetched.reason, began);
    this.#problem = undefined;
    this.#failures = 0;
    this.#retryAt = -Infinity;
    this.#value = fetched.value;
    this.#fetchedAt = began;
    // A little early, and not all processes in the same second.
    this.#dueAt = began + fetched.freshMs * (0.8 + this.parts.random() / 5);
    this.parts.fetched({
      value: fetched.value,
      fetchedAt: began,
      dueAt: this.#dueAt,
      askedAt: this.#askedAt,
    });
  }

  #failed(reason: string, began: number | undefined): void {
    this.#problem = reason;
    this.#failures += 1;
    const ended = this.#now() ?? began;
    if (ended === undefined) return;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.#retryAt = ended + pause * (0.5 + this.parts.random() / 2);
  }

  /** Undefined where the clock, which the application may have written, throws: here that must not end the process. */
  #now(): number | undefined {
    try {
      return this.parts.now();
    } catch {
      return undefined;
    }
  }

  async #fetched(): Promise<Fetched<T>> {
    try {
      return await this.parts.fetch(this.#value);
    } catch {
      // A fetch is not supposed to; an outage it is all the same, and the next one may go well.
      return { kind: "failure", reason: "what was fetched could not be used" };
    }
  }

  /** One timer at a time. It asks the clock too: a timer may be early, and a test's clock goes its own way. */
  #schedule(): void {
    this.#unschedule();
    const now = this.#now();
    // A clock that fails is asked again by itself: without requests nobody else would. Where it failed, no pause is known.
    const least = this.#problem === undefined ? 1 : FIRST_PAUSE_MS / 2;
    const wait =
      now === undefined ? LONGEST_PAUSE_MS : Math.max(least, Math.max(this.#dueAt, this.#retryAt) - now);
    this.#unschedule = this.parts.lifetime.after(wait, () => {
      if (this.#flight !== undefined) return;
      const later = this.#now();
      if (later !== undefined && later >= Math.max(this.#dueAt, this.#retryAt)) void this.#start();
      else this.#schedule();
    });
  }
}
