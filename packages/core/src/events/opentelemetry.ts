/**
 * Events as metrics and span attributes. What becomes an attribute of a metric has few values whatever callers send: the route's
 * pattern and never a path, a method that is registered, the engine's own codes.
 */
import type * as OpenTelemetryApi from "@opentelemetry/api";
import type { DecisionEvent } from "../model/decision.js";
import type { DecisionSink } from "../ports/decision-sink.js";

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** The part of a `Meter` of `@opentelemetry/api` that is used. */
export interface MeterLike {
  createCounter(
    name: string,
    options: { readonly description: string; readonly unit: string },
  ): {
    add(value: number, attributes: Attributes): void;
  };
  createHistogram(
    name: string,
    options: HistogramOptions,
  ): {
    record(value: number, attributes: Attributes): void;
  };
}

interface HistogramOptions {
  readonly description: string;
  readonly unit: string;
  readonly advice: { readonly explicitBucketBoundaries: number[] };
}

/** The part of a `Span` that is used. */
export interface SpanLike {
  isRecording(): boolean;
  setAttributes(attributes: Attributes): unknown;
}

export interface OpenTelemetryOptions {
  /** Default: the global provider's meter `gatehouse`. */
  readonly meter?: MeterLike;
  /** The span of the request that ends. Default: the active one. */
  readonly span?: (event: DecisionEvent) => SpanLike | undefined;
}

/**
 * Loads `@opentelemetry/api`, which the application has installed, where an option does not stand in for it.
 * @throws Error (rejects) where it is not installed
 */
export async function openTelemetry(options: OpenTelemetryOptions = {}): Promise<DecisionSink> {
  const { meter, span } = options;
  if (meter !== undefined && span !== undefined) return sinkOf(meter, span);
  const api = await load();
  return sinkOf(meter ?? api.metrics.getMeter("gatehouse"), span ?? (() => api.trace.getActiveSpan()));
}

/** Within `try`, so that bundlers of applications that have no such package leave it at a warning. */
async function load(): Promise<typeof OpenTelemetryApi> {
  try {
    return await import("@opentelemetry/api");
  } catch (cause) {
    const mend = "install `@opentelemetry/api`, or hand `meter` and `span` to `openTelemetry`";
    throw new Error(`the package \`@opentelemetry/api\` cannot be loaded: ${mend}`, { cause });
  }
}

/** Seconds: a decision takes microseconds, one that waits for a provider or a store takes milliseconds. */
const BOUNDARIES = [0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

function sinkOf(meter: MeterLike, span: NonNullable<OpenTelemetryOptions["span"]>): DecisionSink {
  const decisions = meter.createCounter("gatehouse.decisions", {
    description: "Decisions, by what was decided",
    unit: "{decision}",
  });
  const duration = meter.createHistogram("gatehouse.decision.duration", {
    description: "From the opening of an exchange to its decision",
    unit: "s",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const failedOpen = meter.createCounter("gatehouse.limits.failed_open", {
    description: "Limits that were passed because their store failed",
    unit: "{limit}",
  });
  const observed = meter.createCounter("gatehouse.refusals.observed", {
    description: "Refusals that observe mode did not carry out",
    unit: "{refusal}",
  });
  return {
    write: (event) => {
      const attributes = attributesOf(event);
      decisions.add(1, attributes);
      const { "gatehouse.outcome": outcome = "", "http.route": route } = attributes;
      if (event.timings !== undefined) {
        const where: Attributes = {
          "gatehouse.outcome": outcome,
          ...(route !== undefined && { "http.route": route }),
        };
        duration.record(event.timings.decided / 1000, where);
      }
      for (const limit of event.failedOpen ?? []) failedOpen.add(1, { "gatehouse.limit": limit });
      for (const { code, stage } of event.observed ?? [])
        observed.add(1, {
          "gatehouse.code": code,
          "gatehouse.stage": stage,
          ...(route !== undefined && { "http.route": route }),
        });
      const active = span(event);
      if (active?.isRecording() === true) {
        active.setAttributes({
          ...attributes,
          "gatehouse.decision.id": event.id,
          "gatehouse.policy.revision": event.revision,
          ...(event.principal !== undefined && { "gatehouse.authenticator": event.principal.authenticator }),
        });
      }
    },
  };
}

function attributesOf(event: DecisionEvent): Attributes {
  const { policy, route, method, outcome, stage, code, status, mode } = event;
  return {
    "gatehouse.policy.name": policy,
    "gatehouse.outcome": outcome,
    "gatehouse.mode": mode,
    "http.request.method": METHODS.has(method) ? method : "_OTHER",
    ...(route !== null && { "http.route": route.slice(route.indexOf(" ") + 1) }),
    ...(stage !== undefined && { "gatehouse.stage": stage }),
    ...(code !== undefined && { "gatehouse.code": code }),
    ...(status > 0 && { "http.response.status_code": status }),
  };
}

/** As OpenTelemetry's conventions for HTTP name them; what else a caller thinks of is one value. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);
