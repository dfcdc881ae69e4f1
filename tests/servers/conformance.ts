/** The list of cases on one server, in the ways in which its handlers may write the same answer. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case, type SocketTarget } from "@gatehouse/core/conformance";
import { beginningFirst, waits } from "./waiting.js";

/** Every case on the first; the ways of writing differ only where the handler answers something of its own. */
export function describeWays(first: SocketTarget, ...others: readonly SocketTarget[]): void {
  const early = beginningFirst();
  const targets = [first, ...others];
  const among = (target: SocketTarget, one: Case): boolean => target === first || answers(one);
  for (const target of targets)
    describeAdapter(target, { describe, it }, { only: (one) => among(target, one) && !waits(one) });
  for (const target of targets)
    describeAdapter(target, early, { only: (one) => among(target, one) && waits(one) });
}

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
