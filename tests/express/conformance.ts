/** Every case of the core's, over real sockets, on one version of express, however a handler writes its answer. */
import { describe, it } from "vitest";
import { describeAdapter, stepsOf, type Case } from "@gatehouse/core/conformance";
import { expressTarget } from "./target.js";
import { versionOf } from "./versions.js";

export function describeConformance(major: 4 | 5): void {
  const { name, express } = versionOf(major);
  describeAdapter(expressTarget(name, express, "json"), { describe, it });
  // The ways of writing differ only where the handler answers something of its own.
  for (const way of ["send", "end", "pipe"] as const) {
    describeAdapter(expressTarget(name, express, way), { describe, it }, { only: answers });
  }
}

function answers(one: Case): boolean {
  return stepsOf(one).some(({ answer }) => answer !== undefined);
}
