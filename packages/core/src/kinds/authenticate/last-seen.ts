/** Tells the application when its keys were used: who wants to take back unused ones has to know. */
import type { KeySeen } from "../../ports/application.js";
import { isPromiseLike } from "../../lib/deadline.js";
import { Recent } from "../../lib/recent.js";
import type { Judge } from "./credential.js";
import type { Judgement } from "./judgement.js";

/** Each key is told of once in so long: a write for each request would cost more than the request. */
const EVERY_MS = 60_000;
/** Keys whose last telling is remembered. One that is forgotten is told of again. */
const MAX_KEYS = 10_000;

export function telling(judge: Judge, tell: KeySeen, authenticator: string): Judge {
  const told = new Recent<number>(MAX_KEYS);
  const seen = (judgement: Judgement, monotonicMs: number, at: number): Judgement => {
    if (judgement.kind !== "accepted") return judgement;
    const { id } = judgement.identity.principal;
    if (monotonicMs < (told.get(id) ?? -Infinity) + EVERY_MS) return judgement;
    told.set(id, monotonicMs);
    quietly(tell, { id, authenticator, at });
    return judgement;
  };
  return (credential, state) => {
    const judgement = judge(credential, state);
    const monotonicMs = state.monotonicUs / 1000;
    return judgement instanceof Promise
      ? judgement.then((settled) => seen(settled, monotonicMs, state.now))
      : seen(judgement, monotonicMs, state.now);
  };
}

/** A record that cannot be written is no reason to turn anybody away. */
function quietly(tell: KeySeen, use: Parameters<KeySeen>[0]): void {
  try {
    const told: unknown = tell(use);
    if (isPromiseLike(told)) Promise.resolve(told).catch(() => undefined);
  } catch {
    // The same.
  }
}
