/** Stages `body` (by its bytes) and `validate`: one parse, then the schema. What passes is what the handler reads. */
import type { Stage } from "../../model/compiled.js";
import type { InputProblem, Refusal, Verdict } from "../../model/outcome.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import type { Validator } from "../../ports/schema-compiler.js";
import { createJsonReader } from "../../normalize/json.js";
import type { JsonGuards } from "../../normalize/json-guards.js";
import { inspectJsonValue } from "../../normalize/json-value.js";
import { missingBody, tooLarge } from "./content.js";
import { guardsOf } from "./parameters.js";
import { refusalWith } from "./problems.js";

export function parseStage(route: ResolvedRoute, rule: string): Stage {
  const guards = guardsOf(route);
  const read = createJsonReader(guards);
  const large = tooLarge(route);
  const absent = route.request.bodyOptional ? undefined : missingBody(route);
  const given = compileGiven(route, guards, rule);
  return {
    at: "body",
    phase: "body",
    rule,
    run: (state) => {
      if (!state.bodyComplete) return large;
      const bytes = state.bodyBytes;
      if (bytes === undefined) return state.body === undefined ? absent : given(state);
      if (bytes.length === 0) return absent;
      const reading = read(bytes);
      if (reading.kind === "malformed") return malformed(reading.problems, rule);
      state.body = reading.value;
      return undefined;
    },
  };
}

/** A value that somebody else parsed. It stays theirs: cutting what no schema names works on a copy. */
function compileGiven(
  route: ResolvedRoute,
  guards: JsonGuards,
  rule: string,
): (state: RequestState) => Verdict {
  const cuts = route.request.unknown === "strip";
  return (state) => {
    const problems = inspectJsonValue(state.body, guards);
    if (problems !== undefined) {
      state.body = undefined;
      return malformed(problems, rule);
    }
    if (cuts) state.body = structuredClone(state.body);
    return undefined;
  };
}

function malformed(problems: readonly InputProblem[], rule: string): Refusal {
  return refusalWith("malformed-body", "the body is no acceptable JSON", rule, below(problems));
}

/** @param at `revalidate`: what sanitizing left must still be what the schema says */
export function validateStage(rule: string, validate: Validator, at: "validate" | "revalidate"): Stage {
  return {
    at,
    rule,
    run: (state) => {
      if (state.body === undefined) return undefined;
      const problems = validate(state.body);
      if (problems === undefined) return undefined;
      // In observe mode later stages still run: they must not read what no schema let in.
      state.body = undefined;
      // The number cannot be read as it was sent, whatever the schema thinks of the rest (RFC 7493 section 2.2).
      const unsafe = problems.some((problem) => problem.rule === "unsafe-integer");
      const code = unsafe ? "malformed-body" : "invalid-body";
      return refusalWith(code, "the body does not fit its schema", rule, below(problems));
    },
  };
}

function below(problems: readonly InputProblem[]): InputProblem[] {
  return problems.map((problem) => ({ ...problem, pointer: `/body${problem.pointer}` }));
}
