/**
 * Text of a parameter to a value of its schema's type. A value is taken only if it reads back as the same text: `"01"`,
 * `"1.0"`, `"+1"` and `" 1"` are no numbers, `""` is not 0, and no string but `"true"` is true.
 */

export type ScalarType = "integer" | "number" | "boolean" | "null" | "string";

/** The text is no value of the type; `null` and `undefined` could be values. */
export const UNFIT: unique symbol = Symbol("unfit");

export type Coercer = (text: string) => unknown;

/** From the narrowest to the widest: every text is a string. */
const ORDER: readonly ScalarType[] = ["integer", "number", "boolean", "null", "string"];

/** @param unsafeIntegers whether an integer beyond 2^53 - 1 is taken when its digits survive */
export function compileCoercer(types: ReadonlySet<ScalarType>, unsafeIntegers: boolean): Coercer {
  const coercers = ORDER.filter((type) => types.has(type)).map((type) => coercerOf(type, unsafeIntegers));
  const [first, second] = coercers;
  if (first !== undefined && second === undefined) return first;
  return (text) => {
    for (const coerce of coercers) {
      const value = coerce(text);
      if (value !== UNFIT) return value;
    }
    return UNFIT;
  };
}

function coercerOf(type: ScalarType, unsafeIntegers: boolean): Coercer {
  switch (type) {
    case "integer":
      return unsafeIntegers ? toInteger : toSafeInteger;
    case "number":
      return toNumber;
    case "boolean":
      return toBoolean;
    case "null":
      return (text) => (text === "null" ? null : UNFIT);
    case "string":
      return (text) => text;
  }
}

/** `-0` reads back as `0`; `1e3` as `1000`; `1e400` as `Infinity`, which is no number of JSON's. */
function toNumber(text: string): unknown {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : UNFIT;
}

function toInteger(text: string): unknown {
  const value = toNumber(text);
  return Number.isInteger(value) ? value : UNFIT;
}

function toSafeInteger(text: string): unknown {
  const value = toNumber(text);
  return Number.isSafeInteger(value) ? value : UNFIT;
}

function toBoolean(text: string): unknown {
  if (text === "true") return true;
  return text === "false" ? false : UNFIT;
}
