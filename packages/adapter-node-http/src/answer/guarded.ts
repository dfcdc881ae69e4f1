/** Where a response keeps what stands between it and its handler. */
import type { Interception } from "./interception.js";

export const ANSWER = Symbol("gatehouse.answer");

/** @throws TypeError for a response that no guard has put its methods on */
export function answerOf(res: { readonly [ANSWER]?: Interception | undefined }): Interception {
  const answer = res[ANSWER];
  if (answer === undefined) throw new TypeError("a guarded method was called on another response");
  return answer;
}
