/** What a handler is given beside the Request: all that was validated, and who calls. */
import type { Admission, Exchange } from "@gatehouse/core";
import { failureOf, responseOf, type SendOptions } from "./sent.js";

/** Read lazily: an unused field costs nothing. */
export class HandlerContext {
  constructor(
    readonly exchange: Exchange,
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
  /** Who called whom, after `trust` had its say. */
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

  /**
   * An answer with a value as JSON, to be returned by the handler. Under a response rule this is cheaper than `Response.json(value)`:
   * the value is projected before it becomes text, and never parsed.
   * Works taken out of the context: `({ send }) => send(value)`.
   */
  get send(): (value: unknown, options?: SendOptions) => Response {
    return (value, options = {}) => responseOf(value, options);
  }

  /**
   * An answer in the policy's words, to be returned by the handler: what throwing does, with a status of its own.
   * @param error for the operator's event alone
   * @param status 400 to 599; default 500
   */
  get fail(): (error: unknown, status?: number) => Response {
    return (error, status = 500) => failureOf(error, status);
  }
}
