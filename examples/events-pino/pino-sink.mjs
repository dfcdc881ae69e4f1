// Decision events to a logger of pino: to be copied. What may be in an event is the policy's to say (`record`),
// so nothing is redacted here.
import { plainEvent } from "@gatehouse/core";

function levelOf({ outcome, error, failedOpen, observed }) {
  if (error !== undefined) return "error";
  return outcome === "refuse" || failedOpen !== undefined || observed !== undefined ? "warn" : "info";
}

/** @param logger the application's: what decisions say stands beside its other lines, and is told from them by `msg` */
export function pinoSink(logger) {
  return {
    // No event is made of what the logger would not write. Of a notable one it is not known yet whether it is an error.
    wants: (outcome, notable) =>
      logger.isLevelEnabled(notable ? "error" : outcome === "refuse" ? "warn" : "info"),
    // Under a name of its own: it has a `time` too, and a line with two is read in two ways.
    write: (event) => logger[levelOf(event)]({ decision: plainEvent(event) }, "decision"),
  };
}
