/** What a condition comes to where only some facts are known: as CEL has it, `false && unknown` is false. */
import type { RequestState } from "../model/state.js";
import { factsOf } from "./node.js";
import type { Node } from "./node.js";

export type PartialTruth = boolean | "error" | "unknown";

/** @param known whether the state tells of a fact, or that there is none */
export function partialTruth(
  node: Node,
  state: RequestState,
  known: (fact: string) => boolean,
): PartialTruth {
  const parts = (): PartialTruth[] => node.parts.map((part) => partialTruth(part, state, known));
  switch (node.role) {
    case "and":
      return settled(parts(), false);
    case "or":
      return settled(parts(), true);
    case "not": {
      const [inner = "error"] = parts();
      return typeof inner === "boolean" ? !inner : inner;
    }
    case "choice": {
      const [asked = "error", yes = "error", no = "error"] = parts();
      // What is asked may be an error, and then the whole is one.
      if (asked === "unknown") return yes === "error" && no === "error" ? "error" : "unknown";
      return asked === "error" ? asked : asked ? yes : no;
    }
    case "plain": {
      if (!factsOf(node).every(({ name }) => known(name))) return "unknown";
      const value = node.run(state);
      return typeof value === "boolean" ? value : "error";
    }
  }
}

function settled(parts: readonly PartialTruth[], decisive: boolean): PartialTruth {
  if (parts.includes(decisive)) return decisive;
  if (parts.includes("unknown")) return "unknown";
  return parts.includes("error") ? "error" : !decisive;
}
