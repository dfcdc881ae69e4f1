/** The implementations of the port `schema-compiler`. Loading this file loads no ajv. */
import type { InputProblem } from "../model/outcome.js";
import type { JsonSchema } from "../model/policy.js";
import type { Platform } from "../ports/platform.js";
import type { SchemaCompiler, SchemaOptions, Validator } from "../ports/schema-compiler.js";
import type { CodeGenerator } from "./ajv.js";
import type { Cut } from "./evaluation.js";
import { interpretSchema } from "./interpreter.js";
import type { PatternCache } from "../lib/linear-regexp.js";
import { prepareSchema } from "./prepare.js";

/** ajv where code may be generated, the interpreter alone elsewhere: the answers are the same. One for each policy. */
export async function loadSchemaCompiler(platform: Platform): Promise<SchemaCompiler> {
  const patterns: PatternCache = new Map();
  if (!platform.generatesCode) return createSchemaCompiler(patterns, undefined);
  const { createCodeGenerator } = await import("./ajv.js");
  return createSchemaCompiler(patterns, createCodeGenerator(patterns));
}

function createSchemaCompiler(patterns: PatternCache, generate: CodeGenerator | undefined): SchemaCompiler {
  return {
    compile: (schema, options) => {
      const generator = options.use === "parameter" ? undefined : generate;
      let validator: Validator | undefined;
      return (value) => {
        validator ??= build(schema, options, patterns, generator);
        return validator(value);
      };
    },
  };
}

/** The interpreter is made only for the first value that does not fit: most routes never need it where ajv runs. */
function build(
  schema: JsonSchema,
  options: SchemaOptions,
  patterns: PatternCache,
  generate: CodeGenerator | undefined,
): Validator {
  const prepared = prepareSchema(schema, options);
  let made: ReturnType<typeof interpretSchema> | undefined;
  const interpreted = () => (made ??= interpretSchema(prepared, patterns));
  const fits =
    generate === undefined || prepared.interpretOnly
      ? (value: unknown) => interpreted().fits(value)
      : generate(prepared);
  const list = (value: unknown): readonly InputProblem[] => {
    const problems = interpreted().problems(value, options.maxProblems);
    return problems.length > 0 ? problems : [DISAGREEMENT];
  };
  return (value) => {
    if (fits(value)) return undefined;
    if (options.unknown === "strip") {
      const cuts = interpreted().cuts(value);
      if (cuts !== undefined && cuts.length > 0) {
        take(cuts);
        // What the cuts left must fit by itself: a member that was cut may have been asked for elsewhere.
        if (fits(value)) return undefined;
      }
    }
    return list(value);
  };
}

/** The two validators should never differ. If they do, the stricter one is right. */
const DISAGREEMENT: InputProblem = { pointer: "", rule: "schema", message: "is not as the schema demands" };

function take(cuts: readonly Cut[]): void {
  for (const { from, name } of cuts) delete from[name];
}
