import type { InputProblem } from "../model/outcome.js";
import type { JsonSchema } from "../model/policy.js";

/** Undefined when the value fits; else its problems, capped, pointers relative to the value. May fill in defaults where told to. */
export type Validator = (value: unknown) => readonly InputProblem[] | undefined;

/** Turns JSON Schema 2020-12 into validators. Implementations are loaded while a policy that has schemas is compiled. */
export interface SchemaCompiler {
  /**
   * @param schema with `#/schemas/Name` references into `documents`
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
}
