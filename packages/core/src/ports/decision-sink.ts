import type { Secret } from "../lib/secret.js";
import type { DecisionEvent, DecisionOutcome } from "../model/decision.js";
import type { PolicyDocument } from "../model/policy.js";

/** Where decision events go. Nothing that it does or throws changes a decision, `commit` on routes that ask for it apart. */
export interface DecisionSink {
  /**
   * Asked before an event is made. Absent: it wants all.
   * @param notable something else than what was decided makes it worth a look: a limit failed open, observe mode did not refuse, a
   *   handler threw
   */
  wants?(outcome: DecisionOutcome, notable: boolean): boolean;
  /** At the end of an exchange. It must return at once: what it cannot take it drops, and says so. */
  write(event: DecisionEvent): void;
  /**
   * On routes whose `record` says `"onFailure": "closed"`, before the handler runs: resolves when the event is kept, rejects when it
   * is not. After a second the request is refused.
   */
  commit?(event: DecisionEvent): Promise<void>;
  /** Its owner's to call: the engine closes no sink. */
  close?(): Promise<void>;
  /** The policy that decides from now on. Its document holds references in place of secrets. */
  policy?(served: ServedPolicy): void;
}

export interface ServedPolicy {
  readonly name: string;
  /** Of all events that it decides. */
  readonly revision: string;
  readonly document: PolicyDocument;
}

export interface EventOptions {
  /** Names of facts, as conditions use them, that are told as a keyed hash: `principal.id`, `client.ip`, `params.email`. */
  readonly hash?: readonly string[];
  /** For `hash`: at least 16 bytes, and no key or certificate in any form. Whoever has it can test guesses. */
  readonly key?: string | Uint8Array | Secret;
  /** True: events tell the path as sent, without the query. Default false: the route's pattern and the facts that it records. */
  readonly paths?: boolean;
}
