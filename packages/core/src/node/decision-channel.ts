/** Events on a channel of `node:diagnostics_channel`: what watches a process subscribes, and nobody else pays. */
import { channel } from "node:diagnostics_channel";
import type { DecisionSink } from "../index.js";

/**
 * Publishes each event, as `onDecision` gets it, while somebody has subscribed.
 * @param name default `gatehouse.decision`
 */
export function decisionChannel(name = "gatehouse.decision"): DecisionSink {
  const told = channel(name);
  return {
    wants: () => told.hasSubscribers,
    write: (event) => told.publish(event),
  };
}
