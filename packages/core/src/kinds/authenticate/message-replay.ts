/** What was accepted once is refused the second time. Asked only after everything else is proved: what is forged must not burn what is real. */
import { parseDuration } from "../../lib/duration.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { Fault } from "../../model/outcome.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import type { Clock } from "../../ports/clock.js";
import { StoreError, type CallContext } from "../../ports/state-store.js";
import { isThenable } from "./deadline.js";
import { bad, type Proof } from "./judgement.js";

export interface MessageReplay {
  /**
   * Undefined: it is the first time.
   * @param key no secret and no value of the caller's: a digest
   * @param milliseconds how long the same could be accepted again
   */
  first(key: string, milliseconds: number): Proof | Promise<Proof>;
}

const REPLAYED = bad("the same signed message was accepted before");
const DEFAULT_DEADLINE_MS = 50;

/**
 * A clock that is put back lets a message be in time again that had run out. Small steps are the rule (NTP), and remembering for
 * longer costs room alone.
 */
const MARGIN_MS = 10_000;

export function messageReplay(
  policy: ResolvedPolicy,
  { store, clock }: CompileEnvironment,
  rule: string,
): MessageReplay {
  const written = policy.document.store?.deadline;
  const deadlineMs = (written === undefined ? undefined : parseDuration(written)) ?? DEFAULT_DEADLINE_MS;
  const fault = (error: unknown): Fault => ({
    kind: "fault",
    where: "outside",
    reason: "the store that refuses replays did not answer",
    rule,
    error,
  });
  const proofOf = (answer: unknown): Proof => {
    if (answer === true) return undefined;
    return answer === false
      ? REPLAYED
      : fault(new StoreError("protocol", true, "the store answered no boolean"));
  };
  return {
    first(key, milliseconds) {
      try {
        const ttlUs = Math.ceil((Math.max(0, milliseconds) + MARGIN_MS) * 1000);
        const answer: unknown = store.once(key, ttlUs, contextOf(clock, deadlineMs));
        if (!isThenable(answer)) return proofOf(answer);
        return inTime(answer, deadlineMs).then(proofOf, fault);
      } catch (error) {
        return fault(error);
      }
    },
  };
}

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

function inTime(promise: PromiseLike<unknown>, milliseconds: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new StoreError("timeout", true, "the store did not answer in time"));
    }, milliseconds);
    // A `then` of the store's own may throw.
    Promise.resolve(promise).then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error("the store failed"));
      },
    );
  });
}
