/** Every case of the core's, over real sockets, however a fastify handler answers. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case } from "@gatehouse/core/conformance";
import { fastifyTarget } from "./target.js";

describeAdapter(fastifyTarget("object"), { describe, it });
/** The ways of answering differ only where the handler answers something of its own. */
for (const way of ["returned", "string", "buffer", "stream", "raw"] as const) {
  describeAdapter(fastifyTarget(way), { describe, it }, { only: answers });
}

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
