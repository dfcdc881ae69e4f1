/** What JSON.stringify would make of a value before writing it (ECMA-262, SerializeJSONProperty steps 2 to 4). */

/** Deeper values come from loops in the data: no schema is meant so, and walkers die of them. */
export const MAX_DEPTH = 512;

/** No JSON stands for the value: a BigInt, or code of the handler's that threw. */
class Unwritable extends Error {
  override readonly name = "Unwritable";
}

/**
 * A scalar, object or array; undefined where JSON.stringify leaves the value out. `toJSON` is asked here, once and before
 * anything is projected, so what it returns is held to the schema like any other value.
 * @param key under which the value stands, as `toJSON` is told it
 */
export function plainValue(value: unknown, key: string): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "object":
      return value === null ? null : unboxed(converted(value, key));
    case "bigint":
    case "function":
      return unboxed(converted(value, key));
    default:
      return undefined;
  }
}

/** An object literal, a list, or one that JSON.parse made: JSON.stringify takes it as it is. */
export function isOrdinary(value: unknown): boolean {
  return isLiteral(value) && (value as { readonly toJSON?: unknown }).toJSON === undefined;
}

/**
 * The same of a whole answer. Each may be of a kind of its own, as where a spread is followed by new members (see layout-writer.ts): to read a
 * member of that is a call into the runtime, to ask whether it is there is none. Of many items of few kinds reading is the cheaper one.
 */
export function isOrdinaryAnswer(value: unknown): boolean {
  return isLiteral(value) && !("toJSON" in value);
}

function isLiteral(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}

function converted(value: object | bigint, key: string): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === "function" ? (toJSON.call(value, key) as unknown) : value;
}

/** The result of `toJSON` is not asked for a `toJSON` of its own. */
function unboxed(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "object":
      return value === null ? null : primitiveOf(value);
    case "bigint":
      throw new Unwritable("a BigInt");
    default:
      return undefined;
  }
}

function primitiveOf(value: object): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Nearly everything: spares three walks along the prototypes.
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return value;
  // By internal slot, as JSON.stringify tells them: where the tag is a lie, `valueOf` throws and nothing leaves.
  switch (Object.prototype.toString.call(value)) {
    case "[object Number]":
      return unboxed(Number.prototype.valueOf.call(value));
    case "[object String]":
      return String.prototype.valueOf.call(value);
    case "[object Boolean]":
      return Boolean.prototype.valueOf.call(value);
    case "[object BigInt]":
      throw new Unwritable("a BigInt");
    default:
      return value;
  }
}
