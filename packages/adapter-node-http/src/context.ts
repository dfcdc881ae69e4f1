/** What a handler is given beside request and response: all that was validated, and who calls. */
import { AdmittedRequest, type Admission, type Exchange } from "@gatehouse/core";
import type { FieldsArgument } from "./answer/fields.js";
import type { Passage } from "./passage.js";

export interface SendOptions {
  /** Default: `res.statusCode`, which is 200 unless the handler set it. */
  readonly status?: number;
  readonly headers?: FieldsArgument;
}

export class HandlerContext extends AdmittedRequest<Exchange> {
  readonly #passage: Passage | undefined;

  constructor(
    /** Undefined where there is no HTTP answer to give: an upgrade. */
    passage: Passage | undefined,
    exchange: Exchange,
    decision: Admission,
    /** True where a rule read the body, so that its stream is at its end. */
    readonly bodyRead = false,
  ) {
    super(exchange, decision);
    this.#passage = passage;
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
