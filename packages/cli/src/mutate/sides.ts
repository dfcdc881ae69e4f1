/** Which schemas say what leaves, and which what may come in. */
import type { PolicyDocument } from "@gatehouse/core";
import { isList, isRecord } from "../lib/json.js";
import { pointerTo, segmentsOf } from "../lib/pointer.js";

/** @returns whether the schema at a pointer is one of answers alone */
export function answersIn(policy: PolicyDocument): (pointer: string) => boolean {
  const sides = new Map<string, Set<"in" | "out">>();
  const visit = (value: unknown, side: "in" | "out"): void => {
    if (isList(value)) value.forEach((item) => visit(item, side));
    if (!isRecord(value)) return;
    for (const [name, inner] of Object.entries(value)) {
      const target =
        name === "$ref" && typeof inner === "string" ? /^#\/schemas\/(.+)$/u.exec(inner)?.[1] : undefined;
      if (target === undefined) visit(inner, side);
      else {
        const known = sides.get(target) ?? new Set();
        sides.set(target, known);
        if (!known.has(side)) {
          known.add(side);
          visit(policy.schemas?.[target], side);
        }
      }
    }
  };
  const { defaults, groups = {}, routes } = policy;
  for (const level of [defaults ?? {}, ...Object.values(groups), ...Object.values(routes)]) {
    visit(level.request, "in");
    visit(level.response, "out");
  }
  return (pointer) => {
    const segments = segmentsOf(pointer);
    if (segments[0] !== "schemas") return segments.includes("response");
    const used = sides.get(segments[1] ?? "");
    return used?.has("out") === true && !used.has("in");
  };
}

/** Schemas that no route refers to. */
export function isUnused(policy: PolicyDocument, name: string): boolean {
  return !JSON.stringify({ ...policy, schemas: { ...policy.schemas, [name]: undefined } }).includes(
    JSON.stringify(`#${pointerTo("/schemas", name)}`).slice(1, -1),
  );
}
