/** What is recorded of each route, and the stage that waits for the record where the author asks for that. */
import { readableFact, scopeOf, type Availability, type ReadableFact } from "../../conditions/index.js";
import type { RecordedFact, Stage } from "../../model/compiled.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import { PASS } from "../../model/outcome.js";
import type { Fault } from "../../model/outcome.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { StageName } from "../../stages.js";
import { factsRead } from "./reads.js";

export function compileRecord(
  policy: ResolvedPolicy,
  { report, keepsEvents }: CompileEnvironment,
): CompiledKind {
  const told = new Set<string>();
  for (const route of policy.routes) {
    const { record } = route;
    if (record?.value.onFailure !== "closed" || keepsEvents || told.has(record.pointer)) continue;
    told.add(record.pointer);
    // Every request would be refused, and nobody would know why before the first one.
    report.error(
      "unkept-record",
      record.pointer,
      "`onFailure` is `closed`, and nobody was given to the engine who says when an event is kept",
      "hand createEngine `sinks` with one that has `commit`, such as `jsonLines` of `@gatehouse/core/node`",
    );
  }
  return {
    stages: (route) => (route.record?.value.onFailure === "closed" ? [stageOf(route.record.pointer)] : []),
    recorded: (route) => recordedOf(policy, route),
  };
}

function stageOf(rule: string): Stage {
  return {
    at: "record",
    rule,
    run: (state) => {
      const kept = state.keep();
      if (kept === undefined) return PASS;
      return kept.then(({ problem }) => (problem === undefined ? PASS : unkept(problem, rule)));
    },
  };
}

function unkept(problem: string, rule: string): Fault {
  return { kind: "fault", where: "outside", reason: `the event was not kept: ${problem}`, rule };
}

function recordedOf(policy: ResolvedPolicy, route: ResolvedRoute): readonly RecordedFact[] {
  const scope = scopeOf(policy, route);
  const named = route.record?.value.facts;
  const facts: readonly ReadableFact[] =
    named === undefined
      ? factsRead(policy, route, scope)
      : // An inherited fact that this route cannot have is none of it.
        named.flatMap((fact) => readableFact(fact, scope) ?? []);
  const late = route.authenticate.anyOf.some((together) => together.some((one) => one.late));
  const known = (needs: Availability): StageName =>
    late && needs === "principal" ? "signature" : KNOWN[needs];
  return facts.map((one) => ({
    fact: one.fact,
    known: known(one.needs),
    read: (state) => one.read(state),
  }));
}

/** A caller may still turn out to be another than he claims until his signature was proved, and a body until it was cleaned. */
const KNOWN: Readonly<Record<Availability, StageName>> = {
  connection: "normalize",
  principal: "authenticate",
  parameters: "parameters",
  body: "revalidate",
};
