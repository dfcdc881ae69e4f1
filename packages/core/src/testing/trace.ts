/** The way of a request in words: stage by stage what it decided, by which rule, from what it read. */
import type { TraceStep } from "../index.js";
import type { PolicyResult } from "./exchange.js";

/** One line a stage. */
export function formatTrace(trace: readonly TraceStep[]): string {
  return trace.map(lineOf).join("\n");
}

const MARKS: Readonly<Record<TraceStep["outcome"], string>> = {
  pass: "✓",
  observe: "~",
  answer: "→",
  refuse: "✗",
  fault: "!",
};

function lineOf({ stage, outcome, code, rule, reason, read }: TraceStep): string {
  const verdict = code === undefined ? outcome : `${outcome} ${code}`;
  const parts = [
    rule === undefined || rule === "" ? undefined : `by ${rule}`,
    reason,
    read === undefined ? undefined : `read ${read.map(factOf).join(", ")}`,
  ].filter((part) => part !== undefined);
  return `${MARKS[outcome]} ${stage.padEnd(16)} ${[verdict, ...parts].join("; ")}`;
}

function factOf(fact: NonNullable<TraceStep["read"]>[number]): string {
  return "value" in fact ? `${fact.fact} = ${JSON.stringify(fact.value) ?? "nothing"}` : fact.fact;
}

/** What was asked, by whom, what came of it and why. */
export function describeResult(result: PolicyResult): string {
  const { request, outcome, status, stage, code, concealed } = result;
  const who = request.person === undefined ? "anonymous" : `as ${request.person}`;
  const told = code === undefined ? "" : ` ${code}`;
  const hidden = concealed === undefined ? "" : ` (conceals ${concealed})`;
  const at = stage === undefined ? "" : ` at ${stage}`;
  const lines = [`${who}: ${request.method} ${request.target}`, `${outcome} ${status}${told}${hidden}${at}`];
  return [...lines, ...formatTrace(result.trace).split("\n").filter(Boolean)].join("\n");
}
