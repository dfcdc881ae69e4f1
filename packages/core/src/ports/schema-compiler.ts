import type { InputProblem } from "../model/outcome.js";
import type { JsonSchema } from "../model/policy.js";

/**
 * Undefined when the value fits; else its problems, capped, pointers relative to the value: a member that is missing or not
 * known is named by its own pointer. Never coerces and never fills in a default; with `unknown: "strip"` it takes out of
 * the value what no schema names.
 */
export type Validator = (value: unknown) => readonly InputProblem[] | undefined;

/** Turns JSON Schema 2020-12 into validators. Implementations are loaded while a policy that has schemas is compiled. */
export interface SchemaCompiler {
  /**
   * @param schema with `#/schemas/Name` references into `schemas`
   * @returns a validator that compiles itself at first use; a failure there throws and is a fault
   */
  compile(schema: JsonSchema, options: SchemaOptions): Validator;
}

export interface SchemaOptions {
  /** The document's `schemas`. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** `unknown` of the request: `reject` refuses and `strip` cuts properties that no schema names. */
  readonly unknown: "reject" | "strip" | "allow";
  /** At most this many problems are reported. */
  readonly maxProblems: number;
  /** `refuse` (default): a number beyond 2^53 - 1 where the schema says integer is a problem, rule `unsafe-integer`. */
  readonly unsafeIntegers?: "refuse" | "allow";
  /** `parameter`: values are scalars or short lists, for which generated code never pays for its making. Default `body`. */
  readonly use?: "body" | "parameter";
}
