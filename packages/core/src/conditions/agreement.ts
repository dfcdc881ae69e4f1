/** Which types may stand beside each other. What is only known while serving agrees with everything. */
import { isTime } from "./types.js";
import type { CelType } from "./types.js";

export function agree(a: CelType, b: CelType): boolean {
  if (a.kind === "dyn" || b.kind === "dyn") return true;
  if (a.kind === "list" || a.kind === "map") return a.kind === b.kind && agree(a.of, b.of);
  return sameScalar(a, b);
}

/** Are they the same through and through? `dyn` is like `dyn` alone. */
export function same(a: CelType, b: CelType): boolean {
  if (a.kind === "list" || a.kind === "map") return a.kind === b.kind && same(a.of, b.of);
  return sameScalar(a, b);
}

/** An instant is a number while it runs: beside a value of unknown type, however deep, it would equal one. */
export function mixesTime(left: CelType, right: CelType): boolean {
  return (isTime(left) || isTime(right)) && !same(left, right);
}

function sameScalar(a: CelType, b: CelType): boolean {
  return a.kind === "record" ? b.kind === "record" && a.record === b.record : a.kind === b.kind;
}

/** Ints and doubles are compared by value. */
export function isNumeric({ kind }: CelType): boolean {
  return kind === "int" || kind === "double";
}

const ORDERED: ReadonlySet<CelType["kind"]> = new Set([
  "bool",
  "int",
  "double",
  "string",
  "timestamp",
  "duration",
  "dyn",
]);

export function isOrdered({ kind }: CelType): boolean {
  return ORDERED.has(kind);
}
