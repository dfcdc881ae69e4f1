/** CEL text → a typed, compiled predicate or number that knows what it reads. */
import type { Report } from "../errors/diagnostics.js";
import type { RequestState } from "../model/state.js";
import { compileNode } from "./compile.js";
import { Compiler, STEP_BUDGET } from "./compiler.js";
import type {
  CompiledExpression,
  Condition,
  ConditionError,
  ConditionScope,
  NumberExpression,
} from "./condition.js";
import { explainNode } from "./explain.js";
import { partialTruth } from "./partial.js";
import { reachedParts } from "./reached.js";
import { isRejection, parse } from "./parse.js";
import { factsOf, latest } from "./node.js";
import type { Node } from "./node.js";
import { vocabularyOf } from "./roots.js";
import type { Vocabulary } from "./roots.js";
import { sourceOf } from "./source.js";
import { typeName } from "./types.js";
import { Failure } from "./values.js";

const NOT_BOOL = new Failure("the condition did not come to true or false");
const NO_COST = new Failure("a cost is an integer from 1 to 2^31 − 1");

/** Most that one request can cost; the stores count in 32 bits. */
const MAX_COST = 2_147_483_647;

/** What compiled once for a scope: checking a document and compiling it ask for the same texts. */
const compiledIn = new WeakMap<ConditionScope, Map<string, Condition>>();

/**
 * Compiles a condition. It must have type bool: a value of unknown type is never taken for true.
 * @returns undefined when something was reported
 */
export function compileCondition(
  text: string,
  scope: ConditionScope,
  pointer: string,
  report: Report,
): Condition | undefined {
  const known = compiledIn.get(scope) ?? new Map<string, Condition>();
  compiledIn.set(scope, known);
  const compiled = known.get(text) ?? compileNew(text, scope, pointer, report);
  if (compiled !== undefined) known.set(text, compiled);
  return compiled;
}

function compileNew(
  text: string,
  scope: ConditionScope,
  pointer: string,
  report: Report,
): Condition | undefined {
  const compiled = compileText(text, scope, pointer, report);
  if (compiled === undefined) return undefined;
  const { node, compiler } = compiled;
  if (node.type.kind !== "bool") {
    const help = node.type.kind === "dyn" ? "write `== true`: only the value true grants" : undefined;
    return compiler.error(
      "condition-type",
      `a condition must be bool, \`${node.text}\` is ${typeName(node.type)}`,
      help,
    );
  }
  return expression(text, compiled, (value) => (value === true || value === false ? value : NOT_BOOL));
}

/** Compiles the cost of a limit: an int from 1 to 2^31 − 1, anything else is an error of the evaluation. */
export function compileNumber(
  text: string,
  scope: ConditionScope,
  pointer: string,
  report: Report,
): NumberExpression | undefined {
  const compiled = compileText(text, scope, pointer, report);
  if (compiled === undefined) return undefined;
  const { node, compiler } = compiled;
  if (node.type.kind !== "int") {
    return compiler.error(
      "condition-type",
      `a cost must be int, \`${node.text}\` is ${typeName(node.type)}`,
      "write `int(…)` around it",
    );
  }
  return expression(text, compiled, (value) =>
    typeof value === "number" && value >= 1 && value <= MAX_COST ? value : NO_COST,
  );
}

interface Compiled {
  readonly node: Node;
  readonly compiler: Compiler;
}

function compileText(
  text: string,
  scope: ConditionScope,
  pointer: string,
  report: Report,
): Compiled | undefined {
  const vocabulary = vocabularyOf(scope);
  const compiler = new Compiler(vocabulary, report, pointer, compileNode);
  const ast = parse(text);
  if (isRejection(ast)) return compiler.error(ast.code, ast.message, ast.help);
  const node = compiler.value(ast);
  if (node !== undefined && !compiler.failed) return { node, compiler };
  // Whoever gets nothing takes it that something was reported: a rule that only vanished would let everybody in.
  return compiler.failed
    ? undefined
    : compiler.error("condition-type", `\`${sourceOf(ast)}\` cannot be evaluated`);
}

function expression<T>(
  text: string,
  { node, compiler }: Compiled,
  accept: (value: unknown) => T | Failure,
): CompiledExpression<T> {
  const facts = factsOf(node);
  return Object.freeze({
    text,
    reads: Object.freeze(facts.map((fact) => fact.name)),
    needs: latest(facts.map((fact) => fact.needs)),
    evaluate: evaluator(node, compiler, accept),
    explain: (state: RequestState) => explaining(node, compiler.vocabulary, state, compiler.budget),
    partial: (state: RequestState, known: (fact: string) => boolean) => {
      compiler.budget.left = STEP_BUDGET * 10;
      return partialTruth(node, state, known);
    },
    reached: (state: RequestState, rule: string) => {
      compiler.budget.left = STEP_BUDGET * 10;
      return reachedParts(node, state, rule);
    },
  });
}

function evaluator<T>(
  node: Node,
  { budget }: Compiler,
  accept: (value: unknown) => T | Failure,
): (state: RequestState) => T | ConditionError {
  const { run } = node;
  return (state) => {
    budget.left = STEP_BUDGET;
    const value = run(state);
    return value instanceof Failure ? value : accept(value);
  };
}

/** Parts run again and again while they are explained: each explanation has a budget of its own. */
function explaining(
  node: Node,
  vocabulary: Vocabulary,
  state: RequestState,
  budget: { left: number },
): ReturnType<typeof explainNode> {
  budget.left = STEP_BUDGET * 10;
  return explainNode(node, state, vocabulary);
}
