/** The list of cases on one server, in the ways in which its handlers may write the same answer. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case, type SocketTarget } from "@gatehouse/core/conformance";

/** Every case on the first; the ways of writing differ only where the handler answers something of its own. */
export function describeWays(first: SocketTarget, ...others: readonly SocketTarget[]): void {
  describeAdapter(first, { describe, it });
  for (const target of others) describeAdapter(target, { describe, it }, { only: answers });
}

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
