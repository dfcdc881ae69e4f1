/**
 * Who presents one unknown credential after the other is not looked up for any more: guessing must cost whoever guesses,
 * not the database or server that would be asked each time. By address, within this process, for a bounded number of them.
 */
import { parseDuration } from "../../lib/duration.js";
import { Recent } from "../../lib/recent.js";
import type { Refusal } from "../../model/outcome.js";
import type { FailureSettings } from "../../model/policy.js";
import type { RequestState } from "../../model/state.js";
import type { Judgement } from "./judgement.js";

const DEFAULT: FailureSettings = { limit: 100, window: "1m" };

/** Addresses remembered at most; the one unused for longest goes first. */
const MAX_ADDRESSES = 10_000;

interface Record {
  failures: number;
  /** Lookups under way. */
  pending: number;
  /** In milliseconds. */
  endsAt: number;
}

export class FailureGuard {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #records = new Recent<Record>(MAX_ADDRESSES);

  /** @param settings undefined: the default */
  constructor(
    settings: FailureSettings | "unlimited" | undefined,
    private readonly pointer: string,
  ) {
    const { limit, window } =
      settings === "unlimited" ? { limit: Infinity, window: "1m" } : (settings ?? DEFAULT);
    this.#limit = limit;
    this.#windowMs = parseDuration(window) ?? 0;
  }

  /**
   * Runs a lookup unless the address has used up its failures. An address that has none may look up as much as it likes at
   * once; one that has may not try the rest of its guesses all at the same time. Without an address nobody is limited:
   * else one caller could shut out all.
   */
  run(state: RequestState, lookup: () => Judgement | Promise<Judgement>): Judgement | Promise<Judgement> {
    const address = state.request.clientKey;
    if (address === undefined || this.#limit === Infinity) return lookup();
    const now = state.monotonicUs / 1000;
    const record = this.#recordOf(address, now);
    if (record !== undefined && record.failures > 0 && record.failures + record.pending >= this.#limit)
      return this.#refusal(record.endsAt - now);
    const judgement = lookup();
    if (!(judgement instanceof Promise)) return this.#count(address, now, judgement);
    const counted = record ?? this.#fresh(address, now);
    counted.pending += 1;
    return judgement.then((settled) => {
      counted.pending -= 1;
      return this.#count(address, now, settled);
    });
  }

  #recordOf(address: string, now: number): Record | undefined {
    const record = this.#records.get(address);
    if (record === undefined) return undefined;
    if (now >= record.endsAt) record.failures = 0;
    return record;
  }

  #fresh(address: string, now: number): Record {
    const record = { failures: 0, pending: 0, endsAt: now + this.#windowMs };
    this.#records.set(address, record);
    return record;
  }

  #count(address: string, now: number, judgement: Judgement): Judgement {
    if (judgement.kind !== "bad") return judgement;
    const record = this.#recordOf(address, now) ?? this.#fresh(address, now);
    // The window begins with the first failure: began with something else, it could end between two guesses.
    if (record.failures === 0) record.endsAt = now + this.#windowMs;
    record.failures += 1;
    return judgement;
  }

  #refusal(waitMs: number): Refusal {
    return {
      kind: "refusal",
      code: "rate-limited",
      reason: `more than ${this.#limit} credentials from this address were unknown`,
      rule: this.pointer,
      headers: [["Retry-After", String(Math.max(1, Math.ceil(waitMs / 1000)))]],
    };
  }
}
