/** Both validators, so that every test of one is a test of the other. */
import type { Platform } from "../ports/platform.js";
import type { SchemaCompiler, SchemaOptions } from "../ports/schema-compiler.js";
import type { JsonSchema } from "../model/policy.js";
import { loadSchemaCompiler } from "./index.js";

export const GENERATED: SchemaCompiler = await loadSchemaCompiler({ generatesCode: true } as Platform);
export const INTERPRETED: SchemaCompiler = await loadSchemaCompiler({ generatesCode: false } as Platform);

export const VALIDATORS: readonly (readonly [name: string, compiler: SchemaCompiler])[] = [
  ["generated", GENERATED],
  ["interpreted", INTERPRETED],
];

/** `/pointer rule` of each problem; empty when the value fits. */
export function problemsOf(
  compiler: SchemaCompiler,
  schema: JsonSchema,
  value: unknown,
  options: Partial<SchemaOptions> = {},
): string[] {
  const validate = compiler.compile(schema, { schemas: {}, unknown: "allow", maxProblems: 20, ...options });
  return (validate(value) ?? []).map(({ pointer, rule }) => `${pointer} ${rule}`);
}
