/** From a file of tests to one whose shape is right. What it means beside its policy is looked at in `check-file.ts`. */
import { readFile } from "node:fs/promises";
import { checkBounds } from "../compile/bounds.js";
import { readObject } from "../compile/parse.js";
import { withPositions } from "../compile/positions.js";
import { checkRule } from "../compile/shape.js";
import { Report } from "../errors/diagnostics.js";
import type { Expectation, PolicyTestFile, TestAnswer, TestPerson, TestRequest } from "./policy-test.gen.js";
import { PolicyTestError } from "./problems.js";
import { TEST_RULES } from "./test-rules.gen.js";

/**
 * Reads a `*.policy-test.json` (JSON with comments). Where everything stands is remembered: problems and failures are told with
 * line and column.
 * @throws Error (rejects) when the file cannot be read
 * @throws PolicyTestError (rejects) with everything that is wrong with its syntax and shape
 */
export async function readPolicyTests(path: string): Promise<PolicyTestFile> {
  const read = readObject(await readFile(path, "utf8"), path);
  if ("diagnostics" in read) throw new PolicyTestError(read.diagnostics.map(ofTests));
  return closedWorld(read.object);
}

/** The parser speaks of policies, which are written in the same notation. */
function ofTests(diagnostic: PolicyTestError["diagnostics"][number]): PolicyTestError["diagnostics"][number] {
  const { help } = diagnostic;
  return help?.startsWith("a policy is JSON") === true
    ? { ...diagnostic, help: help.replace("a policy is", "policy tests are") }
    : diagnostic;
}

/** @throws PolicyTestError for an unknown key, a value of another type, a missing key: all of them at once */
export function closedWorld(tests: unknown): PolicyTestFile {
  const report = new Report();
  if (checkBounds(tests, report)) checkRule(tests, { ref: "root" }, "", report, TEST_RULES);
  if (report.failed) throw new PolicyTestError(withPositions(tests, report.diagnostics));
  // Every member was held against the rules that the type is made of.
  return tests as PolicyTestFile;
}

/** What tests that are code may hand over, by the name of its rules: as closed a world as a file's. */
interface Parts {
  readonly Expectation: Expectation;
  readonly TestAnswer: TestAnswer;
  readonly TestPerson: TestPerson;
  readonly TestRequest: TestRequest;
}

/** @throws PolicyTestError for an unknown member: a typo in an expectation would be one that always holds */
export function closed<Name extends keyof Parts>(name: Name, part: Parts[Name]): Parts[Name] {
  const report = new Report();
  checkRule(part, { ref: name }, "", report, TEST_RULES);
  if (report.failed) throw new PolicyTestError(report.diagnostics);
  return part;
}
