/** What a limit reads on one route, and with it the stage at which all of that is known. */
import {
  compileCondition,
  compileFact,
  compileNumber,
  type Availability,
  type CompiledFact,
  type Condition,
  type ConditionScope,
  type NumberExpression,
} from "../../conditions/index.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { LimitSettings } from "../../model/policy.js";
import type { Placed } from "../../model/resolved.js";
import type { StageName } from "../../stages.js";
import { factsOf } from "./terms.js";

export interface Reading {
  readonly facts: readonly CompiledFact[];
  readonly when: Condition | undefined;
  readonly cost: number | NumberExpression;
  readonly needs: Availability;
}

const ORDER: readonly Availability[] = ["connection", "principal", "parameters", "body"];

export const STAGE_OF: Readonly<Record<Availability, StageName>> = {
  connection: "limit-connection",
  principal: "limit-principal",
  parameters: "limit-parameters",
  body: "limit-body",
};

/** @returns undefined when something was reported */
export function readingOf(
  { value, pointer }: Placed<LimitSettings>,
  scope: ConditionScope,
  report: Report,
): Reading | undefined {
  const written = factsOf(value);
  const list = Array.isArray(value.by);
  const facts = written.flatMap(({ fact, as }, index) => {
    const place = list ? pointerTo(pointer, "by", index) : pointerTo(pointer, "by");
    return compileFact(fact, as, scope, place, report) ?? [];
  });
  const when =
    value.when === undefined
      ? undefined
      : compileCondition(value.when, scope, pointerTo(pointer, "when"), report);
  const cost = costOf(value, pointer, scope, report);
  if (facts.length < written.length || cost === undefined) return undefined;
  if (value.when !== undefined && when === undefined) return undefined;
  const parts = [
    ...facts,
    ...(when === undefined ? [] : [when]),
    ...(typeof cost === "number" ? [] : [cost]),
  ];
  return { facts, when, cost, needs: latest(parts.map(({ needs }) => needs)) };
}

function costOf(
  { cost = 1 }: LimitSettings,
  pointer: string,
  scope: ConditionScope,
  report: Report,
): number | NumberExpression | undefined {
  const priced = typeof cost === "object" ? cost.estimate : cost;
  if (typeof priced === "number") return priced;
  const place = pointerTo(pointer, "cost", ...(typeof cost === "object" ? ["estimate"] : []));
  return compileNumber(priced, scope, place, report);
}

function latest(needs: readonly Availability[]): Availability {
  return ORDER.findLast((one) => needs.includes(one)) ?? "connection";
}

/** Names of all facts, as conditions name them. */
export function readsOf({ facts, when, cost }: Reading): readonly string[] {
  return [
    ...facts.map(({ fact }) => fact),
    ...(when?.reads ?? []),
    ...(typeof cost === "number" ? [] : cost.reads),
  ];
}
