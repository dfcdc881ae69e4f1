/**
 * A document without the parts that have no right shape, so that what is wrong with the rest is told in the same go:
 * an author who mends one typo at a time learns of the next one only after another run.
 */
import { Report, type Diagnostic } from "../errors/diagnostics.js";
import { parsePointer, pointerTo, valueAt } from "../lib/pointer.js";
import { checkShape } from "./shape.js";

export interface Pruned {
  readonly document: unknown;
  /** Pointers of what was taken out. */
  readonly removed: readonly string[];
}

/** Taking a part out can leave its parent without a key that it needs; so many parents are enough for any document. */
const ROUNDS = 8;

/** Undefined when nothing useful is left. */
export function prune(document: unknown, shape: readonly Diagnostic[]): Pruned | undefined {
  const copy: unknown = JSON.parse(JSON.stringify(document));
  const removed = new Set<string>();
  let problems = shape;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (problems.length === 0) return { document: copy, removed: [...removed] };
    for (const { pointer } of problems) {
      const member = memberAround(copy, pointer);
      if (member === undefined) return undefined;
      if (remove(copy, member)) removed.add(pointerTo("", ...member));
    }
    const report = new Report();
    checkShape(copy, report);
    problems = report.diagnostics;
  }
  return undefined;
}

/** The nearest member of an object: taking an entry out of a list would move the others. */
function memberAround(document: unknown, pointer: string): readonly string[] | undefined {
  let segments = parsePointer(pointer) ?? [];
  while (segments.length > 0 && Array.isArray(valueAt(document, segments.slice(0, -1))))
    segments = segments.slice(0, -1);
  return segments.length === 0 ? undefined : segments;
}

function remove(document: unknown, segments: readonly string[]): boolean {
  const parent = valueAt(document, segments.slice(0, -1));
  const key = segments.at(-1);
  if (typeof parent !== "object" || parent === null || key === undefined) return false;
  return Reflect.deleteProperty(parent, key);
}

/** Where that may stand which a code misses; a code that is not listed misses nothing. */
const MISSED: ReadonlyMap<string, readonly string[]> = new Map([
  ["unknown-role", ["/roles"]],
  ["unknown-limit", ["/limits"]],
  ["unknown-authenticator", ["/authenticators"]],
  ["unknown-route", ["/routes"]],
  ["unknown-schema", ["/schemas"]],
  ["unknown-name", ["/authenticators", "/schemas"]],
  ["unknown-fact", ["/authenticators", "/schemas"]],
  ["no-authenticator", ["/authenticators"]],
  ["missing-authorize", ["/defaults", "/groups"]],
  ["anyone-not-optional", ["/defaults", "/groups"]],
  ["principal-on-open-route", ["/defaults", "/groups"]],
  ["missing-redaction-key", ["/redaction"]],
  ["unmatched-redaction", ["/schemas", "/defaults", "/groups"]],
  ["body-without-schema", ["/defaults", "/groups"]],
  ["setting-without-effect", ["/defaults", "/groups"]],
  ["empty-group", ["/routes"]],
  ["unused-csrf", ["/authenticators", "/defaults", "/groups", "/routes"]],
]);

/** True when a problem may be there only because of what was taken out. */
export function isConsequence({ code, pointer }: Diagnostic, removed: readonly string[]): boolean {
  const causes = MISSED.get(code) ?? [];
  return removed.some(
    (gone) =>
      within(gone, pointer) || within(pointer, gone) || causes.some((section) => within(gone, section)),
  );
}

function within(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}
