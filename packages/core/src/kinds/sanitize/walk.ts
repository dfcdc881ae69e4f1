/** Finds the texts of a value that a plan names, and puts back what became of them. */
import type { TraceNote } from "../../model/state.js";
import { segmentOf } from "../../normalize/json-guards.js";
import type { PlanNode, Treatment } from "./plan.js";

type Holder = Record<string | number, unknown>;

export interface FoundText {
  readonly holder: Holder;
  readonly key: string | number;
  readonly text: string;
  readonly treatment: Treatment;
  readonly at: Visit;
}

/** A value and the way to it; a pointer is only spelled out where there is a problem. */
interface Visit {
  readonly holder: Holder;
  readonly key: string | number;
  readonly node: PlanNode;
  readonly parent: Visit | undefined;
}

/** In the order of the value. A list in place of recursion: an answer may be deeper than the stack. */
export function textsIn(holder: Holder, key: string, plan: PlanNode): FoundText[] {
  const found: FoundText[] = [];
  const open: Visit[] = [{ holder, key, node: plan, parent: undefined }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const value = visit.holder[visit.key];
    const { node } = visit;
    if (typeof value === "string") {
      if (node.treatment === undefined) continue;
      found.push({ holder: visit.holder, key: visit.key, text: value, treatment: node.treatment, at: visit });
    } else if (typeof value === "object" && value !== null) addMembers(value as Holder, visit, open);
  }
  return found;
}

function addMembers(value: Holder, visit: Visit, open: Visit[]): void {
  const { named, others } = visit.node;
  const add = (key: string | number, node: PlanNode | undefined): void => {
    if (node !== undefined) open.push({ holder: value, key, node, parent: visit });
  };
  if (others === undefined) {
    // Only what is named can lead on: the rest of a large value is not even looked at.
    for (const [name, node] of [...named].reverse()) if (Object.hasOwn(value, name)) add(name, node);
    return;
  }
  const keys = Object.keys(value);
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index] ?? "";
    add(key, named.has(key) ? named.get(key) : others);
  }
}

/** As a pointer from the body; names of the caller's are cut short. */
export function pointerOf({ at }: FoundText): string {
  const segments: string[] = [];
  for (let visit: Visit | undefined = at; visit?.parent !== undefined; visit = visit.parent) {
    segments.unshift(segmentOf(visit.key));
  }
  return segments.join("");
}

/** For coverage: which rules were about a text, and whether they changed it. */
export function noteOf({ text, at }: FoundText, clean: string): TraceNote {
  const came = clean === text ? "kept" : "cleaned";
  return { reached: at.node.rules.map((rule) => ({ rule, came })) };
}

/** `__proto__` may be a name where its guard is off. */
export function put({ holder, key }: FoundText, text: string): void {
  Object.defineProperty(holder, key, { value: text, enumerable: true, configurable: true, writable: true });
}
