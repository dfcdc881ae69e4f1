/** A signed message is accepted once. Asked only after everything else is proved: what is forged must not burn what is real. */
import { chained } from "../../lib/chained.js";
import type { RequestState } from "../../model/state.js";
import { bad, type Proof } from "./judgement.js";
import type { ReplayGuard, Seen } from "./replay.js";

export interface MessageReplay {
  /**
   * Undefined: it is the first time.
   * @param key no secret and no value of the caller's: a digest
   * @param milliseconds how long the same could be accepted again
   */
  first(key: string, milliseconds: number, state: RequestState): Proof | Promise<Proof>;
}

const REPLAYED = bad("the same signed message was accepted before");

/**
 * A clock that is put back lets a message be in time again that had run out. Small steps are the rule (NTP), and remembering for
 * longer costs room alone.
 */
const MARGIN_MS = 10_000;

export function messageReplay(guard: ReplayGuard, rule: string): MessageReplay {
  return {
    first: (key, milliseconds, state) =>
      chained(guard.first(key, Math.max(0, milliseconds) + MARGIN_MS, rule, state), proofOf),
  };
}

function proofOf(seen: Seen): Proof {
  if (seen === "first") return undefined;
  return seen === "again" ? REPLAYED : seen;
}
