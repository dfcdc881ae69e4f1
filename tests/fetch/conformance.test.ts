/** Every case of the core's, over real sockets, through hono and through the guard alone, however a handler writes its answer. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case } from "@gatehouse/core/conformance";
import { fetchTarget } from "./target.js";

describeAdapter(fetchTarget("hono", "send"), { describe, it });
describeAdapter(fetchTarget("told", "send"), { describe, it });
describeAdapter(fetchTarget("guard", "json"), { describe, it });
/** The ways of writing differ only where the handler answers something of its own. */
describeAdapter(fetchTarget("hono", "json"), { describe, it }, { only: answers });
describeAdapter(fetchTarget("guard", "pieces"), { describe, it }, { only: answers });

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
