/** Every case of the core's, over real sockets, however a handler writes its answer. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case } from "@gatehouse/core/conformance";
import { http2Target, nodeHttpTarget } from "./target.js";

describeAdapter(nodeHttpTarget("send"), { describe, it });
describeAdapter(http2Target(), { describe, it });
/** The ways of writing differ only where the handler answers something of its own. */
describeAdapter(nodeHttpTarget("end"), { describe, it }, { only: answers });
describeAdapter(nodeHttpTarget("pieces"), { describe, it }, { only: answers });

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
