/** Makes the stages of every route while the policy is compiled; validators generate themselves at first use. */
import type { Stage } from "../../model/compiled.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { JsonSchema } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { pointerTo } from "../../lib/pointer.js";
import { MAX_PROBLEMS } from "../../normalize/json-guards.js";
import type { SchemaCompiler, SchemaOptions } from "../../ports/schema-compiler.js";
import { parseStage, validateStage } from "./body.js";
import { contentStage } from "./content.js";
import { type Parameter, type Part, compileParameter, defaultFits } from "./parameter.js";
import { type ParameterMaps, parametersStage } from "./parameters.js";

const PARTS: readonly Part[] = ["params", "query", "headers", "cookies"];

export async function compileValidate(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const compiler = policy.routes.some(hasSchema) ? await environment.schemas() : undefined;
  if (compiler !== undefined) checkDefaults(policy, compiler, environment);
  return {
    stages: (route) => {
      // Where nothing matched there is nothing to read.
      if (route.key === "") return [];
      return [
        parametersStage(route, compileMaps(route, policy, compiler)),
        contentStage(route),
        ...bodyStages(route, policy, compiler),
      ];
    },
  };
}

function hasSchema({ request }: ResolvedRoute): boolean {
  return request.body !== undefined || PARTS.some((part) => request[part] !== undefined);
}

function compileMaps(
  route: ResolvedRoute,
  policy: ResolvedPolicy,
  compiler: SchemaCompiler | undefined,
): ParameterMaps {
  const compileMap = (part: Part): readonly Parameter[] | undefined => {
    const placed = route.request[part];
    if (placed === undefined || compiler === undefined) return undefined;
    return parametersOf(route, part, placed)
      .map((source) => compileParameter(source, compiler, optionsFor(route, policy, "parameter")))
      .filter((parameter) => parameter !== undefined);
  };
  return {
    params: compileMap("params"),
    query: compileMap("query"),
    headers: compileMap("headers"),
    cookies: compileMap("cookies"),
  };
}

/** A param that a group or the defaults describe may be one that this route does not bind. */
function parametersOf(
  route: ResolvedRoute,
  part: Part,
  placed: Placed<Readonly<Record<string, JsonSchema>>>,
) {
  const bound = new Set(route.pattern.map((piece) => (piece.kind === "param" ? piece.name : undefined)));
  return Object.entries(placed.value)
    .filter(([name]) => part !== "params" || bound.has(name))
    .map(([name, schema]) => ({ part, name, schema, alwaysRequired: part === "params" }));
}

function bodyStages(
  route: ResolvedRoute,
  policy: ResolvedPolicy,
  compiler: SchemaCompiler | undefined,
): readonly Stage[] {
  const { body } = route.request;
  if (body === undefined || compiler === undefined) return [];
  const validate = compiler.compile(body.value, optionsFor(route, policy, "body"));
  const stages = [parseStage(route, body.pointer), validateStage(body.pointer, validate, "validate")];
  const sanitizes = Object.keys(route.request.sanitize?.value ?? {}).length > 0;
  return sanitizes ? [...stages, validateStage(body.pointer, validate, "revalidate")] : stages;
}

function optionsFor(route: ResolvedRoute, policy: ResolvedPolicy, use: "body" | "parameter"): SchemaOptions {
  const { unknown, sniff } = route.request;
  return {
    schemas: policy.schemas,
    unknown,
    maxProblems: MAX_PROBLEMS,
    unsafeIntegers: sniff.unsafeIntegers ? "refuse" : "allow",
    use,
  };
}

/** A default that its own schema refuses would let in what no caller may send. */
function checkDefaults(
  policy: ResolvedPolicy,
  compiler: SchemaCompiler,
  { report }: CompileEnvironment,
): void {
  const seen = new Set<string>();
  for (const route of policy.routes) {
    for (const part of PARTS) {
      const placed = route.request[part];
      for (const [name, schema] of Object.entries(placed?.value ?? {})) {
        const pointer = pointerTo(placed?.pointer ?? "", name);
        if (seen.has(pointer)) continue;
        seen.add(pointer);
        if (defaultFits(schema, compiler, optionsFor(route, policy, "parameter"))) continue;
        report.error("invalid-default", pointer, `the default of \`${name}\` does not fit its own schema`);
      }
    }
  }
}
