/** Schemas that nothing can satisfy: whoever wrote one meant something else, and every request or answer would be refused. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";

type SchemaObject = Readonly<Record<string, unknown>>;

/** A lower bound, the upper one beside it, and whether equality satisfies both. */
const BOUNDS: readonly (readonly [least: string, most: string, equal: boolean])[] = [
  ["minimum", "maximum", true],
  ["exclusiveMinimum", "maximum", false],
  ["minimum", "exclusiveMaximum", false],
  ["exclusiveMinimum", "exclusiveMaximum", false],
  ["minLength", "maxLength", true],
  ["minItems", "maxItems", true],
  ["minContains", "maxContains", true],
  ["minProperties", "maxProperties", true],
];

/** @param pointer where the schema stands in the document */
export function checkBounds(schema: SchemaObject, pointer: () => string, report: Report): void {
  for (const [least, most, equal] of BOUNDS) {
    const low = schema[least];
    const high = schema[most];
    if (typeof low !== "number" || typeof high !== "number") continue;
    if (low < high || (equal && low === high)) continue;
    report.error(
      "unsatisfiable-schema",
      pointerTo(pointer(), most),
      `nothing is at once within \`${least}\` ${low} and \`${most}\` ${high}`,
      "mend one of the two bounds; `false` is the schema that nothing satisfies",
    );
  }
  checkRequired(schema, pointer, report);
}

/** A member that must be there and that `additionalProperties: false` forbids, mostly one of the two misspelled. */
function checkRequired(schema: SchemaObject, pointer: () => string, report: Report): void {
  const { required, properties = {}, patternProperties, additionalProperties } = schema;
  if (additionalProperties !== false || patternProperties !== undefined || !Array.isArray(required)) return;
  if (typeof properties !== "object" || properties === null) return;
  for (const [index, name] of required.entries()) {
    if (typeof name !== "string" || Object.hasOwn(properties, name)) continue;
    report.error(
      "unsatisfiable-schema",
      pointerTo(pointer(), "required", index),
      `\`${name}\` is required, and \`additionalProperties\` refuses it`,
      "declare it under `properties`, or take it out of `required`",
    );
  }
}
