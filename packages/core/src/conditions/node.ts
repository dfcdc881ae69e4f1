/** A compiled part of an expression, with what explanations and read-sets need to know of it. */
import type { Availability } from "./condition.js";
import type { CelType } from "./types.js";
import type { ReadSet, Run } from "./values.js";

export interface Fact {
  readonly name: string;
  readonly needs: Availability;
  /** Its value may stand in a trace. */
  readonly shown: boolean;
}

export interface Node {
  /** How its result comes about: which parts decided depends on it. */
  readonly role: "or" | "and" | "not" | "choice" | "plain";
  /** As the author wrote it. */
  readonly text: string;
  /** Where the parser saw it in the text, from and up to which character. */
  readonly range: readonly [from: number, to: number];
  readonly type: CelType;
  readonly run: Run;
  /** In the order written. A part that only leads to a fact (`body` of `body.sku`) is none. */
  readonly parts: readonly Node[];
  readonly fact?: Fact;
  readonly set?: ReadSet;
  /** Present when the value is a literal. */
  readonly constant?: { readonly value: unknown };
}

/** All facts below a part, each once, in the order read. */
export function factsOf(node: Node): Fact[] {
  const found = new Map<string, Fact>();
  collect(node, found);
  return [...found.values()];
}

function collect(node: Node, found: Map<string, Fact>): void {
  if (node.fact !== undefined && !found.has(node.fact.name)) found.set(node.fact.name, node.fact);
  for (const part of node.parts) collect(part, found);
}

const ORDER: readonly Availability[] = ["connection", "principal", "parameters", "body"];

/** The latest of all. */
export function latest(needs: readonly Availability[]): Availability {
  return needs.reduce<Availability>(
    (last, next) => (ORDER.indexOf(next) > ORDER.indexOf(last) ? next : last),
    "connection",
  );
}
