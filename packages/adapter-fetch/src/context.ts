/** What a handler is given beside the Request: all that was validated, and who calls. */
import { AdmittedRequest, type Exchange } from "@gatehouse/core";
import { failureOf, responseOf, type SendOptions } from "./sent.js";

export class HandlerContext extends AdmittedRequest<Exchange> {
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
