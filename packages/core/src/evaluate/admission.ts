/** What an adapter is told when the handler may run, or when the engine answers by itself. */
import type { Answer } from "../model/outcome.js";
import type { Admission, OwnAnswer } from "../model/decision.js";
import type { HeaderField } from "../model/request.js";
import { owedHeaders } from "./header-plan.js";
import type { ExchangeState } from "./state.js";

/** The handler may run. What is rarely read is made when it is. */
export class Admitted implements Admission {
  readonly outcome = "admit";
  readonly #state: ExchangeState;

  constructor(state: ExchangeState) {
    this.#state = state;
  }

  get route(): string | null {
    return this.#state.preflight ? null : routeKey(this.#state);
  }
  get principal(): Admission["principal"] {
    return this.#state.identity?.principal ?? null;
  }
  get params(): Record<string, unknown> {
    return this.#state.route.observe ? this.#state.sent.params : this.#state.params;
  }
  get query(): Record<string, unknown> {
    return this.#state.route.observe ? this.#state.sent.query : this.#state.query;
  }
  get queryValidated(): boolean {
    return !this.#state.route.observe && this.#state.queryValidated;
  }
  get headers(): Record<string, unknown> {
    return this.#state.route.observe ? this.#state.sent.headers : this.#state.headers;
  }
  get cookies(): Record<string, unknown> {
    return this.#state.route.observe ? this.#state.sent.cookies : this.#state.cookies;
  }
  get body(): unknown {
    return this.#state.route.observe ? this.#state.sent.body : this.#state.body;
  }
  get streamsBody(): boolean {
    return !this.#state.route.readsBody;
  }
  get client(): Admission["client"] {
    const { clientIp, scheme, host } = this.#state.request;
    return { ip: clientIp, scheme, host };
  }
  get locals(): Record<string, unknown> {
    return this.#state.locals;
  }
  get bodyLimit(): number {
    return this.#state.route.observe ? Infinity : this.#state.route.maxBody;
  }
  get responseHeaders(): readonly HeaderField[] {
    if (this.#state.route.observe) return [];
    const plan = this.#state.route.response.headers;
    return owedHeaders(plan, plan.admission, this.#state);
  }
  get failedOpen(): readonly string[] {
    return this.#state.failedOpen ?? [];
  }
  get observed(): readonly NonNullable<Admission["observed"]>[number][] {
    return this.#state.observed ?? [];
  }
  get trace(): NonNullable<Admission["trace"]> {
    return this.#state.trace ?? [];
  }
}

/** A preflight, a redirect, a document of the policy's own. */
export function ownAnswer(state: ExchangeState, { status, headers, body }: Answer): OwnAnswer {
  const plan = state.route.response.headers;
  const bare: OwnAnswer = {
    outcome: "answer",
    status,
    responseHeaders: owedHeaders(plan, plan.refusal, state, headers),
    route: routeKey(state),
  };
  // Parts that are mostly missing are not spread into every answer: that costs more than all the rest of it.
  if (body === undefined && state.trace === undefined) return bare;
  return {
    ...bare,
    ...(body !== undefined && { body: state.request.method === "HEAD" ? "" : body }),
    ...(state.trace !== undefined && { trace: state.trace }),
  };
}

/** Null where no route matched. */
export function routeKey(state: ExchangeState): string | null {
  return state.route.key === "" ? null : state.route.key;
}
