/** JSON types as bits: which a schema lets fit, and which one a value has. */

export const STRING = 1;
/** A number without a fraction; `1.0` is one (JSON Schema validation section 6.1.1). */
export const INTEGER = 2;
const FRACTION = 4;
export const NUMBER = 6;
export const BOOLEAN = 8;
export const NULL = 16;
export const OBJECT = 32;
export const ARRAY = 64;
export const SCALARS = 31;
export const EVERY_TYPE = 127;
/** In ascending order, to ask of each. */
export const SINGLE_TYPES: readonly number[] = [STRING, INTEGER, FRACTION, BOOLEAN, NULL, OBJECT, ARRAY];

const BY_NAME: ReadonlyMap<unknown, number> = new Map([
  ["string", STRING],
  ["integer", INTEGER],
  ["number", NUMBER],
  ["boolean", BOOLEAN],
  ["null", NULL],
  ["object", OBJECT],
  ["array", ARRAY],
]);

/** Bits of the keyword `type`: a name or a list of names. */
export function bitsOfType(type: unknown): number {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  return names.reduce<number>((bits, name) => bits | (BY_NAME.get(name) ?? 0), 0);
}

/** The one bit of a value that JSON can hold. */
export function bitOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return STRING;
    case "number":
      return Number.isInteger(value) ? INTEGER : FRACTION;
    case "boolean":
      return BOOLEAN;
    default:
      if (value === null) return NULL;
      return Array.isArray(value) ? ARRAY : OBJECT;
  }
}
