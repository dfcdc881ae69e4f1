/** An exchange of the policy that serves, with what the one in shadow needs to be asked the same. */
import type { CompiledPolicy } from "../compile/compile.js";
import { PolicyExchange, type ExchangeServices } from "../exchange.js";
import { heardBy } from "../lib/heard.js";
import type { Router } from "../match/router.js";
import type { Decision, DecisionEvent } from "../model/decision.js";
import type { RawBody, RawRequest } from "../model/request.js";
import { WrittenAnswers } from "./answers.js";

export interface Recording {
  readonly raw: RawRequest;
  readonly answers: WrittenAnswers;
  /** Undefined: the policy that served did not ask for it, or nothing could keep it. */
  body: RawBody | undefined;
  /** Both policies judge at one instant. */
  monotonic: number;
}

export class RecordedExchange extends PolicyExchange {
  readonly #recording: Recording;

  constructor(
    policy: CompiledPolicy,
    router: Router,
    raw: RawRequest,
    services: ExchangeServices,
    ended: (recording: Recording, event: DecisionEvent) => void,
  ) {
    const recording: Recording = { raw, answers: new WrittenAnswers(), body: undefined, monotonic: 0 };
    const { onDecision } = services;
    let opened = false;
    // The first reading is the instant at which the exchange happens; later ones only measure.
    const monotonic = (): number => {
      const now = services.monotonic();
      if (!opened) recording.monotonic = now;
      opened = true;
      return now;
    };
    super(policy, router, raw, {
      ...services,
      answers: recording.answers,
      monotonic,
      onDecision: (event) => {
        if (onDecision !== undefined) heardBy(onDecision, event);
        ended(recording, event);
      },
    });
    this.#recording = recording;
  }

  override body(body: RawBody): Decision | Promise<Decision> {
    this.#recording.body = kept(body);
    return super.body(body);
  }
}

/** A value that was parsed is the handler's too, and is changed by the time the candidate is asked. Undefined: it cannot be copied. */
function kept(body: RawBody): RawBody | undefined {
  if (!("value" in body)) return body;
  try {
    return { ...body, value: structuredClone(body.value) };
  } catch {
    return undefined;
  }
}
