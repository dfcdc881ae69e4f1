/** What a handler is given beside request and response: all that was validated, and who calls. */
import type { Admission, Exchange } from "@gatehouse/core";
import type { FieldsArgument } from "./answer/fields.js";
import type { Passage } from "./passage.js";

export interface SendOptions {
  /** Default: `res.statusCode`, which is 200 unless the handler set it. */
  readonly status?: number;
  readonly headers?: FieldsArgument;
}

/** Read lazily: an unused field costs nothing. */
export class HandlerContext {
  readonly #passage: Passage | undefined;

  constructor(
    /** Undefined where there is no HTTP answer to give: an upgrade. */
    passage: Passage | undefined,
    readonly exchange: Exchange,
    /** Everything that the engine says of this request. */
    readonly decision: Admission,
    /** True where a rule read the body, so that its stream is at its end. */
    readonly bodyRead = false,
  ) {
    this.#passage = passage;
  }

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

  /**
   * Ends the request by the policy's own error, as when the handler throws: for a framework's last error handler.
   * @param status default 500; 404 where nobody answered
   */
  fail(error: unknown, status?: number): void {
    if (this.#passage === undefined) throw new Error("an upgrade has no answer: destroy the socket");
    this.#passage.failed(error, status);
  }

  /**
   * Answers with a value as JSON. Under a response rule this is cheaper than `res.end(JSON.stringify(value))`: the value is
   * projected before it becomes text, and never parsed.
   * Works taken out of the context: `({ send }) => send(value)`.
   * @throws Error when the answer has begun
   */
  get send(): (value: unknown, options?: SendOptions) => void {
    return (value, options = {}) => {
      if (this.#passage === undefined) throw new Error("an upgrade has no answer: write to the socket");
      this.#passage.send(value, options);
    };
  }
}
