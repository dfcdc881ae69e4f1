/** Assertions for any test runner: they throw what every runner shows, and the message has the trace. */
import { differences } from "./compare.js";
import type { PolicyResult } from "./exchange.js";
import type { Expectation } from "./policy-test.gen.js";
import { closed } from "./read.js";
import { describeResult } from "./trace.js";

/** What came of a request is not what a test expects. */
class ExpectationError extends Error {
  // As assertions of runners are called: some tell a failed test from a broken one by it.
  override readonly name = "AssertionError";
}

/**
 * The handler ran.
 * @throws Error naming what differs, with the trace of the decision
 * @throws PolicyTestError for an expectation that has an unknown member
 */
export function expectAdmitted(result: PolicyResult, expected: Omit<Expectation, "outcome"> = {}): void {
  insist({ ...expected, outcome: "admit" }, result);
}

/**
 * The policy refused: name at least the code or the status, or a request that is refused for another reason passes too.
 * @throws as `expectAdmitted`
 */
export function expectRefused(result: PolicyResult, expected: Omit<Expectation, "outcome"> = {}): void {
  insist({ ...expected, outcome: "refuse" }, result);
}

/** Whatever came of it: all members of an expectation. @throws as `expectAdmitted` */
export function expectResult(result: PolicyResult, expected: Expectation): void {
  insist(expected, result);
}

function insist(expected: Expectation, result: PolicyResult): void {
  const found = differences(closed("Expectation", expected), result);
  if (found.length > 0) throw new ExpectationError(messageOf(found, result));
}

function messageOf(found: readonly string[], result: PolicyResult): string {
  return [...found, "", describeResult(result)].join("\n");
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

function match(expected: Expectation, result: PolicyResult): MatcherResult {
  const found = differences(closed("Expectation", expected), result);
  const told = found.length > 0 ? found : ["expected something else to come of it"];
  return { pass: found.length === 0, message: () => messageOf(told, result) };
}

/** For `expect.extend` of vitest and jest: `expect(result).toBeRefused({ status: 403 })`. */
export const matchers = {
  toBeAdmitted: (result: PolicyResult, expected: Omit<Expectation, "outcome"> = {}): MatcherResult =>
    match({ ...expected, outcome: "admit" }, result),
  toBeRefused: (result: PolicyResult, expected: Omit<Expectation, "outcome"> = {}): MatcherResult =>
    match({ ...expected, outcome: "refuse" }, result),
};
