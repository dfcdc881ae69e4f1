/** Which types may stand beside each other. What is only known while serving agrees with everything. */
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
