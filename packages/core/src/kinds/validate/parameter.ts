/** One parameter with a schema: reads its text, coerces, fills in the default, validates. */
import type { JsonSchema } from "../../model/policy.js";
import type { SchemaCompiler, SchemaOptions, Validator } from "../../ports/schema-compiler.js";
import { type Coercer, UNFIT, compileCoercer } from "./coerce.js";
import { shapeOf } from "./parameter-shape.js";
import { type Problems, placeOf } from "./problems.js";

export type Part = "params" | "query" | "headers" | "cookies";

export interface Parameter {
  readonly name: string;
  /** Takes all values of a repeated query parameter. */
  readonly list: boolean;
  /** Undefined: absent without a default, or a problem was added. */
  read(sent: string | readonly string[] | undefined, problems: Problems): unknown;
}

export interface ParameterSource {
  readonly part: Part;
  readonly name: string;
  readonly schema: JsonSchema;
  /** Path parameters always are. */
  readonly alwaysRequired: boolean;
}

/** @returns undefined for a schema that did not pass the checks */
export function compileParameter(
  source: ParameterSource,
  compiler: SchemaCompiler,
  options: SchemaOptions,
): Parameter | undefined {
  const shape = shapeOf(source.schema, options.schemas);
  if (typeof shape === "string") return undefined;
  const { name, part } = source;
  const place = placeOf(part, name);
  const coerce = compileCoercer(shape.types, options.unsafeIntegers === "allow");
  const validate = shape.typeOnly ? undefined : compiler.compile(source.schema, options);
  const required = shape.required || source.alwaysRequired;
  const wanted = `must be of type ${[...shape.types].join(" or ")}`;

  return {
    name,
    list: shape.list,
    read: (sent, problems) => {
      if (sent === undefined) {
        if (!required) return shape.fallback?.value;
        problems.add(place, "required", "is required");
        return undefined;
      }
      const value = shape.list ? coerceAll(sent, coerce) : coerceOne(sent, coerce);
      if (value === UNFIT) {
        problems.add(place, "type", wanted);
        return undefined;
      }
      return validate === undefined ? value : checked(value, validate, place, problems);
    },
  };
}

/** For the author, when the policy is compiled: a default must itself be a value that a caller may send. */
export function defaultFits(schema: JsonSchema, compiler: SchemaCompiler, options: SchemaOptions): boolean {
  const shape = shapeOf(schema, options.schemas);
  if (typeof shape === "string" || shape.fallback === undefined) return true;
  return compiler.compile(schema, options)(shape.fallback.value) === undefined;
}

function checked(value: unknown, validate: Validator, place: string, problems: Problems): unknown {
  const found = validate(value);
  if (found === undefined) return value;
  problems.addAll(place, found);
  return undefined;
}

/** A list where one value is meant was refused before. */
function coerceOne(sent: string | readonly string[], coerce: Coercer): unknown {
  return typeof sent === "string" ? coerce(sent) : UNFIT;
}

function coerceAll(sent: string | readonly string[], coerce: Coercer): unknown {
  const values = (typeof sent === "string" ? [sent] : sent).map(coerce);
  return values.includes(UNFIT) ? UNFIT : values;
}
