/** Compiles `shed`: one gate for all routes that are enforced, and one for those that only observe. */
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ShedHealth } from "../../model/health.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { ShedSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import type { EventLoopWatch, LoadSignals } from "../../ports/load.js";
import { classOf, NEVER, sharesOf } from "./classes.js";
import { Refusals, shedStage } from "./evaluate.js";
import { EventLoopGate } from "./event-loop.js";
import type { Gate } from "./gate.js";
import { InFlightGate } from "./in-flight.js";

export const DEFAULT_TARGET = "50ms";
export const DEFAULT_RETRY_AFTER = "1s";

const NOTHING: CompiledKind = {};

export function compileShed(policy: ResolvedPolicy, environment: CompileEnvironment): CompiledKind {
  const settings = policy.document.shed;
  const { load } = environment;
  if (settings === undefined || load === undefined) return NOTHING;
  const watch = settings.signal === "event-loop" ? watchLoop(load, environment) : undefined;
  if (settings.signal === "event-loop" && watch === undefined) return NOTHING;
  const seconds = milliseconds(settings.retryAfter ?? DEFAULT_RETRY_AFTER) / 1000;
  const open = (inFlight: LoadSignals["inFlight"]): { readonly gate: Gate; readonly refusals: Refusals } => {
    const gate = gateOf(settings, watch, inFlight);
    return { gate, refusals: new Refusals(gate.reason, seconds) };
  };
  const enforced = open(load.inFlight);
  // Of what only observes nothing is refused, so it must not take the room of what is enforced.
  const observed = open(new Map());
  return {
    health: () => ({ shed: healthOf(settings, enforced.gate) }),
    stages: (route) => {
      const name = classOf(route);
      // Nobody waits long for a 404, and it costs no more than the refusal.
      if (name === NEVER || route.key === "") return [];
      const { gate, refusals } = route.mode === "observe" ? observed : enforced;
      const declared = Object.hasOwn(settings.classes ?? {}, name);
      const pointer = declared ? pointerTo("/shed/classes", name) : undefined;
      const observe = settings.mode === "observe";
      return [shedStage({ door: gate.door(name), pointer, refusals, observe })];
    },
  };
}

function healthOf({ signal }: ShedSettings, gate: Gate): ShedHealth {
  const status = gate.status();
  return status.shedding
    ? { status: "degraded", reason: "requests are shed", signal, ...status }
    : { status: "ok", signal, ...status };
}

function watchLoop(load: LoadSignals, { report, lifetime }: CompileEnvironment): EventLoopWatch | undefined {
  const watch = load.watchEventLoop();
  if (watch === undefined) {
    report.error(
      "no-event-loop-delay",
      "/shed/signal",
      "nothing on this platform tells how late the event loop is",
      "hand `eventLoopDelay` to createEngine, or shed by `concurrency`",
    );
    return undefined;
  }
  lifetime.onEnd(() => watch.stop());
  return watch;
}

function gateOf(
  settings: ShedSettings,
  watch: EventLoopWatch | undefined,
  inFlight: LoadSignals["inFlight"],
): Gate {
  const shares = sharesOf(settings);
  if (watch === undefined) return new InFlightGate(settings.limit ?? 1, shares, inFlight);
  return new EventLoopGate(milliseconds(settings.target ?? DEFAULT_TARGET), shares, watch);
}

function milliseconds(duration: string): number {
  return parseDuration(duration) ?? 0;
}
