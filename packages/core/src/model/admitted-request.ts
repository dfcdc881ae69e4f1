/** What every adapter hands to a handler beside the request: all that was validated, and who calls. */
import type { Admission } from "./decision.js";

/** Read lazily: an unused field costs nothing. Adapters add how their servers answer. */
export class AdmittedRequest<E extends { readonly signal: AbortSignal }> {
  constructor(
    readonly exchange: E,
    /** Everything that the engine says of this request. */
    readonly decision: Admission,
  ) {}

  /** Key of the route as the policy writes it; null where observe mode let an unmatched request pass. */
  get route(): string | null {
    return this.decision.route;
  }
  get principal(): Admission["principal"] {
    return this.decision.principal;
  }
  get params(): Admission["params"] {
    return this.decision.params;
  }
  get query(): Admission["query"] {
    return this.decision.query;
  }
  get headers(): Admission["headers"] {
    return this.decision.headers;
  }
  get cookies(): Admission["cookies"] {
    return this.decision.cookies;
  }
  /** As validated; undefined where no rule reads the body, which is then the request's stream as ever. */
  get body(): unknown {
    return this.decision.body;
  }
  /** Address, scheme and host of the caller, after `trust` had its say. */
  get client(): Admission["client"] {
    return this.decision.client;
  }
  /** What the policy's checks left for the handler. */
  get locals(): Record<string, unknown> {
    return this.decision.locals;
  }
  /** Aborted when the client is gone. */
  get signal(): AbortSignal {
    return this.exchange.signal;
  }
}
