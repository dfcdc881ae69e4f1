/** What each part of an expression came to, as far as an evaluation from left to right asks it. For traces: it may take its time. */
import type { ReachedRule, RequestState } from "../model/state.js";
import type { Node } from "./node.js";

/** Parts that are no bool, and literals, have no sides. */
export function reachedParts(node: Node, state: RequestState, rule: string): readonly ReachedRule[] {
  const found: ReachedRule[] = [];
  visit(node, state, rule, found);
  return found;
}

/** @returns what the part came to; undefined: it could not be evaluated */
function visit(node: Node, state: RequestState, rule: string, found: ReachedRule[]): unknown {
  const value = node.run(state);
  if (node.constant === undefined) {
    const came = value === true ? "true" : value === false ? "false" : "error";
    if (typeof value === "boolean" || node.type.kind === "bool") found.push({ rule, came, part: node.range });
  }
  switch (node.role) {
    case "and":
    case "or":
      for (const part of node.parts) if (visit(part, state, rule, found) === (node.role === "or")) break;
      break;
    case "not":
      for (const part of node.parts) visit(part, state, rule, found);
      break;
    case "choice": {
      const [condition, yes, no] = node.parts;
      const chosen = condition === undefined ? undefined : visit(condition, state, rule, found);
      const branch = chosen === true ? yes : chosen === false ? no : undefined;
      if (branch !== undefined) visit(branch, state, rule, found);
      break;
    }
    case "plain":
  }
  return value;
}
