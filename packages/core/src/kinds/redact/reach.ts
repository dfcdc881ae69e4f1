/** Which pointers a response schema can match at all. One that it never matches redacts nothing: a typo, most likely. */
import type { NodeBuilder } from "./builder.js";
import { ARRAY, OBJECT } from "./json-type.js";
import type { Node, Step } from "./node.js";
import type { Pointers } from "../../lib/pointer-set.js";

/** Indices of the pointers that match somewhere. */
export function reachedPointers(
  roots: readonly Step[],
  builder: NodeBuilder,
  pointers: Pointers,
): ReadonlySet<number> {
  const reached = new Set<number>();
  const nodes = new Set(roots.filter((step) => step !== undefined));
  for (const node of nodes) {
    for (const index of pointers.matched(node.progress)) reached.add(index);
    for (const { step } of stepsFrom(node, builder)) {
      if (step !== undefined && step.progress.states.length > 0) nodes.add(step);
    }
  }
  return reached;
}

interface Taken {
  /** As a pointer names it. */
  readonly segment: string;
  readonly step: Step;
}

/** Every kind of step that a value can take from there. */
function stepsFrom(node: Node, builder: NodeBuilder): readonly Taken[] {
  const { choice } = node;
  if (choice !== undefined) {
    return choice.union.branches.map((_, index) => ({ segment: "", step: node.branch(choice, index) }));
  }
  const steps: Taken[] = [];
  if ((node.types & OBJECT) !== 0) {
    for (const [name, step] of builder.namedMembers(node)) steps.push({ segment: segmentOf(name), step });
    steps.push({ segment: "*", step: builder.memberOf(node, undefined, []) });
    for (const pattern of node.atoms.flatMap((atom) => atom.patterns)) {
      steps.push({ segment: "*", step: builder.memberOf(node, undefined, [pattern]) });
    }
  }
  if ((node.types & ARRAY) !== 0) {
    const { head, named, rest } = node.items;
    steps.push(...[...head, ...named.values(), rest].map((step) => ({ segment: "*", step })));
  }
  return steps;
}

function segmentOf(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("*", "~2");
}

/** More would be no help to choose from. */
const SHOWN = 2000;

/** Pointers to what is declared, shallow ones first; recursive schemas are left where they begin again. */
export function declaredPointers(roots: readonly Step[], builder: NodeBuilder): readonly string[] {
  const pointers = new Set<string>();
  const queue = roots.map((step) => ({ step, pointer: "", above: new Set<Node>() }));
  for (const { step, pointer, above } of queue) {
    if (step === undefined || above.has(step) || pointers.size >= SHOWN) continue;
    if (pointer !== "") pointers.add(pointer);
    const below = new Set(above).add(step);
    for (const { segment, step: next } of stepsFrom(step, builder)) {
      queue.push({ step: next, pointer: segment === "" ? pointer : `${pointer}/${segment}`, above: below });
    }
  }
  return [...pointers];
}
